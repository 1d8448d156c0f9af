"""A clinic's desk: who is found leads to a booking, who stands there is known by the card, a day is reached by its date, a place is added by name."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from doorstep.coordination.scheduling.models import Booking, Schedule
from doorstep.coordination.scheduling.tests.factories import Clinic, make_clinic, make_slot
from doorstep.coordination.scheduling.tests.test_kiosk import SYSTEM, facts_of
from doorstep.kernel.access.session import acting
from doorstep.kernel.audit.models import AuditEntry
from doorstep.people.residents.tests.factories import ZHOU_NUMBER, make_resident, make_staff

pytestmark = pytest.mark.django_db


@pytest.fixture
def clinic() -> Clinic:
    return make_clinic()


def at_lead(client: Client, clinic: Clinic, role: str) -> None:
    """Somebody of the hospital."""
    client.force_login(make_staff(name="江雪琴", organization_id=clinic.world.lead, role=role))


def known_here(clinic: Clinic, name: str = "王德福", number: str = "439981195001010038") -> str:
    """Somebody on the hospital's own panel; the key."""
    lead = clinic.world.lead
    return str(make_resident(organization_id=lead, name=name, number=number, phone="", panel_of=(lead,)).key)


def test_whoever_the_desk_finds_is_booked_and_no_page_is_refused(client: Client, clinic: Clinic) -> None:
    key = known_here(clinic)
    make_slot(clinic, open=1)
    at_lead(client, clinic, "clinic_desk")
    scanned = client.post("/residents/", {"q": "439981195001010038"}, follow=True)
    assert scanned.status_code == 200
    assert scanned.redirect_chain[-1][0] == f"/slots/for/{key}/"
    page = scanned.content.decode()
    assert "心血管内科" in page
    # The record is not the desk's to read: no link leads there.
    assert f'href="/residents/{key}/"' not in page
    assert f"/slots/for/{key}/" in client.post("/residents/", {"q": "王德福"}).content.decode()


def test_who_stands_at_the_counter_with_the_card_needs_no_call(client: Client, clinic: Clinic) -> None:
    make_slot(clinic, open=1)
    at_lead(client, clinic, "clinic_desk")
    client.post("/slots/phone/", facts_of(clinic))
    page = client.get("/slots/phone/").content.decode()
    assert "本人在窗口，已核对身份证" in page
    call = page.split('name="call" value="')[1].split('"')[0]
    client.post("/slots/phone/verify/", {"call": call, "way": "counter"})
    assert "约新号" in client.get("/slots/phone/").content.decode()
    with acting(SYSTEM):
        assert AuditEntry.objects.filter(action="caller.at-counter").count() == 1
        assert not AuditEntry.objects.filter(action="caller.called-back").exists()


def test_who_proved_to_be_there_is_booked_by_the_desk(client: Client, clinic: Clinic) -> None:
    at_lead(client, clinic, "clinic_desk")
    facts = facts_of(clinic)
    proved = client.post(
        "/residents/presence/",
        {
            "number": facts["number"],
            "second": "phone",
            "name": facts["name"],
            "last_four": facts["phone_last_four"],
        },
        follow=True,
    )
    assert "为本人预约挂号" in proved.content.decode()


def test_a_day_of_the_clinic_is_reached_by_its_date(client: Client, clinic: Clinic) -> None:
    at_lead(client, clinic, "clinic_desk")
    day = (timezone.localdate() - timedelta(days=40)).isoformat()
    page = client.get(f"/slots/day/?day={day}").content.decode()
    assert f'type="date" name="day" value="{day}"' in page


def test_a_new_schedule_leads_to_its_times(client: Client, clinic: Clinic) -> None:
    at_lead(client, clinic, "clinic_manager")
    answer = client.post(
        "/slots/schedules/",
        {"department": clinic.schedule.department_id, "practitioner": "", "facility": "", "service": "clinic"},
    )
    with acting(SYSTEM):
        made = Schedule.objects.exclude(pk=clinic.schedule.pk).get()
    assert answer.headers["Location"] == f"/slots/schedules/{made.key}/"
    assert 'href="/slots/stop/"' in client.get("/slots/").content.decode()


def test_a_place_is_added_for_somebody_who_is_found_by_name_and_chosen(client: Client, clinic: Clinic) -> None:
    key = known_here(clinic)
    known_here(clinic, name="王德福", number="439981195001010011")
    slot = make_slot(clinic, open=1)
    at_lead(client, clinic, "clinic_manager")
    asked = {"who": "王德福", "reason": "复诊取结果，专家同意加号"}
    # A name is only looked up, with as many as have it: nobody is booked by it alone.
    listed = client.post(f"/slots/extra/{slot.key}/", asked)
    assert listed.status_code == 422
    page = listed.content.decode()
    assert page.count('name="resident"') == 2
    assert "请核对后选择就诊人" in page
    assert "复诊取结果，专家同意加号" in page
    with acting(SYSTEM):
        assert not Booking.objects.exists()
    assert client.post(f"/slots/extra/{slot.key}/", {**asked, "resident": key}).status_code == 302
    with acting(SYSTEM):
        made = Booking.objects.get()
        assert (str(made.resident_key), made.extra_reason) == (key, asked["reason"])


def test_a_card_names_whom_a_place_is_added_for(client: Client, clinic: Clinic) -> None:
    known_here(clinic)
    slot = make_slot(clinic, open=1)
    at_lead(client, clinic, "clinic_manager")
    asked = {"who": "439981195001010038", "reason": "外院转入，专家同意加号"}
    assert client.post(f"/slots/extra/{slot.key}/", asked).status_code == 302


def test_whoever_is_chosen_and_not_meant_by_the_name_any_more_is_not_booked(client: Client, clinic: Clinic) -> None:
    key = known_here(clinic)
    known_here(clinic, name="李云根", number="439981195001010011")
    slot = make_slot(clinic, open=1)
    at_lead(client, clinic, "clinic_manager")
    changed = {"who": "李云根", "resident": key, "reason": "复诊取结果，专家同意加号"}
    assert client.post(f"/slots/extra/{slot.key}/", changed).status_code == 422
    stranger = client.post(f"/slots/extra/{slot.key}/", {"who": ZHOU_NUMBER, "reason": "复诊取结果"})
    assert stranger.status_code == 422
    assert "没有找到这位居民，或贵院与其没有诊疗关系" in stranger.content.decode()
    with acting(SYSTEM):
        assert not Booking.objects.exists()
