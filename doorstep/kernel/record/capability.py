"""The CapabilityStatement, generated from the tables that the door itself goes by."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from doorstep.kernel.fhir import systems
from doorstep.kernel.fhir.definitions import resource_types
from doorstep.kernel.fhir.negotiation import JSON_PATCH
from doorstep.kernel.record.kinds import BY_ACTION, CLOSED
from doorstep.kernel.record.search_capability import searching
from doorstep.kernel.record.search_views import COMPARTMENTS

_SOFTWARE = {"name": "Doorstep 家门口", "version": "0.1.0"}
_R4 = "http://hl7.org/fhir/OperationDefinition/"
_BULK = "http://hl7.org/fhir/uv/bulkdata/OperationDefinition/"
_BACKPORT = "http://hl7.org/fhir/uv/subscriptions-backport/OperationDefinition/backport-subscription-"
_READS = ("read", "vread", "history-instance", "history-type", "search-type")
# The trail is no part of the record: an entry has one version, and nothing points along from it.
_READS_OF = {"AuditEvent": ("read", "search-type")}
_OPERATIONS = {
    "Patient": ("everything", "match", "export"),
    "Encounter": ("everything",),
    "Observation": ("lastn",),
    "Composition": ("document",),
    "CodeSystem": ("lookup", "validate-code", "subsumes"),
    "ValueSet": ("expand", "validate-code"),
    "ConceptMap": ("translate",),
    "Subscription": ("status", "events"),
    "Group": ("export",),
}
# Operations of the whole system that others have defined.
_OF_SYSTEM = {
    "export": f"{_BULK}export",
    "process-message": f"{_R4}MessageHeader-process-message",
}
URL = f"{systems.BASE}/CapabilityStatement/doorstep"
# By type of resource, "" for the whole system.
Operations = Callable[[str], list[tuple[str, str]]]
Extensions = Callable[[str], list[dict[str, Any]]]


@dataclass(frozen=True, slots=True)
class Additions:
    """What apps above add: extensions of a type's entry, operations with their addresses, and profiles by type."""

    extensions: Extensions = lambda type: []
    operations: Operations = lambda type: []
    profiles: Mapping[str, Sequence[str]] = field(default_factory=dict)


_additions: list[Additions] = [Additions()]
# Operations that are not defined by R4 itself.
_DEFINED_ELSEWHERE = {
    ("Subscription", "status"): f"{_BACKPORT}status",
    ("Subscription", "events"): f"{_BACKPORT}events",
    ("Group", "export"): f"{_BULK}group-export",
    ("Patient", "export"): f"{_BULK}patient-export",
}
_EXPANDING = (
    "url", "valueSetVersion", "filter", "offset", "count", "includeDesignations", "activeOnly", "displayLanguage",
)  # fmt: skip
_WRITES = ("create", "update", "patch", "delete")


def install(additions: Additions) -> None:
    """Wire what apps above add; the last one counts."""
    _additions[:] = [additions]


def statement(base: str) -> dict[str, Any]:
    """What this server does, for GET /fhir/metadata."""
    return {
        **_head(),
        "kind": "instance",
        "instantiates": [URL],
        "software": _SOFTWARE,
        "implementation": {"description": "Doorstep FHIR R4", "url": base.rstrip("/")},
        **_body(base),
    }


def terminology(base: str) -> dict[str, Any]:
    """What of terminology this server does, for GET /fhir/metadata?mode=terminology."""
    return {
        **_head(),
        "resourceType": "TerminologyCapabilities",
        "kind": "instance",
        "software": _SOFTWARE,
        "implementation": {"description": "Doorstep FHIR R4", "url": base.rstrip("/")},
        "codeSearch": "explicit",
        "expansion": {
            "hierarchical": False,
            "paging": True,
            "incomplete": False,
            "parameter": [{"name": name} for name in _EXPANDING],
            "textFilter": "any part of a code or of its display, without regard to case",
        },
        "validateCode": {"translations": False},
        "translation": {"needsMap": True},
    }


def described() -> dict[str, Any]:
    """The same as a resource of the record: what a server of this kind can do, wherever it stands."""
    return {**_head(), "id": "doorstep", "url": URL, "kind": "capability", "software": _SOFTWARE, **_body("")}


def addresses() -> list[str]:
    """The definitions of operations and compartments that the statement names."""
    rest = _body("")["rest"][0]
    found = [*rest["operation"], *(one for entry in rest["resource"] for one in entry["operation"])]
    return [*(one["definition"] for one in found), *rest["compartment"]]


def _head() -> dict[str, Any]:
    return {
        "resourceType": "CapabilityStatement",
        "version": _SOFTWARE["version"],
        "name": "Doorstep",
        "title": "Doorstep 家门口",
        "status": "active",
        "date": "2026-11-22",
        "publisher": "Doorstep",
        "description": "FHIR R4 of the medical consortium: docs/fhir/index.md.",
    }


def _body(base: str) -> dict[str, Any]:
    return {
        "fhirVersion": "4.0.1",
        "format": ["application/fhir+json", "json"],
        "patchFormat": ["application/fhir+json", JSON_PATCH],
        "rest": [
            {
                "mode": "server",
                **({"security": _security(base)} if base else {}),
                "resource": [_resource(kind) for kind in sorted(resource_types())],
                "interaction": [{"code": code} for code in ("transaction", "batch", "search-system", "history-system")],
                "compartment": [f"http://hl7.org/fhir/CompartmentDefinition/{name.lower()}" for name in COMPARTMENTS],
                "operation": [
                    _operation(name, url) for name, url in (*_OF_SYSTEM.items(), *_additions[0].operations(""))
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
    more, profiles = _additions[0].extensions(kind), _additions[0].profiles.get(kind, ())
    return {
        **({"extension": more} if more else {}),
        "type": kind,
        "profile": f"http://hl7.org/fhir/StructureDefinition/{kind}",
        **({"supportedProfile": list(profiles)} if profiles else {}),
        "interaction": [{"code": code} for code in (_READS_OF.get(kind, _READS)) + writes],
        "versioning": "no-version" if kind in _READS_OF else "versioned-update",
        "readHistory": kind not in _READS_OF,
        # Ids of a client's own begin with its short name: docs/fhir/writing.md.
        "updateCreate": bool(writes) and kind not in BY_ACTION,
        "conditionalCreate": bool(writes),
        "conditionalRead": "full-support",
        "conditionalUpdate": bool(writes),
        "conditionalDelete": "multiple" if "delete" in writes else "not-supported",
        "referencePolicy": ["literal", "logical", "enforced", "local"],
        "operation": [
            *(
                _operation(name, _DEFINED_ELSEWHERE.get((of, name), f"{_R4}{of}-{name}"))
                for of, name in (("Resource", "validate"), *((kind, one) for one in _OPERATIONS.get(kind, ())))
            ),
            *(_operation(name, url) for name, url in _additions[0].operations(kind)),
        ],
        **searching(kind),
    }
