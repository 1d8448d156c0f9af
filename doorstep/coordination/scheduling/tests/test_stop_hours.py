"""Half a day, or some hours of it, stands still: who is booked then alone is called off, days to come rest in these hours, and resuming undoes just that."""

from datetime import date, datetime, time, timedelta

import pytest
from django.test import Client
from django.utils import timezone

from doorstep.coordination.scheduling import (
    clinic_actions,
    laying_actions,
    resting,
    resuming_actions,
    stopping_actions,
    stopping_queries,
)
from doorstep.coordination.scheduling.hours import PARTS, WHOLE_DAY, Hours
from doorstep.coordination.scheduling.models import Booking, Rebooking, RestingHours, Schedule, Slot
from doorstep.coordination.scheduling.rules import CHINA
from doorstep.coordination.scheduling.tests.factories import Clinic, book_for, make_clinic, make_slot
from doorstep.kernel.access.actor import Actor, Purpose, system_actor
from doorstep.kernel.access.refusals import Refused
from doorstep.kernel.access.session import acting
from doorstep.people.residents.models import Resident
from doorstep.people.residents.tests.factories import make_resident, make_staff
from doorstep.site.actors import of_user

pytestmark = pytest.mark.django_db
HOUSE = system_actor(Purpose.HANDLER)
AFTERNOON = PARTS["pm"]


def _day(number: int) -> date:
    return timezone.localdate() + timedelta(days=number)


def _at(day: date, hour: int, minute: int = 0) -> datetime:
    return datetime.combine(day, time(hour, minute), tzinfo=CHINA)


def _manager(clinic: Clinic) -> Actor:
    return of_user(make_staff(name="凌志华", organization_id=clinic.world.lead, role="clinic_manager"))


def _person(clinic: Clinic, name: str) -> Resident:
    village = clinic.world.village
    return make_resident(organization_id=village, name=name, number="", phone="", panel_of=(village,))


def _stop(clinic: Clinic, manager: Actor, hours: Hours, first: date, last: date | None = None) -> int:
    with acting(manager):
        return stopping_actions.stop_scope(
            scope=f"schedule:{clinic.schedule.pk}",
            since=_at(first, 0),
            until=_at((last or first) + timedelta(days=1), 0),
            reason="下午院内会议",
            actor=manager,
            hours=hours,
        )


def _resume(clinic: Clinic, manager: Actor, hours: Hours | None, first: date, last: date) -> resuming_actions.Resumed:
    with acting(manager):
        return resuming_actions.resume_scope(
            scope=f"schedule:{clinic.schedule.pk}",
            since=_at(first, 0),
            until=_at(last + timedelta(days=1), 0),
            actor=manager,
            hours=hours,
        )


def test_hours_are_taken_out_of_hours_and_named_as_the_signs_have_them() -> None:
    assert WHOLE_DAY.without(AFTERNOON) == [PARTS["am"], PARTS["eve"]]
    assert Hours(time(8), time(12)).without(Hours(time(9), time(10))) == [
        Hours(time(8), time(9)),
        Hours(time(10), time(12)),
    ]
    assert AFTERNOON.without(WHOLE_DAY) == []
    assert AFTERNOON.without(PARTS["am"]) == [AFTERNOON]
    assert (AFTERNOON.hold(time(12)), AFTERNOON.hold(time(18)), PARTS["eve"].hold(time(23, 59))) == (True, False, True)
    assert [str(one) for one in (AFTERNOON, PARTS["eve"])] == ["12:00–18:00", "18:00–24:00"]


def test_a_stopped_afternoon_calls_off_whoever_is_booked_then_and_nobody_of_the_morning() -> None:
    clinic, day = make_clinic(), _day(3)
    manager = _manager(clinic)
    # The last of the morning begins before noon and ends after it: it is a visit of the morning.
    morning, noon, after = (
        make_slot(clinic, starts_at=_at(day, *at), referral=1) for at in ((9, 0), (11, 45), (14, 30))
    )
    next_day = make_slot(clinic, starts_at=_at(day + timedelta(days=1), 14), referral=1)
    for slot, name in ((morning, "赵大"), (noon, "钱二"), (after, "孙三"), (next_day, "李四")):
        book_for(clinic, slot, _person(clinic, name))
    with acting(manager):
        seen = stopping_queries.outlook(
            scope=f"schedule:{clinic.schedule.pk}",
            since=_at(day, 0),
            until=_at(day + timedelta(days=1), 0),
            actor=manager,
            hours=AFTERNOON,
        )
    assert (seen.slots, seen.booked) == (1, 1)
    assert _stop(clinic, manager, AFTERNOON, day) == 1
    assert list(Slot.objects.filter(stopped_at__isnull=False)) == [after]
    with acting(HOUSE) as house:
        assert stopping_actions.call_off(slot_ids=[after.pk], reason="下午院内会议", actor=house) == 1
        assert Rebooking.objects.get().booking.slot_id == after.pk
        assert set(Booking.objects.filter(state="booked").values_list("slot_id", flat=True)) == {
            morning.pk,
            noon.pk,
            next_day.pk,
        }
    assert _resume(clinic, manager, AFTERNOON, day, day) == resuming_actions.Resumed(1, 1)


def test_hours_of_days_that_are_not_laid_out_rest_and_only_the_resumed_ones_are_laid_out() -> None:
    clinic = make_clinic()
    manager = _manager(clinic)
    monday = _day(7 - timezone.localdate().weekday())
    with acting(manager):
        Schedule.objects.filter(pk=clinic.schedule.pk).update(holidays="open")
        clinic.schedule.refresh_from_db()
        for starts, ends in ((8, 10), (14, 16)):
            clinic_actions.add_session(
                schedule=clinic.schedule,
                weekday=0,
                starts=time(starts),
                ends=time(ends),
                minutes=30,
                places={"open": 1},
                actor=manager,
            )

    def lay_out(day: date) -> int:
        with acting(manager):
            return laying_actions.generate_slots(schedule=clinic.schedule, first=day, last=day, actor=manager)

    weeks = [monday + timedelta(days=7 * number) for number in range(4)]
    assert _stop(clinic, manager, AFTERNOON, weeks[0], weeks[3]) == 0
    assert RestingHours.objects.count() == 4
    assert lay_out(weeks[0]) == 4
    # Of the second week an hour is given back, of the third everything.
    assert _resume(clinic, manager, Hours(time(14), time(15)), weeks[1], weeks[1]).days == 1
    assert lay_out(weeks[1]) == 6
    assert _resume(clinic, manager, None, weeks[2], weeks[2]).days == 1
    assert lay_out(weeks[2]) == 8
    lines = [(one.first, one.days, str(one.hours)) for one in resting.resting_of(organization_id=clinic.world.lead)]
    assert lines == [
        # The first and the last week: a line, as long as nothing else was said of them.
        (weeks[0], 2, "12:00–18:00"),
        (weeks[1], 1, "12:00–14:00"),
        (weeks[1], 1, "15:00–18:00"),
    ]
    # A whole day that rests, of which the morning takes place after all.
    with acting(manager):
        stopping_actions.stop_clinic(
            schedule=clinic.schedule,
            since=_at(weeks[3] + timedelta(days=7), 0),
            until=_at(weeks[3] + timedelta(days=8), 0),
            reason="进修",
            actor=manager,
        )
    last = weeks[3] + timedelta(days=7)
    assert _resume(clinic, manager, PARTS["am"], last, last).days == 1
    assert lay_out(last) == 4


def test_days_whose_release_came_while_they_rested_are_laid_out_when_the_clinic_is_resumed() -> None:
    clinic = make_clinic()
    manager = _manager(clinic)
    with acting(manager):
        Schedule.objects.filter(pk=clinic.schedule.pk).update(
            holidays="open", release_days=7, release_at=time(0), released_until=_day(1)
        )
        clinic.schedule.refresh_from_db()
        for weekday in range(7):
            clinic_actions.add_session(
                schedule=clinic.schedule,
                weekday=weekday,
                starts=time(8),
                ends=time(9),
                minutes=30,
                places={"open": 1},
                actor=manager,
            )
        stopping_actions.stop_clinic(
            schedule=clinic.schedule, since=_at(_day(2), 0), until=_at(_day(31), 0), reason="进修", actor=manager
        )
    with acting(HOUSE) as house:
        assert laying_actions.release_due(actor=house) == 0
    done = _resume(clinic, manager, None, _day(2), _day(30))
    # Six days are past their release, the others wait for theirs.
    assert (done.slots, done.days, done.laid) == (0, 29, 12)
    assert set(Slot.objects.values_list("starts_at__date", flat=True)) == {_day(number) for number in range(2, 8)}


def test_page_stops_an_afternoon_after_showing_whom_it_hits(client: Client) -> None:
    clinic, day = make_clinic(), _day(3)
    morning, after = (make_slot(clinic, starts_at=_at(day, hour), referral=1) for hour in (9, 14))
    book_for(clinic, morning, _person(clinic, "赵大"))
    book_for(clinic, after, _person(clinic, "孙三"))
    client.force_login(make_staff(name="凌志华", organization_id=clinic.world.lead, role="clinic_manager"))
    asked = {
        "scope": f"schedule:{clinic.schedule.pk}",
        "first": day.isoformat(),
        "last": day.isoformat(),
        "part": "pm",
        "reason": "院内会议",
    }
    shown = client.post("/slots/stop/", {"act": "look", **asked}).content.decode()
    assert "确认停诊，取消 1 个预约" in shown
    assert "下午 · 院内会议" in shown
    client.post("/slots/stop/", {"act": "stop", "seen": "1", **asked})
    assert Slot.objects.get(stopped_at__isnull=False) == after
    listed = client.get("/slots/stop/").content.decode()
    assert "14:00–14:30" in listed
    back = {"act": "resume", "scope": asked["scope"], "first": day.isoformat(), "last": day.isoformat()}
    client.post("/slots/stop/", {**back, "part": "hours", "starts": "14:00:00", "ends": "14:30:00"})
    assert not Slot.objects.filter(stopped_at__isnull=False).exists()


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"part": "hours"}, "请填写时间"),
        ({"part": "hours", "starts": "15:00", "ends": "14:00"}, "结束时间须晚于开始时间"),
        ({"part": "day", "starts": "14:00"}, "已填写时间，请选择“指定时间”"),
        ({"part": "hours", "starts": "25:99", "ends": "14:00"}, "is-invalid"),
        ({"part": "night"}, "is-invalid"),
    ],
)
def test_hours_that_are_not_said_plainly_stop_nothing(client: Client, more: dict[str, str], told: str) -> None:
    clinic, day = make_clinic(), _day(3)
    make_slot(clinic, starts_at=_at(day, 14), referral=1)
    client.force_login(make_staff(name="凌志华", organization_id=clinic.world.lead, role="clinic_manager"))
    asked = {"scope": f"schedule:{clinic.schedule.pk}", "first": day.isoformat(), "last": day.isoformat()}
    answer = client.post("/slots/stop/", {"act": "look", "reason": "会议", **asked, **more})
    assert answer.status_code == 422
    assert told in answer.content.decode()
    assert not Slot.objects.filter(stopped_at__isnull=False).exists()


def test_hours_in_which_nothing_begins_are_refused() -> None:
    clinic = make_clinic()
    make_slot(clinic, starts_at=_at(_day(3), 9), referral=1)
    with pytest.raises(Refused):
        _stop(clinic, _manager(clinic), AFTERNOON, _day(3))
