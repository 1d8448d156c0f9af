"""Who came to a place some other way waits no more; the weeks of the division and the fairness report open down to their cases."""

import uuid
from dataclasses import replace
from datetime import datetime, time, timedelta

import pytest
from django.utils import timezone

from doorstep.coordination.scheduling import (
    fairness_queries,
    queries,
    quota_case_queries,
    quota_queries,
    rules,
    waiting_actions,
    waiting_queries,
)
from doorstep.coordination.scheduling.models import Booking, Place, Schedule, Slot
from doorstep.coordination.scheduling.rules import CHINA
from doorstep.coordination.scheduling.tests.factories import Clinic, book_for, make_clinic, make_slot, told, want_of
from doorstep.kernel.access.actor import Purpose, system_actor
from doorstep.kernel.access.session import acting
from doorstep.kernel.workflow import queries as workflow
from doorstep.people.residents.models import Resident
from doorstep.people.residents.tests.factories import make_resident, make_staff
from doorstep.site.actors import of_user

pytestmark = pytest.mark.django_db
SYSTEM = system_actor(Purpose.CLOCKS)


def _other(clinic: Clinic) -> Resident:
    village = clinic.world.village
    return make_resident(organization_id=village, name="钱进", number="", phone="", panel_of=(village,))


def _missed(like: Booking, slot: Slot, place: Place) -> Booking:
    return Booking(
        place=place,
        slot=slot,
        resident_id=like.resident_id,
        resident_key=like.resident_key,
        organization_id=like.organization_id,
        source_organization_id=like.source_organization_id,
        quota="open",
        period=(slot.starts_at, slot.ends_at),
        hold_key=uuid.uuid4(),
        state="no-show",
    )


@pytest.mark.parametrize(
    ("asked", "until"),
    [
        ((2, 9, 0), (2, 11, 0)),
        ((2, 19, 0), (2, 21, 0)),
        ((2, 20, 30), (3, 9, 30)),
        ((2, 23, 0), (3, 10, 0)),
        ((2, 3, 53), (2, 10, 0)),
        ((2, 8, 0), (2, 10, 0)),
    ],
)
def test_answer_by_counts_waking_hours(asked: tuple[int, int, int], until: tuple[int, int, int]) -> None:
    found = rules.answer_by(datetime(2026, 3, *asked, tzinfo=CHINA), within=timedelta(hours=2))
    assert found == datetime(2026, 3, *until, tzinfo=CHINA)


def test_settle_served_ends_the_wait_of_who_booked_otherwise_and_says_so() -> None:
    clinic = make_clinic()
    first, second = (
        make_slot(clinic, referral=1),
        make_slot(clinic, starts_at=timezone.now() + timedelta(days=2), referral=1),
    )
    other = _other(clinic)
    with acting(clinic.doctor) as li:
        waits = [
            waiting_actions.join(resident_id=one.pk, want=want_of(clinic), actor=li) for one in (clinic.resident, other)
        ]
    with acting(SYSTEM) as system:
        # Each is offered one; the second books the place that the first lets go, and the offer goes on.
        assert waiting_actions.offer_freed(actor=system) == 2
        assert waiting_actions.settle_served(actor=system) == 0
    third = make_slot(clinic, starts_at=timezone.now() + timedelta(days=3), referral=1)
    booking = book_for(clinic, third, other)
    with acting(SYSTEM) as system:
        assert waiting_actions.settle_served(actor=system) == 1
        assert waiting_actions.settle_served(actor=system) == 0
        for entry in waits:
            entry.refresh_from_db()
        assert [entry.state for entry in waits] == ["offered", "booked"]
        assert waits[1].booking_id == booking.pk
        assert [one.verb for one in workflow.history(waits[1], actor=system)] == ["join", "offer", "settle"]
        assert sum(queries.counts(slot_ids=[one.pk])["free"] for one in (first, second)) == 1
        assert [kind for kind, _params in told(other.pk)] == ["waiting-offer", "waiting-settle"]


def test_settle_served_leaves_who_booked_outside_the_days_or_with_another_expert() -> None:
    clinic = make_clinic()
    with acting(system_actor(Purpose.IMPORT)):
        beside = Schedule.objects.create(organization_id=clinic.world.lead, department=clinic.schedule.department)
    late = make_slot(clinic, starts_at=timezone.now() + timedelta(days=40), referral=1)
    other = _other(clinic)
    with acting(clinic.doctor) as li:
        waiting_actions.join(resident_id=clinic.resident.pk, want=want_of(clinic), actor=li)
        named = replace(want_of(clinic), schedule_id=beside.pk)
        waiting_actions.join(resident_id=other.pk, want=named, actor=li)
    book_for(clinic, late, clinic.resident)
    book_for(clinic, make_slot(clinic, referral=1), other)
    with acting(SYSTEM) as system:
        assert waiting_actions.settle_served(actor=system) == 0


def test_cases_behind_a_week_are_those_that_its_figures_count() -> None:
    clinic = make_clinic()
    world, now = clinic.world, timezone.now()
    past = make_slot(clinic, starts_at=now - timedelta(days=2), community=4, referral=1)
    later = make_slot(clinic, starts_at=now + timedelta(days=2), community=3)
    with acting(system_actor(Purpose.IMPORT)):
        Place.objects.filter(quota="community").update(given_organization_id=world.township)
        sunk = {"sunk_at": now - timedelta(days=3), "given_quota": "community", "quota": "open"}
        Place.objects.filter(slot=past, number__in=(2, 3)).update(**sunk)
    booking = book_for(clinic, make_slot(clinic, starts_at=now + timedelta(days=5), referral=1), clinic.resident)
    with acting(system_actor(Purpose.IMPORT)):
        places = list(Place.objects.filter(slot=past, number__in=(1, 2)))
        Booking.objects.bulk_create([_missed(booking, past, one) for one in places])
        Booking.objects.filter(place=places[1]).update(state="fulfilled")
        Booking.objects.filter(pk=booking.pk).update(place=Place.objects.filter(slot=later).first(), slot=later)
    manager = of_user(make_staff(name="周敏", organization_id=world.lead, role="clinic_manager"))
    since, until = now - timedelta(days=20), now + timedelta(days=20)
    with acting(manager):
        lines = quota_queries.weeks(
            organization_ids=[world.lead], since=since, until=until, now=now, actor=manager, department_id=None
        )
        totals: dict[str, int] = {}
        for line in lines:
            starts = datetime.combine(line.week, time(), tzinfo=CHINA)
            for what in quota_case_queries.FIGURES:
                figure = quota_case_queries.Figure(
                    quota=line.quota, unit_id=line.unit_id, since=starts, until=starts + timedelta(days=7), what=what
                )
                found, after = [], ""
                while True:
                    page = quota_case_queries.cases(
                        figure, organization_ids=[world.lead], now=now, actor=manager, after=after, limit=2
                    )
                    found += [one.place.pk for one in page.rows]
                    if not (after := page.next):
                        break
                assert len(found) == len(set(found)) == getattr(line, what), (line, what)
                totals[what] = totals.get(what, 0) + len(found)
        pages, after = [], ""
        while True:
            behind = fairness_queries.cases(
                by="group", code="other", organization_ids=[world.lead], since=since, until=until, after=after, limit=1
            )
            pages.append([one.pk for one in behind.rows])
            if not (after := behind.next):
                break
    assert [len(one) for one in pages] == [1, 1]
    assert totals == {"given": 9, "used": 2, "released": 2, "used_after": 1, "missed": 1, "wasted": 3}


def test_offerable_leaves_out_places_that_nobody_on_the_list_may_take() -> None:
    clinic = make_clinic()
    start = timezone.now() + timedelta(days=1)
    # More than one look of the house's own places, all before the one that is for referrals.
    for number in range(3):
        make_slot(clinic, starts_at=start + timedelta(hours=number), own=2)
    wanted = make_slot(clinic, starts_at=start + timedelta(days=1), referral=1)
    given = make_slot(clinic, starts_at=start + timedelta(days=2), referral=1)
    with acting(system_actor(Purpose.IMPORT)):
        Place.objects.filter(slot=given).update(origin_organization_id=clinic.world.other_village)
    with acting(clinic.doctor) as li:
        waiting_actions.join(resident_id=clinic.resident.pk, want=want_of(clinic), actor=li)
    with acting(SYSTEM) as system:
        found = waiting_queries.offerable(now=timezone.now(), limit=2)
        assert [slot for slot, *_rest in found] == [wanted.key]
        assert waiting_actions.offer_freed(actor=system) == 1


def test_settle_served_since_looks_only_at_what_was_booked_lately() -> None:
    clinic = make_clinic()
    with acting(clinic.doctor) as li:
        waiting_actions.join(resident_id=clinic.resident.pk, want=want_of(clinic), actor=li)
    booking = book_for(clinic, make_slot(clinic, referral=1), clinic.resident)
    with acting(SYSTEM) as system:
        Booking.objects.filter(pk=booking.pk).update(state_since=timezone.now() - timedelta(minutes=5))
        lately = timezone.now() - timedelta(minutes=2)
        assert waiting_actions.settle_served(actor=system, since=lately) == 0
        assert waiting_actions.settle_served(actor=system) == 1
