"""After a stop and with an offer: by telephone to the end, not reached, taken, left, and not wanted any more."""

from datetime import date, timedelta

import pytest
from django.test import Client
from django.utils import timezone

from doorstep.coordination.scheduling import resuming_actions, stopping_actions, waiting_actions
from doorstep.coordination.scheduling.models import Booking, Rebooking, Slot, WaitingEntry
from doorstep.coordination.scheduling.tests.factories import Clinic, book_for, make_clinic, make_slot, stop, want_of
from doorstep.kernel.access.actor import Purpose, system_actor
from doorstep.kernel.access.models import User
from doorstep.kernel.access.session import acting
from doorstep.people.residents.models import ResidentAccount
from doorstep.people.residents.tests.factories import ZHOU_NUMBER, make_staff
from doorstep.site.actors import of_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def clinic() -> Clinic:
    return make_clinic()


def _stopped(clinic: Clinic) -> Rebooking:
    slot = make_slot(clinic, open=1)
    book_for(clinic, slot, clinic.resident, origin="open")
    stop(slot, reason="专家外出会诊")
    with acting(system_actor(Purpose.HANDLER)) as house:
        stopping_actions.call_off(slot_ids=[slot.pk], reason="专家外出会诊", actor=house)
        return Rebooking.objects.get()


def _offered(clinic: Clinic) -> WaitingEntry:
    with acting(clinic.doctor) as li:
        entry = waiting_actions.join(resident_id=clinic.resident.pk, want=want_of(clinic, "open"), actor=li)
    make_slot(clinic, starts_at=timezone.now() + timedelta(days=3), open=1)
    with acting(system_actor(Purpose.CLOCKS)) as house:
        assert waiting_actions.offer_freed(actor=house) == 1
        return WaitingEntry.objects.get(pk=entry.pk)


def _call(client: Client, clinic: Clinic) -> str:
    """The caller is verified at the desk; returns the page."""
    client.force_login(make_staff(name="江雪琴", organization_id=clinic.world.lead, role="clinic_desk"))
    facts = {"number": ZHOU_NUMBER, "name": "周桂兰", "phone_last_four": "1234"}
    assert client.post("/slots/phone/", facts).status_code == 302
    assert client.post("/slots/phone/verify/").status_code == 302
    return client.get("/slots/phone/").content.decode()


def test_not_reached_is_counted_where_the_task_is_listed(client: Client, clinic: Clinic) -> None:
    task = _stopped(clinic)
    client.force_login(User.objects.get(username="li"))
    page = f"/slots/rebookings/{task.key}/"
    assert "tel:19900001234" in client.get(page).content.decode()
    for _number in range(2):
        told = client.post(f"{page}missed/", follow=True).content.decode()
    assert "未接通 2 次" in told
    assert "未接通 2 次" in client.get("/slots/rebookings/").content.decode()
    dropped = client.post(page, {"act": "drop", "reason": "居民已在外地就诊"}, follow=True)
    assert dropped.status_code == 200
    assert client.post(f"{page}missed/").status_code == 409
    stranger = Client()
    stranger.force_login(User.objects.get(username="zhao"))
    assert stranger.post(f"{page}missed/").status_code == 404


def test_not_reached_about_an_offer(client: Client, clinic: Clinic) -> None:
    entry = _offered(clinic)
    client.force_login(User.objects.get(username="li"))
    page = f"/slots/waiting/{entry.key}/"
    assert "tel:19900001234" in client.get(page).content.decode()
    assert "未接通 1 次" in client.post(f"{page}missed/", follow=True).content.decode()
    with acting(system_actor(Purpose.INDICATORS)):
        entry.refresh_from_db()
    assert (entry.state, entry.calls_missed) == ("offered", 1)


def test_the_desk_sees_what_was_stopped_and_finds_a_new_time(client: Client, clinic: Clinic) -> None:
    task, later = _stopped(clinic), make_slot(clinic, starts_at=timezone.now() + timedelta(days=2), open=1)
    page = _call(client, clinic)
    assert "停诊，待改约" in page
    assert "专家外出会诊" in page
    chosen = f"/slots/phone/?department={clinic.schedule.department.key}"
    assert chosen in page
    assert str(later.key) in client.get(chosen).content.decode()
    assert client.post(f"/slots/phone/book/{later.key}/", {"department": ""}).status_code == 302
    with acting(system_actor(Purpose.INDICATORS)):
        task.refresh_from_db()
        made = Booking.objects.get(state="booked")
    assert (task.state, task.new_booking_id, made.channel) == ("done", made.pk, "phone")
    assert "停诊，待改约" not in client.get("/slots/phone/").content.decode()


def test_the_desk_notes_that_no_new_time_is_wanted(client: Client, clinic: Clinic) -> None:
    task = _stopped(clinic)
    _call(client, clinic)
    told = client.post(f"/slots/phone/rebookings/{task.key}/drop/", follow=True).content.decode()
    assert "不再改约" in told
    with acting(system_actor(Purpose.INDICATORS)):
        task.refresh_from_db()
    assert task.state == "dropped"


@pytest.mark.parametrize(
    ("verb", "state", "bookings"), [("accept", "booked", 1), ("pass", "waiting", 0), ("leave", "left", 0)]
)
def test_the_desk_answers_an_offer_for_the_caller(
    client: Client, clinic: Clinic, verb: str, state: str, bookings: int
) -> None:
    entry = _offered(clinic)
    assert "有号待确认" in _call(client, clinic)
    assert client.post(f"/slots/phone/waiting/{entry.key}/{verb}/").status_code == 302
    assert client.get("/slots/phone/").status_code == 200
    with acting(system_actor(Purpose.INDICATORS)):
        entry.refresh_from_db()
        assert (entry.state, Booking.objects.filter(state="booked").count()) == (state, bookings)
    assert client.post(f"/slots/phone/waiting/{entry.key}/x/").status_code == 404


def test_residents_say_themselves_that_they_want_no_new_time(client: Client, clinic: Clinic) -> None:
    task = _stopped(clinic)
    with acting(system_actor(Purpose.IMPORT)):
        user = User.objects.create_user("zhou", password="correct-horse-9", kind=User.Kind.RESIDENT)
        ResidentAccount.objects.create(user=user, resident=clinic.resident, since=date(2024, 1, 1))
    client.force_login(user)
    assert f"/slots/my/rebookings/{task.key}/drop/" in client.get("/slots/my/").content.decode()
    assert client.post(f"/slots/my/rebookings/{task.key}/drop/").status_code == 302
    assert "停诊，请改约" not in client.get("/slots/my/").content.decode()
    with acting(system_actor(Purpose.INDICATORS)):
        assert Rebooking.objects.get().state == "dropped"


def test_a_number_that_is_none_finds_no_session(client: Client, clinic: Clinic) -> None:
    client.force_login(make_staff(name="凌志华", organization_id=clinic.world.lead, role="clinic_manager"))
    for wrong in ("²", "9" * 40, ""):
        sent = {"act": "remove", "what": wrong}
        assert client.post(f"/slots/schedules/{clinic.schedule.key}/", sent).status_code == 404, wrong
        assert client.get(f"/slots/screen/?department={wrong}").status_code == 200, wrong
    assert Slot.objects.count() == 0


def test_who_is_given_the_old_time_back_is_offered_no_other_meanwhile(clinic: Clinic) -> None:
    task = _stopped(clinic)
    manager = of_user(make_staff(name="凌志华", organization_id=clinic.world.lead, role="clinic_manager"))
    with acting(clinic.doctor) as li:
        entry = waiting_actions.join(resident_id=clinic.resident.pk, want=want_of(clinic, "open"), actor=li)
    with acting(manager):
        slot = Slot.objects.get()
        resuming_actions.resume_clinic(
            schedule=clinic.schedule, since=slot.starts_at, until=slot.ends_at, actor=manager
        )
    make_slot(clinic, starts_at=timezone.now() + timedelta(days=3), open=1)
    with acting(system_actor(Purpose.CLOCKS)) as house:
        assert waiting_actions.offer_freed(actor=house) == 0
    with acting(system_actor(Purpose.HANDLER)) as house:
        assert resuming_actions.give_back_times(slot_ids=[slot.pk], actor=house) == 1
        assert waiting_actions.settle_served(actor=house) == 1
    with acting(system_actor(Purpose.INDICATORS)):
        task.refresh_from_db()
        entry.refresh_from_db()
    assert (task.state, entry.state) == ("done", "booked")
