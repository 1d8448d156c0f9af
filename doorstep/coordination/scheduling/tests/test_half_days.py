"""Nobody is booked twice in one clinic in one half day: the constraint decides, referrals go first, a role may say again."""

import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from doorstep.coordination.scheduling import actions, halfdays, queries, queue_actions, waiting_actions
from doorstep.coordination.scheduling.models import Booking, Schedule, Slot
from doorstep.coordination.scheduling.outcomes import Wish
from doorstep.coordination.scheduling.rules import CHINA
from doorstep.coordination.scheduling.tests.factories import Clinic, make_clinic, make_slot
from doorstep.kernel.access.actor import Actor, Purpose, system_actor
from doorstep.kernel.access.refusals import Conflict
from doorstep.kernel.access.session import acting
from doorstep.people.organizations.models import Department
from doorstep.people.residents.tests.factories import make_staff
from doorstep.site.actors import of_user

pytestmark = pytest.mark.django_db


def _at(hour: int, days: int = 3) -> datetime:
    day = timezone.localdate() + timedelta(days=days)
    return datetime(day.year, day.month, day.day, hour, tzinfo=CHINA)


def _hold_and_book(clinic: Clinic, slot: Slot, actor: Actor, wish: Wish) -> Booking:
    held = actions.hold(slot_key=slot.key, origin="referral", actor=actor, resident_id=clinic.resident.pk, wish=wish)
    return actions.book(hold_key=held.key, resident_id=clinic.resident.pk, actor=actor, wish=wish)


def _at_once(clinic: Clinic, slot: Slot, actor: Actor, wish: Wish) -> Booking:
    return actions.book_at_once(
        slot_key=slot.key,
        origin="referral",
        resident_id=clinic.resident.pk,
        actor=actor,
        request_key=uuid.uuid4(),
        wish=wish,
    )


@pytest.mark.parametrize(("hour", "part"), [(0, "am"), (11, "am"), (12, "pm"), (17, "pm"), (18, "eve"), (23, "eve")])
def test_named_follows_the_clock_of_china(hour: int, part: str) -> None:
    day = _at(hour)
    assert halfdays.named(department_id=7, starts_at=day) == f"7/{day.date().isoformat()}/{part}"


@pytest.mark.parametrize("way", [_hold_and_book, _at_once])
def test_book_twice_a_half_day_names_the_booking_that_stands(way: Callable[..., Booking]) -> None:
    clinic = make_clinic()
    first, second, later = (make_slot(clinic, starts_at=_at(hour), referral=2) for hour in (8, 10, 14))
    with acting(clinic.doctor) as li:
        made = way(clinic, first, li, Wish())
        with pytest.raises(Conflict) as refused:
            way(clinic, second, li, Wish())
        assert refused.value.code == "same-half-day"
        for word in ("心血管内科", "08:00", "王主任"):
            assert word in str(refused.value.message)
        assert way(clinic, later, li, Wish()).state == "booked"
        assert queries.counts(slot_ids=[second.pk]) == {"free": 2, "held": 0, "booked": 0}
        moved = actions.move(booking_key=made.key, slot_key=second.key, origin="referral", actor=li)
        assert moved.half_day == made.half_day
        actions.cancel(booking_key=moved.key, actor=li, reason="改日再来")
        assert way(clinic, first, li, Wish()).state == "booked"


@pytest.mark.parametrize("way", [_hold_and_book, _at_once])
def test_book_for_a_referral_takes_the_turn_of_one_without(way: Callable[..., Booking]) -> None:
    clinic = make_clinic()
    first, second, third = (make_slot(clinic, starts_at=_at(hour), referral=2) for hour in (8, 9, 10))
    with acting(clinic.doctor) as li:
        alone = way(clinic, first, li, Wish())
        referred = way(clinic, second, li, Wish(reference="referral/a"))
        alone.refresh_from_db()
        assert (alone.state, referred.state) == ("cancelled", "booked")
        assert queries.counts(slot_ids=[first.pk])["free"] == 2
        for wish in (Wish(), Wish(reference="referral/b")):
            with pytest.raises(Conflict) as refused:
                way(clinic, third, li, wish)
            assert "09:00" in str(refused.value.message)


def test_examinations_and_a_second_visit_that_is_meant_stand_beside() -> None:
    clinic = make_clinic()
    first, second = (make_slot(clinic, starts_at=_at(hour), referral=1) for hour in (8, 9))
    manager = of_user(make_staff(name="周敏", organization_id=clinic.world.lead, role="clinic_manager"))
    with acting(clinic.doctor) as li:
        _at_once(clinic, first, li, Wish())
    with acting(manager):

        def overbook(*, again: bool) -> Booking:
            reason = "下午手术前再看"
            return queue_actions.overbook(
                slot_key=second.key, resident_id=clinic.resident.pk, reason=reason, actor=manager, again=again
            )

        with pytest.raises(Conflict):
            overbook(again=False)
        assert queries.counts(slot_ids=[second.pk]) == {"free": 1, "held": 0, "booked": 0}
        assert overbook(again=True).half_day == ""
    with acting(system_actor(Purpose.IMPORT)):
        Schedule.objects.update(service=Schedule.Service.EXAM)
    third = make_slot(clinic, starts_at=_at(10), referral=1)
    with acting(clinic.doctor) as li:
        assert _hold_and_book(clinic, third, li, Wish()).half_day == ""


def test_offer_slot_passes_over_who_is_booked_there_that_half_day() -> None:
    clinic = make_clinic()
    first, second = (make_slot(clinic, starts_at=_at(hour), referral=1) for hour in (8, 9))
    with acting(clinic.doctor) as li:
        _at_once(clinic, first, li, Wish())
        want = waiting_actions.want_for_days(
            department_id=clinic.schedule.department_id, origin="referral", days=10, channel=""
        )
        waiting_actions.join(resident_id=clinic.resident.pk, want=want, actor=li)
    with acting(system_actor(Purpose.CLOCKS)) as clocks:
        assert waiting_actions.offer_freed(actor=clocks) == 0
        assert queries.counts(slot_ids=[second.pk])["held"] == 0


def test_hold_says_at_once_what_a_booking_would_be_refused_for() -> None:
    clinic = make_clinic()
    first, second = (make_slot(clinic, starts_at=_at(hour), referral=2) for hour in (8, 10))
    with acting(system_actor(Purpose.IMPORT)):
        beside = Department.objects.create(organization_id=clinic.world.lead, code="0302", name="神经内科")
        other = Schedule.objects.create(organization_id=clinic.world.lead, department=beside)
    elsewhere = make_slot(replace(clinic, schedule=other), starts_at=_at(8), referral=2)

    def hold(slot: Slot, wish: Wish) -> None:
        actions.hold(slot_key=slot.key, origin="referral", actor=li, resident_id=clinic.resident.pk, wish=wish)

    with acting(clinic.doctor) as li:
        made = _at_once(clinic, first, li, Wish())
        for slot, code, word in ((second, "same-half-day", "08:00"), (elsewhere, "resident-busy", "其他预约")):
            with pytest.raises(Conflict, match=word) as refused:
                hold(slot, Wish())
            assert refused.value.code == code
        assert queries.counts(slot_ids=[second.pk, elsewhere.pk])["held"] == 0
        # What the booking replaces, or what gives way to it, is in nobody's way.
        hold(second, Wish(changed_from=made))
        hold(second, Wish(reference="referral/a"))
