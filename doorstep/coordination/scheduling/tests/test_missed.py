"""Whoever gives back too late, or keeps missing appointments: what the own phone says of it, and when."""

from datetime import date, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from doorstep.coordination.scheduling import actions, own_queries
from doorstep.coordination.scheduling.models import Booking, Facility, Schedule, Slot
from doorstep.coordination.scheduling.tests.factories import Clinic, book_for, make_clinic, make_slot, told
from doorstep.coordination.scheduling.tests.test_kiosk import facts_of, kiosk
from doorstep.kernel.access.actor import Purpose, system_actor
from doorstep.kernel.access.models import User
from doorstep.kernel.access.session import acting
from doorstep.people.residents.models import ResidentAccount

pytestmark = pytest.mark.django_db


@pytest.fixture
def clinic() -> Clinic:
    return make_clinic()


@pytest.fixture
def phone(client: Client, clinic: Clinic) -> Client:
    with acting(system_actor(Purpose.IMPORT)):
        user = User.objects.create_user("zhou", password="correct-horse-9", kind=User.Kind.RESIDENT)
        ResidentAccount.objects.create(user=user, resident=clinic.resident, since=date(2024, 1, 1))
    client.force_login(user)
    return client


def begun(booking: Booking, *, ago: timedelta) -> None:
    """The booking's time began so long ago."""
    start = timezone.now() - ago
    with acting(system_actor(Purpose.IMPORT)):
        Slot.objects.filter(pk=booking.slot_id).update(starts_at=start, ends_at=start + timedelta(minutes=30))
        Booking.objects.filter(pk=booking.pk).update(period=(start, start + timedelta(minutes=30)))


def missed(clinic: Clinic, *days: int) -> None:
    """Bookings of so many days ago to which nobody came, written down in one look."""
    for ago in days:
        slot = make_slot(clinic, starts_at=timezone.now() + timedelta(days=20 + ago), open=1)
        begun(book_for(clinic, slot, clinic.resident, "open"), ago=timedelta(days=ago))
    with acting(system_actor(Purpose.CLOCKS)) as clocks:
        assert actions.record_no_shows(actor=clocks) == len(days)


def test_who_cancels_too_late_stays_on_the_own_page_and_reads_whom_to_ask(phone: Client, clinic: Clinic) -> None:
    booking = book_for(clinic, make_slot(clinic, open=1), clinic.resident, "open")
    begun(booking, ago=timedelta(minutes=10))
    late = phone.post(f"/slots/my/bookings/{booking.key}/cancel/", follow=True)
    assert late.redirect_chain[-1][0].endswith("/slots/my/")
    assert "不能自行取消或改约" in late.content.decode()
    with acting(system_actor(Purpose.INDICATORS)):
        booking.refresh_from_db()
    assert booking.state == "booked"


def test_a_visit_whose_time_has_come_says_why_it_has_no_buttons(phone: Client, clinic: Clinic) -> None:
    booking = book_for(clinic, make_slot(clinic, open=1), clinic.resident, "open")
    assert "就诊时间已到" not in phone.get("/slots/my/").content.decode()
    begun(booking, ago=timedelta(minutes=10))
    assert "就诊时间已到" in phone.get("/slots/my/").content.decode()


def test_who_is_paused_reads_it_before_choosing_and_is_shown_no_button(phone: Client, clinic: Clinic) -> None:
    missed(clinic, 1, 2, 3)
    page = phone.get(f"/slots/my/book/{make_slot(clinic, open=1).key}/").content.decode()
    assert "请由家庭医生或门诊窗口代为预约" in page
    assert "确认预约</button>" not in page
    # The doctor, who may book all the same, reads why the resident comes to them.
    doctor = Client()
    doctor.force_login(User.objects.get(username="li"))
    assert "居民自助预约暂停到" in doctor.get(f"/slots/for/{clinic.resident.key}/").content.decode()


def test_who_is_paused_reads_it_first_at_a_machine_too(client: Client, clinic: Clinic) -> None:
    missed(clinic, 1, 2, 3)
    make_slot(clinic, open=1)
    kiosk(client, clinic)
    assert client.post("/slots/kiosk/", facts_of(clinic)).status_code == 302
    page = client.get("/slots/kiosk/mine/").content.decode()
    assert "请到服务台，由工作人员代为预约" in page
    assert "/slots/kiosk/find/" not in page


def test_the_third_missed_visit_says_that_the_pause_has_begun_and_until_when(clinic: Clinic) -> None:
    missed(clinic, 1, 3, 2)
    notices = told(clinic.resident.pk)
    assert [(kind, params["count"]) for kind, params in notices] == [
        ("booking-missed", "1"),
        ("booking-missed", "2"),
        ("booking-paused", "3"),
    ]
    # In the order in which they were missed: the last one is yesterday's, and the pause counts from it.
    assert notices[-1][1]["until"] == (timezone.localdate() + timedelta(days=29)).isoformat()


def test_a_resident_finds_an_examination_by_the_name_of_its_machine(phone: Client, clinic: Clinic) -> None:
    make_slot(clinic, open=1)
    with acting(system_actor(Purpose.IMPORT)):
        machine = Facility.objects.create(
            organization_id=clinic.world.lead, department=clinic.schedule.department, kind="machine", name="CT 1 号机"
        )
        Schedule.objects.filter(pk=clinic.schedule.pk).update(practitioner=None, facility=machine, service="exam")
    found = own_queries.offers(person=clinic.resident, text="ct", days=28)
    assert [one.department for one in found] == ["心血管内科"]
    assert own_queries.offers(person=clinic.resident, text="MRI", days=28) == []


def test_a_look_asks_for_all_that_were_missed_at_once(clinic: Clinic) -> None:
    for ago in (2, 3, 4, 5):
        slot = make_slot(clinic, starts_at=timezone.now() + timedelta(days=20 + ago), open=1)
        begun(book_for(clinic, slot, clinic.resident, "open"), ago=timedelta(days=ago))
    with acting(system_actor(Purpose.CLOCKS)) as clocks, CaptureQueriesContext(connection) as captured:
        assert actions.record_no_shows(actor=clocks) == 4
    reads = [one["sql"] for one in captured if one["sql"].startswith("SELECT") and "scheduling_" in one["sql"]]
    counts = [one for one in reads if "no-show" in one]
    assert len(counts) == 1, counts
    # The third of them is the one by which the pause begins, as when they are looked at one by one.
    kinds = [kind for kind, _params in told(clinic.resident.pk) if kind in ("booking-missed", "booking-paused")]
    assert kinds == ["booking-missed", "booking-missed", "booking-paused", "booking-paused"]
