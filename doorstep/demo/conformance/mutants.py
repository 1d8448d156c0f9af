"""Mutants of good resources: each breaks one rule of R4 at a known place."""

import copy
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from doorstep.kernel.fhir.definitions import Element, Type, resource_types, types

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Mutant:
    """A resource with one fault: its kind, and the places of which a refusal must name one."""

    kind: str
    resource: Json
    places: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Spot:
    """A member of an object somewhere in the resource."""

    holder: Json
    name: str
    element: Element
    own: Type
    path: str


def mutants_of(resource: Json, *, count: int, seed: int) -> Iterator[Mutant]:
    """Different mutants of a resource, the kinds in turn; the same for the same seed."""
    chance = random.Random(seed)
    makers = list(_MAKERS.items())
    chance.shuffle(makers)
    made, tried = 0, 0
    while made < count and tried < count * 4:
        kind, maker = makers[tried % len(makers)]
        tried += 1
        broken = copy.deepcopy(resource)
        places = maker(list(_spots(broken, types()[broken["resourceType"]], broken["resourceType"])), broken, chance)
        if places:
            made += 1
            yield Mutant(kind, broken, places)


def _spots(holder: Json, own: Type, path: str) -> Iterator[_Spot]:
    for name, value in holder.items():
        element = own.elements.get(name)
        if element is None:
            continue
        where = f"{path}.{element.path_name}"
        yield _Spot(holder, name, element, own, where)
        if element.is_primitive or name == "contained":
            continue
        for number, part in enumerate(value if isinstance(value, list) else [value]):
            inner = types().get(element.type)
            if element.type == "Resource" and isinstance(part, dict):
                inner = types().get(str(part.get("resourceType")))
            if inner is not None and isinstance(part, dict):
                yield from _spots(part, inner, f"{where}[{number}]" if element.is_list else where)


def _without_required(spots: list[_Spot], resource: Json, chance: random.Random) -> tuple[str, ...]:
    found = [one for one in spots if one.element.least and f"_{one.name}" not in one.holder and len(one.holder) > 2]
    if not found:
        return ()
    spot = chance.choice(found)
    del spot.holder[spot.name]
    return (spot.path,)


def _too_many(spots: list[_Spot], resource: Json, chance: random.Random) -> tuple[str, ...]:
    found = [one for one in spots if not one.element.is_list]
    if not found:
        return ()
    spot = chance.choice(found)
    spot.holder[spot.name] = [spot.holder[spot.name], spot.holder[spot.name]]
    return (spot.path,)


def _unknown_code(spots: list[_Spot], resource: Json, chance: random.Random) -> tuple[str, ...]:
    found = [one for one in spots if one.element.codes is not None and one.element.type == "code"]
    if not found:
        return ()
    spot = chance.choice(found)
    spot.holder[spot.name] = ["no-such-code"] if spot.element.is_list else "no-such-code"
    return (f"{spot.path}[0]",) if spot.element.is_list else (spot.path,)


def _two_of_a_choice(spots: list[_Spot], resource: Json, chance: random.Random) -> tuple[str, ...]:
    found = [one for one in spots if one.element.choice]
    chance.shuffle(found)
    for spot in found:
        others = [
            other
            for other in spot.own.elements.values()
            if other.choice == spot.element.choice and other.name not in spot.holder and other.type in _VALUES
        ]
        if others:
            other = chance.choice(others)
            spot.holder[other.name] = copy.deepcopy(_VALUES[other.type])
            return (spot.path,)
    return ()


def _wrong_reference(spots: list[_Spot], resource: Json, chance: random.Random) -> tuple[str, ...]:
    found = [
        (spot, number, one)
        for spot in spots
        if spot.element.type == "Reference"
        for number, one in enumerate(_parts(spot))
        if isinstance(one, dict) and isinstance(one.get("reference"), str)
    ]
    if not found:
        return ()
    spot, number, one = chance.choice(found)
    where = f"{spot.path}[{number}]" if spot.element.is_list else spot.path
    if spot.element.targets and chance.random() < 0.6:
        one["reference"] = f"{chance.choice(sorted(resource_types() - spot.element.targets))}/x"
    else:
        one["reference"] = chance.choice(["not a reference", "#nothing-of-this-name", "Nothing/1"])
    return where, f"{where}.reference"


def _broken_invariant(spots: list[_Spot], resource: Json, chance: random.Random) -> tuple[str, ...]:
    chance.shuffle(spots)
    for spot in spots:
        breaker = _BREAKERS.get(spot.element.type)
        parts = _parts(spot)
        if breaker is None or not parts or not isinstance(parts[0], dict) or not breaker(parts[0]):
            continue
        return (f"{spot.path}[0]" if spot.element.is_list else spot.path,)
    if resource["resourceType"] not in ("Bundle", "Parameters", "Binary"):
        # dom-3: nobody refers to it.
        resource.setdefault("contained", []).append(
            {"resourceType": "Basic", "id": "nobody-refers", "code": {"text": "x"}}
        )
        return (resource["resourceType"],)
    return ()


def _wrong_type(spots: list[_Spot], resource: Json, chance: random.Random) -> tuple[str, ...]:
    found = [
        one for one in spots if one.element.type in ("boolean", "integer", "date", "dateTime", "instant", "decimal")
    ]
    found = [one for one in found if not one.element.is_list]
    if not found:
        return ()
    spot = chance.choice(found)
    spot.holder[spot.name] = "no"
    return (spot.path,)


def _parts(spot: _Spot) -> list[Any]:
    value = spot.holder[spot.name]
    return value if isinstance(value, list) else [value]


def _end_before_start(value: Json) -> bool:
    value["start"], value["end"] = "2026-02-02", "2026-01-01"
    return True


def _without_system(value: Json) -> bool:
    return "code" in value and value.pop("system", None) is not None


def _both_value_and_extension(value: Json) -> bool:
    value.update(valueString="x", extension=[{"url": "http://example.org/x", "valueString": "x"}])
    return sum(name.startswith("value") for name in value) == 1


_VALUES: dict[str, Any] = {
    "string": "x",
    "boolean": True,
    "dateTime": "2026-01-01",
    "Period": {"start": "2026-01-01"},
    "CodeableConcept": {"text": "x"},
    "Range": {"low": {"value": 1}},
    "integer": 1,
}
_BREAKERS: dict[str, Callable[[Json], bool]] = {
    "Period": _end_before_start,
    "Quantity": _without_system,
    "Extension": _both_value_and_extension,
}
_MAKERS: dict[str, Callable[[list[_Spot], Json, random.Random], tuple[str, ...]]] = {
    "cardinality": _without_required,
    "cardinality-many": _too_many,
    "code": _unknown_code,
    "choice": _two_of_a_choice,
    "reference": _wrong_reference,
    "invariant": _broken_invariant,
    "type": _wrong_type,
}
