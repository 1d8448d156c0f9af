"""A visit as FHIR R4 Encounter (hl7.org/fhir/R4/encounter.html)."""

from doorstep.coordination.visits.models import Visit
from doorstep.kernel.fhir import elements, systems
from doorstep.kernel.record.publishing import Published

_CLASSES = {
    Visit.Kind.OUTPATIENT: ("AMB", "ambulatory"),
    Visit.Kind.HOME: ("HH", "home health"),
    Visit.Kind.EMERGENCY: ("EMER", "emergency"),
}


def to_resources(visit: Visit) -> list[Published]:
    """The Encounter of a visit as it is now."""
    code, display = _CLASSES[Visit.Kind(visit.kind)]
    person = visit.practitioner
    content = elements.compact(
        {
            "resourceType": "Encounter",
            "id": str(visit.key),
            "status": visit.machine.state(visit.state).fhir,
            "class": elements.coding(systems.ENCOUNTER_CLASS, code, display),
            "subject": elements.reference("Patient", visit.resident.key, visit.resident.name),
            "participant": [{"individual": elements.reference("Practitioner", person.key, person.name)}]
            if person
            else [],
            "period": elements.period(visit.created_at, visit.ended_at),
            "reasonCode": [elements.text_concept(visit.complaint)] if visit.complaint else [],
            "serviceProvider": elements.reference("Organization", visit.organization.key, visit.organization.name),
        }
    )
    return [
        Published(
            content=content,
            organization_id=visit.organization_id,
            occurred_at=visit.created_at,
            episode=visit.subject,
            category="encounter",
        )
    ]
