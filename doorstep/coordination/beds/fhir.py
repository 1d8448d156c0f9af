"""Beds as FHIR R4 Location with its operational status (HL7 v2 table 0116)."""

from doorstep.coordination.beds.models import Bed
from doorstep.kernel.fhir import elements, systems
from doorstep.kernel.record.publishing import Published

BED_STATUS = "http://terminology.hl7.org/CodeSystem/v2-0116"
LOCATION_TYPE = "http://terminology.hl7.org/CodeSystem/location-physical-type"
# By state; a held bed stays unoccupied and carries the extension below.
OPERATIONAL = {
    "free": ("U", "Unoccupied"),
    "occupied": ("O", "Occupied"),
    "cleaning": ("H", "Housekeeping"),
    "closed": ("C", "Closed"),
}
# A kept bed is neither free nor taken; R4 has no code for it, so the extension says it.
BED_HELD = f"{systems.BASE}/StructureDefinition/bed-held"


def bed_resources(bed: Bed) -> list[Published]:
    """The Location of a bed; it names nobody."""
    code, words = OPERATIONAL.get(bed.state, ("U", "Unoccupied"))
    held = bed.state == "held"
    content = elements.compact(
        {
            "resourceType": "Location",
            "id": str(bed.key),
            "status": bed.machine.state(bed.state).fhir,
            "operationalStatus": elements.coding(BED_STATUS, code, words),
            "name": f"{bed.ward.name} {bed.number}",
            "mode": "instance",
            "physicalType": elements.concept(LOCATION_TYPE, "bd", "Bed"),
            "managingOrganization": elements.reference("Organization", bed.organization.key, bed.organization.name),
            "extension": [elements.extension(BED_HELD, valueBoolean=True)] if held else [],
        }
    )
    return [Published(content=content, organization_id=bed.organization_id, occurred_at=bed.state_since)]
