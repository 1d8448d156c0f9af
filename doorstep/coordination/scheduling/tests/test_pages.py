"""Every page opens with something on it: the division, the day, the wall, waiting lists, and the residents' own."""

from datetime import timedelta
from io import BytesIO

import pytest
from django.test import Client
from django.utils import timezone
from python_calamine import CalamineWorkbook

from doorstep.coordination.scheduling import actions, waiting_actions
from doorstep.coordination.scheduling.models import Booking, QuotaShare
from doorstep.coordination.scheduling.tests.factories import make_clinic, make_slot
from doorstep.coordination.scheduling.waiting_actions import Want
from doorstep.kernel.access.actor import Purpose, system_actor
from doorstep.kernel.access.models import User
from doorstep.kernel.access.session import acting
from doorstep.people.residents.models import ResidentAccount
from doorstep.people.residents.tests.factories import make_staff

pytestmark = pytest.mark.django_db


def test_pages_open_with_something_on_them(client: Client) -> None:
    clinic = make_clinic()
    world, department = clinic.world, clinic.schedule.department
    slot = make_slot(clinic, starts_at=timezone.now() + timedelta(minutes=5), referral=1, community=2)
    later = make_slot(clinic, starts_at=timezone.now() + timedelta(days=3), open=2)
    today = timezone.localdate()
    with acting(system_actor(Purpose.IMPORT)):
        QuotaShare.objects.create(
            department=department, quota="community", organization_id=world.township, weight=3, since=today
        )
    with acting(clinic.doctor) as li:
        held = actions.hold(slot_key=slot.key, origin="referral", actor=li, resident_id=clinic.resident.pk)
        booking = actions.book(hold_key=held.key, resident_id=clinic.resident.pk, actor=li)
        want = Want(department_id=department.pk, origin="open", first_day=today, last_day=today + timedelta(days=5))
        entry = waiting_actions.join(resident_id=clinic.resident.pk, want=want, actor=li)
    manager = make_staff(name="周敏", organization_id=world.lead, role="clinic_manager")
    client.force_login(manager)
    # Expected and not yet here: no number in the queue.
    assert "报到取号" in client.get("/slots/day/").content.decode()
    assert client.post(f"/slots/bookings/{booking.key}/arrive/").status_code == 302
    assert client.post(f"/slots/day/{clinic.schedule.key}/call/", {"room": "3 诊室"}).status_code == 302
    for path, word in (
        (f"/slots/schedules/{clinic.schedule.key}/", "四周预览"),
        ("/slots/quotas/", "就诊前 3 天"),
        (f"/slots/quotas/{department.key}/community/", "下月份额"),
        ("/slots/fairness/", "签约居民"),
        (f"/slots/day/?schedule={clinic.schedule.key}", "3 诊室"),
        ("/slots/screen/", "请到"),
        ("/slots/waiting/", "候补中"),
        (f"/slots/waiting/{entry.key}/", "前面还有"),
        (f"/slots/bookings/{booking.key}/", "基层医生"),
        (f"/slots/extra/{later.key}/", "加号"),
        ("/slots/facilities/", "诊室与设备"),
        ("/slots/stop/", "先看影响再停诊"),
    ):
        answer = client.get(path)
        assert answer.status_code == 200, path
        assert word in answer.content.decode(), path
    assert client.get("/slots/quotas/weeks.xlsx").status_code == 200
    book = CalamineWorkbook.from_filelike(BytesIO(client.get("/slots/fairness/report.xlsx").content))
    assert book.sheet_names == ["按人群", "按渠道", "按预约单位"]
    assert book.get_sheet_by_name("按渠道").to_python()[1][:2] == ["基层医生", 1.0]
    behind = client.get("/slots/fairness/cases/", {"by": "channel", "code": "doctor"}).content.decode()
    assert f"/slots/bookings/{booking.key}/" in behind
    assert "基层医生 · 预约" in behind
    _weeks_open(client, booking)
    none = client.get("/slots/fairness/cases/", {"by": "unit", "code": "石桥村卫生室", "what": "missed"})
    assert "这段时间没有预约" in none.content.decode()
    assert client.get("/slots/fairness/cases/", {"by": "name", "code": "x"}).status_code == 404
    assert "周桂兰" not in client.get("/slots/screen/").content.decode()


def _weeks_open(client: Client, booking: Booking) -> None:
    """The figures of the weeks lead to their places."""
    weeks = client.get("/slots/quotas/").content.decode()
    assert "/slots/quotas/cases/?week=" in weeks
    assert client.get("/slots/quotas/cases/", {"quota": "referral", "first": "9999-12-31"}).status_code == 200
    day = timezone.localdate(booking.slot.starts_at)
    monday = (day - timedelta(days=day.weekday())).isoformat()
    used = client.get("/slots/quotas/cases/", {"quota": "referral", "what": "used", "week": monday})
    assert f"/slots/bookings/{booking.key}/" in used.content.decode()
    for query in ({"quota": "x"}, {"what": "x"}, {"unit": "-1"}):
        assert client.get("/slots/quotas/cases/", query).status_code == 404


def test_own_pages_from_finding_to_cancelling(client: Client) -> None:
    clinic = make_clinic()
    slot = make_slot(clinic, starts_at=timezone.now() + timedelta(days=3), open=1)
    department = clinic.schedule.department
    with acting(system_actor(Purpose.IMPORT)):
        user = User.objects.create(username="zhou", kind=User.Kind.RESIDENT, first_name="周桂兰")
        ResidentAccount.objects.create(user=user, resident=clinic.resident, since=timezone.localdate())
    client.force_login(user)
    assert "心血管内科" in client.get("/slots/my/find/").content.decode()
    assert str(slot.key) in client.get(f"/slots/my/find/{department.key}/").content.decode()
    assert client.get(f"/slots/my/book/{slot.key}/").status_code == 200
    assert client.post(f"/slots/my/book/{slot.key}/").status_code == 302
    page = client.get("/slots/my/").content.decode()
    assert "取消预约" in page
    assert "不必重复预约" in client.post(f"/slots/my/book/{slot.key}/", follow=True).content.decode()
    joined = client.post(
        f"/slots/my/find/{department.key}/wait/",
        {"first_day": timezone.localdate(), "last_day": timezone.localdate() + timedelta(days=9)},
    )
    assert joined.status_code == 302
    assert "候补中" in client.get("/slots/my/").content.decode()
