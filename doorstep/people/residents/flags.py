"""Membership of a key group as FHIR R4 Flag (hl7.org/fhir/R4/flag.html)."""

from collections.abc import Mapping
from datetime import date, datetime
from uuid import UUID, uuid5

from django.utils import timezone

from doorstep.kernel.fhir import elements, systems
from doorstep.kernel.record.publishing import Published
from doorstep.people.residents.models import Resident
from doorstep.people.residents.rules import GROUPS, SENSITIVE_GROUPS

CATEGORY = "flag"
_CATEGORIES = "http://terminology.hl7.org/CodeSystem/flag-category"
# Groups of a life's circumstances; the others say a condition.
_CIRCUMSTANCES = frozenset({"low-income", "bereaved"})


def flag_id(patient_key: UUID, code: str) -> str:
    """The id of a person's flag of a group: whoever leaves a group and comes back has one flag."""
    return str(uuid5(patient_key, f"key-group/{code}"))


def to_flag(
    *,
    id: str,
    patient_key: UUID | str,
    patient_name: str,
    code: str,
    since: date,
    until: date | None = None,
    organization_id: int | None,
    at: datetime,
) -> Published:
    """The Flag of a group: active, inactive once it was left. Groups that are not said aloud are sensitive entries."""
    category = "admin" if code in _CIRCUMSTANCES else "clinical"
    content = elements.compact(
        {
            "resourceType": "Flag",
            "id": id,
            "status": "active" if until is None else "inactive",
            "category": [elements.concept(_CATEGORIES, category, category.capitalize())],
            "code": elements.concept(systems.KEY_GROUP, code, GROUPS.get(code, code)),
            "subject": elements.reference("Patient", patient_key, patient_name),
            "period": elements.period(since, until),
        }
    )
    return Published(
        content=content,
        organization_id=organization_id,
        occurred_at=at,
        category=CATEGORY,
        sensitive=code in SENSITIVE_GROUPS,
    )


def flags_of(
    resident: Resident, groups: Mapping[str, date], organization_id: int | None, *, until: date | None = None
) -> list[Published]:
    """The flags of a resident's groups, each with the day since when."""
    now = timezone.now()
    return [
        to_flag(
            id=flag_id(resident.key, code),
            patient_key=resident.key,
            patient_name=resident.name,
            code=code,
            since=since,
            until=until,
            organization_id=organization_id,
            at=now,
        )
        for code, since in groups.items()
    ]
