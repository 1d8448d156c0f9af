"""An entry of the trail as an AuditEvent (hl7.org/fhir/R4/auditevent.html); docs/fhir/auditevent.md."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from doorstep.kernel.audit.models import AuditEntry
from doorstep.kernel.fhir import elements, systems
from doorstep.kernel.fhir.definitions import resource_types
from doorstep.site.acts import REASONS, act_words

ACT = f"{systems.BASE}/CodeSystem/audited-act"
ROLE = f"{systems.BASE}/CodeSystem/role"
SITE = "doorstep"
EVENT_TYPE = "http://terminology.hl7.org/CodeSystem/audit-event-type"
DICOM = "http://dicom.nema.org/resources/ontology/DCM"
ENTITY_TYPE = "http://terminology.hl7.org/CodeSystem/audit-entity-type"
OBJECT_ROLE = "http://terminology.hl7.org/CodeSystem/object-role"
# What the last word of an act's code does to what it names; every other act carries something out (E).
ACTIONS = {
    "R": (
        "view", "read", "search", "history", "match", "export", "print", "entry", "trends", "packet", "flow", "compare", "unveil",
        "contact-view", "patient-numbers", "outcome", "order-select", "order-sign", "patient-view", "search-patient",
    ),
    "C": ("create", "register", "book", "draft", "submit", "declare", "make"),
    "U": ("update", "patch", "change", "revise", "contact", "insurance"),
    "D": ("delete", "drop", "discard"),
}  # fmt: skip
_ACTION_OF = {word: letter for letter, words in ACTIONS.items() for word in words}
MACHINE = ("fhir.", "cds.")


@dataclass(frozen=True, slots=True)
class Keys:
    """The public keys of whom entries name by number, as far as the reader may know them."""

    patients: Mapping[int, Any] = field(default_factory=dict)
    practitioners: Mapping[int, Any] = field(default_factory=dict)
    organizations: Mapping[int, Any] = field(default_factory=dict)


def letter_of(action: str) -> str:
    """C, R, U, D or E of an act."""
    return _ACTION_OF.get(action.rpartition(".")[2], "E")


def to_fhir(entry: AuditEntry, keys: Keys) -> elements.Json:
    """The AuditEvent of an entry."""
    at = elements.instant(entry.at)
    machine = entry.action.startswith(MACHINE)
    return elements.compact(
        {
            "resourceType": "AuditEvent",
            "id": str(entry.pk),
            "meta": {"versionId": "1", "lastUpdated": at},
            "type": elements.coding(EVENT_TYPE, "rest", "RESTful Operation")
            if machine
            else elements.coding(DICOM, "110110", "Patient Record")
            if entry.resident_id is not None
            else elements.coding(DICOM, "110100", "Application Activity"),
            "subtype": [elements.coding(ACT, entry.action, act_words(entry.action))] if entry.action else None,
            "action": letter_of(entry.action),
            "recorded": at,
            "outcome": "0",
            "purposeOfEvent": [elements.text_concept(str(REASONS.get(entry.basis, entry.basis)))]
            if entry.basis
            else None,
            "agent": _agents(entry, keys),
            "source": {"site": SITE, "observer": {"display": "Doorstep 家门口"}},
            "entity": _entities(entry, keys) or None,
        }
    )


def _agents(entry: AuditEntry, keys: Keys) -> list[elements.Json]:
    person: dict[str, Any] = {"display": entry.actor_name or entry.actor_kind}
    practitioner = keys.practitioners.get(entry.user_id or 0)
    if practitioner:
        person["reference"] = f"Practitioner/{practitioner}"
    found = [
        elements.compact(
            {
                "role": [elements.concept(ROLE, entry.role)] if entry.role else None,
                "who": person,
                "altId": str(entry.user_id) if entry.user_id is not None else None,
                "name": entry.actor_name or None,
                "requestor": True,
                "network": {"address": entry.address, "type": "2"} if entry.address else None,
            }
        )
    ]
    if entry.organization_id is not None:
        key = keys.organizations.get(entry.organization_id)
        unit = {"reference": f"Organization/{key}"} if key else {}
        found.append({"who": {**unit, "display": entry.organization_name or str(key)}, "requestor": False})
    return found


def _entities(entry: AuditEntry, keys: Keys) -> list[elements.Json]:
    found: list[elements.Json] = []
    known = keys.patients.get(entry.resident_id or 0)
    patient = f"Patient/{known}" if known else ""
    if patient:
        found.append(
            {
                "what": {"reference": patient},
                "type": elements.coding(ENTITY_TYPE, "1", "Person"),
                "role": elements.coding(OBJECT_ROLE, "1", "Patient"),
            }
        )
    kind, _, key = entry.subject.partition("/")
    is_resource = kind in resource_types() and key
    named: elements.Json = {"what": {"reference": entry.subject}} if is_resource else {"name": entry.subject}
    if entry.subject and entry.subject != patient:
        found.append(
            {
                **named,
                "type": elements.coding(ENTITY_TYPE, "2", "System Object"),
                "role": elements.coding(OBJECT_ROLE, "4", "Domain Resource"),
            }
        )
    asked = entry.details.get("parameters")
    if asked and found:
        # Names of parameters alone: the trail keeps no value that a client asked by.
        found[-1]["detail"] = [{"type": "parameters", "valueString": ", ".join(map(str, asked))}]
    return found
