"""A unit as FHIR R4 Organization (hl7.org/fhir/R4/organization.html)."""

from django.utils import timezone

from doorstep.kernel.fhir import elements, systems
from doorstep.kernel.record.publishing import Published
from doorstep.people.organizations.models import Organization

# terminology.hl7.org organization-type: who gives care, and who governs.
_TYPE = "http://terminology.hl7.org/CodeSystem/organization-type"


def organization_resource(unit: Organization) -> Published:
    """The Organization of a unit as it is now."""
    governs = unit.kind == Organization.Kind.AUTHORITY
    code, display = ("govt", "Government") if governs else ("prov", "Healthcare Provider")
    content = elements.compact(
        {
            "resourceType": "Organization",
            "id": str(unit.key),
            "identifier": [elements.identifier(systems.ORGANIZATION_CODE, unit.code)],
            "active": unit.closed_on is None,
            "type": [elements.concept(_TYPE, code, display, text=str(unit.get_kind_display()))],
            "name": unit.name,
            "alias": [unit.name_en] if unit.name_en else [],
            "telecom": [{"system": "phone", "value": unit.phone}] if unit.phone else [],
            "address": [{"text": unit.address}] if unit.address else [],
            "partOf": elements.reference("Organization", unit.parent.key, unit.parent.name) if unit.parent else None,
        }
    )
    return Published(content=content, organization_id=unit.pk, occurred_at=timezone.now(), category="organization")
