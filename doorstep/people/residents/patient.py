"""A resident as FHIR R4 Patient (hl7.org/fhir/R4/patient.html). Numbers are whole: the wall guards the record."""

import json
from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from doorstep.kernel.fhir import elements, systems
from doorstep.kernel.record.publishing import Published
from doorstep.people.residents.documents import FOREIGN_PERMIT, HMT_PERMIT, NATIONAL_ID, PASSPORT
from doorstep.people.residents.models import Resident
from doorstep.people.residents.queries import masked_number

# hl7.org/fhir/R4/identifier-registry.html names the passports of a country; the permits have no registered system.
_SYSTEMS = {HMT_PERMIT: systems.HMT_PERMIT, FOREIGN_PERMIT: systems.FOREIGN_PERMIT}
# v2-0203: PPN passport number, PRC permanent resident card number.
_TYPES = {PASSPORT: "PPN", HMT_PERMIT: "PRC", FOREIGN_PERMIT: "PRC"}


def to_patient(
    resident: Resident, *, organization_key: UUID, organization_name: str, replaces: Sequence[UUID] = ()
) -> Published:
    """The Patient of a resident as it is now; `replaces` names the records that were merged into it."""
    numbers = [
        elements.identifier(system, value)
        for system, value in (
            (systems.NATIONAL_ID, resident.national_id),
            (systems.RECORD_NUMBER, resident.record_number),
        )
        if value
    ]
    if resident.document_number:
        kind = resident.document_kind
        number = elements.identifier(_system_of(kind, resident.document_country), resident.document_number)
        numbers.append({"type": elements.concept(systems.IDENTIFIER_TYPE, _TYPES[kind]), **number})
    numbers += [
        {**elements.identifier(_system_of(kind, country), value), "use": "old"}
        for kind, country, value in former_numbers(resident)
    ]
    content = elements.compact(
        {
            "resourceType": "Patient",
            "id": str(resident.key),
            "identifier": numbers,
            "active": resident.deceased_on is None,
            "name": [{"use": "anonymous" if resident.unidentified else "official", "text": resident.name}],
            "telecom": [{"system": "phone", "value": resident.phone, "use": "mobile"}] if resident.phone else [],
            "gender": resident.gender,
            # A date may be a year alone: of an unidentified person no more is known, and that only by estimate.
            "birthDate": str(resident.birth_date.year) if resident.unidentified else resident.birth_date.isoformat(),
            "deceasedDateTime": resident.deceased_on.isoformat() if resident.deceased_on else None,
            "address": [{"use": "home", "text": resident.address}] if resident.address else [],
            "managingOrganization": elements.reference("Organization", organization_key, organization_name),
            "link": [{"other": elements.reference("Patient", key), "type": "replaces"} for key in replaces],
        }
    )
    return Published(
        content=content,
        organization_id=resident.organization_id,
        occurred_at=resident.created_at,
        category="patient",
    )


def to_partial_patient(resident: Resident, *, asked_key: UUID, organization_key: UUID) -> elements.Json:
    """What a unit is told that knows of the resident through one order or episode: who is meant, the number as pages veil it.

    `asked_key` is another than the resident's for a record that was merged into this one.
    """
    masked = masked_number(resident)
    former = asked_key != resident.key
    return elements.compact(
        {
            "resourceType": "Patient",
            "id": str(asked_key),
            "meta": {"tag": [{"system": systems.OBSERVATION_VALUE, "code": "SUBSETTED"}]},
            "identifier": [_veiled(resident, masked)] if masked else [],
            "active": resident.deceased_on is None and not former,
            "name": [{"use": "anonymous" if resident.unidentified else "official", "text": resident.name}],
            "gender": resident.gender,
            "birthDate": str(resident.birth_date.year) if resident.unidentified else resident.birth_date.isoformat(),
            "deceasedDateTime": resident.deceased_on.isoformat() if resident.deceased_on else None,
            "managingOrganization": elements.reference("Organization", organization_key, resident.organization.name),
            "link": [{"other": elements.reference("Patient", resident.key), "type": "replaced-by"}] if former else [],
        }
    )


def _veiled(resident: Resident, masked: str) -> elements.Json:
    """A number of which only the ends are shown (hl7.org/fhir/R4/extension-rendered-value.html)."""
    if masked == resident.record_number:
        # The house gave it to somebody without papers, and its pages show it whole.
        return elements.identifier(systems.RECORD_NUMBER, masked)
    kind = NATIONAL_ID if resident.national_id else resident.document_kind
    return {
        "system": _system_of(kind, resident.document_country),
        "_value": {
            "extension": [
                {"url": systems.RENDERED_VALUE, "valueString": masked},
                {"url": systems.DATA_ABSENT_REASON, "valueCode": "masked"},
            ]
        },
    }


def former_numbers(resident: Resident) -> list[tuple[str, str, str]]:
    """The numbers that were the person's before: kind of document, country of a passport, number; oldest first."""
    return [(kind, country, value) for kind, country, value in json.loads(resident.former_numbers or "[]")]


def _system_of(kind: str, country: str) -> str:
    return (
        systems.NATIONAL_ID if kind == NATIONAL_ID else _SYSTEMS.get(kind) or systems.PASSPORT.format(country=country)
    )


def to_former_patient(
    resident: Resident, *, standing_key: UUID, organization_key: UUID, organization_name: str
) -> Published:
    """The Patient of a record that was merged: not active, its numbers old, with a link to the one that replaces it."""
    published = to_patient(resident, organization_key=organization_key, organization_name=organization_name)
    content = {
        **published.content,
        "active": False,
        "identifier": [{**number, "use": "old"} for number in published.content.get("identifier", [])],
        "link": [{"other": elements.reference("Patient", standing_key), "type": "replaced-by"}],
    }
    return replace(published, content=elements.compact(content))
