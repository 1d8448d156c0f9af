"""What stands still is listed by stretches of days, and resumed by them."""

from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from doorstep.coordination.scheduling import (
    clinic_actions,
    laying_actions,
    resuming_actions,
    stopped_queries,
    stopping_actions,
)
from doorstep.coordination.scheduling.models import DayException, Schedule, Slot
from doorstep.coordination.scheduling.rules import CHINA
from doorstep.coordination.scheduling.tests.factories import Clinic, make_clinic, make_slot
from doorstep.kernel.access.session import acting
from doorstep.people.residents.tests.factories import make_staff
from doorstep.site.actors import of_user

pytestmark = pytest.mark.django_db


def _day(number: int) -> date:
    return timezone.localdate() + timedelta(days=number)


def _stop(clinic: Clinic, first: int, last: int, reason: str) -> None:
    manager = of_user(make_staff(name="周敏", organization_id=clinic.world.lead, role="clinic_manager"))
    with acting(manager):
        stopping_actions.stop_clinic(
            schedule=clinic.schedule,
            since=datetime.combine(_day(first), time(), tzinfo=CHINA),
            until=datetime.combine(_day(last + 1), time(), tzinfo=CHINA),
            reason=reason,
            actor=manager,
        )


def test_a_month_is_one_line_and_another_reason_or_an_open_day_begins_a_new_one(client: Client) -> None:
    clinic = make_clinic()
    # Every second day a clinic, as templates have it.
    for number in range(1, 41, 2):
        make_slot(clinic, starts_at=datetime.combine(_day(number), time(9), tzinfo=CHINA), open=1)
    _stop(clinic, 1, 29, "进修")
    _stop(clinic, 31, 33, "消毒")
    _stop(clinic, 37, 37, "消毒")
    found = stopped_queries.stopped(organization_id=clinic.world.lead)
    assert [(one.first_day, one.last_day, one.days, one.slots, one.reason) for one in found] == [
        (_day(1), _day(29), 15, 15, "进修"),
        (_day(31), _day(33), 2, 2, "消毒"),
        (_day(37), _day(37), 1, 1, "消毒"),
    ]
    client.force_login(make_staff(name="凌志华", organization_id=clinic.world.lead, role="clinic_manager"))
    for page in ("/slots/stop/", f"/slots/schedules/{clinic.schedule.key}/"):
        shown = client.get(page).content.decode()
        assert shown.count("进修") == 1, page
        assert "15 天" in shown
    stretch = {"act": "resume", "what": _day(1).isoformat(), "until": _day(29).isoformat()}
    told = client.post(f"/slots/schedules/{clinic.schedule.key}/", stretch, follow=True).content.decode()
    assert "已恢复 15 个时段" in told
    assert Slot.objects.filter(stopped_at__isnull=False).count() == 3


def test_days_of_a_stop_that_are_not_released_yet_are_not_released_until_it_is_resumed() -> None:
    clinic = make_clinic()
    manager = of_user(make_staff(name="凌志华", organization_id=clinic.world.lead, role="clinic_manager"))
    first = timezone.localdate() + timedelta(days=7 - timezone.localdate().weekday())
    begins = datetime.combine(first, time(), tzinfo=CHINA)
    span: dict[str, Any] = {"since": begins, "until": begins + timedelta(days=28)}

    def lay_out() -> int:
        return laying_actions.generate_slots(
            schedule=clinic.schedule, first=first, last=first + timedelta(days=34), actor=manager
        )

    with acting(manager):
        Schedule.objects.filter(pk=clinic.schedule.pk).update(holidays="open")
        clinic.schedule.refresh_from_db()
        clinic_actions.add_session(
            schedule=clinic.schedule,
            weekday=0,
            starts=time(8),
            ends=time(9),
            minutes=30,
            places={"open": 1},
            actor=manager,
        )
        laying_actions.generate_slots(schedule=clinic.schedule, first=first, last=first, actor=manager)
        clinic_actions.except_day(
            schedule=clinic.schedule, day=first + timedelta(days=7), follows=None, reason="学术会议", actor=manager
        )
        stopping_actions.stop_clinic(schedule=clinic.schedule, reason="进修", actor=manager, **span)
        # Only the week after the stop is laid out.
        assert lay_out() == 2
        assert resuming_actions.resume_clinic(schedule=clinic.schedule, actor=manager, **span).slots == 2
        # What somebody had entered before still rests.
        assert list(DayException.objects.values_list("reason", flat=True)) == ["学术会议"]
        assert lay_out() == 4
        # A stop of days of which none is released is no mistake.
        later = {"since": begins + timedelta(days=70), "until": begins + timedelta(days=77)}
        stopping_actions.stop_clinic(schedule=clinic.schedule, reason="进修", actor=manager, **later)
        assert DayException.objects.count() == 2


def test_page_of_a_schedule_shows_what_rests_as_a_stretch_and_resumes_it(client: Client) -> None:
    clinic = make_clinic()
    manager = make_staff(name="凌志华", organization_id=clinic.world.lead, role="clinic_manager")
    with acting(of_user(manager)) as office:
        clinic_actions.add_session(
            schedule=clinic.schedule,
            weekday=2,
            starts=time(8),
            ends=time(9),
            minutes=30,
            places={"open": 1},
            actor=office,
        )
        Schedule.objects.filter(pk=clinic.schedule.pk).update(holidays="open")
        clinic.schedule.refresh_from_db()
    _stop(clinic, 1, 28, "进修")
    assert DayException.objects.count() == 4
    client.force_login(manager)
    page = f"/slots/schedules/{clinic.schedule.key}/"
    shown = client.get(page).content.decode()
    assert shown.count("停诊：进修") == 1
    assert "4 天" in shown
    days = list(DayException.objects.order_by("day").values_list("day", flat=True))
    sent = {"act": "resume", "what": days[0].isoformat(), "until": days[-1].isoformat()}
    assert client.post(page, sent).status_code == 302
    assert DayException.objects.count() == 0
