"""The pages of the referral office and the picker, and their number of queries."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from doorstep.coordination.scheduling import actions
from doorstep.coordination.scheduling.models import Schedule, Slot
from doorstep.coordination.scheduling.tests.factories import book_for, make_clinic, make_slot
from doorstep.kernel.access.models import User
from doorstep.kernel.access.session import acting
from doorstep.site.accounts import MFA_SEEN

pytestmark = pytest.mark.django_db

BUDGET = 12


def signed_in(username: str) -> Client:
    """A browser of this user, second factor passed."""
    client = Client()
    client.force_login(User.objects.get(username=username))
    session = client.session
    session[MFA_SEEN] = True
    session.save()
    return client


def test_schedule_from_session_to_slots_to_stop() -> None:
    clinic = make_clinic()
    client = signed_in("zheng")
    address = f"/slots/schedules/{clinic.schedule.key}/"
    session = {
        "act": "session",
        "weekday": "0",
        "starts": "08:30",
        "ends": "11:30",
        "minutes": "30",
        "referral": "1",
        "contract": "1",
        "community": "0",
        "own": "2",
        "open": "0",
    }
    assert f'value="{timezone.localdate().isoformat()}"' in client.get(address).content.decode()
    late = client.post(address, {**session, "ends": "08:00"})
    assert late.status_code == 422
    assert "结束时间须晚于开始时间" in late.content.decode()
    none = client.post(address, {**session, "referral": "0", "contract": "0", "own": "0"})
    assert none.status_code == 422
    assert "不能全部为零" in none.content.decode()
    assert client.post(address, session).status_code == 302
    today = timezone.localdate()
    days = {"first": today.isoformat(), "last": (today + timedelta(days=13)).isoformat()}
    assert client.post(address, {"act": "generate", **days}).status_code == 302
    assert 0 < Slot.objects.count() <= 12
    stop = {"scope": f"schedule:{clinic.schedule.pk}", "reason": "进修", "seen": "0"}
    past = {"first": "2026-01-01", "last": "2026-01-02"}
    assert client.post("/slots/stop/", {"act": "stop", **stop, **past}).status_code == 422
    assert client.post("/slots/stop/", {"act": "stop", **stop, **days}).status_code == 302
    # What has begun takes place.
    assert not Slot.objects.filter(stopped_at__isnull=True, starts_at__gt=timezone.now()).exists()


def test_create_schedule_twice_is_explained_in_the_form() -> None:
    clinic = make_clinic()
    client = signed_in("zheng")
    facts = {"department": str(clinic.schedule.department_id), "practitioner": "", "service": "clinic"}
    assert client.post("/slots/schedules/", facts).status_code == 302
    assert client.post("/slots/schedules/", facts).status_code == 422
    assert Schedule.objects.count() == 2


def test_picker_offers_free_slots_of_the_origin() -> None:
    clinic = make_clinic()
    slot = make_slot(clinic, referral=1, own=3)
    client = signed_in("li")
    page = client.get("/slots/picker/", {"organization": str(clinic.world.lead), "origin": "referral"}).content.decode()
    assert str(slot.key) in page
    assert "王主任" in page
    assert "1/4" in page
    with acting(clinic.doctor) as li:
        actions.hold(slot_key=slot.key, origin="referral", actor=li, resident_id=clinic.resident.id)
    page = client.get("/slots/picker/", {"organization": str(clinic.world.lead), "origin": "referral"}).content.decode()
    assert "没有可约的号源" in page
    assert client.get("/slots/picker/", {"origin": "bribe"}).status_code == 422


def test_booking_page_is_for_both_sides_and_nobody_else() -> None:
    clinic = make_clinic()
    slot = make_slot(clinic, starts_at=timezone.now() + timedelta(minutes=5), referral=1)
    with acting(clinic.doctor) as li:
        held = actions.hold(slot_key=slot.key, origin="referral", actor=li, resident_id=clinic.resident.id)
        booking = actions.book(hold_key=held.key, resident_id=clinic.resident.id, actor=li)
    address = f"/slots/bookings/{booking.key}/"
    assert "取消预约" in signed_in("li").get(address).content.decode()
    assert signed_in("zhao").get(address).status_code == 404
    office = signed_in("zheng")
    assert office.post(f"{address}call-off/", {"reason": ""}).status_code == 422
    assert office.post(f"{address}arrive/").status_code == 302
    assert "已报到" in office.get(address).content.decode()
    # On another day nobody is offered to be checked in, and who asks all the same is told why not.
    later = book_for(
        clinic, make_slot(clinic, starts_at=timezone.now() + timedelta(days=3), referral=1), clinic.resident
    )
    address = f"/slots/bookings/{later.key}/"
    assert f"{address}arrive/" not in office.get(address).content.decode()
    assert office.post(f"{address}arrive/").status_code == 409


def test_pages_stay_inside_their_number_of_queries() -> None:
    clinic = make_clinic()
    for number in range(6):
        make_slot(clinic, starts_at=timezone.now() + timedelta(minutes=31 * number + 1), referral=1, contract=2, own=2)
    client = signed_in("zheng")
    for address in ("/slots/", "/slots/schedules/", f"/slots/schedules/{clinic.schedule.key}/", "/slots/picker/"):
        with CaptureQueriesContext(connection) as captured:
            assert client.get(address).status_code == 200
        work = [query for query in captured if not query["sql"].startswith(("SAVEPOINT", "RELEASE", "BEGIN"))]
        assert len(work) <= BUDGET, (address, [query["sql"][:90] for query in work])


def test_the_board_opens_where_the_next_clinic_is_and_change_leads_into_the_waiting_list() -> None:
    clinic = make_clinic()
    client = signed_in("zheng")
    assert "已打开下一个出诊日" not in client.get("/slots/").content.decode()
    slot = make_slot(clinic, starts_at=timezone.now() + timedelta(days=16), referral=1)
    day = timezone.localdate(slot.starts_at).isoformat()
    shown = client.get("/slots/").content.decode()
    assert f"已打开下一个出诊日 {day} 所在的一周" in shown
    assert "心血管内科" in shown
    this_week = client.get(f"/slots/?week={timezone.localdate().isoformat()}").content.decode()
    assert "已打开下一个出诊日" not in this_week
    with acting(clinic.doctor):
        held = actions.hold(slot_key=slot.key, origin="referral", actor=clinic.doctor, resident_id=clinic.resident.pk)
        made = actions.book(hold_key=held.key, resident_id=clinic.resident.pk, actor=clinic.doctor)
    page = signed_in("li").get(f"/slots/bookings/{made.key}/change/").content.decode()
    department = clinic.schedule.department
    assert (
        f"/{department.key}/{clinic.resident.key}/?origin=referral&amp;first={timezone.localdate().isoformat()}" in page
    )
    assert "登记候补：心血管内科" in page
