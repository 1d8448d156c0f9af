"""A stopped clinic takes place after all: who has no new time has the old one back, who has one keeps it, nobody gets in between."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from doorstep.coordination.scheduling import (
    actions,
    queries,
    queue_actions,
    rebooking_actions,
    resuming_actions,
    stopping_actions,
)
from doorstep.coordination.scheduling.models import Booking, Place, Rebooking, Schedule, Slot
from doorstep.coordination.scheduling.tests.factories import Clinic, book_for, make_clinic, make_slot, stop, told
from doorstep.kernel.access.actor import Actor, Purpose, system_actor
from doorstep.kernel.access.refusals import Conflict, NotPermitted, Refused
from doorstep.kernel.access.session import acting
from doorstep.kernel.audit.models import AuditEntry
from doorstep.kernel.worklist.models import Task
from doorstep.people.organizations.models import Department
from doorstep.people.residents.models import Resident
from doorstep.people.residents.tests.factories import make_resident, make_staff
from doorstep.site.actors import of_user

pytestmark = pytest.mark.django_db
HOUSE = system_actor(Purpose.HANDLER)


def _manager(clinic: Clinic) -> Actor:
    return of_user(make_staff(name="周敏", organization_id=clinic.world.lead, role="clinic_manager"))


def _person(clinic: Clinic, name: str) -> Resident:
    village = clinic.world.village
    return make_resident(organization_id=village, name=name, number="", phone="", panel_of=(village,))


def _told(clinic: Clinic) -> list[tuple[str, dict[str, Any]]]:
    with acting(HOUSE):
        return told(clinic.resident.pk)


def _stop(slot: Slot) -> None:
    stop(slot, reason="专家外出")
    with acting(HOUSE) as house:
        stopping_actions.call_off(slot_ids=[slot.pk], reason="专家外出", actor=house)


def _resume(clinic: Clinic, slot: Slot, manager: Actor) -> resuming_actions.Resumed:
    with acting(manager):
        return resuming_actions.resume_clinic(
            schedule=clinic.schedule,
            since=slot.starts_at - timedelta(hours=1),
            until=slot.starts_at + timedelta(hours=1),
            actor=manager,
        )


def _give_back(slot: Slot) -> int:
    with acting(HOUSE) as house:
        return resuming_actions.give_back_times(slot_ids=[slot.pk], actor=house)


def test_who_has_no_new_time_has_the_old_one_back_for_the_same_unit() -> None:
    clinic = make_clinic()
    manager, slot = _manager(clinic), make_slot(clinic, referral=1)
    old = book_for(clinic, slot, clinic.resident)
    _stop(slot)
    assert _resume(clinic, slot, manager) == resuming_actions.Resumed(1, 1)
    # Between the act and its handler the place is nobody else's.
    with acting(clinic.doctor) as li, pytest.raises(Conflict):
        actions.hold(slot_key=slot.key, origin="referral", actor=li, resident_id=_person(clinic, "钱进").pk)
    assert _give_back(slot) == 1
    assert _give_back(slot) == 0
    with acting(clinic.doctor):
        new = Booking.objects.get(state="booked")
        task = Rebooking.objects.get()
        assert (new.place_id, new.changed_from_id, new.channel) == (old.place_id, old.pk, old.channel)
        assert (new.source_organization_id, new.wanted_since) == (clinic.world.village, old.wanted_since)
        assert (task.state, task.new_booking_id) == ("done", new.pk)
        assert not Task.objects.filter(kind="rebooking.open", closed_at__isnull=True).exists()
    assert [kind for kind, _params in _told(clinic)] == ["booking-called-off", "booking-restored"]
    with acting(HOUSE):
        assert AuditEntry.objects.filter(action="schedule.resume").count() == 1


def test_who_was_rebooked_keeps_the_new_time_and_is_told() -> None:
    clinic = make_clinic()
    manager, slot = _manager(clinic), make_slot(clinic, referral=1)
    later = make_slot(clinic, starts_at=timezone.now() + timedelta(days=3), referral=1)
    book_for(clinic, slot, clinic.resident)
    _stop(slot)
    with acting(clinic.doctor) as li:
        made = rebooking_actions.rebook(
            key=Rebooking.objects.get().key, slot_key=later.key, origin="referral", actor=li
        )
    assert _resume(clinic, slot, manager) == resuming_actions.Resumed(1, 0)
    assert _give_back(slot) == 0
    with acting(clinic.doctor):
        assert Booking.objects.get(state="booked").pk == made.pk
    assert queries.counts(slot_ids=[slot.pk]) == {"free": 1, "held": 0, "booked": 0}
    kind, params = _told(clinic)[-1]
    assert kind == "booking-kept-moved"
    assert params["moved"] == timezone.localtime(later.starts_at).strftime("%m-%d %H:%M")


def test_who_finds_another_time_meanwhile_was_first_and_the_place_is_free() -> None:
    clinic = make_clinic()
    manager, slot = _manager(clinic), make_slot(clinic, referral=1)
    later = make_slot(clinic, starts_at=timezone.now() + timedelta(days=3), referral=1)
    book_for(clinic, slot, clinic.resident)
    _stop(slot)
    _resume(clinic, slot, manager)
    with acting(clinic.doctor) as li:
        task = Rebooking.objects.get()
        rebooking_actions.rebook(key=task.key, slot_key=later.key, origin="referral", actor=li)
    with acting(HOUSE) as house:
        # As if the handler had read the task just before.
        stale = Rebooking.objects.select_related("booking__slot", "booking__place").get(pk=task.pk)
        stale.state = "open"
        assert not resuming_actions._give_back_time(stale, house)
    assert queries.counts(slot_ids=[slot.pk]) == {"free": 1, "held": 0, "booked": 0}
    with acting(clinic.doctor):
        assert Booking.objects.filter(state="booked").count() == 1


def test_who_is_expected_elsewhere_by_now_is_told_and_keeps_the_task() -> None:
    clinic = make_clinic()
    manager, slot = _manager(clinic), make_slot(clinic, referral=1)
    book_for(clinic, slot, clinic.resident)
    _stop(slot)
    with acting(system_actor(Purpose.IMPORT)):
        department = Department.objects.create(organization_id=clinic.world.lead, code="0401", name="眼科")
        other = Schedule.objects.create(organization_id=clinic.world.lead, department=department)
        eyes = Slot.objects.create(
            schedule=other, organization_id=clinic.world.lead, starts_at=slot.starts_at, ends_at=slot.ends_at
        )
        Place.objects.create(slot=eyes, number=1, quota="referral")
    book_for(clinic, eyes, clinic.resident)
    _resume(clinic, slot, manager)
    assert _give_back(slot) == 0
    with acting(clinic.doctor):
        assert Rebooking.objects.get().state == "open"
    kind, params = _told(clinic)[-1]
    assert kind == "booking-not-restored"
    assert "已有其他预约" in params["reason"]
    assert queries.counts(slot_ids=[slot.pk]) == {"free": 1, "held": 0, "booked": 0}


def test_an_added_place_comes_back_for_its_person_alone() -> None:
    clinic = make_clinic()
    manager, slot = _manager(clinic), make_slot(clinic, referral=1)
    # A desk adds for whom its house sees.
    book_for(clinic, make_slot(clinic, starts_at=timezone.now() + timedelta(days=5), referral=1), clinic.resident)
    with acting(manager):
        queue_actions.overbook(slot_key=slot.key, resident_id=clinic.resident.pk, reason="术后复查", actor=manager)
    _stop(slot)
    _resume(clinic, slot, manager)
    assert queries.counts(slot_ids=[slot.pk]) == {"free": 1, "held": 0, "booked": 0}
    assert _give_back(slot) == 1
    with acting(manager):
        again = Booking.objects.get(slot=slot, state="booked")
        assert (again.extra_reason, again.place.is_extra) == ("术后复查", True)


def test_resumed_before_anybody_was_called_off_all_bookings_stand() -> None:
    clinic = make_clinic()
    manager, slot = _manager(clinic), make_slot(clinic, referral=1)
    booking = book_for(clinic, slot, clinic.resident)
    stop(slot, reason="专家外出")
    assert _resume(clinic, slot, manager) == resuming_actions.Resumed(1, 0)
    with acting(HOUSE) as house:
        assert stopping_actions.call_off(slot_ids=[slot.pk], reason="专家外出", actor=house) == 0
    with acting(clinic.doctor):
        booking.refresh_from_db()
        assert booking.state == "booked"


def test_resuming_is_refused_where_nothing_is_stopped_or_the_doctor_sits_elsewhere_by_now() -> None:
    clinic = make_clinic()
    manager, slot = _manager(clinic), make_slot(clinic, referral=1)
    with pytest.raises(Refused):
        _resume(clinic, slot, manager)
    stop(slot, reason="专家外出")
    with acting(system_actor(Purpose.IMPORT)):
        other = Schedule.objects.create(
            organization_id=clinic.world.lead,
            department=clinic.schedule.department,
            practitioner=clinic.schedule.practitioner,
            service="clinic",
        )
        Slot.objects.create(
            schedule=other, organization_id=clinic.world.lead, starts_at=slot.starts_at, ends_at=slot.ends_at
        )
    with pytest.raises(Conflict, match="已另有出诊"):
        _resume(clinic, slot, manager)
    with pytest.raises(NotPermitted):
        _resume(clinic, slot, clinic.doctor)


def test_a_stop_of_today_leaves_what_has_begun() -> None:
    clinic = make_clinic()
    manager = _manager(clinic)
    begun = make_slot(clinic, starts_at=timezone.now() - timedelta(minutes=40), referral=1)
    coming = make_slot(clinic, starts_at=timezone.now() + timedelta(minutes=5), referral=1)
    with acting(manager):
        stopping_actions.stop_clinic(
            schedule=clinic.schedule,
            since=timezone.now() - timedelta(hours=12),
            until=timezone.now() + timedelta(hours=12),
            reason="医师突发疾病",
            actor=manager,
        )
    stopped = list(Slot.objects.filter(stopped_at__isnull=False).values_list("id", flat=True))
    assert (stopped, begun.pk in stopped) == ([coming.pk], False)


def test_pages_list_what_is_stopped_and_resume_a_day(client: Client) -> None:
    clinic = make_clinic()
    slot = make_slot(clinic, referral=1)
    book_for(clinic, slot, clinic.resident)
    _stop(slot)
    client.force_login(make_staff(name="周敏", organization_id=clinic.world.lead, role="clinic_manager"))
    day = timezone.localdate(slot.starts_at).isoformat()
    for address, sent in (
        ("/slots/stop/", {"scope": f"schedule:{clinic.schedule.pk}", "first": day, "last": day}),
        (f"/slots/schedules/{clinic.schedule.key}/", {"what": day}),
    ):
        page = client.get(address).content.decode()
        assert "专家外出" in page
        assert "1 人" in page
        answer = client.post(address, {"act": "resume", **sent}, follow=True)
        assert "已恢复 1 个时段" in answer.content.decode()
        _stop(slot)
    assert client.post("/slots/stop/", {"act": "resume", "scope": "department:0"}).status_code == 422
