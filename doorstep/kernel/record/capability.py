"""The CapabilityStatement, generated from the tables that the door itself goes by."""

from typing import Any

from doorstep.kernel.record.reception import RECEIVED
from doorstep.kernel.record.search import PARAMETERS

_KINDS = {"date": "date", "birthdate": "date", "name": "string", "subject": "reference", "patient": "reference"}
_REFERENCES = {
    "encounter",
    "performer",
    "requester",
    "author",
    "owner",
    "focus",
    "based-on",
    "organization",
    "service-provider",
    "practitioner",
    "actor",
    "schedule",
}
_DATES = {"onset-date", "authored", "authored-on", "authoredon", "sent", "effective", "start"}


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
        "rest": [
            {
                "mode": "server",
                "security": {"description": "Bearer token of a registered hospital system"},
                "resource": [_resource(kind, names) for kind, names in sorted(PARAMETERS.items())],
                "interaction": [{"code": "transaction", "documentation": "create of: " + ", ".join(RECEIVED)}],
            }
        ],
    }


def _resource(kind: str, names: tuple[str, ...]) -> dict[str, Any]:
    return {
        "type": kind,
        "interaction": [{"code": "read"}, {"code": "vread"}, {"code": "search-type"}],
        "versioning": "versioned",
        "readHistory": True,
        "searchParam": [{"name": name, "type": _kind(name)} for name in (*names, "_id", "_lastUpdated")],
    }


def _kind(name: str) -> str:
    if name in _REFERENCES:
        return "reference"
    if name in _DATES or name == "_lastUpdated":
        return "date"
    return _KINDS.get(name, "token")
