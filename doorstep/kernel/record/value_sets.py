"""What belongs to a value set: of a ValueSet that was sent, or of R4's own (hl7.org/fhir/R4/valueset.html#compositions)."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import DataError, connection, transaction

from doorstep.kernel.fhir import vocabulary
from doorstep.kernel.fhir.outcome import FhirRefused
from doorstep.kernel.fhir.vocabulary import Term, Terms
from doorstep.kernel.record import code_systems, stored

Json = dict[str, Any]
Key = tuple[str, str]
_DEEPEST = 20
# Of one expansion: includes with those of imported sets, and codes that they name altogether.
_MOST_PARTS, _MOST_CODES = 2_000, 500_000


@dataclass(frozen=True, slots=True)
class Members:
    """The codes of a value set by system and code, in their order; `partly` names systems of which only a selection is known here."""

    terms: Mapping[Key, Term]
    partly: frozenset[str] = frozenset()


def find(canonical: str) -> Json | None:
    """A ValueSet by its canonical address, or by its address here; None when there is none that the actor may read."""
    if canonical.startswith("ValueSet/"):
        found = stored.fetch(type="ValueSet", fhir_id=canonical.removeprefix("ValueSet/"))
        return found.content() if found is not None and not found.deleted else None
    sent = next(iter(code_systems.sent("ValueSet", canonical)), None)
    if sent is not None:
        return sent
    url, _, version = canonical.partition("|")
    own = vocabulary.value_set(url)
    return own if own is not None and version in ("", own.get("version"), "4.0.1") else None


def members(content: Json) -> Members:
    """The codes of a ValueSet; raises FhirRefused (422) for what cannot be listed here, with the system or the set that is missing."""
    return _Expansion().of_set(content, ())


class _Expansion:
    """One value set with all that it imports: each of them is listed once, and not more than a server can carry."""

    def __init__(self) -> None:
        self._known: dict[str, Members] = {}
        self._parts = self._codes = 0

    def of_set(self, content: Json, within: tuple[str, ...]) -> Members:
        """The codes of a ValueSet, `within` the addresses of those that import it."""
        compose = content.get("compose")
        if compose is None:
            return Members(dict(_expanded(content.get("expansion", {}).get("contains", []))))
        found: dict[Key, Term] = {}
        partly: set[str] = set()
        for part in compose.get("include", []):
            listed = self._part(part, within)
            found |= {key: one for key, one in listed.terms.items() if key not in found}
            partly |= listed.partly
        for part in compose.get("exclude", []):
            for key in self._part(part, within).terms:
                found.pop(key, None)
        return Members(found, frozenset(partly))

    def _part(self, part: Json, within: tuple[str, ...]) -> Members:
        """The codes of one `include` or `exclude`: those of its system that are in each of its value sets."""
        pools = [_of_system(part)] if part.get("system") else []
        pools += [self._imported(str(canonical), within) for canonical in part.get("valueSet", [])]
        if not pools:
            raise _unlisted("include 既没有 system 也没有 valueSet", "an include names neither system nor value set")
        self._parts += 1
        self._codes += sum(len(one.terms) for one in pools)
        if self._parts > _MOST_PARTS or self._codes > _MOST_CODES:
            raise FhirRefused(422, "too-costly", "值集过大，请分成几个 / the value set is too large: divide it")
        first, *others = pools
        terms = {key: one for key, one in first.terms.items() if all(key in other.terms for other in others)}
        return Members(terms, frozenset().union(*(one.partly for one in pools)))

    def _imported(self, canonical: str, within: tuple[str, ...]) -> Members:
        if canonical in within:
            raise _unlisted(f"值集 {canonical[:120]} 引用了自己", "the value set refers to itself")
        if canonical not in self._known:
            content = find(canonical) if len(within) < _DEEPEST else None
            if content is None:
                raise _unlisted(f"没有值集 {canonical[:120]}", "there is no such value set")
            self._known[canonical] = self.of_set(content, (*within, canonical))
        return self._known[canonical]


def _of_system(part: Json) -> Members:
    system = str(part["system"])
    version = str(part.get("version", ""))
    whole = code_systems.listing(f"{system}|{version}" if version else system)
    if part.get("concept"):
        return Members({(system, str(one["code"])): _named(one, whole) for one in part["concept"]})
    if whole is None:
        raise _unlisted(f"本机没有代码系统 {system[:120]}", "the codes of this system are not known here")
    codes = [*whole.terms]
    for filter in part.get("filter", []):
        kept = _filtered(whole, str(filter["property"]), str(filter["op"]), str(filter["value"]))
        codes = [one for one in codes if one in kept]
    terms = {(system, code): whole.terms[code] for code in codes}
    return Members(terms, frozenset() if whole.whole else frozenset([system]))


def _named(concept: Json, whole: Terms | None) -> Term:
    """A code that a value set lists, by the words that it gives; without them by those of its system."""
    code = str(concept["code"])
    known = whole.terms.get(code) if whole is not None else None
    display = concept.get("display")
    if known is not None and not display:
        return known
    words = {str(one.get("language", "")): str(one["value"]) for one in concept.get("designation", [])}
    if known is None:
        return Term(code, str(display or ""), words=words)
    return Term(code, str(display), known.parents, known.abstract, known.inactive, {**known.words, **words})


def _filtered(whole: Terms, property: str, op: str, value: str) -> set[str]:
    """The codes that a filter keeps (hl7.org/fhir/R4/valueset-filter-operator.html)."""
    by_tree = {
        "is-a": lambda: {value} | code_systems.below(whole, value),
        "descendent-of": lambda: code_systems.below(whole, value),
        "is-not-a": lambda: set(whole.terms) - {value} - code_systems.below(whole, value),
        "generalizes": lambda: {value} | code_systems.above(whole, value),
    }
    if op in by_tree:
        if value not in whole.terms:
            raise _unlisted(f"代码系统中没有 {value[:60]}", "the filter names a code that is not in the system")
        return by_tree[op]()
    listed = {code: _values_of(one, property) for code, one in whole.terms.items()}
    if op == "=":
        return {code for code, values in listed.items() if value in values}
    if op in ("in", "not-in"):
        wanted = {one.strip() for one in value.split(",")}
        return {code for code, values in listed.items() if (not wanted.isdisjoint(values)) == (op == "in")}
    if op == "exists":
        return {code for code, values in listed.items() if bool(values) == (value == "true")}
    if op == "regex":
        return _matching(listed, value)
    raise _unlisted(f"不支持筛选 {op[:30]}", "this filter is not supported")


def _values_of(term: Term, property: str) -> tuple[str, ...]:
    if property in ("code", "concept"):
        return (term.code,)
    if property == "display":
        return (term.display,)
    if property == "parent":
        return term.parents
    value = term.properties.get(property)
    return () if value is None else (value,)


def _matching(listed: Mapping[str, Iterable[str]], pattern: str) -> set[str]:
    """Codes with a value that fits the whole pattern; asked of the database, which does not go astray in a bad one."""
    pairs = [(code, value) for code, values in listed.items() for value in values]
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                "SELECT DISTINCT code FROM unnest(%s::text[], %s::text[]) AS t (code, value) WHERE value ~ %s",
                [[code for code, _ in pairs], [value for _, value in pairs], f"^(?:{pattern})$"],
            )
            return {str(row[0]) for row in cursor.fetchall()}
    except DataError:
        raise _unlisted("值集的正则表达式有误", "the regular expression of a filter is wrong") from None


def _expanded(contains: list[Json]) -> Iterator[tuple[Key, Term]]:
    """The codes of an expansion that came along, groups without a code left out."""
    waiting = list(reversed(contains))
    while waiting:
        one = waiting.pop()
        if one.get("code"):
            key = (str(one.get("system", "")), str(one["code"]))
            marks = bool(one.get("abstract")), bool(one.get("inactive"))
            yield key, Term(key[1], str(one.get("display", "")), (), *marks)
        waiting += reversed(one.get("contains", []))


def _unlisted(zh: str, en: str) -> FhirRefused:
    return FhirRefused(422, "not-supported", f"值集不能展开：{zh} / cannot be expanded: {en}")
