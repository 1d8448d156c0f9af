"""An offer that was passed by or not answered goes to the next in line and does not come back; who is paused joins no list alone."""

from datetime import date, datetime, timedelta

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from doorstep.coordination.scheduling import actions, waiting_actions
from doorstep.coordination.scheduling.models import Booking, WaitingEntry
from doorstep.coordination.scheduling.rules import CHINA
from doorstep.coordination.scheduling.tests.factories import Clinic, book_for, make_clinic, make_slot, want_of
from doorstep.kernel.access.actor import Actor, ActorKind, Purpose, system_actor
from doorstep.kernel.access.models import User
from doorstep.kernel.access.refusals import Refused
from doorstep.kernel.access.session import acting
from doorstep.people.residents.models import Resident, ResidentAccount
from doorstep.people.residents.tests.factories import make_resident, make_staff

pytestmark = pytest.mark.django_db
SYSTEM = system_actor(Purpose.CLOCKS)
MORNING = datetime(2026, 3, 2, 9, tzinfo=CHINA)


@pytest.fixture
def clinic() -> Clinic:
    return make_clinic()


@pytest.fixture
def young(clinic: Clinic) -> Resident:
    """孙立, behind 周桂兰 in the line."""
    return make_resident(
        organization_id=clinic.world.village, name="孙立", number="", phone="", panel_of=(clinic.world.village,)
    )


def _join(clinic: Clinic, resident: Resident) -> WaitingEntry:
    with acting(clinic.doctor) as li:
        return waiting_actions.join(resident_id=resident.pk, want=want_of(clinic), actor=li)


def _look() -> dict[str, str]:
    """The worker looks; the states of the list by name."""
    with acting(SYSTEM) as system:
        waiting_actions.expire_offers(actor=system)
        waiting_actions.offer_freed(actor=system)
        return {one.resident.name: one.state for one in WaitingEntry.objects.select_related("resident")}


def _pass(clinic: Clinic, entry: WaitingEntry) -> None:
    with acting(clinic.doctor) as li:
        waiting_actions.pass_by(entry_key=entry.key, actor=li)


def test_what_the_first_passes_by_is_offered_to_the_next(clinic: Clinic, young: Resident) -> None:
    with time_machine.travel(MORNING, tick=False):
        make_slot(clinic, starts_at=MORNING + timedelta(days=3), referral=1)
        first = _join(clinic, clinic.resident)
        _join(clinic, young)
        assert _look() == {"周桂兰": "offered", "孙立": "waiting"}
        _pass(clinic, first)
        assert _look() == {"周桂兰": "waiting", "孙立": "offered"}


def test_a_half_day_that_was_passed_by_is_not_offered_again_and_another_is(clinic: Clinic) -> None:
    with time_machine.travel(MORNING, tick=False):
        make_slot(clinic, starts_at=MORNING + timedelta(days=3), referral=1)
        make_slot(clinic, starts_at=MORNING + timedelta(days=3, hours=1), referral=1)
        first = _join(clinic, clinic.resident)
        assert _look() == {"周桂兰": "offered"}
        _pass(clinic, first)
        assert _look() == {"周桂兰": "waiting"}
        afternoon = make_slot(clinic, starts_at=MORNING + timedelta(days=3, hours=6), referral=1)
        assert _look() == {"周桂兰": "offered"}
        with acting(SYSTEM):
            assert WaitingEntry.objects.get().offered_slot_id == afternoon.pk


def test_silence_is_not_asked_about_the_same_half_day_twice(clinic: Clinic) -> None:
    with time_machine.travel(MORNING, tick=False) as clock:
        make_slot(clinic, starts_at=MORNING + timedelta(days=3), referral=1)
        _join(clinic, clinic.resident)
        assert _look() == {"周桂兰": "offered"}
        clock.shift(timedelta(hours=2, seconds=1))
        assert _look() == {"周桂兰": "waiting"}


def _pause(clinic: Clinic) -> Actor:
    """周桂兰 missed three visits; the resident as who acts."""
    for day in (3, 6, 9):
        missed = book_for(
            clinic, make_slot(clinic, starts_at=timezone.now() + timedelta(days=day), referral=1), clinic.resident
        )
        with acting(SYSTEM):
            Booking.objects.filter(pk=missed.pk).update(state="no-show")
            slot = missed.slot
            slot.starts_at -= timedelta(days=20)
            slot.ends_at -= timedelta(days=20)
            slot.save(update_fields=["starts_at", "ends_at"])
    return Actor(kind=ActorKind.RESIDENT, user_id=90_001, resident_ids=(clinic.resident.pk,))


def test_who_is_paused_joins_no_waiting_list_alone_and_is_put_there_by_the_doctor(clinic: Clinic) -> None:
    own = _pause(clinic)
    with acting(own), pytest.raises(Refused, match="未到诊"):
        waiting_actions.join(resident_id=clinic.resident.pk, want=want_of(clinic, "open"), actor=own)
    assert _join(clinic, clinic.resident).state == "waiting"


def test_the_kiosk_says_why_no_list_was_joined(client: Client, clinic: Clinic) -> None:
    _pause(clinic)
    with acting(SYSTEM):
        clinic.resident.refresh_from_db()
        facts = {
            "number": clinic.resident.national_id,
            "name": clinic.resident.name,
            "phone_last_four": clinic.resident.phone[-4:],
        }
    client.force_login(make_staff(name="大厅自助机", organization_id=clinic.world.lead, role="kiosk"))
    client.post("/slots/kiosk/", facts)
    refused = client.post(f"/slots/kiosk/find/{clinic.schedule.department.key}/wait/")
    assert refused.status_code == 422
    assert "近 90 天内有 3 次预约未到诊" in refused.content.decode()
    assert "ds-kiosk" in refused.content.decode()


def _account(*people: tuple[Resident, str]) -> User:
    user = User.objects.create_user(username="phone", kind=User.Kind.RESIDENT)
    with acting(SYSTEM):
        for resident, relation in people:
            ResidentAccount.objects.create(user=user, resident=resident, relation=relation, since=date(2024, 1, 1))
    return user


def test_the_phone_of_who_is_paused_says_so_before_a_time_is_chosen(client: Client, clinic: Clinic) -> None:
    _pause(clinic)
    client.force_login(_account((clinic.resident, "self")))
    department = clinic.schedule.department.key
    for address in ("/slots/my/", "/slots/my/find/", f"/slots/my/find/{department}/"):
        page = client.get(address).content.decode()
        assert "请由家庭医生或门诊窗口代为预约" in page, address
        assert "登记候补</" not in page, address


def test_whose_bookings_these_are_is_changed_on_the_page(client: Client, clinic: Clinic, young: Resident) -> None:
    client.force_login(_account((clinic.resident, "self"), (young, "child")))
    page = client.get("/slots/my/").content.decode()
    assert f'action="/me/family/{young.key}/"' in page
    turned = client.post(f"/me/family/{young.key}/", {"next": "/slots/my/"})
    assert turned.headers["Location"] == "/slots/my/"
    assert "孙立的预约" in client.get("/slots/my/").content.decode()
    for elsewhere in (
        "https://elsewhere.example/",
        "//elsewhere.example/",
        "/slots/my/../../residents/",
        "/residents/",
    ):
        assert client.post(f"/me/family/{young.key}/", {"next": elsewhere}).headers["Location"] == "/me/"


def test_the_first_in_line_reads_so(client: Client, clinic: Clinic) -> None:
    _join(clinic, clinic.resident)
    client.force_login(_account((clinic.resident, "self")))
    page = client.get("/slots/my/").content.decode()
    assert "您排在第一位" in page
    assert "前面还有 0 人" not in page


def test_what_is_over_stands_by_the_day_of_the_visit_with_its_hospital(client: Client, clinic: Clinic) -> None:
    later = book_for(clinic, make_slot(clinic, starts_at=MORNING.replace(year=2027), referral=1), clinic.resident)
    sooner = book_for(
        clinic, make_slot(clinic, starts_at=timezone.now() + timedelta(days=2), referral=1), clinic.resident
    )
    with acting(clinic.doctor) as li:
        actions.cancel(booking_key=later.key, actor=li, reason="改期")
        actions.cancel(booking_key=sooner.key, actor=li, reason="改期")
    client.force_login(_account((clinic.resident, "self")))
    page = client.get("/slots/my/").content.decode()
    over = page[page.index("以前的和已取消的预约") :]
    assert over.index("03-02") < over.index(timezone.localtime(sooner.slot.starts_at).strftime("%H:%M"))
    assert later.organization.name in over
