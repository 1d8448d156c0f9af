"""Reads for hospital systems that declare their clinics and book them in their own system."""

import uuid
from datetime import datetime

from django.db.models import Q

from doorstep.coordination.scheduling.models import Booking, Schedule, Slot
from doorstep.people.organizations.models import Department
from doorstep.people.workforce.models import Practitioner


def slot_at(*, organization_id: int, clinic: tuple[str, str], doctor: str, starts_at: datetime | None) -> Slot | None:
    """The hospital's slot of a clinic (by the department's code or name) that begins then, the named doctor's first."""
    if starts_at is None or not any(clinic):
        return None
    code, name = clinic
    named = Q(schedule__department__code=code) if code else Q(schedule__department__name=name)
    if code and name:
        named |= Q(schedule__department__name=name)
    found = list(
        Slot.objects.filter(named, organization_id=organization_id, starts_at=starts_at, stopped_at__isnull=True)
        .select_related("schedule__practitioner")
        .order_by("id")
    )
    of_doctor = [slot for slot in found if slot.schedule.practitioner and slot.schedule.practitioner.name == doctor]
    return next(iter([*of_doctor, *found]), None)


def booking_by_request(*, key: uuid.UUID) -> Booking | None:
    """The booking that a request made, or the one it was moved to since; None when the actor sees none."""
    found = Booking.objects.filter(hold_key=key).first()
    while found is not None:
        moved = Booking.objects.filter(changed_from=found).order_by("id").last()
        again = Booking.objects.filter(hold_key=uuid.uuid5(key, str(found.key))).first() if moved is None else moved
        if again is None:
            return found
        found = again
    return None


def department_named(*, organization_ids: tuple[int, ...], code: str, name: str) -> Department | None:
    """A department of these units by its code, else by its name."""
    found = Department.objects.filter(organization_id__in=organization_ids, closed_on__isnull=True)
    if code:
        return found.filter(code=code).first()
    return found.filter(name=name).first() if name else None


def practitioner_by_key(*, key: str) -> Practitioner | None:
    """A practitioner by the key that FHIR names."""
    try:
        return Practitioner.objects.filter(key=uuid.UUID(key)).first()
    except ValueError:
        return None


def schedule_by_key(*, key: str) -> Schedule | None:
    """A schedule by its key, whoever's it is; whether the actor manages it is for the action to say."""
    try:
        return Schedule.objects.filter(key=uuid.UUID(key)).select_related("department", "practitioner").first()
    except ValueError:
        return None


def slot_by_key(*, key: str) -> Slot | None:
    """A slot by its key with its schedule."""
    try:
        return Slot.objects.filter(key=uuid.UUID(key)).select_related("schedule").first()
    except ValueError:
        return None
