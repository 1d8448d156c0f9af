"""What the record holds as shared document of WS/T 500: the same for the page and for machines."""

import base64
import binascii
from typing import Any
from uuid import UUID

from doorstep.coordination.hospital_systems.cda.made import of_report, of_visit
from doorstep.coordination.hospital_systems.cda.writing import Custodian, Subject, to_cda
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.access.refusals import NotFound
from doorstep.kernel.record import queries as records
from doorstep.people.organizations import queries as organizations
from doorstep.people.residents import queries as residents

# What can be written as a shared document, in the order in which an id is looked for.
TYPES = ("Composition", "DiagnosticReport", "Encounter")
XML_TYPES = ("application/xml", "text/xml", "application/hl7-v3+xml", "application/hl7-cda+xml")
_NEWEST = 200


def exported(source: dict[str, Any], actor: Actor) -> bytes:
    """A Composition, report or outpatient visit as shared document; the look is noted with its ground.

    Raises NotFound for a stay, whose document is the discharge record.
    """
    composition, results = _document(source, actor)
    patient_key = str(composition.get("subject", {}).get("reference", "")).rpartition("/")[2]
    resident = residents.get_by_key(patient_key, actor)
    subject = Subject(
        number=resident.national_id,
        record_number=resident.record_number,
        name=resident.name,
        gender=resident.gender,
        birth_date=resident.birth_date,
    )
    by_reference = {f"Observation/{one['id']}": one for one in results}
    keeper = _custodian(composition, actor)
    data = to_cda(composition, subject=subject, custodian=keeper, results=by_reference)
    what = f"{source['resourceType']}/{source['id']}"
    records.note_look(resident_id=resident.pk, actor=actor, subject=what, action="document.export")
    return data


def handed_on(reference: dict[str, Any], actor: Actor) -> bytes:
    """The shared document that a hospital sent, to the letter; the look is noted with its ground. Raises NotFound when there is none."""
    data = as_sent(reference)
    if data is None:
        raise NotFound()
    patient_key = str(reference.get("subject", {}).get("reference", "")).rpartition("/")[2]
    resident = residents.get_by_key(patient_key, actor)
    what = f"DocumentReference/{reference['id']}"
    records.note_look(resident_id=resident.pk, actor=actor, subject=what, action="document.export")
    return data


def as_sent(reference: dict[str, Any]) -> bytes | None:
    """The shared document inside a DocumentReference, to the letter; None when it holds none."""
    for content in reference.get("content", []):
        attachment = content.get("attachment", {})
        if attachment.get("contentType") in XML_TYPES and attachment.get("data"):
            try:
                return base64.b64decode(attachment["data"])
            except binascii.Error:
                return None
    return None


def _document(source: dict[str, Any], actor: Actor) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """What is written, and the Observations that it names; raises NotFound for a stay, whose document is the discharge record."""
    patient_key = str(source.get("subject", {}).get("reference", "")).rpartition("/")[2]
    resident_id = residents.get_by_key(patient_key, actor).pk
    kind = source["resourceType"]
    if kind == "Encounter":
        results = _of_visit("Observation", source["id"], resident_id)
        made = of_visit(source, _of_visit("Condition", source["id"], resident_id), results)
        if made is None:
            raise NotFound()
        return made, results
    named = source.get("result", [])
    if kind == "Composition":
        named = [one for section in source.get("section", []) for one in section.get("entry", [])]
    ids = [str(one.get("reference", "")).removeprefix("Observation/") for one in named]
    found = records.entries(resident_id=resident_id, type="Observation", fhir_ids=ids)
    results = [one.content for one in found]
    return (source if kind == "Composition" else of_report(source, results)), results


def _of_visit(type: str, visit: str, resident_id: int) -> list[dict[str, Any]]:
    """What the record holds of a visit: its newest entries of a type."""
    found = records.of_type(resident_id=resident_id, type=type, limit=_NEWEST)
    return [one.content for one in found if one.content.get("encounter", {}).get("reference") == f"Encounter/{visit}"]


def _custodian(composition: dict[str, object], actor: Actor) -> Custodian:
    """The organisation that keeps the document; one that is no unit of ours is named by its words."""
    given = composition.get("custodian")
    words = str(given.get("display", "")) if isinstance(given, dict) else ""
    key = str(given.get("reference", "")).rpartition("/")[2] if isinstance(given, dict) else ""
    try:
        unit = organizations.get_by_key(UUID(key))
    except (ValueError, NotFound):
        return Custodian(code="—", name=words or actor.organization_name)
    return Custodian(code=unit.code, name=unit.name)
