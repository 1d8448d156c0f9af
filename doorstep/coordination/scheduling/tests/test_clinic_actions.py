"""Laying out schedules and stopping clinics."""

from datetime import date, time, timedelta

import pytest
import time_machine
from django.utils import timezone

from doorstep.coordination.scheduling import (
    actions,
    clinic_actions,
    handlers,
    laying_actions,
    queries,
    stopping_actions,
)
from doorstep.coordination.scheduling.events import ClinicStopped
from doorstep.coordination.scheduling.models import Booking, Schedule, Slot
from doorstep.coordination.scheduling.tests.factories import Clinic, make_clinic, make_slot
from doorstep.kernel.access.actor import Purpose, system_actor
from doorstep.kernel.access.refusals import Conflict, NotPermitted, Refused
from doorstep.kernel.access.session import acting
from doorstep.kernel.events.models import EventRow
from doorstep.kernel.events.tasks import to_event
from doorstep.kernel.record.models import Resource
from doorstep.people.organizations.models import Department

pytestmark = pytest.mark.django_db

PLACES = {"own": 2, "contract": 1, "referral": 1, "community": 0, "open": 0}


def _morning(clinic: Clinic, weekday: int = 0) -> None:
    clinic_actions.add_session(
        schedule=clinic.schedule,
        weekday=weekday,
        starts=time(8, 30),
        ends=time(11, 45),
        minutes=30,
        places=PLACES,
        actor=clinic.officer,
    )


@time_machine.travel("2026-03-02 00:30:00+00:00", tick=False)
def test_generate_slots_lays_out_each_week_once() -> None:
    clinic = make_clinic()
    with acting(clinic.officer) as officer:
        _morning(clinic)
        days = {"first": date(2026, 3, 2), "last": date(2026, 3, 15)}
        assert laying_actions.generate_slots(schedule=clinic.schedule, actor=officer, **days) == 12
        assert laying_actions.generate_slots(schedule=clinic.schedule, actor=officer, **days) == 0
        first = Slot.objects.order_by("starts_at").first()
        assert first is not None
        assert first.starts_at.isoformat() == "2026-03-02T00:30:00+00:00"
        assert queries.counts() == {"free": 48, "held": 0, "booked": 0}


def test_generate_slots_rests_on_national_holidays() -> None:
    clinic = make_clinic()
    with acting(clinic.officer) as officer:
        _morning(clinic, weekday=3)
        made = laying_actions.generate_slots(
            schedule=clinic.schedule, first=date(2026, 10, 1), last=date(2026, 10, 1), actor=officer
        )
        assert made == 0


def test_generate_slots_refuses_a_range_that_makes_no_sense() -> None:
    clinic = make_clinic()
    with acting(clinic.officer) as officer, pytest.raises(Refused, match="日期范围"):
        laying_actions.generate_slots(
            schedule=clinic.schedule, first=date(2026, 3, 2), last=date(2027, 3, 2), actor=officer
        )


def test_add_session_refuses_overlap_and_no_places() -> None:
    clinic = make_clinic()
    with acting(clinic.officer):
        _morning(clinic)
        with pytest.raises(Conflict, match="重叠"):
            _morning(clinic)
        with pytest.raises(Refused, match="至少安排一个号"):
            clinic_actions.add_session(
                schedule=clinic.schedule,
                weekday=2,
                starts=time(14),
                ends=time(16),
                minutes=30,
                places=dict.fromkeys(PLACES, 0),
                actor=clinic.officer,
            )


def test_only_the_clinics_own_office_manages_it() -> None:
    clinic = make_clinic()
    with acting(clinic.doctor) as li, pytest.raises(NotPermitted):
        laying_actions.generate_slots(schedule=clinic.schedule, first=date(2026, 3, 2), last=date(2026, 3, 3), actor=li)


def test_stop_clinic_calls_off_everybody_and_offers_no_more() -> None:
    clinic = make_clinic()
    slot = make_slot(clinic, referral=2)
    with acting(clinic.doctor) as li:
        held = actions.hold(slot_key=slot.key, origin="referral", actor=li, resident_id=clinic.resident.id)
        actions.book(hold_key=held.key, resident_id=clinic.resident.id, actor=li, reference="referral/x")
    with acting(clinic.officer) as officer:
        stopped = stopping_actions.stop_clinic(
            schedule=clinic.schedule,
            since=slot.starts_at - timedelta(hours=1),
            until=slot.ends_at,
            reason="外出会诊",
            actor=officer,
        )
        assert stopped == 1
    with acting(system_actor(Purpose.HANDLER)):
        row = EventRow.objects.get(name="ClinicStopped")
        handlers.call_off_bookings(to_event(row, ClinicStopped))
        handlers.publish_slots(to_event(row, ClinicStopped))
        assert Booking.objects.get().state == "cancelled"
        assert Resource.objects.get(type="Slot").content["status"] == "busy-unavailable"
    with acting(clinic.doctor) as li:
        assert queries.free_slots(organization_ids=[clinic.world.lead], origin="referral", actor=li) == []
        with pytest.raises(actions.NoPlaceLeft, match="停诊"):
            actions.hold(slot_key=slot.key, origin="referral", actor=li, resident_id=clinic.resident.id)
        row = EventRow.objects.get(name="BookingCancelled")
        assert row.details["reference"] == "referral/x"
        assert row.details["reason"] == "停诊：外出会诊"


def test_free_slots_that_fit_come_before_earlier_ones() -> None:
    clinic = make_clinic()
    first = make_slot(clinic, referral=1)
    with acting(system_actor(Purpose.IMPORT)):
        nerves = Department.objects.create(organization_id=clinic.world.lead, code="0307", name="神经内科")
        other = Schedule.objects.create(organization_id=clinic.world.lead, department=nerves)
        Slot.objects.filter(pk=first.pk).update(schedule=other)
    second = make_slot(clinic, starts_at=timezone.now() + timedelta(days=2), referral=1)

    def found(*fitting: str, limit: int = 30) -> list[int]:
        rows = queries.free_slots(
            organization_ids=[clinic.world.lead], origin="referral", actor=clinic.doctor, fitting=fitting, limit=limit
        )
        return [row.id for row in rows]

    with acting(clinic.doctor):
        assert found() == [first.pk, second.pk]
        assert found("心内", "心血管") == [second.pk, first.pk]
        assert found("冠心", limit=1) == [second.pk]
        assert found("100%") == [first.pk, second.pk]
