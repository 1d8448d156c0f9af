"""A resident as FHIR R4 Patient (hl7.org/fhir/R4/patient.html). Numbers are whole: the wall guards the record."""

from uuid import UUID

from doorstep.kernel.fhir import elements, systems
from doorstep.kernel.record.publishing import Published
from doorstep.people.residents.models import Resident


def to_patient(resident: Resident, *, organization_key: UUID, organization_name: str) -> Published:
    """The Patient of a resident as it is now."""
    numbers = [
        elements.identifier(system, value)
        for system, value in (
            (systems.NATIONAL_ID, resident.national_id),
            (systems.RECORD_NUMBER, resident.record_number),
        )
        if value
    ]
    content = elements.compact(
        {
            "resourceType": "Patient",
            "id": str(resident.key),
            "identifier": numbers,
            "active": resident.deceased_on is None,
            "name": [{"use": "official", "text": resident.name}],
            "telecom": [{"system": "phone", "value": resident.phone, "use": "mobile"}] if resident.phone else [],
            "gender": resident.gender,
            "birthDate": resident.birth_date.isoformat(),
            "deceasedDateTime": resident.deceased_on.isoformat() if resident.deceased_on else None,
            "address": [{"use": "home", "text": resident.address}] if resident.address else [],
            "managingOrganization": elements.reference("Organization", organization_key, organization_name),
        }
    )
    return Published(
        content=content,
        organization_id=resident.organization_id,
        occurred_at=resident.created_at,
        category="patient",
    )
