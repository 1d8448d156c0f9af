"""After a stopped clinic: who finds whose new time by when, who has no telephone, what came of it; a child at the desk, whoever comes too late."""

from datetime import date, timedelta

import pytest
from django.test import Client
from django.utils import timezone

from doorstep.coordination.scheduling import rebooking_actions, stopping_actions
from doorstep.coordination.scheduling.models import Place, Rebooking
from doorstep.coordination.scheduling.tests.factories import Clinic, book_for, make_clinic, make_slot, stop
from doorstep.kernel.access.actor import Purpose, system_actor
from doorstep.kernel.access.models import User
from doorstep.kernel.access.session import acting
from doorstep.kernel.web.formats import moment_short
from doorstep.people.residents.models import Resident, ResidentAccount
from doorstep.people.residents.tests.factories import ZHOU_NUMBER, make_staff

pytestmark = pytest.mark.django_db


@pytest.fixture
def clinic() -> Clinic:
    return make_clinic()


@pytest.fixture
def task(clinic: Clinic) -> Rebooking:
    slot = make_slot(clinic, open=1)
    book_for(clinic, slot, clinic.resident, origin="open")
    stop(slot, reason="专家外出会诊")
    with acting(system_actor(Purpose.HANDLER)) as house:
        stopping_actions.call_off(slot_ids=[slot.pk], reason="专家外出会诊", actor=house)
        return Rebooking.objects.get()


def _village(client: Client) -> Client:
    client.force_login(User.objects.get(username="li"))
    return client


def test_the_list_names_who_rebooks_and_the_hospital_follows_its_own_stop(
    client: Client, clinic: Clinic, task: Rebooking
) -> None:
    assert "由谁改约" in _village(client).get("/slots/rebookings/").content.decode()
    client.force_login(make_staff(name="凌志华", organization_id=clinic.world.lead, role="clinic_manager"))
    stops = client.get("/slots/stop/").content.decode()
    assert "/slots/rebookings/?side=here" in stops
    here = client.get("/slots/rebookings/", {"side": "here"}).content.decode()
    assert "石桥村卫生室" in here
    assert "专家外出会诊" in here
    assert "ds-clock" in here
    assert f"/slots/rebookings/{task.key}/" not in here, "the unit that had booked finds the new time"
    other = make_staff(name="门诊", organization_id=clinic.world.township, role="clinic_manager")
    client.force_login(other)
    assert "专家外出会诊" not in client.get("/slots/rebookings/", {"side": "here"}).content.decode()


def test_who_has_no_telephone_is_reached_another_way(client: Client, clinic: Clinic, task: Rebooking) -> None:
    with acting(system_actor(Purpose.IMPORT)):
        Resident.objects.filter(pk=clinic.resident.pk).update(
            phone="", contact_name="刘敏", contact_relation="child", contact_phone="19900007777"
        )
    page = _village(client).get(f"/slots/rebookings/{task.key}/").content.decode()
    assert "tel:19900007777" in page
    assert "刘敏" in page
    with acting(system_actor(Purpose.IMPORT)):
        Resident.objects.filter(pk=clinic.resident.pk).update(contact_name="", contact_phone=None)
    page = client.get(f"/slots/rebookings/{task.key}/").content.decode()
    assert "上门或请家人转告" in page
    assert f"/slots/rebookings/{task.key}/missed/" not in page, "nobody can be rung who has no number"


def test_what_was_arranged_is_said_and_who_is_still_to_be_told(client: Client, clinic: Clinic, task: Rebooking) -> None:
    slot = make_slot(clinic, starts_at=timezone.now() + timedelta(days=2), open=1)
    with acting(system_actor(Purpose.IMPORT)):
        Resident.objects.filter(pk=clinic.resident.pk).update(phone="")
    done = _village(client).post(f"/slots/rebookings/{task.key}/", {"slot": str(slot.key)}, follow=True)
    said = done.content.decode()
    assert f"已为周桂兰改约到 {moment_short(slot.starts_at)}" in said
    assert "请当面告知" in said


def test_whoever_comes_too_late_has_the_next_time_chosen(client: Client, clinic: Clinic, task: Rebooking) -> None:
    gone, free = (make_slot(clinic, starts_at=timezone.now() + timedelta(days=number), open=1) for number in (2, 3))
    with acting(system_actor(Purpose.IMPORT)):
        Place.objects.filter(slot=gone).update(state="closed")
    lost = _village(client).post(f"/slots/rebookings/{task.key}/", {"slot": str(gone.key)})
    assert lost.status_code == 422
    assert f'value="{free.key}" checked' in lost.content.decode()


def test_for_a_child_the_desk_speaks_with_the_guardian(client: Client, clinic: Clinic) -> None:
    with acting(system_actor(Purpose.IMPORT)):
        Resident.objects.filter(pk=clinic.resident.pk).update(birth_date=timezone.localdate() - timedelta(days=5 * 365))
    client.force_login(make_staff(name="江雪琴", organization_id=clinic.world.lead, role="clinic_desk"))
    facts = {"number": ZHOU_NUMBER, "name": "周桂兰", "phone_last_four": "1234"}
    asked = client.post("/slots/phone/", facts, follow=True).content.decode()
    assert "监护人接听" in asked
    assert "本人接听" not in asked
    assert client.post("/slots/phone/verify/").status_code == 302
    page = client.get("/slots/phone/").content.decode()
    assert "监护人，10 分钟内有效" in page
    assert 'name="q"' in page, "forty departments are found by a word"


def test_the_times_say_for_whom_one_books(client: Client, clinic: Clinic) -> None:
    make_slot(clinic, open=1)
    with acting(system_actor(Purpose.IMPORT)):
        user = User.objects.create_user("daughter", password="correct-horse-9", kind=User.Kind.RESIDENT)
        ResidentAccount.objects.create(user=user, resident=clinic.resident, relation="parent", since=date(2024, 1, 1))
    client.force_login(user)
    assert "就诊人" in client.get(f"/slots/my/find/{clinic.schedule.department.key}/").content.decode()


def test_the_own_first_page_leads_to_a_new_time_after_a_stop(client: Client, clinic: Clinic, task: Rebooking) -> None:
    with acting(system_actor(Purpose.IMPORT)):
        user = User.objects.create_user("zhou", password="correct-horse-9", kind=User.Kind.RESIDENT)
        ResidentAccount.objects.create(user=user, resident=clinic.resident, since=date(2024, 1, 1))
    client.force_login(user)
    page = client.get("/me/").content.decode()
    assert f"/slots/my/find/{clinic.schedule.department.key}/?rebook={task.key}" in page
    assert page.count("停诊") == 1, "said once, with the way on"


def test_the_kiosk_leads_to_a_new_time_after_a_stop_and_that_settles_it(
    client: Client, clinic: Clinic, task: Rebooking
) -> None:
    slot = make_slot(clinic, starts_at=timezone.now() + timedelta(days=2), open=1)
    client.force_login(make_staff(name="大厅自助机", organization_id=clinic.world.lead, role="kiosk"))
    facts = {"number": ZHOU_NUMBER, "name": "周桂兰", "phone_last_four": "1234"}
    assert client.post("/slots/kiosk/", facts).status_code == 302
    page = client.get("/slots/kiosk/mine/").content.decode()
    assert "停诊，请改约" in page
    assert f"/slots/kiosk/find/{clinic.schedule.department.key}/" in page
    assert client.post(f"/slots/kiosk/book/{slot.key}/").status_code == 302
    with acting(system_actor(Purpose.CLOCKS)) as house:
        rebooking_actions.settle_found(actor=house)
        task.refresh_from_db()
    assert task.state == "done"
    assert "停诊，请改约" not in client.get("/slots/kiosk/mine/").content.decode()
