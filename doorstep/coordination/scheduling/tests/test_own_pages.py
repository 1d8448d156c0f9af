"""The own phone: pressed twice, left open, or too late, it says what is so and leads on."""

from datetime import date, datetime, time, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from doorstep.coordination.scheduling import actions, own_queries, waiting_actions
from doorstep.coordination.scheduling.models import Booking, Place, WaitingEntry
from doorstep.coordination.scheduling.rules import CHINA
from doorstep.coordination.scheduling.tests.factories import Clinic, book_for, make_clinic, make_slot, want_of
from doorstep.kernel.access.actor import Purpose, system_actor
from doorstep.kernel.access.models import User
from doorstep.kernel.access.session import acting
from doorstep.people.organizations.models import Department
from doorstep.people.residents.models import ResidentAccount
from doorstep.people.residents.tests.factories import make_resident

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


def test_who_has_the_place_already_is_led_to_it_and_not_told_that_it_went(phone: Client, clinic: Clinic) -> None:
    slot = make_slot(clinic, open=1)
    make_slot(clinic, starts_at=slot.starts_at + timedelta(hours=1), open=1)
    page = f"/slots/my/book/{slot.key}/"
    assert phone.post(page).status_code == 302
    again = phone.post(page, follow=True)
    shown = again.content.decode()
    assert again.redirect_chain[-1][0].endswith("/slots/my/")
    assert "不必重复预约" in shown
    assert "约满" not in shown
    with acting(system_actor(Purpose.INDICATORS)):
        assert Booking.objects.count() == 1


def test_who_presses_again_while_places_are_left_is_led_to_the_booking(phone: Client, clinic: Clinic) -> None:
    day = datetime.combine(timezone.localdate() + timedelta(days=2), time(9), tzinfo=CHINA)
    slot, later = (
        make_slot(clinic, starts_at=day, open=3),
        make_slot(clinic, starts_at=day + timedelta(minutes=30), open=3),
    )
    assert phone.post(f"/slots/my/book/{slot.key}/").status_code == 302
    again = phone.post(f"/slots/my/book/{slot.key}/", follow=True)
    assert again.redirect_chain[-1][0].endswith("/slots/my/")
    assert "不必重复预约" in again.content.decode()
    # Another time of the same half day is refused, and the way to the booking is one press.
    other = phone.post(f"/slots/my/book/{later.key}/")
    assert other.status_code == 422
    assert 'href="/slots/my/"' in other.content.decode()
    assert "我的预约" in other.content.decode()
    with acting(system_actor(Purpose.INDICATORS)):
        assert Booking.objects.count() == 1


def test_who_comes_too_late_for_a_change_is_led_on_with_the_change(phone: Client, clinic: Clinic) -> None:
    day = datetime.combine(timezone.localdate() + timedelta(days=2), time(9), tzinfo=CHINA)
    first, full = make_slot(clinic, starts_at=day, open=1), make_slot(clinic, starts_at=day + timedelta(days=1), open=1)
    free = make_slot(clinic, starts_at=day + timedelta(days=2), open=1)
    assert phone.post(f"/slots/my/book/{first.key}/").status_code == 302
    with acting(system_actor(Purpose.INDICATORS)):
        made = Booking.objects.get()
    other = make_resident(
        organization_id=clinic.world.village, name="钱进", number="", phone="", panel_of=(clinic.world.village,)
    )
    book_for(clinic, full, other, origin="open")
    late = phone.post(f"/slots/my/book/{full.key}/", {"change": str(made.key)})
    shown = late.content.decode()
    assert late.status_code == 422
    assert f"/slots/my/book/{free.key}/?change={made.key}" in shown
    assert f"/slots/my/find/{clinic.schedule.department.key}/?change={made.key}" in shown
    # Without a change the waiting list is one press away.
    assert (
        f"/slots/my/find/{clinic.schedule.department.key}/wait/"
        in phone.post(f"/slots/my/book/{full.key}/").content.decode()
    )


def test_who_answers_an_offer_too_late_is_told_so_and_the_next_in_line_has_it(phone: Client, clinic: Clinic) -> None:
    slot = make_slot(clinic, open=1)
    house = clinic.world.village
    taker, second = (
        make_resident(organization_id=house, name=name, number="", phone="", panel_of=(house,))
        for name in ("吴大山", "钱进")
    )
    standing = book_for(clinic, slot, taker, "open")
    with acting(clinic.doctor) as li:
        first = waiting_actions.join(resident_id=clinic.resident.pk, want=want_of(clinic, "open"), actor=li)
        then = waiting_actions.join(resident_id=second.pk, want=want_of(clinic, "open"), actor=li)
        actions.cancel(booking_key=standing.key, actor=li, reason="改期")
    with acting(system_actor(Purpose.CLOCKS)) as clocks:
        first.refresh_from_db()
        assert (first.state, first.offered_until is not None) == ("offered", True)
        over = timezone.now() - timedelta(seconds=1)
        WaitingEntry.objects.filter(pk=first.pk).update(offered_until=over)
        Place.objects.filter(hold_key=first.hold_key).update(held_until=over)
    late = phone.post(f"/slots/my/waiting/{first.key}/accept/", follow=True)
    assert late.status_code == 200
    assert "确认时间已过" in late.content.decode()
    with acting(clocks):
        waiting_actions.expire_offers(actor=clocks)
        waiting_actions.offer_freed(actor=clocks)
        first.refresh_from_db()
        then.refresh_from_db()
        assert (first.state, then.state) == ("waiting", "offered")
        assert not Booking.objects.filter(resident_id=clinic.resident.pk).exists()


def test_twenty_bookings_cost_the_page_no_more_than_one(phone: Client, clinic: Clinic) -> None:
    begins = datetime.combine(timezone.localdate() + timedelta(days=1), time(9), tzinfo=CHINA)
    counts = []
    for number in range(20):
        slot = make_slot(clinic, starts_at=begins + timedelta(days=number), open=1)
        assert phone.post(f"/slots/my/book/{slot.key}/").status_code == 302
        if number in (0, 19):
            phone.get("/slots/my/")
            with CaptureQueriesContext(
                connection,
            ) as seen:
                assert phone.get("/slots/my/").status_code == 200
            counts.append(len(seen))
    assert counts[1] <= counts[0]
    assert counts[0] <= 17, "\n".join(one["sql"][:170] for one in seen.captured_queries)


def test_an_open_page_loses_the_offer_when_its_time_is_over_and_names_who_waits(phone: Client, clinic: Clinic) -> None:
    slot = make_slot(clinic, starts_at=timezone.now() + timedelta(days=3), open=1)
    with acting(clinic.doctor) as li:
        waiting_actions.join(resident_id=clinic.resident.pk, want=want_of(clinic, "open"), actor=li)
    with acting(system_actor(Purpose.CLOCKS)) as house:
        assert waiting_actions.offer_freed(actor=house) == 1
    part = {"HX-Request": "true"}
    assert 'hx-get="/slots/my/"' in phone.get("/slots/my/").content.decode()
    assert "确认预约" in phone.get("/slots/my/", headers=part).content.decode()
    with acting(system_actor(Purpose.IMPORT)):
        WaitingEntry.objects.update(offered_until=timezone.now() - timedelta(minutes=1))
        assert Place.objects.filter(slot=slot, state="held").exists()
    assert "确认预约" not in phone.get("/slots/my/", headers=part).content.decode(), "nobody can take what is over"
    assert (
        "周桂兰"
        in phone.get(f"/slots/my/find/{clinic.schedule.department.key}/wait/").content.decode().split("<main")[1]
    )


@pytest.mark.parametrize(
    ("gender", "years", "offered"),
    [("female", 8, False), ("male", 8, False), ("male", 40, False), ("female", 30, True)],
)
def test_obstetrics_is_offered_to_women_and_found_by_its_name(
    gender: str, years: int, *, offered: bool, clinic: Clinic
) -> None:
    with acting(system_actor(Purpose.IMPORT)):
        Department.objects.filter(pk=clinic.schedule.department_id).update(name="产科", code="05.02")
    make_slot(clinic, open=1)
    born = timezone.localdate() - timedelta(days=round(365.25 * years) + 1)
    person = make_resident(
        organization_id=clinic.world.village, name="周小满", number="", phone="", birth_date=born, gender=gender
    )
    assert [one.department for one in own_queries.offers(person=person, text="", days=28)] == ["产科"] * offered
    assert [one.department for one in own_queries.offers(person=person, text="产", days=28)] == ["产科"]


def test_a_house_that_has_gynaecology_and_obstetrics_in_one_is_offered_to_girls(clinic: Clinic) -> None:
    with acting(system_actor(Purpose.IMPORT)):
        Department.objects.filter(pk=clinic.schedule.department_id).update(name="妇产科", code="05")
    make_slot(clinic, open=1)
    girl = make_resident(
        organization_id=clinic.world.village,
        name="周小满",
        number="",
        phone="",
        birth_date=timezone.localdate() - timedelta(days=3000),
    )
    assert [one.department for one in own_queries.offers(person=girl, text="", days=28)] == ["妇产科"]
