"""What everybody at a queue needs next stands on the page: the doctor's record and next person, the wall's every call, the phone's number."""

from datetime import date, timedelta

import pytest
from django.test import Client
from django.utils import timezone

from doorstep.coordination.scheduling import actions
from doorstep.coordination.scheduling.models import Booking, Ticket
from doorstep.coordination.scheduling.tests.factories import Clinic, book_for, make_clinic, make_slot
from doorstep.kernel.access.actor import Purpose, system_actor
from doorstep.kernel.access.models import User
from doorstep.kernel.access.session import acting
from doorstep.people.residents.models import ResidentAccount
from doorstep.people.residents.tests.factories import make_resident, make_staff
from doorstep.site.actors import of_user

pytestmark = pytest.mark.django_db
NAMES = ("钱进", "孙立")


@pytest.fixture
def clinic() -> Clinic:
    return make_clinic()


@pytest.fixture
def doctor(client: Client, clinic: Clinic) -> Client:
    """周桂兰, 钱进 and 孙立 wait with the numbers 1 to 3 for the doctor whose browser this is."""
    village = clinic.world.village
    user = make_staff(name="宋怀远", organization_id=clinic.world.lead, role="specialist", username="song")
    people = [clinic.resident]
    people += [
        make_resident(organization_id=village, name=one, number="", phone="", panel_of=(village,)) for one in NAMES
    ]
    slot = make_slot(clinic, starts_at=timezone.now() + timedelta(minutes=5), referral=len(people))
    bookings = [book_for(clinic, slot, person) for person in people]
    with acting(of_user(user)) as song:
        for booking in bookings:
            actions.arrive(booking_key=booking.key, actor=song)
    client.force_login(user)
    return client


def _call(doctor: Client, clinic: Clinic, how: str = "", ticket: object = "") -> None:
    sent = {"room": "3 诊室", "how": how, "ticket": str(ticket)}
    assert doctor.post(f"/slots/day/{clinic.schedule.key}/call/", sent).status_code == 302


def _states() -> list[str]:
    with acting(system_actor(Purpose.INDICATORS)):
        return list(Ticket.objects.order_by("number").values_list("state", flat=True))


def _ticket(number: int) -> Ticket:
    with acting(system_actor(Purpose.INDICATORS)):
        return Ticket.objects.get(number=number)


def test_one_press_ends_a_visit_and_calls_the_next_person(doctor: Client, clinic: Clinic) -> None:
    _call(doctor, clinic)
    page = doctor.get("/slots/day/", {"schedule": str(clinic.schedule.key)}).content.decode()
    assert "就诊完成，叫下一位" in page
    assert f"/residents/{clinic.resident.key}/" in page, "the record of whoever was called is one press away"
    _call(doctor, clinic, "see", _ticket(1).key)
    assert _states() == ["done", "called", "waiting"]
    _call(doctor, clinic, "pass", _ticket(2).key)
    assert _states() == ["done", "passed", "called"]
    with acting(system_actor(Purpose.INDICATORS)):
        assert Booking.objects.get(ticket__number=1).state == "fulfilled"


def test_the_wall_shows_everybody_who_is_called(doctor: Client, clinic: Clinic) -> None:
    _call(doctor, clinic)
    _call(doctor, clinic)
    wall = doctor.get("/slots/screen/").content.decode()
    assert "钱*" in wall
    assert "周*兰" in wall, "the first one called has not come in yet"


def test_waiting_stands_before_the_places_of_the_day_with_its_precedence(doctor: Client, clinic: Clinic) -> None:
    page = doctor.get("/slots/day/", {"schedule": str(clinic.schedule.key)}).content.decode()
    assert page.index("周*兰") < page.index("时段与余号")


def test_a_booking_leads_to_the_record_of_its_person(doctor: Client, clinic: Clinic) -> None:
    page = doctor.get(f"/slots/bookings/{_ticket(1).booking.key}/").content.decode()
    assert f"/residents/{clinic.resident.key}/" in page


def test_the_own_phone_says_how_to_check_in_and_then_keeps_the_number_in_view(client: Client, clinic: Clinic) -> None:
    booking = book_for(
        clinic, make_slot(clinic, starts_at=timezone.now() + timedelta(minutes=5), referral=1), clinic.resident
    )
    with acting(system_actor(Purpose.IMPORT)):
        user = User.objects.create_user("zhou", password="correct-horse-9", kind=User.Kind.RESIDENT)
        ResidentAccount.objects.create(user=user, resident=clinic.resident, since=date(2024, 1, 1))
    client.force_login(user)
    for address in ("/slots/my/", "/me/"):
        page = client.get(address).content.decode()
        assert "到院后报到取号" in page
        assert "出示到场码" in page
    with acting(clinic.officer) as officer:
        actions.arrive(booking_key=booking.key, actor=officer)
    for address in ("/slots/my/", "/me/"):
        page = client.get(address).content.decode()
        assert "您是 1 号，下一位就是您。" in page
        assert f'hx-get="{address}"' in page, "whoever waits need not press to learn of the call"
        part = client.get(address, headers={"HX-Request": "true"}).content.decode()
        assert "您是 1 号" in part
        assert "<html" not in part
