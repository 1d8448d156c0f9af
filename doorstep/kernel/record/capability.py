"""The CapabilityStatement, generated from the tables that the door itself goes by."""

from typing import Any

from doorstep.kernel.fhir.definitions import resource_types
from doorstep.kernel.fhir.negotiation import JSON_PATCH
from doorstep.kernel.record.kinds import CLOSED
from doorstep.kernel.record.search_capability import searching

_READS = ("read", "vread", "history-instance", "history-type", "search-type")
_WRITES = ("create", "update", "patch", "delete")


def statement(base: str) -> dict[str, Any]:
    """What this server does, for GET /fhir/metadata."""
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": "2026-11-22",
        "kind": "instance",
        "software": {"name": "Doorstep 家门口"},
        "implementation": {"description": "Doorstep FHIR R4", "url": base.rstrip("/")},
        "fhirVersion": "4.0.1",
        "format": ["application/fhir+json", "json"],
        "patchFormat": ["application/fhir+json", JSON_PATCH],
        "rest": [
            {
                "mode": "server",
                "security": {"description": "Bearer token of a registered hospital system"},
                "resource": [_resource(kind) for kind in sorted(resource_types())],
                "interaction": [{"code": code} for code in ("transaction", "batch", "history-system")],
            }
        ],
    }


def _resource(kind: str) -> dict[str, Any]:
    return {
        "type": kind,
        "interaction": [{"code": code} for code in (_READS if kind in CLOSED else _READS + _WRITES)],
        "versioning": "versioned-update",
        "readHistory": True,
        # Ids of a client's own begin with its short name: docs/fhir/writing.md.
        "updateCreate": kind not in CLOSED,
        "conditionalCreate": kind not in CLOSED,
        "conditionalRead": "full-support",
        "conditionalUpdate": kind not in CLOSED,
        "conditionalDelete": "not-supported" if kind in CLOSED else "multiple",
        "referencePolicy": ["literal", "logical", "enforced", "local"],
        **searching(kind),
    }
