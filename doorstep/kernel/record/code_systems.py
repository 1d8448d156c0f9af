"""The codes of a system, wherever they are known from: R4 itself, the tables that were imported, CodeSystems that hospitals sent."""

from collections.abc import Iterator
from typing import Any

import orjson
from django.db import connection

from doorstep.kernel.fhir import exact, vocabulary
from doorstep.kernel.fhir.vocabulary import Term, Terms
from doorstep.kernel.record.search_index import number
from doorstep.kernel.terminology import queries as terminology

Json = dict[str, Any]
_MOST = 200
# Under which parameter the search index keeps the canonical address.
_ADDRESS = {"CodeSystem": "CodeSystem.system", "ValueSet": "ValueSet.url", "ConceptMap": "ConceptMap.url"}


def sent(type: str, canonical: str) -> list[Json]:
    """What hospitals sent under a canonical address, the newest first; of `address|version` that version alone."""
    url, _, version = canonical.partition("|")
    found = _search(type, [{"k": "string", "n": number(_ADDRESS[type]), "m": "equal", "v": url}])
    fitting = [one for one in found if not version or one.get("version") == version]
    return sorted(fitting, key=lambda one: str(one.get("meta", {}).get("lastUpdated", "")), reverse=True)


def every(type: str) -> list[Json]:
    """The newest resources of a type, as many as are looked through at once."""
    return _search(type, [])


def _search(type: str, where: list[Json]) -> list[Json]:
    asked = {"type": type, "where": where, "limit": _MOST, "base": "", "sort": []}
    with connection.cursor() as cursor:
        cursor.execute("SELECT entries FROM record_search(%s)", [orjson.dumps(asked).decode()])
        entries = cursor.fetchone()[0]
    return [one["resource"] for one in exact.loads(f"[{entries or ''}]")]


def listing(canonical: str) -> Terms | None:
    """All codes of a system that are known here, in their order; None for a system of which none is."""
    url, _, version = canonical.partition("|")
    own, table = vocabulary.code_system(url), terminology.facts(system=url)
    if own is not None and version in ("", own.version):
        return own if table is None else _worded(own)
    if table is not None and version in ("", table.version):
        above = terminology.parents(system=url)
        rows = terminology.every(system=url)
        terms = {one.code: _of_table(one, above.get(one.code, "")) for one in rows}
        return Terms(url, table.name, table.version, table.verified, terms)
    content = next(iter(sent("CodeSystem", canonical)), None)
    return None if content is None else of_content(content)


def term(canonical: str, code: str) -> tuple[Terms, Term | None] | None:
    """One code of a system, beside what the system is called; None for a system of which no code is known here.

    Of a table, which may be as long as the diseases of a country, the code and those below it alone are read.
    """
    url, _, version = canonical.partition("|")
    table = terminology.facts(system=url) if vocabulary.code_system(url) is None else None
    if table is None or version not in ("", table.version):
        found = listing(canonical)
        return None if found is None else (found, found.terms.get(code))
    rows = terminology.lookup(system=url, codes=[code, *(below := terminology.children(system=url, code=code))])
    over = terminology.parent(system=url, code=code)
    terms = {one: _of_table(row, code if one in below else over) for one, row in rows.items()}
    return Terms(url, table.name, table.version, table.verified, terms), terms.get(code)


def of_content(content: Json) -> Terms:
    """The codes of a CodeSystem resource."""
    terms: dict[str, Term] = {}
    for concept, parent in walk(content.get("concept", []), ""):
        properties = {str(one.get("code")): _text(one) for one in concept.get("property", [])}
        above = tuple(one for one in (parent, properties.get("parent", "") or properties.get("subsumedBy", "")) if one)
        terms[concept["code"]] = Term(
            concept["code"],
            str(concept.get("display", "")),
            above,
            abstract=properties.get("notSelectable") == "true" or properties.get("abstract") == "true",
            inactive=properties.get("inactive") == "true" or properties.get("status") in ("retired", "deprecated"),
            words={
                str(one.get("language", "")): str(one["value"])
                for one in concept.get("designation", [])
                if one.get("value")
            },
            properties=properties,
        )
    named = str(content.get("title") or content.get("name") or content.get("url", ""))
    whole = content.get("content") == "complete"
    return Terms(str(content.get("url", "")), named, str(content.get("version", "")), whole, terms)


def below(terms: Terms, code: str) -> set[str]:
    """The codes under a code, without itself."""
    under: dict[str, list[str]] = {}
    for one in terms.terms.values():
        for parent in one.parents:
            under.setdefault(parent, []).append(one.code)
    found: set[str] = set()
    waiting = [code]
    while waiting:
        fresh = [one for one in under.get(waiting.pop(), ()) if one not in found]
        found.update(fresh)
        waiting += fresh
    return found - {code}


def above(terms: Terms, code: str) -> set[str]:
    """The codes over a code, without itself."""
    found: set[str] = set()
    waiting = [code]
    while waiting:
        one = terms.terms.get(waiting.pop())
        fresh = [parent for parent in (one.parents if one else ()) if parent not in found]
        found.update(fresh)
        waiting += fresh
    return found - {code}


def walk(concepts: list[Json], parent: str) -> Iterator[tuple[Json, str]]:
    """Every concept of a CodeSystem with the code that it stands under."""
    waiting = [(concept, parent) for concept in reversed(concepts)]
    while waiting:
        concept, over = waiting.pop()
        yield concept, over
        waiting += [(one, concept["code"]) for one in reversed(concept.get("concept", []))]


def _of_table(row: terminology.Code, parent: str) -> Term:
    return Term(
        row.code,
        row.zh or row.en,
        (parent,) if parent else (),
        words={name: text for name, text in (("zh-CN", row.zh), ("en", row.en)) if text},
        properties={name: str(value) for name, value in row.extra.items()},
    )


def _worded(own: Terms) -> Terms:
    """R4's codes with the Chinese words of the table beside the English ones."""
    rows = {one.code: one for one in terminology.every(system=own.url)}
    terms = {
        code: Term(
            code,
            rows[code].zh or one.display,
            one.parents,
            one.abstract,
            one.inactive,
            words={"zh-CN": rows[code].zh or one.display, "en": one.display},
        )
        if code in rows
        else one
        for code, one in own.terms.items()
    }
    return Terms(own.url, own.name, own.version, own.whole, terms)


def _text(given: Json) -> str:
    value = next((value for key, value in given.items() if key.startswith("value")), "")
    value = value.get("code", "") if isinstance(value, dict) else value
    return str(value).lower() if isinstance(value, bool) else str(value)
