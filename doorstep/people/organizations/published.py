"""A unit as FHIR R4 Organization and its place as Location (hl7.org/fhir/R4/organization.html, location.html)."""

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


def location_resource(unit: Organization) -> Published:
    """The Location where a unit stands; both share the unit's key."""
    position = None
    if unit.latitude is not None and unit.longitude is not None:
        position = {"longitude": float(unit.longitude), "latitude": float(unit.latitude)}
    content = elements.compact(
        {
            "resourceType": "Location",
            "id": str(unit.key),
            "status": "active" if unit.closed_on is None else "inactive",
            "name": unit.name,
            "alias": [unit.name_en] if unit.name_en else [],
            "mode": "instance",
            "telecom": [{"system": "phone", "value": unit.phone}] if unit.phone else [],
            "address": {"text": unit.address} if unit.address else None,
            "position": position,
            "managingOrganization": elements.reference("Organization", unit.key, unit.name),
        }
    )
    return Published(content=content, organization_id=unit.pk, occurred_at=timezone.now(), category="organization")
