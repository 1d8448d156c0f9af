"""A heart clinic at the lead hospital: 王主任's schedule with a slot tomorrow, and the township's family doctor."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.apps import apps
from django.utils import timezone

from doorstep.coordination.scheduling import actions
from doorstep.coordination.scheduling.models import Booking, Place, Schedule, Slot
from doorstep.coordination.scheduling.waiting_actions import Want
from doorstep.kernel.access.actor import Actor, Purpose, system_actor
from doorstep.kernel.access.session import acting
from doorstep.people.organizations.models import Department
from doorstep.people.residents.models import Resident
from doorstep.people.residents.tests.factories import World, make_resident, make_staff, make_world
from doorstep.people.workforce.models import Practitioner
from doorstep.site.actors import of_user


@dataclass(frozen=True, slots=True)
class Clinic:
    """What the tests of scheduling stand on."""

    world: World
    schedule: Schedule
    resident: Resident
    doctor: Actor
    officer: Actor
    stranger: Actor


def make_clinic() -> Clinic:
    """The small world with a schedule of 王主任 at the lead hospital, and 周桂兰 on the village's panel."""
    world = make_world()
    resident = make_resident(organization_id=world.village, panel_of=(world.village,))
    doctor = make_staff(name="李长河", organization_id=world.village, role="village_doctor", username="li")
    officer = make_staff(name="郑岚", organization_id=world.lead, role="referral_officer", username="zheng")
    stranger = make_staff(name="赵远", organization_id=world.other_village, role="village_doctor", username="zhao")
    with acting(system_actor(Purpose.IMPORT)):
        department = Department.objects.create(organization_id=world.lead, code="0301", name="心血管内科")
        expert = Practitioner.objects.create(
            name="王主任", gender="male", title="主任医师", specialty="冠心病", is_expert=True
        )
        schedule = Schedule.objects.create(organization_id=world.lead, department=department, practitioner=expert)
    return Clinic(world, schedule, resident, of_user(doctor), of_user(officer), of_user(stranger))


def make_slot(clinic: Clinic, *, starts_at: datetime | None = None, **places: int) -> Slot:
    """A slot of half an hour, tomorrow unless said otherwise; places by quota: make_slot(clinic, referral=2)."""
    start = starts_at or timezone.now() + timedelta(days=1)
    with acting(system_actor(Purpose.IMPORT)):
        slot = Slot.objects.create(
            schedule=clinic.schedule,
            organization_id=clinic.world.lead,
            starts_at=start,
            ends_at=start + timedelta(minutes=30),
        )
        quotas = [quota for quota, count in places.items() for _number in range(count)]
        Place.objects.bulk_create(
            [Place(slot=slot, number=number, quota=quota) for number, quota in enumerate(quotas, start=1)]
        )
    return slot


def stop(*slots: Slot, reason: str) -> None:
    """What the act of stopping does to slots; calling off is the handler's."""
    with acting(system_actor(Purpose.HANDLER)):
        Slot.objects.filter(pk__in=[slot.pk for slot in slots]).update(stopped_at=timezone.now(), stop_reason=reason)


def told(resident_id: int) -> list[tuple[str, dict[str, Any]]]:
    """Kind and parameters of the notices that a resident got, oldest first; the app that sends them is a sibling."""
    notices: Any = apps.get_model("notices", "Notice")
    return list(notices.objects.filter(resident_id=resident_id).order_by("id").values_list("kind", "params"))


def book_for(clinic: Clinic, slot: Slot, resident: Resident, origin: str = "referral") -> Booking:
    """The doctor's booking of a place for somebody."""
    with acting(clinic.doctor) as li:
        held = actions.hold(slot_key=slot.key, origin=origin, actor=li, resident_id=resident.pk)
        return actions.book(hold_key=held.key, resident_id=resident.pk, actor=li)


def want_of(clinic: Clinic, origin: str = "referral") -> Want:
    """A place of the clinic's department within twenty days."""
    day = timezone.localdate()
    return Want(
        department_id=clinic.schedule.department_id, origin=origin, first_day=day, last_day=day + timedelta(days=20)
    )
