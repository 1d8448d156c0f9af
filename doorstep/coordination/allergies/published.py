"""A line as FHIR R4 AllergyIntolerance (hl7.org/fhir/R4/allergyintolerance.html)."""

from doorstep.coordination.allergies.models import Allergy
from doorstep.coordination.allergies.queries import OWN
from doorstep.kernel.fhir import elements, systems
from doorstep.kernel.record.publishing import Published

_CLINICAL = "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical"
_VERIFICATION = "http://terminology.hl7.org/CodeSystem/allergyintolerance-verification"
# The house's code for the statement that none is known.
NONE_KNOWN = "none-known"


def to_intolerance(line: Allergy) -> Published:
    """The AllergyIntolerance of a line as it is now: refuted and replaced ones are inactive."""
    active = line.state == Allergy.State.ACTIVE
    sure = "refuted" if line.state == Allergy.State.REFUTED else line.certainty
    none = line.kind == Allergy.Kind.NONE
    words = str(line.get_kind_display()) if none else line.substance
    code = NONE_KNOWN if none else line.code
    reaction = elements.compact(
        {"manifestation": [elements.text_concept(line.reaction or "未说明")], "severity": line.severity}
    )
    content = elements.compact(
        {
            "resourceType": "AllergyIntolerance",
            "id": str(line.key),
            "clinicalStatus": elements.concept(_CLINICAL, "active" if active else "inactive"),
            "verificationStatus": elements.concept(_VERIFICATION, sure),
            "category": [line.category] if line.category else [],
            "criticality": "high" if line.severity == Allergy.Severity.SEVERE else None,
            "code": elements.concept(systems.ALLERGEN, code, words) if code else elements.text_concept(words),
            "patient": elements.reference("Patient", line.resident.key, line.resident.name),
            "recordedDate": elements.instant(line.recorded_at),
            "note": [{"text": line.reason}] if line.reason else [],
            "reaction": [reaction] if line.reaction or line.severity else [],
        }
    )
    return Published(content=content, organization_id=line.organization_id, occurred_at=line.recorded_at, category=OWN)
