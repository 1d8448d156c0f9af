"""What stands still is listed by stretches of days, and resumed by them."""

from datetime import date, datetime, time, timedelta

import pytest
from django.test import Client
from django.utils import timezone

from doorstep.coordination.scheduling import stopped_queries, stopping_actions
from doorstep.coordination.scheduling.models import Slot
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
