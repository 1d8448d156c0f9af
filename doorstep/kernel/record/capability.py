"""The CapabilityStatement, generated from the tables that the door itself goes by."""

from collections.abc import Callable
from typing import Any

from doorstep.kernel.fhir.definitions import resource_types
from doorstep.kernel.fhir.negotiation import JSON_PATCH
from doorstep.kernel.record.kinds import BY_ACTION, CLOSED
from doorstep.kernel.record.search_capability import searching
from doorstep.kernel.record.search_views import COMPARTMENTS

_READS = ("read", "vread", "history-instance", "history-type", "search-type")
_OPERATIONS = {
    "Patient": ("everything", "match"),
    "Composition": ("document",),
    "CodeSystem": ("lookup", "validate-code"),
    "ValueSet": ("expand", "validate-code"),
    "ConceptMap": ("translate",),
    "Subscription": ("status", "events"),
}
# type -> extensions of its entry: what an app above publishes there.
Extensions = Callable[[str], list[dict[str, Any]]]
_extensions: list[Extensions] = []
# Operations that are not defined by R4 itself.
_DEFINED_ELSEWHERE = {
    name: f"http://hl7.org/fhir/uv/subscriptions-backport/OperationDefinition/backport-subscription-{name}"
    for name in ("status", "events")
}
_WRITES = ("create", "update", "patch", "delete")


def install(extensions: Extensions) -> None:
    """Wire what gives the extensions of a type's entry; the last one counts."""
    _extensions[:] = [extensions]


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
                "security": _security(base),
                "resource": [_resource(kind) for kind in sorted(resource_types())],
                "interaction": [{"code": code} for code in ("transaction", "batch", "history-system")],
                "compartment": [f"http://hl7.org/fhir/CompartmentDefinition/{name.lower()}" for name in COMPARTMENTS],
                "operation": [
                    _operation("export", "http://hl7.org/fhir/uv/bulkdata/OperationDefinition/export"),
                    _operation("import", "https://github.com/smart-on-fhir/bulk-import"),
                ],
            }
        ],
    }


def _security(base: str) -> dict[str, Any]:
    """SMART on FHIR with the addresses of OAuth (hl7.org/fhir/smart-app-launch/conformance.html)."""
    oauth = f"{base.removesuffix('fhir/')}oauth"
    addresses = {"token": "token", "authorize": "authorize", "introspect": "introspect", "revoke": "revoke"}
    return {
        "service": [
            {
                "coding": [
                    {
                        "system": "http://terminology.hl7.org/CodeSystem/restful-security-service",
                        "code": "SMART-on-FHIR",
                    }
                ]
            }
        ],
        "description": "OAuth 2 (SMART v2), or the bearer token of a registered hospital system",
        "extension": [
            {
                "url": "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris",
                "extension": [{"url": name, "valueUri": f"{oauth}/{path}"} for name, path in addresses.items()],
            }
        ],
    }


def _operation(name: str, definition: str) -> dict[str, str]:
    return {"name": name, "definition": definition}


def _resource(kind: str) -> dict[str, Any]:
    writes = () if kind in CLOSED else BY_ACTION.get(kind, _WRITES)
    more = _extensions[0](kind) if _extensions else []
    return {
        **({"extension": more} if more else {}),
        "type": kind,
        "interaction": [{"code": code} for code in _READS + writes],
        "versioning": "versioned-update",
        "readHistory": True,
        # Ids of a client's own begin with its short name: docs/fhir/writing.md.
        "updateCreate": bool(writes) and kind not in BY_ACTION,
        "conditionalCreate": bool(writes),
        "conditionalRead": "full-support",
        "conditionalUpdate": bool(writes),
        "conditionalDelete": "multiple" if "delete" in writes else "not-supported",
        "referencePolicy": ["literal", "logical", "enforced", "local"],
        "operation": [
            _operation(name, _DEFINED_ELSEWHERE.get(name, f"http://hl7.org/fhir/OperationDefinition/{of}-{name}"))
            for of, name in (("Resource", "validate"), *((kind, one) for one in _OPERATIONS.get(kind, ())))
        ],
        **searching(kind),
    }
