"""What the index of searches keeps of a resource, in words: tokens, links, dates, quantities, texts.

One pass over a resource, before anything is hashed, so that the bulk loader can do it once for a whole kind of resource.
Texts of keys begin with the parameter ("Observation.code") and a letter that says which form of a token they are: c a code of
any system, s system and code, n a code without a system, y any code of a system.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal, InvalidOperation
from functools import cache, lru_cache
from itertools import product
from typing import Any, NamedTuple

from doorstep.kernel.fhir import exact
from doorstep.kernel.fhir.outcome import FhirRefused
from doorstep.kernel.fhir.parameters import Parameter, parameters
from doorstep.kernel.fhir.spans import span_of
from doorstep.kernel.fhir.units import canonical
from doorstep.kernel.fhir.values import Path, by_first_name, found, path_of, points_at
from doorstep.kernel.fhir.words import LONGEST, compared, plain, texts_in

_UCUM = "http://unitsofmeasure.org"
_EQUAL = ("token", "reference")
# Answered by columns of the resource itself.
_COLUMNS = {"_id", "_lastUpdated"}
_INFINITE = float("inf")
# Elements whose facts are remembered: so many, in bytes of JSON no longer than this.
_MOST_ELEMENTS, _LONGEST_ELEMENT = 20_000, 1_000


class Amount(NamedTuple):
    """A quantity or a number: its bounds, its unit in three spellings, and the same in the canonical unit."""

    low: float
    high: float
    unit: str = ""
    code: str = ""
    system: str = ""
    base: str = ""
    base_low: float | None = None
    base_high: float | None = None


@dataclass(slots=True)
class Facts:
    """Everything of one resource that searches go by."""

    keys: set[str] = field(default_factory=set)
    present: set[str] = field(default_factory=set)
    links: set[tuple[str, str]] = field(default_factory=set)
    dates: set[tuple[str, datetime, datetime]] = field(default_factory=set)
    amounts: set[tuple[str, Amount]] = field(default_factory=set)
    strings: set[tuple[str, str, str]] = field(default_factory=set)
    words: set[tuple[str, str, str]] = field(default_factory=set)

    def take_in(self, other: "Facts") -> None:
        """Add the facts of another part; that one stays as it is."""
        self.present |= other.present
        self.keys |= other.keys
        self.links |= other.links
        if other.dates:
            self.dates |= other.dates
        if other.amounts:
            self.amounts |= other.amounts
        if other.strings:
            self.strings |= other.strings
        if other.words:
            self.words |= other.words


_elements: dict[tuple[str, str, bytes], Facts] = {}


def facts_of(resource: dict[str, Any]) -> Facts:
    """The facts of a resource; what is not as R4 wants it is left out, never an error."""
    facts = Facts()
    type = str(resource.get("resourceType", ""))
    table = by_first_name(type)
    for name, value in resource.items():
        if name in table:
            facts.take_in(_facts_of_element(type, name, value))
    _composites(facts, type, resource)
    _deceased(facts, type)
    return facts


def _facts_of_element(type: str, name: str, value: Any) -> Facts:
    """The facts of one element. Who asked, which code and at which place come again and again: they are found once for a process."""
    try:
        key = (type, name, exact.dumps(value))
    except FhirRefused:
        # Text that cannot be written is refused where it would be.
        return _element(type, name, value)
    known = _elements.get(key)
    if known is None:
        known = _element(type, name, value)
        if len(_elements) >= _MOST_ELEMENTS:
            _elements.clear()
        if len(key[2]) <= _LONGEST_ELEMENT:
            _elements[key] = known
    return known


def _element(type: str, name: str, value: Any) -> Facts:
    facts = Facts()
    for parameter, path in by_first_name(type)[name]:
        if parameter.code in _COLUMNS:
            continue
        for one in found({name: value}, path.steps):
            if path.target and not points_at(one, path.target):
                continue
            facts.present.add(f"{type}.{parameter.code}")
            if not parameter.like:
                _add(facts, parameter, path, one)
    return facts


def _deceased(facts: Facts, type: str) -> None:
    # "exists and is not false" has a value for those who live, too.
    if "deceased" in parameters(type):
        key = f"{type}.deceased"
        if f"{key}|c|true" not in facts.keys:
            facts.keys.add(f"{key}|c|false")
        facts.present.add(key)


def _add(facts: Facts, parameter: Parameter, path: Path, value: Any) -> None:
    name = f"{parameter.type}.{parameter.code}"
    match parameter.kind:
        case "token":
            for token in tokens(value, path):
                facts.keys.update(f"{name}|{form}" for form in forms(*token[:2]))
                _word(facts, name, token)
            _of_type(facts, name, value, path)
        case "reference":
            facts.links.update((name, target) for target in targets(value, path))
            for system, code in _identifiers(value):
                facts.keys.update(f"{name}:identifier|{form}" for form in forms(system, code))
        case "date":
            span = span_of(value, path.type)
            if span:
                facts.dates.add((name, *span))
        case "number" | "quantity":
            facts.amounts.update((name, amount) for amount in amounts(value, path))
        case "string":
            texts = texts_in(value, path.type)
            facts.strings.update((name, compared(parameter, text), text[:LONGEST]) for text in texts)
        case "uri":
            facts.strings.add((name, str(value)[:LONGEST], str(value)[:LONGEST]))
        case "special":
            _position(facts, name, value)


def _word(facts: Facts, name: str, token: tuple[str | None, str, str]) -> None:
    """The words of a token, and the key under which the token stands that they belong to."""
    text = plain(token[2])
    if text:
        key = f"{name}|t|{text}"
        facts.keys.add(key)
        facts.words.add((name, text, key))


def _position(facts: Facts, name: str, value: Any) -> None:
    try:
        facts.amounts.add((name, Amount(float(value["latitude"]), float(value["longitude"]))))
    except (KeyError, TypeError, ValueError):
        return


def forms(system: str | None, code: str) -> Iterator[str]:
    """The forms under which a token is found. Codes are compared without case: in doubt R4 asks for that."""
    folded = code.strip().casefold()
    if folded:
        yield f"c|{folded}"
        yield f"s|{system}|{folded}" if system else f"n|{folded}"
    if system:
        yield f"y|{system}"


def tokens(value: Any, path: Path) -> Iterator[tuple[str | None, str, str]]:
    """System, code and words of every token in a value."""
    if isinstance(value, bool):
        yield None, "true" if value or path.type == "exists" else "false", ""
    elif path.type == "exists":
        yield None, "true", ""
    elif isinstance(value, str | int | float | Decimal):
        # A plain code belongs to the systems that its element is bound to.
        for system in path.systems or (None,):
            yield system, str(value), ""
    elif isinstance(value, dict):
        yield from _tokens_of_object(value, path)


def _tokens_of_object(value: dict[str, Any], path: Path) -> Iterator[tuple[str | None, str, str]]:
    if path.type == "CodeableConcept":
        text = _text(value, "text")
        codings = value.get("coding")
        for one in codings if isinstance(codings, list) else ():
            if isinstance(one, dict):
                yield one.get("system"), _text(one, "code"), _text(one, "display")
        if text:
            yield None, "", text
    elif path.type == "Identifier":
        words = value.get("type")
        yield value.get("system"), _text(value, "value"), _text(words, "text") if isinstance(words, dict) else ""
    elif path.type == "ContactPoint":
        number = "".join(one for one in _text(value, "value") if one not in " -()")
        yield value.get("system"), number, ""
        yield value.get("use"), number, ""
    else:
        yield value.get("system"), _text(value, "code"), _text(value, "display")


def _text(value: dict[str, Any], name: str) -> str:
    one = value.get(name)
    return one if isinstance(one, str) else ""


def _of_type(facts: Facts, name: str, value: Any, path: Path) -> None:
    """An identifier by its type: system|code|value."""
    kind = value.get("type") if path.type == "Identifier" and isinstance(value, dict) else None
    for one in kind.get("coding", ()) if isinstance(kind, dict) else ():
        if isinstance(one, dict):
            number = _text(value, "value").casefold()
            facts.keys.add(f"{name}:of-type|{one.get('system', '')}|{_text(one, 'code').casefold()}|{number}")
            facts.keys.add(f"{name}:of-type||{_text(one, 'code').casefold()}|{number}")


def targets(value: Any, path: Path) -> Iterator[str]:
    """What a reference points at: "Type/id" or an absolute address, without versions."""
    if isinstance(value, dict) and path.type == "Resource":
        yield f"{value.get('resourceType', '')}/{value.get('id', '')}"
        return
    text = value.get("reference") if isinstance(value, dict) else value
    if not isinstance(text, str) or not text or text.startswith("#"):
        return
    text = text.partition("/_history/")[0]
    yield text
    if "|" in text:
        yield text.partition("|")[0]


def _identifiers(value: Any) -> Iterator[tuple[str | None, str]]:
    one = value.get("identifier") if isinstance(value, dict) else None
    if isinstance(one, dict):
        yield one.get("system"), _text(one, "value")


def amounts(value: Any, path: Path) -> Iterator[Amount]:
    """A number, a Quantity with its comparator, a Range or an amount of money, as bounds with their unit."""
    try:
        if not isinstance(value, dict):
            yield Amount(float(value), float(value))
        elif path.type == "Range":
            low, high = value.get("low", {}), value.get("high", {})
            yield _amount(_decimal(low), _decimal(high), low or high)
        elif path.type == "Money":
            number = _decimal(value)
            yield _amount(number, number, {"code": value.get("currency"), "system": "urn:iso:std:iso:4217"})
        else:
            number = _decimal(value)
            if number is not None:
                sign = str(value.get("comparator", ""))
                yield _amount(None if sign[:1] == "<" else number, None if sign[:1] == ">" else number, value)
    except (TypeError, ValueError, InvalidOperation, AttributeError):
        return


def _decimal(value: dict[str, Any]) -> Decimal | None:
    number = value.get("value")
    return None if number is None else Decimal(str(number))


def _amount(low: Decimal | None, high: Decimal | None, unit: dict[str, Any]) -> Amount:
    return _converted(low, high, _text(unit, "unit"), _text(unit, "code"), _text(unit, "system"))


# A value stands under several parameters of its resource, and so do bounds of reference ranges.
@lru_cache(maxsize=4096)
def _converted(low: Decimal | None, high: Decimal | None, unit: str, code: str, system: str) -> Amount:
    base = canonical(code) if system == _UCUM else None
    base_low = base_high = None
    if base:
        base_low = -_INFINITE if low is None else float(base.of(low))
        same = low is not None and low == high
        base_high = base_low if same else (_INFINITE if high is None else float(base.of(high)))
    return Amount(
        low=-_INFINITE if low is None else float(low),
        high=_INFINITE if high is None else float(high),
        unit=unit.strip().casefold(),
        code=code,
        system=system,
        base=base.name if base else "",
        base_low=base_low,
        base_high=base_high,
    )


@dataclass(frozen=True, slots=True)
class _Composite:
    """One composite parameter at one place: its name, where it stands, and the paths and kind of each component."""

    name: str
    at: tuple[tuple[str, str, str], ...]
    firsts: tuple[tuple[tuple[Path, ...], str], ...]
    last: tuple[Path, ...]
    kind: str


@cache
def _composites_of(type: str) -> tuple[_Composite, ...]:
    return tuple(
        _Composite(
            name=f"{type}.{parameter.code}",
            at=path_of(f"{at}:").steps,
            firsts=tuple(
                (tuple(map(path_of, paths)), kind)
                for paths, (_, kind) in zip(parts[:-1], parameter.components[:-1], strict=True)
            ),
            last=tuple(map(path_of, parts[-1])),
            kind=parameter.components[-1][1],
        )
        for parameter in parameters(type).values()
        if parameter.kind == "composite" and not parameter.like and indexed(parameter)
        for at, parts in parameter.groups
    )


def _composites(facts: Facts, type: str, resource: dict[str, Any]) -> None:
    """Composites: the forms of all components but the last become part of the name under which the last one stands."""
    for composite in _composites_of(type):
        for node in found(resource, composite.at):
            _composite(facts, composite, node)


def indexed(parameter: Parameter) -> bool:
    """Whether a composite has rows of its own: all components but the last are equal or not."""
    return bool(parameter.groups) and all(kind in _EQUAL for _, kind in parameter.components[:-1])


def _composite(facts: Facts, composite: _Composite, node: Any) -> None:
    # Most resources have no value of most composites: the last component is looked for first.
    values = [(path, value) for path in composite.last for value in found(node, path.steps)]
    if not values:
        return
    firsts = [list(_equal_forms(paths, kind, node)) for paths, kind in composite.firsts]
    if not all(firsts):
        return
    facts.present.add(composite.name)
    for chosen in product(*firsts):
        name = "|".join((composite.name, *chosen))
        for path, value in values:
            _add_last(facts, name, composite.kind, path, value)


def _add_last(facts: Facts, name: str, kind: str, path: Path, value: Any) -> None:
    match kind:
        case "token":
            for token in tokens(value, path):
                facts.keys.update(f"{name}|{form}" for form in forms(*token[:2]) if form[0] != "y")
        case "reference":
            facts.keys.update(f"{name}|r|{target}" for target in targets(value, path))
        case "date":
            span = span_of(value, path.type)
            if span:
                facts.dates.add((name, *span))
        case "number" | "quantity":
            facts.amounts.update((name, amount) for amount in amounts(value, path))
        case "string":
            facts.strings.update((name, plain(text), text[:LONGEST]) for text in texts_in(value, path.type))


def _equal_forms(paths: tuple[Path, ...], kind: str, node: Any) -> Iterator[str]:
    for path in paths:
        for value in found(node, path.steps):
            if kind == "reference":
                yield from (f"r|{target}" for target in targets(value, path))
            else:
                for token in tokens(value, path):
                    yield from (form for form in forms(*token[:2]) if form[0] != "y")
