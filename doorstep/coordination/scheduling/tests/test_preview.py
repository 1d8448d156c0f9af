"""The four weeks of a schedule: what stands still is not counted as released, and what is stopped is read without scrolling."""

from datetime import datetime, time, timedelta

import pytest
from django.test import Client
from django.utils import timezone

from doorstep.coordination.scheduling import clinic_queries
from doorstep.coordination.scheduling.rules import CHINA
from doorstep.coordination.scheduling.tests.factories import make_clinic, make_slot, stop
from doorstep.kernel.access.models import User
from doorstep.kernel.access.session import acting
from doorstep.people.residents.tests.factories import make_staff
from doorstep.site.actors import of_user

pytestmark = pytest.mark.django_db


def test_stopped_times_are_not_counted_as_released(client: Client) -> None:
    clinic = make_clinic()
    user = make_staff(name="凌志华", organization_id=clinic.world.lead, role="clinic_manager", username="ling")
    whole, half = (timezone.localdate() + timedelta(days=number) for number in (2, 3))
    at = [datetime.combine(day, time(hour), tzinfo=CHINA) for day in (whole, half) for hour in (9, 10, 11)]
    slots = [make_slot(clinic, starts_at=one, own=1) for one in at]
    stop(*slots[:4], reason="下乡义诊")
    with acting(of_user(user)):
        planned = clinic_queries.preview(clinic.schedule, first=whole, last=half)
    assert [(one.made, one.stopped) for one in planned] == [(0, 3), (2, 1)]
    client.force_login(User.objects.get(username="ling"))
    page = client.get(f"/slots/schedules/{clinic.schedule.key}/").content.decode()
    assert "已放 3 段" not in page
    assert "停诊 3 段" in page
    assert "已放 2 段" in page
    # Six columns have no room in the narrow column of forms: a part of them, the button too, stood beyond its edge.
    assert page.index("下乡义诊") < page.index("每周出诊时段")


def test_a_day_off_that_is_laid_out_leads_to_the_stop_and_says_that_it_can_still_be_booked(client: Client) -> None:
    clinic = make_clinic()
    user = make_staff(name="凌志华", organization_id=clinic.world.lead, role="clinic_manager", username="ling")
    day = timezone.localdate() + timedelta(days=2)
    make_slot(clinic, starts_at=datetime.combine(day, time(9), tzinfo=CHINA), own=1)
    client.force_login(user)
    page = f"/slots/schedules/{clinic.schedule.key}/"
    asked = {"act": "exception", "day": day.isoformat(), "follows": "", "reason": "外出培训"}
    led = client.post(page, asked, follow=True)
    assert led.redirect_chain[-1][0].startswith("/slots/stop/")
    shown = led.content.decode()
    assert "已放 1 段号源仍可预约" in shown
    assert f'value="{day.isoformat()}"' in shown
    assert "外出培训" in shown
    assert "已放 1 段仍可约" in client.get(page).content.decode()
    rested = client.post(page, {**asked, "day": (day + timedelta(days=1)).isoformat()}, follow=True)
    assert rested.redirect_chain[-1][0] == page, "nothing is laid out on that day"
