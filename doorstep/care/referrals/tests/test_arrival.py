"""When somebody without a booked place is expected: when the department sees patients, and never at night for an ordinary matter."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine

from doorstep.care.referrals import actions, queries
from doorstep.care.referrals.arrival import in_working_time, usual_arrival
from doorstep.care.referrals.models import Referral
from doorstep.care.referrals.tests.factories import CONSENT, Loop, draft, make_loop, make_slot
from doorstep.kernel.access.actor import Purpose, system_actor
from doorstep.kernel.access.session import acting

pytestmark = pytest.mark.django_db
CHINA = ZoneInfo("Asia/Shanghai")


def at(day: int, hour: int, minute: int = 0) -> datetime:
    """A moment of March 2026; the 2nd is a Monday."""
    return datetime(2026, 3, day, hour, minute, tzinfo=CHINA)


def submitted(loop: Loop, **values: object) -> Referral:
    """李长河's ordinary referral to the heart department, sent without a place."""
    referral = draft(loop)
    with acting(loop.village) as village:
        said = {"kind": "ordinary", "department_id": loop.department.pk, "bed_requested": True, **values}
        actions.revise(referral=referral, actor=village, values=said)
        return actions.submit(referral=referral, consent=CONSENT, actor=village)


def accepted(loop: Loop, referral: Referral) -> datetime | None:
    with acting(loop.office) as office:
        return actions.accept(referral=queries.get(key=referral.key, actor=office), actor=office).expected_at


def test_answered_at_one_in_the_night_is_expected_in_working_time() -> None:
    with time_machine.travel(at(2, 0, 59), tick=False):
        loop = make_loop()
        assert accepted(loop, submitted(loop)) == at(3, 8)


def test_answered_on_a_friday_is_expected_on_monday() -> None:
    with time_machine.travel(at(6, 16, 10), tick=False):
        loop = make_loop()
        assert accepted(loop, submitted(loop)) == at(9, 8)


def test_who_needs_no_bed_is_expected_when_the_department_has_its_clinic() -> None:
    with time_machine.travel(at(2, 10, 7), tick=False):
        loop = make_loop()
        referral = submitted(loop)
        with acting(system_actor(Purpose.HANDLER)):
            Referral.objects.update(bed_requested=False)
        referral.bed_requested = False
        for clinic in (at(2, 15), at(3, 9), at(4, 14, 20)):
            make_slot(loop, starts_at=clinic)
        # Of tomorrow's clinics the day is not over yet at nine; the next one is the day after.
        assert accepted(loop, referral) == at(4, 14, 20)


def test_a_department_without_clinics_within_the_week_is_reached_in_working_time() -> None:
    now = at(2, 10, 7)
    with time_machine.travel(now, tick=False):
        loop = make_loop()
        make_slot(loop, starts_at=at(20, 9))
        ordinary = Referral(kind="ordinary", department_id=loop.department.pk)
        assert usual_arrival(ordinary, now=now) == at(3, 10, 30)
        # Whom nothing delays comes at any hour.
        night = at(2, 23, 30)
        assert usual_arrival(Referral(kind="green"), now=night) == night + timedelta(hours=2)
        assert usual_arrival(Referral(kind="urgent"), now=night) == night + timedelta(hours=4)


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        (at(2, 8), at(2, 8)),
        (at(2, 17, 20), at(3, 8)),
        (at(2, 12, 1), at(2, 12, 30)),
        (at(2, 7, 59), at(2, 8)),
        (at(7, 12), at(9, 8)),
        # 国庆节 2026: the whole week rests.
        (datetime(2026, 9, 30, 18, tzinfo=CHINA), datetime(2026, 10, 8, 8, tzinfo=CHINA)),
    ],
)
def test_in_working_time_is_the_next_half_hour_that_is_worked(moment: datetime, expected: datetime) -> None:
    assert in_working_time(moment) == expected
