"""Holding, booking and giving back, each by a named person."""

import uuid
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from doorstep.coordination.scheduling import actions, at_once, claiming, queries, rules
from doorstep.coordination.scheduling.models import Booking, Place, Ticket
from doorstep.coordination.scheduling.outcomes import Wish
from doorstep.coordination.scheduling.taking import Ask, take
from doorstep.coordination.scheduling.tests.factories import book_for, make_clinic, make_slot, told
from doorstep.kernel.access.actor import Purpose, system_actor
from doorstep.kernel.access.refusals import Conflict, NotFound, NotPermitted, Refused
from doorstep.kernel.access.session import acting
from doorstep.kernel.audit.models import AuditEntry
from doorstep.kernel.record.models import Resource

pytestmark = pytest.mark.django_db


def test_book_leaves_an_appointment_an_audit_entry_and_a_taken_place() -> None:
    clinic = make_clinic()
    slot = make_slot(clinic, referral=1)
    with acting(clinic.doctor) as li:
        held = actions.hold(slot_key=slot.key, origin="referral", actor=li, resident_id=clinic.resident.id)
        booking = actions.book(
            hold_key=held.key, resident_id=clinic.resident.id, actor=li, reference=f"referral/{uuid.uuid4()}"
        )
        assert queries.counts(slot_ids=[slot.id]) == {"free": 0, "held": 0, "booked": 1}
        assert Resource.objects.get(type="Appointment", fhir_id=str(booking.key)).content["status"] == "booked"
    with acting(system_actor(Purpose.SEALING)):
        assert AuditEntry.objects.filter(action="booking.book", user_id=li.user_id).count() == 1


def test_book_sent_again_returns_the_same_booking() -> None:
    clinic = make_clinic()
    slot = make_slot(clinic, referral=2)
    with acting(clinic.doctor) as li:
        held = actions.hold(slot_key=slot.key, origin="referral", actor=li, resident_id=clinic.resident.id)
        first = actions.book(hold_key=held.key, resident_id=clinic.resident.id, actor=li)
        again = actions.book(hold_key=str(held.key), resident_id=clinic.resident.id, actor=li)
        assert first.pk == again.pk
        assert Booking.objects.count() == 1


def test_hold_takes_own_quota_before_the_open_one_and_never_another() -> None:
    clinic = make_clinic()
    slot = make_slot(clinic, own=1, open=1, referral=1)
    with acting(clinic.doctor) as li:
        taken = [
            actions.hold(slot_key=slot.key, origin="referral", actor=li, resident_id=clinic.resident.id).quota
            for _turn in range(2)
        ]
        assert taken == ["referral", "open"]
        with pytest.raises(actions.NoPlaceLeft):
            actions.hold(slot_key=slot.key, origin="referral", actor=li, resident_id=clinic.resident.id)


def test_hold_names_the_next_free_slot_when_none_is_left() -> None:
    clinic = make_clinic()
    slot = make_slot(clinic, referral=1)
    later = make_slot(clinic, starts_at=slot.starts_at + timedelta(days=2), referral=3)
    with acting(clinic.doctor) as li:
        actions.hold(slot_key=slot.key, origin="referral", actor=li, resident_id=clinic.resident.id)
        with pytest.raises(actions.NoPlaceLeft) as refused:
            actions.hold(slot_key=slot.key, origin="referral", actor=li, resident_id=clinic.resident.id)
    assert refused.value.next_slot is not None
    assert (refused.value.next_slot.key, refused.value.next_slot.left) == (later.key, 3)
    assert "最近可约：王主任" in str(refused.value.message)
    assert timezone.localtime(later.starts_at).strftime("%m-%d %H:%M") in str(refused.value.message)


def test_hold_ends_at_its_second() -> None:
    clinic = make_clinic()
    slot = make_slot(clinic, referral=1)
    start = timezone.now()
    with time_machine.travel(start, tick=False) as clock, acting(clinic.doctor) as li:
        first = actions.hold(slot_key=slot.key, origin="referral", actor=li, resident_id=clinic.resident.id)
        clock.move_to(start + timedelta(minutes=10, seconds=-1))
        with pytest.raises(actions.NoPlaceLeft):
            actions.hold(slot_key=slot.key, origin="referral", actor=li, resident_id=clinic.resident.id)
        clock.move_to(start + timedelta(minutes=10))
        with pytest.raises(Conflict, match="预留已过期"):
            actions.book(hold_key=first.key, resident_id=clinic.resident.id, actor=li)
        second = actions.hold(slot_key=slot.key, origin="referral", actor=li, resident_id=clinic.resident.id)
        assert second.place_id == first.place_id


def test_expire_holds_frees_only_what_has_run_out() -> None:
    clinic = make_clinic()
    slot = make_slot(clinic, referral=2)
    with acting(clinic.doctor) as li:
        for minutes in (1, 30):
            actions.hold(
                slot_key=slot.key, origin="referral", actor=li, resident_id=clinic.resident.id, minutes=minutes
            )
    with acting(system_actor(Purpose.CLOCKS)) as clock:
        assert actions.expire_holds(actor=clock, now=timezone.now() + timedelta(minutes=2)) == 1
        assert queries.counts(slot_ids=[slot.id]) == {"free": 1, "held": 1, "booked": 0}


def test_release_gives_the_place_back_and_is_harmless_twice() -> None:
    clinic = make_clinic()
    slot = make_slot(clinic, referral=1)
    with acting(clinic.doctor) as li:
        held = actions.hold(slot_key=slot.key, origin="referral", actor=li, resident_id=clinic.resident.id)
        assert actions.release(hold_key=held.key, actor=li) is True
        assert actions.release(hold_key=held.key, actor=li) is False
        assert queries.counts(slot_ids=[slot.id])["free"] == 1


def test_a_stranger_can_neither_hold_for_nor_use_the_hold_of_others() -> None:
    clinic = make_clinic()
    slot = make_slot(clinic, referral=1, open=1)
    with acting(clinic.doctor) as li:
        held = actions.hold(slot_key=slot.key, origin="referral", actor=li, resident_id=clinic.resident.id)
    with acting(clinic.stranger) as zhao:
        with pytest.raises(NotFound):
            actions.hold(slot_key=slot.key, origin="referral", actor=zhao, resident_id=clinic.resident.id)
        with pytest.raises(NotFound):
            actions.book(hold_key=held.key, resident_id=clinic.resident.id, actor=zhao)
        assert actions.release(hold_key=held.key, actor=zhao) is False
    with acting(clinic.officer) as officer, pytest.raises(NotPermitted):
        actions.hold(slot_key=slot.key, origin="own", actor=officer, resident_id=clinic.resident.id)


def test_one_resident_is_never_expected_in_two_places() -> None:
    clinic = make_clinic()
    slot = make_slot(clinic, referral=2)
    with acting(clinic.doctor) as li:
        first, second = (
            actions.hold(slot_key=slot.key, origin="referral", actor=li, resident_id=clinic.resident.id)
            for _turn in range(2)
        )
        booking = actions.book(hold_key=first.key, resident_id=clinic.resident.id, actor=li)
        with pytest.raises(Conflict, match="已有其他预约"):
            actions.book(hold_key=second.key, resident_id=clinic.resident.id, actor=li)
        assert Place.objects.get(id=second.place_id).state == "held"
        actions.cancel(booking_key=booking.key, actor=li, reason="改期")
        actions.book(hold_key=second.key, resident_id=clinic.resident.id, actor=li)


def test_cancel_frees_the_place_and_needs_a_reason() -> None:
    clinic = make_clinic()
    slot = make_slot(clinic, referral=1)
    with acting(clinic.doctor) as li:
        held = actions.hold(slot_key=slot.key, origin="referral", actor=li, resident_id=clinic.resident.id)
        booking = actions.book(hold_key=held.key, resident_id=clinic.resident.id, actor=li)
        with pytest.raises(Refused, match="请填写原因"):
            actions.cancel(booking_key=booking.key, actor=li, reason="  ")
    with acting(clinic.officer) as officer:
        actions.cancel(booking_key=booking.key, actor=officer, reason="医师外出")
        assert queries.counts(slot_ids=[slot.id])["free"] == 1
        assert Booking.objects.get().state == "cancelled"


def test_arrive_and_fulfil_are_the_clinics_acts() -> None:
    clinic = make_clinic()
    slot = make_slot(clinic, starts_at=timezone.now() + timedelta(minutes=5), referral=1)
    with acting(clinic.doctor) as li:
        held = actions.hold(slot_key=slot.key, origin="referral", actor=li, resident_id=clinic.resident.id)
        booking = actions.book(hold_key=held.key, resident_id=clinic.resident.id, actor=li)
        with pytest.raises(NotPermitted):
            actions.arrive(booking_key=booking.key, actor=li)
    with acting(clinic.officer) as officer:
        actions.arrive(booking_key=booking.key, actor=officer)
        assert actions.fulfil(booking_key=booking.key, actor=officer).state == "fulfilled"
    with acting(clinic.stranger) as zhao, pytest.raises(NotFound):
        actions.cancel(booking_key=booking.key, actor=zhao, reason="试试")


def test_nobody_checks_in_on_another_day_than_the_visits() -> None:
    clinic = make_clinic()
    tomorrow = timezone.localtime().replace(hour=9, minute=0, second=0, microsecond=0) + timedelta(days=1)
    booking = book_for(clinic, make_slot(clinic, starts_at=tomorrow, referral=1), clinic.resident)
    with acting(clinic.officer) as officer:
        for day, said in ((tomorrow - timedelta(hours=10), "就诊当天才能报到"), (tomorrow + timedelta(days=1), "已过")):
            with time_machine.travel(day, tick=False), pytest.raises(Conflict, match=said) as refused:
                actions.arrive(booking_key=booking.key, actor=officer)
            assert refused.value.code == "not-the-day"
        assert not Ticket.objects.exists()
        with time_machine.travel(tomorrow - timedelta(hours=2), tick=False):
            assert actions.arrive(booking_key=booking.key, actor=officer).state == "arrived"


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ("2026-03-01T22:29", "early"),
        ("2026-03-01T22:31", "open"),
        ("2026-03-02T01:30", "open"),
        ("2026-03-02T23:59", "open"),
        ("2026-03-03T00:01", "over"),
    ],
)
def test_check_in_is_open_on_the_day_and_shortly_before_a_visit_after_midnight(now: str, expected: str) -> None:
    starts = datetime(2026, 3, 2, 0, 30, tzinfo=rules.CHINA)
    moment = datetime.fromisoformat(now).replace(tzinfo=rules.CHINA)
    assert rules.check_in_is(starts, starts + timedelta(minutes=30), now=moment) == expected


def test_record_no_shows_closes_what_nobody_came_to() -> None:
    clinic = make_clinic()
    slot = make_slot(clinic, referral=1)
    with acting(clinic.doctor) as li:
        held = actions.hold(slot_key=slot.key, origin="referral", actor=li, resident_id=clinic.resident.id)
        actions.book(hold_key=held.key, resident_id=clinic.resident.id, actor=li)
    with acting(system_actor(Purpose.CLOCKS)) as clock:
        assert actions.record_no_shows(actor=clock, now=slot.ends_at + timedelta(hours=11)) == 0
        assert actions.record_no_shows(actor=clock, now=slot.ends_at + timedelta(hours=13)) == 1
        assert Booking.objects.get().state == "no-show"
        assert [kind for kind, _params in told(clinic.resident.pk)] == ["booking-missed"]


def test_free_slots_counts_by_origin_in_one_query(django_assert_num_queries) -> None:  # type: ignore[no-untyped-def]
    clinic = make_clinic()
    make_slot(clinic, own=2, referral=1)
    make_slot(clinic, starts_at=timezone.now() + timedelta(days=2), own=2)
    open_to_all = make_slot(clinic, starts_at=timezone.now() + timedelta(days=3), open=4)
    with acting(clinic.doctor) as li, django_assert_num_queries(1):
        found = queries.free_slots(organization_ids=[clinic.world.lead], origin="referral", specialty="冠心", actor=li)
    assert [(slot.left, slot.total) for slot in found] == [(1, 3), (4, 4)]
    assert found[1].key == open_to_all.key
    assert found[0].title == "主任医师"


def test_hold_is_free_for_the_next_person_in_the_second_it_ends() -> None:
    """No job comes by in between: the rule stands in the claim itself, in what is shown as free, and in the booking."""
    clinic = make_clinic()
    slot = make_slot(clinic, referral=1)
    begins = timezone.now().replace(microsecond=0)
    with time_machine.travel(begins, tick=False) as clock, acting(clinic.doctor) as li:
        ask = partial(
            actions.hold, slot_key=slot.key, origin="referral", actor=li, resident_id=clinic.resident.pk, minutes=1
        )
        kept = ask()
        assert kept.until == begins + timedelta(seconds=60)
        clock.shift(59)
        with pytest.raises(actions.NoPlaceLeft):
            ask()
        assert queries.slot_detail(slot_key=slot.key, origin="referral", actor=li).left == 0
        clock.shift(1)
        assert queries.slot_detail(slot_key=slot.key, origin="referral", actor=li).left == 1
        with pytest.raises(Conflict) as refused:
            actions.book(hold_key=kept.key, resident_id=clinic.resident.pk, actor=li)
        assert refused.value.code == "hold-gone"
        again = ask()
        assert again.place_id == kept.place_id


def test_a_hold_is_over_in_its_second_and_not_one_earlier() -> None:
    clinic = make_clinic()
    slot = make_slot(clinic, referral=1)
    second, doctor, patient = timedelta(seconds=1), clinic.doctor, clinic.resident

    def ask(now: datetime, **more: Any) -> Ask:
        return Ask(
            actor=doctor,
            now=now,
            slot=slot.key,
            resident_id=patient.pk,
            resident_key=patient.key,
            origin="referral",
            **more,
        )

    with acting(doctor):
        held = actions.hold(slot_key=slot.key, origin="referral", actor=doctor, resident_id=patient.pk, minutes=1)
        for go in (take, lambda one: at_once.go_for(replace(one, request=uuid.uuid4()), wish=Wish())):
            too_early = go(ask(held.until - second))
            assert too_early is not None
            assert too_early.outcome == "sold-out"
        assert claiming.sweep(now=held.until - second) == 0
        assert take(Ask(actor=doctor, now=held.until, hold=held.key, resident_id=patient.pk)).outcome == "hold-gone"
        # Nothing has come by and freed it: in that second it counts as free for whoever asks.
        again = take(ask(held.until, key=uuid.uuid4(), until=held.until + second))
        assert again.outcome == "taken"
        assert claiming.sweep(now=held.until) == 0
        assert claiming.sweep(now=held.until + second) == 1
