"""$lookup, $validate-code, $subsumes and $expand (hl7.org/fhir/R4/terminology-service.html).

They know R4's own code systems and value sets, the tables that were imported, and what hospitals sent as CodeSystem and ValueSet.
"""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from doorstep.kernel.fhir import elements, validation
from doorstep.kernel.fhir.door import allow
from doorstep.kernel.fhir.outcome import FhirRefused, answer
from doorstep.kernel.fhir.vocabulary import Term, Terms
from doorstep.kernel.record import code_systems, stored, value_sets
from doorstep.kernel.record.terminology_asking import (
    Coding,
    codings,
    given,
    is_called,
    parameters,
    text,
    truth,
    whole,
    worded,
)
from doorstep.kernel.record.value_sets import Members

Json = dict[str, Any]
_MOST = 1_000
_CODED = ("code", "system", "display", "coding", "codeableConcept", "displayLanguage")


def lookup(request: HttpRequest, type: str, fhir_id: str) -> HttpResponse:
    """CodeSystem/$lookup?system=&code=: the concept's words in every language, and the codes above and below it."""
    asked = given(request, "code", "system", "version", "coding", "displayLanguage", "property")
    system, code, _ = codings(asked)[0]
    if not system:
        raise FhirRefused(400, "required", "需要 system 和 code / system and code are needed")
    canonical = _versioned(system, text(asked, "version"))
    terms, found = code_systems.term(canonical, code) or (None, None)
    if found is None or terms is None:
        raise FhirRefused(404, "not-found", f"没有代码 {system[:120]}|{code[:60]} / no such code")
    told = parameters(
        [
            ("name", "String", terms.name or terms.url),
            ("version", "String", terms.version),
            ("display", "String", worded(found, text(asked, "displayLanguage"))),
            ("abstract", "Boolean", found.abstract or None),
        ]
    )
    told["parameter"] += [
        {
            "name": "designation",
            "part": [{"name": "language", "valueCode": name}, {"name": "value", "valueString": words}],
        }
        for name, words in found.words.items()
    ]
    told["parameter"] += _properties(terms, found)
    return answer(told)


def _properties(terms: Terms, term: Term) -> list[Json]:
    children = [one.code for one in terms.terms.values() if term.code in one.parents]
    pairs = [*(("parent", one) for one in term.parents), *(("child", one) for one in children)]
    coded = [(name, "valueCode", value) for name, value in pairs]
    plain = [(name, "valueString", value) for name, value in term.properties.items() if name not in ("parent", "child")]
    inactive = [("inactive", "valueBoolean", True)] if term.inactive else []
    return [
        {"name": "property", "part": [{"name": "code", "valueCode": name}, {"name": "value", kind: value}]}
        for name, kind, value in (*coded, *plain, *inactive)
        if value != ""
    ]


def validate_code(request: HttpRequest, type: str, fhir_id: str) -> HttpResponse:
    """CodeSystem or ValueSet $validate-code: whether a code is one of it and is called so."""
    allow(request, type, "r")
    asked = given(
        request, "url", "version", "systemVersion", "codeSystem", "valueSet", "valueSetVersion", "abstract", *_CODED
    )
    results = _in_system(asked, fhir_id) if type == "CodeSystem" else _in_value_set(asked, fhir_id)
    best = next((one for one in results if not one[2]), results[0])
    (system, code, _), term, wrong = best
    parts: list[tuple[str, str, Any]] = [("result", "Boolean", not wrong), ("message", "String", wrong)]
    if term is not None:
        parts.append(("display", "String", worded(term, text(asked, "displayLanguage"))))
        parts += [("code", "Code", code), ("system", "Uri", system)]
    return answer(parameters(parts))


_Result = tuple[Coding, Term | None, str]


def _in_system(asked: Json, fhir_id: str) -> list[_Result]:
    own = _code_system(asked, fhir_id)
    url = own.url if own is not None else text(asked, "url")
    results: list[_Result] = []
    for coding in codings(asked, system=url):
        system, code, _ = coding
        if not system:
            raise FhirRefused(400, "required", "需要 url 或 system / url or system is needed")
        if url and system.partition("|")[0] != url.partition("|")[0]:
            results.append((coding, None, f"{system[:120]} 不是 {url[:120]} / is another code system"))
            continue
        known = (
            (own, own.terms.get(code)) if own else code_systems.term(_versioned(system, text(asked, "version")), code)
        )
        if known is None:
            results.append((coding, None, f"没有代码系统 {system[:120]} / the code system is not known here"))
            continue
        terms, term = known
        results.append((coding, term, _wrong(coding, term, asked, partly=not terms.whole)))
    return results


def _in_value_set(asked: Json, fhir_id: str) -> list[_Result]:
    listed = _members(_value_set(asked, fhir_id))
    return [_one_in(coding, listed, asked) for coding in codings(asked)]


def _one_in(coding: Coding, listed: Members, asked: Json) -> _Result:
    system, code, display = coding
    hits = [key for key in listed.terms if key[1] == code and system in ("", key[0])]
    if len(hits) > 1:
        raise FhirRefused(
            400, "required", f"{code[:60]} 属于几个代码系统，请写明 system / is in several systems: name one"
        )
    full = (hits[0][0] if hits else system, code, display)
    term = listed.terms[hits[0]] if hits else None
    return full, term, _wrong(full, term, asked, partly=system in listed.partly)


def _wrong(coding: Coding, term: Term | None, asked: Json, *, partly: bool) -> str:
    """Why the answer is no; "" when it is yes."""
    _, code, display = coding
    if term is None and partly:
        return f"本机只有该代码系统的选编，其中没有 {code[:60]} / this server holds a selection of the system, without this code"
    if term is None:
        return f"{code[:60]} 不在其中 / is not one of it"
    if term.abstract and not truth(asked, "abstract"):
        return f"{code[:60]} 只用于分组 / only groups other codes"
    if display and not is_called(term, display):
        return f"{code[:60]} 的名称是“{term.display}”，不是“{display[:60]}” / is not called so"
    return ""


def subsumes(request: HttpRequest, type: str, fhir_id: str) -> HttpResponse:
    """CodeSystem/$subsumes?system=&codeA=&codeB=: whether one code stands over the other."""
    allow(request, type, "r")
    asked = given(request, "codeA", "codeB", "codingA", "codingB", "system", "version")
    own = _code_system(asked, fhir_id)
    pairs = []
    for letter in "AB":
        part = {"system": asked.get("system"), "code": asked.get(f"code{letter}")}
        if f"coding{letter}" in asked:
            part = {"coding": asked[f"coding{letter}"]}
        pairs.append(codings(part, system=own.url if own else "")[0])
    (system, first, _), (other, second, _) = pairs
    if not system or system != other:
        raise FhirRefused(400, "invalid", "两个代码应属于同一个 system / both codes must be of one system")
    terms = own or code_systems.listing(_versioned(system, text(asked, "version")))
    for code in (first, second):
        if terms is None or code not in terms.terms:
            raise FhirRefused(404, "not-found", f"没有代码 {system[:120]}|{code[:60]} / no such code")
    outcome = "not-subsumed"
    if terms is not None and first == second:
        outcome = "equivalent"
    elif terms is not None and second in code_systems.below(terms, first):
        outcome = "subsumes"
    elif terms is not None and first in code_systems.below(terms, second):
        outcome = "subsumed-by"
    return answer(parameters([("outcome", "Code", outcome)]))


def expand(request: HttpRequest, type: str, fhir_id: str) -> HttpResponse:
    """ValueSet/$expand: its codes, filtered by text, in pages by offset and count."""
    allow(request, type, "r")
    asked = given(
        request, "url", "valueSet", "valueSetVersion", "filter", "offset", "count", "includeDesignations", "activeOnly",
        "displayLanguage",
    )  # fmt: skip
    content = _value_set(asked, fhir_id)
    listed = _members(content)
    words, language = text(asked, "filter").strip().casefold(), text(asked, "displayLanguage")
    fitting = [
        (key, one)
        for key, one in listed.terms.items()
        if not (one.inactive and truth(asked, "activeOnly"))
        and (not words or any(words in said.casefold() for said in (one.code, one.display, *one.words.values())))
    ]
    offset, count = whole(asked, "offset", 0), min(whole(asked, "count", _MOST), _MOST)
    designations = truth(asked, "includeDesignations")
    expansion: Json = {"timestamp": elements.instant(timezone.now()), "total": len(fitting), "offset": offset}
    noted: list[Json] = [
        {"name": name, "valueString": words} for name in ("filter", "displayLanguage") if (words := text(asked, name))
    ]
    if listed.partly:
        noted.append({"name": "limitedExpansion", "valueBoolean": True})
        noted += [{"name": "fragment", "valueUri": system} for system in sorted(listed.partly)]
    if noted:
        expansion["parameter"] = noted
    page = [_contained(key[0], one, language, designations) for key, one in fitting[offset : offset + count]]
    if page:
        expansion["contains"] = page
    named = {name: content[name] for name in ("url", "version", "name", "title") if content.get(name)}
    return answer({"resourceType": "ValueSet", "status": "active", **named, "expansion": expansion})


def _contained(system: str, term: Term, language: str, designations: bool) -> Json:
    found: Json = {"system": system} if system else {}
    if term.abstract:
        found["abstract"] = True
    if term.inactive:
        found["inactive"] = True
    found["code"] = term.code
    if display := worded(term, language):
        found["display"] = display
    if designations and term.words:
        found["designation"] = [{"language": name, "value": words} for name, words in term.words.items()]
    return found


def _members(content: Json) -> Members:
    return value_sets.members(content)


def _versioned(url: str, version: str) -> str:
    return f"{url}|{version}" if version else url


def _code_system(asked: Json, fhir_id: str) -> Terms | None:
    """The CodeSystem of the address, or that came along with the question; None when it is named by its url."""
    if fhir_id:
        found = stored.fetch(type="CodeSystem", fhir_id=fhir_id)
        if found is None or found.deleted:
            raise FhirRefused(404, "not-found", "没有这个 CodeSystem / there is no such CodeSystem")
        return code_systems.of_content(found.content())
    if isinstance(asked.get("codeSystem"), dict):
        return code_systems.of_content(_valid(asked["codeSystem"], "CodeSystem"))
    return None


def _value_set(asked: Json, fhir_id: str) -> Json:
    if fhir_id:
        found = value_sets.find(f"ValueSet/{fhir_id}")
        if found is None:
            raise FhirRefused(404, "not-found", "没有这个 ValueSet / there is no such ValueSet")
        return found
    if isinstance(asked.get("valueSet"), dict):
        return _valid(asked["valueSet"], "ValueSet")
    url = text(asked, "url")
    if not url:
        raise FhirRefused(400, "required", "需要 url 或 valueSet / url or valueSet is needed")
    found = value_sets.find(_versioned(url, text(asked, "valueSetVersion")))
    if found is None:
        raise FhirRefused(404, "not-found", f"没有值集 {url[:120]} / there is no such value set")
    return found


def _valid(sent: Json, type: str) -> Json:
    """What came along with the question; raises FhirRefused (422) with the first place that is wrong."""
    for one in validation.problems({**sent, "resourceType": type}):
        raise FhirRefused(422, one.code, one.sentence, one.path)
    return sent
