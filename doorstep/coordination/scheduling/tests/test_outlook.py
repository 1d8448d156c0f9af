"""What a stop hits is shown before it is made: how many, who, and who will find the new times; and what changed since."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from doorstep.coordination.scheduling import stopping_queries
from doorstep.coordination.scheduling.models import Slot
from doorstep.coordination.scheduling.permissions import Permission
from doorstep.coordination.scheduling.tests.factories import Clinic, book_for, make_clinic, make_slot
from doorstep.kernel.access.session import acting
from doorstep.people.residents.tests.factories import make_resident, make_staff
from doorstep.site.actors import of_user

pytestmark = pytest.mark.django_db
BUDGET = 14


def _booked(people: int) -> Clinic:
    clinic = make_clinic()
    village = clinic.world.village
    start = timezone.now() + timedelta(days=2)
    for number in range(people):
        slot = make_slot(clinic, starts_at=start + timedelta(hours=number), referral=2)
        person = make_resident(organization_id=village, name=f"钱{number}", number="", phone="", panel_of=(village,))
        book_for(clinic, slot, person)
    return clinic


def _form(clinic: Clinic, **more: str) -> dict[str, str]:
    first = timezone.localdate()
    days = {"first": first.isoformat(), "last": (first + timedelta(days=9)).isoformat()}
    return {"scope": f"department:{clinic.schedule.department_id}", "reason": "进修", **days, **more}


def test_page_says_who_is_booked_before_anything_is_stopped(client: Client) -> None:
    clinic = _booked(2)
    client.force_login(make_staff(name="凌志华", organization_id=clinic.world.lead, role="clinic_manager"))
    shown = client.post("/slots/stop/", _form(clinic, act="look"))
    page = shown.content.decode()
    assert shown.status_code == 200
    for word in ("确认停诊，取消 2 个预约", "钱0", "钱1", "由谁改约"):
        assert word in page, word
    assert not Slot.objects.filter(stopped_at__isnull=False).exists()
    # Somebody books meanwhile: the new number is shown, and nothing is stopped by the old one.
    late = make_slot(clinic, starts_at=timezone.now() + timedelta(days=3), referral=1)
    book_for(clinic, late, clinic.resident)
    again = client.post("/slots/stop/", _form(clinic, act="stop", seen="2")).content.decode()
    assert "刚才又有预约变动" in again
    assert "确认停诊，取消 3 个预约" in again
    assert not Slot.objects.filter(stopped_at__isnull=False).exists()
    assert client.post("/slots/stop/", _form(clinic, act="stop", seen="3")).status_code == 302
    assert Slot.objects.filter(stopped_at__isnull=True).count() == 0


def test_stop_of_a_schedule_begins_on_its_own_page_and_of_another_house_nowhere(client: Client) -> None:
    clinic = _booked(1)
    user = make_staff(name="凌志华", organization_id=clinic.world.lead, role="clinic_manager")
    client.force_login(user)
    own = _form(clinic, act="look") | {"scope": f"schedule:{clinic.schedule.pk}"}
    assert f'value="{own["scope"]}"' in client.get(f"/slots/schedules/{clinic.schedule.key}/").content.decode()
    assert "确认停诊，取消 1 个预约" in client.post("/slots/stop/", own).content.decode()
    client.force_login(make_staff(name="远方", organization_id=clinic.world.other_township, role="clinic_manager"))
    assert client.post("/slots/stop/", own).status_code == 422
    assert client.post("/slots/stop/", _form(clinic, reason="", act="look")).status_code == 422


def test_names_are_for_whoever_sees_the_list_of_the_clinic_and_the_number_for_whoever_stops() -> None:
    clinic = _booked(2)
    manager = of_user(make_staff(name="凌志华", organization_id=clinic.world.lead, role="clinic_manager"))
    now = timezone.now()
    span: dict[str, Any] = {"since": now, "until": now + timedelta(days=9)}
    scope = f"schedule:{clinic.schedule.pk}"
    with acting(manager):
        seen = stopping_queries.outlook(scope=scope, actor=manager, **span)
        assert (seen.booked, len(seen.people), seen.slots) == (2, 2, 2)
    blind = manager.with_permissions(manager.permissions - {str(Permission.QUEUE_CALL)})
    with acting(blind):
        seen = stopping_queries.outlook(scope=scope, actor=blind, **span)
        assert (seen.booked, len(seen.people), seen.unnamed) == (2, 0, 2)


def test_page_asks_the_same_for_twenty_people_as_for_one(client: Client) -> None:
    clinic = _booked(20)
    client.force_login(make_staff(name="凌志华", organization_id=clinic.world.lead, role="clinic_manager"))
    with CaptureQueriesContext(connection) as captured:
        page = client.post("/slots/stop/", _form(clinic, act="look")).content.decode()
    assert page.count("由谁改约") == 1
    assert "钱19" in page
    work = [one for one in captured if not one["sql"].startswith(("SAVEPOINT", "RELEASE", "BEGIN"))]
    assert len(work) <= BUDGET, [one["sql"][:90] for one in work]
