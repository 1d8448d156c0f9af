"""Makes data/r4.json.gz, what the validator knows of R4, from a package of the official definitions.

`python -m doorstep.kernel.fhir.definitions_building DIRECTORY` reads profiles-types.json, profiles-resources.json, valuesets.json,
v3-codesystems.json and v2-tables.json of HL7's R4 (4.0.1) definitions, public domain (CC0).
"""

import gzip
import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

Json = dict[str, Any]
DATA = Path(__file__).parent / "data" / "r4.json.gz"
# Checked by the walk itself: they concern every element or need more than FHIRPath.
_NATIVE = {"ele-1", "ext-1", "dom-2", "dom-3", "dom-4", "dom-5", "txt-1", "txt-2", "ref-1", "ctm-1", "qty-3", "per-1"}


def build(directory: Path) -> Json:
    """The types with their elements and invariants, and the codes of every required binding that can be listed."""
    resources = [
        entry["resource"]
        for name in ("profiles-types", "profiles-resources")
        for entry in _entries(directory / f"{name}.json")
    ]
    types: Json = {}
    bound: set[str] = set()
    for definition in resources:
        if definition["resourceType"] == "StructureDefinition" and definition.get("derivation") != "constraint":
            _add_type(types, definition, bound)
    sets = {
        entry["resource"]["url"]: entry["resource"]
        for name in ("valuesets", "v3-codesystems", "v2-tables")
        for entry in _entries(directory / f"{name}.json")
        if "url" in entry["resource"]
    }
    codes = {url: _codes(url, sets, ()) for url in sorted(bound)}
    return {
        "types": types,
        "codes": {url: found for url, found in codes.items() if found is not None},
        "resources": sorted(
            one["type"]
            for one in resources
            if one["resourceType"] == "StructureDefinition"
            and one["kind"] == "resource"
            and not one["abstract"]
            and one.get("derivation") == "specialization"
        ),
    }


def _entries(path: Path) -> Iterable[Json]:
    found: list[Json] = json.loads(path.read_text(encoding="utf-8"))["entry"]
    return found


def _add_type(types: Json, definition: Json, bound: set[str]) -> None:
    for element in definition["snapshot"]["element"]:
        path = element["path"]
        own = types.setdefault(path, {"elements": {}, "invariants": []}) if _has_parts(element) else None
        if own is not None:
            own["invariants"] = [
                [rule["key"], rule["expression"], rule["human"]]
                for rule in element.get("constraint", [])
                if rule["severity"] == "error"
                and rule["key"] not in _NATIVE
                and "expression" in rule
                # What belongs to the type itself is checked where the type is described.
                and (path == definition["type"] or rule.get("source", "").rpartition("/")[2] == definition["type"])
            ]
        if "." in path:
            _add_element(types, path, element, bound)
    if definition["kind"] == "resource" and "id" in types[definition["type"]]["elements"]:
        types[definition["type"]]["elements"]["id"]["type"] = "id"


def _has_parts(element: Json) -> bool:
    kinds = [kind.get("code") for kind in element.get("type", [])]
    return "." not in element["path"] or kinds in (["BackboneElement"], ["Element"])


def _add_element(types: Json, path: str, element: Json, bound: set[str]) -> None:
    parent, _, name = path.rpartition(".")
    if parent not in types:
        return
    kinds = element.get("type", [])
    facts = _facts(path, element, bound)
    elements = types[parent]["elements"]
    if "contentReference" in element:
        elements[name] = {**facts, "type": element["contentReference"].lstrip("#"), "targets": []}
    elif name.endswith("[x]"):
        for kind in kinds:
            code = kind["code"]
            elements[name[:-3] + code[0].upper() + code[1:]] = {
                **facts,
                "type": code,
                "targets": _targets(kinds, code),
                "choice": name[:-3],
            }
    elif kinds:
        code = _code(kinds[0])
        elements[name] = {
            **facts,
            "type": path if _has_parts(element) else code,
            "targets": _targets(kinds, code),
        }


def _facts(path: str, element: Json, bound: set[str]) -> Json:
    binding = element.get("binding", {})
    value_set = binding.get("valueSet", "").partition("|")[0] if binding.get("strength") == "required" else ""
    if value_set:
        bound.add(value_set)
    rules = [
        [rule["key"], rule["expression"], rule["human"]]
        for rule in element.get("constraint", [])
        if rule["severity"] == "error"
        and rule["key"] not in _NATIVE
        and "expression" in rule
        and not _has_parts(element)
        and rule.get("source", "").rpartition("/")[2] == path.partition(".")[0]
    ]
    return {
        "list": element["max"] not in ("0", "1"),
        "min": element["min"],
        "set": value_set,
        "rules": rules,
        "summary": bool(element.get("isSummary")),
    }


def _code(kind: Json) -> str:
    """The type's name; of FHIRPath's own types the FHIR type that their extension tells."""
    code: str = kind["code"]
    if code.startswith("http://hl7.org/fhirpath/"):
        told = [
            one["valueUrl"] for one in kind.get("extension", []) if one["url"].endswith("structuredefinition-fhir-type")
        ]
        return str(told[0]) if told else "string"
    return code


def _targets(kinds: list[Json], code: str) -> list[str]:
    found = [
        profile.rpartition("/")[2]
        for kind in kinds
        if kind["code"] == code
        for profile in kind.get("targetProfile", [])
    ]
    return [] if "Resource" in found else sorted(set(found))


def _codes(url: str, sets: Json, above: tuple[str, ...]) -> dict[str, list[str]] | None:
    """The codes of a value set by system; None when they cannot be listed here (filters, outside systems)."""
    value_set = sets.get(url)
    if value_set is None or url in above or value_set["resourceType"] != "ValueSet":
        return None
    found: dict[str, set[str]] = {}
    for part in value_set.get("compose", {}).get("include", []):
        listed = _included(part, sets, (*above, url))
        if listed is None:
            return None
        for system, names in listed.items():
            found.setdefault(system, set()).update(names)
    for part in value_set.get("compose", {}).get("exclude", []):
        for system, names in (_included(part, sets, (*above, url)) or {}).items():
            found.setdefault(system, set()).difference_update(names)
    return {system: sorted(names) for system, names in found.items()} or None


def _included(part: Json, sets: Json, above: tuple[str, ...]) -> dict[str, set[str]] | None:
    if part.get("filter"):
        return None
    found: dict[str, set[str]] = {}
    for url in part.get("valueSet", []):
        listed = _codes(url.partition("|")[0], sets, above)
        if listed is None:
            return None
        for system, names in listed.items():
            found.setdefault(system, set()).update(names)
    if "system" not in part:
        return found
    if "concept" in part:
        return {part["system"]: {one["code"] for one in part["concept"]}}
    listing = sets.get(part["system"])
    if listing is None or listing.get("content") != "complete":
        return None
    return {part["system"]: set(_all_codes(listing.get("concept", [])))}


def _all_codes(concepts: list[Json]) -> Iterable[str]:
    for concept in concepts:
        yield concept["code"]
        yield from _all_codes(concept.get("concept", []))


if __name__ == "__main__":
    DATA.write_bytes(gzip.compress(json.dumps(build(Path(sys.argv[1])), sort_keys=True).encode(), mtime=0))
