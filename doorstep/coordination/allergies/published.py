"""What is known of allergies as FHIR R4: AllergyIntolerance by line, Flag of a severe one, and the List of a resident."""

from collections.abc import Sequence
from uuid import uuid5

from django.utils import timezone

from doorstep.coordination.allergies.models import Allergy
from doorstep.coordination.allergies.queries import OWN
from doorstep.kernel.fhir import elements, systems
from doorstep.kernel.record.publishing import Published
from doorstep.people.residents.models import Resident

_CLINICAL = "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical"
_VERIFICATION = "http://terminology.hl7.org/CodeSystem/allergyintolerance-verification"
# The house's code for the statement that none is known.
NONE_KNOWN = "none-known"
_FLAG_CATEGORY = "http://terminology.hl7.org/CodeSystem/flag-category"
_EMPTY = "http://terminology.hl7.org/CodeSystem/list-empty-reason"


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


def to_flag(line: Allergy) -> Published:
    """The Flag of a severe allergy (hl7.org/fhir/R4/flag.html): inactive once it was refuted."""
    active = line.state == Allergy.State.ACTIVE
    words = f"重度过敏：{line.substance}"
    content = elements.compact(
        {
            "resourceType": "Flag",
            "id": str(uuid5(line.key, "flag")),
            "status": "active" if active else "entered-in-error",
            "category": [elements.concept(_FLAG_CATEGORY, "safety", "Safety")],
            "code": elements.concept(systems.ALLERGEN, line.code, line.substance, words)
            if line.code
            else elements.text_concept(words),
            "subject": elements.reference("Patient", line.resident.key, line.resident.name),
            "period": elements.period(line.recorded_at, line.ended_at),
        }
    )
    return Published(content=content, organization_id=line.organization_id, occurred_at=line.recorded_at, category=OWN)


def list_id(resident: Resident) -> str:
    """The id of a resident's list of allergies."""
    return str(uuid5(resident.key, "allergies"))


def to_list(resident: Resident, standing: Sequence[Allergy], *, organization_id: int | None) -> Published:
    """The List of what stands now (hl7.org/fhir/R4/list.html): empty with the reason when none is known, or nobody knows."""
    named = [line for line in standing if line.kind == Allergy.Kind.ALLERGY]
    asked = any(line.kind == Allergy.Kind.NONE for line in standing)
    reason = ("nilknown", "Nil Known") if asked else ("unavailable", "Unavailable")
    now = timezone.now()
    content = elements.compact(
        {
            "resourceType": "List",
            "id": list_id(resident),
            "status": "current",
            "mode": "working",
            "title": "过敏史",
            "code": elements.concept(systems.LOINC, "48765-2", "Allergies and adverse reactions Document", "过敏史"),
            "subject": elements.reference("Patient", resident.key, resident.name),
            "date": elements.instant(now),
            "entry": [{"item": elements.reference("AllergyIntolerance", line.key, line.substance)} for line in named],
            "emptyReason": None if named else elements.concept(_EMPTY, *reason),
        }
    )
    return Published(content=content, organization_id=organization_id, occurred_at=now, category=OWN)
