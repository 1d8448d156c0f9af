"""The query of a search: parameters with chains, what to bring along, how to sort and show (hl7.org/fhir/R4/search.html)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import orjson

from doorstep.kernel.fhir.definitions import types as definitions
from doorstep.kernel.fhir.outcome import FhirRefused
from doorstep.kernel.fhir.parameters import Parameter, parameters, types
from doorstep.kernel.fhir.values import Path, path_of
from doorstep.kernel.record.search_links import include, may_search, names_of
from doorstep.kernel.record.search_terms import term_of
from doorstep.kernel.record.search_values import Setting, Term, Unsupported, refused

MAX_COUNT = 200
USUAL_COUNT = 50
# An estimate counts so far and no further.
ESTIMATE = 10_000
_EXACT = 1 << 40
_MOST_TERMS = 60
_DEEPEST = 4
# Understood by the interface around the search.
_ELSEWHERE = {"_format", "_pretty"}
_ALL_BUT_TEXT = ["-text"]
_END_OF_TYPE = {
    "CodeableConcept": ("coding", "code"),
    "Coding": ("code",),
    "Identifier": ("value",),
    "ContactPoint": ("value",),
    "Reference": ("reference",),
}


@dataclass(slots=True)
class Query:
    """A parsed search, ready for record_search; `unknown` holds what a lenient client is warned of."""

    type: str
    where: list[Term] = field(default_factory=list)
    sort: list[Term] = field(default_factory=list)
    include: list[Term] = field(default_factory=list)
    elements: list[str] | None = None
    count: int = USUAL_COUNT
    total: int = 0
    unknown: list[str] = field(default_factory=list)
    applied: list[tuple[str, str]] = field(default_factory=list)
    patients: list[str] = field(default_factory=list)

    def as_json(self, *, base: str, after: dict[str, Any] | None) -> dict[str, Any]:
        """What record_search takes."""
        found: dict[str, Any] = {
            "type": self.type,
            "where": self.where,
            "sort": self.sort,
            "limit": self.count,
            "base": base,
        }
        if self.include:
            found["include"] = self.include
        if self.elements is not None and self.include and self.elements != _ALL_BUT_TEXT:
            # What comes along is of other types, which these names do not fit: it comes whole.
            found["shown"] = {self.type: self.elements}
        elif self.elements is not None:
            found["elements"] = self.elements
        if self.total and not after:
            found["total"] = self.total
        if after:
            found["after"] = after
        return found


def parse(type: str, pairs: Iterable[tuple[str, str]], *, setting: Setting, strict: bool = True) -> Query:
    """Parse a search. What is not known is refused by name when strict, and kept in `unknown` otherwise."""
    pairs = list(pairs)
    if type not in types():
        raise FhirRefused(404, "not-supported", f"没有资源类型 {type} / there is no resource type {type} here")
    query = Query(type=type)
    for name, value in pairs:
        try:
            _add(query, name, value, setting)
        except Unsupported as error:
            if strict:
                raise FhirRefused(400, "not-supported", _told(type, name, str(error))) from error
            query.unknown.append(name)
            continue
        query.applied.append((name, value))
        if len(query.where) > _MOST_TERMS:
            raise FhirRefused(400, "too-costly", f"条件超过 {_MOST_TERMS} 个 / more than {_MOST_TERMS} conditions")
    _merge_dates(query)
    _tie(query, pairs, setting)
    return query


def _told(type: str, name: str, what: str) -> str:
    """The sentence; of what shapes an answer the value is what is not known, not the name."""
    if name == "_elements":
        return f"{type} 没有元素 {what.partition('=')[2][:60]} / {type} has no such element"
    if name.partition(":")[0] in ("_sort", "_include", "_revinclude"):
        return (
            f"{name} 不认识 {what.partition('=')[2] or what}；{unknown_sentence(type, what.partition('=')[2] or what)}"
        )
    return unknown_sentence(type, name)


def unknown_sentence(type: str, name: str) -> str:
    """What to tell about a parameter that is not known."""
    known = ", ".join(sorted(parameters(type))) if type in types() else "_id, _lastUpdated, _profile, _security, _tag"
    return f"{type} 不支持查询参数 {name}；支持：{known} / unknown parameter or modifier {name}"


def _add(query: Query, name: str, value: str, setting: Setting) -> None:
    match name.partition(":")[0]:
        case "_sort":
            query.sort = [_sort(query.type, part) for part in value.split(",") if part]
        case "_count":
            query.count = min(_whole(name, value), MAX_COUNT)
            if query.count == 0:
                query.total = _EXACT
        case "_total":
            query.total = {"none": 0, "estimate": ESTIMATE, "accurate": _EXACT}[
                _one_of(name, value, "none", "estimate", "accurate")
            ]
        case "_summary":
            _summarize(query, _one_of(name, value, "true", "text", "data", "count", "false"))
        case "_elements":
            chosen = {one.strip().removeprefix(f"{query.type}.") for one in value.split(",") if one.strip()}
            query.elements = sorted(_always(query.type) | _named(query.type, chosen))
        case "_include":
            query.include += include(name, f"{query.type}:*" if value == "*" else value, reverse=False)
        case "_revinclude":
            query.include += include(name, value, reverse=True)
        case given if given in _ELSEWHERE:
            return
        case _:
            query.where.append(_condition(query.type, name, value, setting, 0))
            base, _, rest = name.partition(":")
            if base in ("patient", "subject") and "." not in rest and "," not in value:
                query.patients.append(value.rpartition("/")[2])


def _condition(type: str, name: str, value: str, setting: Setting, depth: int) -> Term:
    """The term of a plain parameter, a chain ("subject:Patient.name") or a reverse chain ("_has:Observation:patient:code")."""
    if depth > _DEEPEST:
        raise FhirRefused(400, "too-costly", f"链式参数超过 {_DEEPEST} 层 / a chain of more than {_DEEPEST} links")
    if name.startswith("_has:"):
        return _has(type, name, value, setting, depth)
    head, dot, rest = name.partition(".")
    code, _, modifier = head.partition(":")
    parameter = parameters(type).get(code)
    if code == "_list" and not dot:
        return _has(type, "_has:List:item:_id", value, setting, depth)
    if parameter is None:
        raise Unsupported(name)
    if not dot:
        return _plain(parameter, modifier, value, setting)
    if parameter.kind != "reference":
        raise Unsupported(name)
    return _chain(parameter, (modifier, rest), value, setting, depth)


def _plain(parameter: Parameter, modifier: str, value: str, setting: Setting) -> Term:
    term = term_of(parameter, modifier, value, setting)
    if _is_member(parameter, modifier):
        return _or_those(term, setting.expand(value, "groups"))
    if _is_member(parameter, "") and modifier == "missing":
        found = _or_those(term_of(parameter, modifier, "false", setting), setting.expand("", "peopled"))
        return {"k": "not", "c": found} if value == "true" else found
    return term


def _chain(parameter: Parameter, link: tuple[str, str], value: str, setting: Setting, depth: int) -> Term:
    modifier, rest = link
    targets = (modifier,) if modifier else parameter.targets
    if not targets:
        raise refused(
            f"{parameter.code} 可指向任何类型，请写明类型", f"{parameter.code} may point at any type: name one"
        )
    found = []
    for target in may_search(targets):
        if target not in types() or (parameter.targets and target not in parameter.targets):
            raise Unsupported(f"{parameter.code}:{target}")
        try:
            inner = _condition(target, rest, value, setting, depth + 1)
        except Unsupported:
            continue
        few = {"few": True} if inner.get("few") else {}
        # The reference by which a resource is a resident's: whose resources are wanted says which they are.
        owner = {"owner": True} if target == "Patient" and _is_owner(parameter) else {}
        found.append({"k": "chain", "names": names_of(parameter), "type": target, "c": [inner], **few, **owner})
    if not found:
        raise Unsupported(f"{parameter.code}.{rest}")
    return found[0] if len(found) == 1 else {"k": "or", "c": found}


def _is_owner(parameter: Parameter) -> bool:
    held = [parameters(parameter.type)[code] for code, _ in parameter.like] or [parameter]
    paths = {path.partition(">")[0] for one in held for path in one.paths}
    return len(paths) == 1 and paths <= {f"{name}:Reference" for name in ("subject", "patient")}


def _has(type: str, name: str, value: str, setting: Setting, depth: int) -> Term:
    parts = name.split(":", 3)
    if len(parts) != 4 or parts[1] not in types():
        raise Unsupported(name)
    parameter = parameters(parts[1]).get(parts[2])
    if parameter is None or parameter.kind != "reference" or (parameter.targets and type not in parameter.targets):
        raise Unsupported(name)
    may_search([parts[1]])
    inner = _condition(parts[1], parts[3], value, setting, depth + 1)
    few = {"few": True} if inner.get("few") else {}
    term: Term = {"k": "has", "names": names_of(parameter), "type": parts[1], "c": [inner], **few}
    if type == "Patient" and _is_member(parameter, ""):
        return _or_those(term, setting.expand(orjson.dumps([inner]).decode(), "members"))
    return term


def _is_member(parameter: Parameter, modifier: str) -> bool:
    """Whether a term asks who belongs to a Group: of the Groups of the house no index knows it."""
    return (parameter.type, parameter.code) == ("Group", "member") and modifier in ("", "Patient")


def _or_those(term: Term, found: Sequence[tuple[str, str]]) -> Term:
    ids = [key for _, key in found]
    if not ids:
        return term
    few = {"few": True} if term.get("few") else {}
    return {"k": "or", "c": [term, {"k": "id", "v": ids, "few": True}], **few}


def _sort(type: str, text: str) -> Term:
    descending = text.startswith("-")
    code = text.removeprefix("-").strip()
    parameter = parameters(type).get(code)
    if parameter is None or parameter.kind in ("composite", "special"):
        raise Unsupported(f"_sort={text}")
    name = names_of(parameter)[0]
    by = {"date": "date", "number": "amount", "quantity": "amount", "string": "string", "uri": "string"}.get(
        parameter.kind
    )
    if code == "_lastUpdated":
        found: Term = {"by": "updated"}
    elif code == "_id":
        found = {"by": "id"}
    elif by:
        found = {"by": by, "n": name}
    else:
        found = {"by": "path", "path": _json_path(path_of(parameter.paths[0]))}
    return {**found, "desc": descending}


def _json_path(path: Path) -> str:
    parts = ["$"]
    for name, key, wanted in path.steps:
        parts.append(f'."{name}"')
        if key.isdecimal():
            parts.append(f"[{key}]")
        elif key:
            parts.append(f' ? (@."{key}" == "{wanted}")')
    return "".join(parts) + "".join(f'."{name}"' for name in _END_OF_TYPE.get(path.type, ()))


def _summarize(query: Query, how: str) -> None:
    always = _always(query.type)
    if how == "true":
        shown = {one.name for one in definitions()[query.type].elements.values() if one.is_summary}
        query.elements = sorted(shown | always)
    elif how == "text":
        query.elements = sorted({"text"} | always)
    elif how == "data":
        query.elements = list(_ALL_BUT_TEXT)
    elif how == "count":
        query.count, query.total = 0, _EXACT


def _always(type: str) -> set[str]:
    """The top elements that no answer leaves out, by the names that they have in JSON."""
    needed = {one.name for one in definitions()[type].elements.values() if one.least}
    return needed | {"resourceType", "id", "meta"}


def _named(type: str, chosen: set[str]) -> set[str]:
    """Elements that a client names: of a choice all its types (value or value[x]), or one of them (valueQuantity)."""
    stems = {one.removesuffix("[x]") for one in chosen}
    elements = definitions()[type].elements.values()
    known = {one.name for one in elements} | {one.path_name for one in elements} | {"resourceType", "id", "meta"}
    unknown = sorted(stems - known)
    if unknown:
        raise Unsupported(f"_elements={unknown[0]}")
    return {one.name for one in elements if one.path_name in stems} | stems


def _merge_dates(query: Query) -> None:
    """Bounds of the same date belong to one span where there is only one: from-to is then one look into the index."""
    kept: list[Term] = []
    for term in query.where:
        same = [
            one
            for one in kept
            if term["k"] == "date" and term.get("single") and one.get("n") == term.get("n") and one["k"] == "date"
        ]
        if same:
            same[0]["v"] = [*same[0]["v"], *term["v"]]
        else:
            kept.append(term)
    query.where = kept


@cache
def _tied(type: str) -> dict[str, tuple[str, str]]:
    """Composites of a token and an amount that stand at the resource itself: the amount's parameter, the token's, the composite's."""
    return {
        one.components[1][0]: (one.components[0][0], one.code)
        for one in parameters(type).values()
        if one.kind == "composite"
        and not one.like
        and [at for at, _ in one.groups] == [""]
        and [kind for _, kind in one.components] == ["token", "quantity"]
    }


def _tie(query: Query, pairs: Sequence[tuple[str, str]], setting: Setting) -> None:
    """Ask for the amount of a code, where a code and an amount are asked for: the index then passes over no amounts of other codes."""
    for amount, (token, composite) in _tied(query.type).items():
        given = [[value for name, value in pairs if name == wanted] for wanted in (token, amount)]
        if [len(values) for values in given] != [1, 1]:
            continue
        code, value = given[0][0], given[1][0]
        if code.endswith("|") or any(mark in code + value for mark in ",$\\"):
            continue
        alone = term_of(parameters(query.type)[amount], "", value, setting)
        tied = term_of(parameters(query.type)[composite], "", f"{code}${value}", setting)
        query.where = [tied if term == alone else term for term in query.where]


def _whole(name: str, value: str) -> int:
    if not (value.isascii() and value.isdecimal()) or len(value) > 9:
        raise refused(f"{name} 应为不小于 0 的整数", f"{name} must be a whole number")
    return int(value)


def _one_of(name: str, value: str, *words: str) -> str:
    if value not in words:
        raise refused(f"{name} 应为 {', '.join(words)} 之一", f"{name} must be one of {', '.join(words)}")
    return value
