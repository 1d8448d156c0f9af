"""What this server is, as resources that clients read and search: definitions of ours, and those of R4 that the CapabilityStatement names.

They are published from the code: the record is told again when the code says something else.
"""

import hashlib
from collections.abc import Iterator

import orjson
from django.utils import timezone

from doorstep.kernel.access.actor import Actor
from doorstep.kernel.fhir import building, exact, systems
from doorstep.kernel.fhir.elements import Json
from doorstep.kernel.fhir.making import ROOT
from doorstep.kernel.fhir.parameters import parameters, types
from doorstep.kernel.record import actions as record
from doorstep.kernel.record import capability
from doorstep.kernel.record import queries as records
from doorstep.kernel.record.publishing import Published, Row
from doorstep.site.fhir.own_operations import operation_definitions
from doorstep.site.fhir.profiles import VERSION, head, structure_definitions

_BATCH = 200
GUIDE = f"{systems.BASE}/ImplementationGuide/doorstep"


def publish_definitions(*, actor: Actor) -> int:
    """Bring the definitions in the record up to the code; returns how many were looked at, none when nothing has changed."""
    own = [*structure_definitions(), *operation_definitions(), capability.described()]
    whole = [*own, guide(own), *_of_r4()]
    mark = hashlib.sha256(exact.dumps(whole)).hexdigest()[:12]
    known = records.read(type="ImplementationGuide", fhir_id="doorstep")
    if known is not None and known.get("version") == f"{VERSION}+{mark}":
        return 0
    for one in whole:
        if one["resourceType"] == "ImplementationGuide":
            one["version"] = f"{VERSION}+{mark}"
    now = timezone.now()
    rows = [
        Row(published=Published(content=one, organization_id=None, occurred_at=now), resident_id=None) for one in whole
    ]
    for start in range(0, len(rows), _BATCH):
        record.write(rows[start : start + _BATCH], actor=actor)
    return len(rows)


def guide(own: list[Json]) -> Json:
    """The ImplementationGuide that lists what is ours (hl7.org/fhir/R4/implementationguide.html)."""
    return {
        **head(
            "ImplementationGuide", GUIDE, title="Doorstep 接口说明", description="What is ours on this FHIR R4 server."
        ),
        "packageId": "doorstep.fhir",
        "license": "Apache-2.0",
        "fhirVersion": ["4.0.1"],
        "definition": {
            "resource": [
                {"reference": {"reference": f"{one['resourceType']}/{one['id']}"}, "name": one["title"]} for one in own
            ]
        },
    }


def _of_r4() -> Iterator[Json]:
    """Of R4's own definitions those that the CapabilityStatement names: parameters, operations, compartments."""
    named = {one.url for type in types() for one in parameters(type).values()} | set(capability.addresses())
    for file in ("search-parameters.json", "profiles-resources.json"):
        for entry in orjson.loads((ROOT / "node_modules" / building.FHIR / file).read_bytes())["entry"]:
            one = entry["resource"]
            if one.get("url") in named and one["resourceType"] != "StructureDefinition":
                yield {name: value for name, value in one.items() if name != "text"}
