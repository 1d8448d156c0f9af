"""Whoever waits is seen by the clinic that is waited for, from joining to the end, and only with what is needed to ask them."""

from datetime import date, timedelta

import pytest
from django.test import Client
from django.utils import timezone

from doorstep.coordination.scheduling import actions, waiting_actions
from doorstep.coordination.scheduling.models import Booking, WaitingEntry
from doorstep.coordination.scheduling.tests.factories import Clinic, book_for, make_clinic, make_slot, want_of
from doorstep.coordination.scheduling.tests.test_kiosk import facts_of, kiosk
from doorstep.kernel.access.actor import Actor, ActorKind, Purpose, system_actor
from doorstep.kernel.access.models import CareRelationship, User
from doorstep.kernel.access.session import acting
from doorstep.kernel.workflow import actions as workflow
from doorstep.people.residents.models import ResidentAccount
from doorstep.people.residents.tests.factories import make_resident, make_staff
from doorstep.site import ticks
from doorstep.site.actors import of_user

pytestmark = pytest.mark.django_db
SYSTEM = system_actor(Purpose.INDICATORS)


@pytest.fixture
def clinic() -> Clinic:
    return make_clinic()


@pytest.fixture
def zhou(clinic: Clinic) -> Actor:
    """周桂兰 on her own phone."""
    with acting(system_actor(Purpose.IMPORT)):
        user = User.objects.create_user("zhou", password="correct-horse-9", kind=User.Kind.RESIDENT)
        ResidentAccount.objects.create(user=user, resident=clinic.resident, since=date(2024, 1, 1))
    return of_user(user)


def desk(clinic: Clinic, *, unit: int) -> Client:
    client = Client()
    client.force_login(make_staff(name="江雪琴", organization_id=unit, role="clinic_desk"))
    return client


def sights(clinic: Clinic, entry: WaitingEntry) -> list[CareRelationship]:
    with acting(SYSTEM):
        return list(
            CareRelationship.objects.filter(organization_id=clinic.world.lead, episode=entry.subject).order_by("id")
        )


def test_who_joins_on_the_own_phone_stands_in_the_list_of_the_clinic(clinic: Clinic, zhou: Actor) -> None:
    assert zhou.kind is ActorKind.RESIDENT
    with acting(zhou):
        entry = waiting_actions.join(resident_id=clinic.resident.pk, want=want_of(clinic, "open"), actor=zhou)
    page = desk(clinic, unit=clinic.world.lead).get("/slots/waiting/").content.decode()
    assert "周桂兰" in page
    (sight,) = sights(clinic, entry)
    assert (sight.scope, sight.basis) == ("episode", "居民本人候补")
    # The hospital is let see who waits, not the record; another unit sees nothing of it.
    assert "周桂兰" not in desk(clinic, unit=clinic.world.other_village).get("/slots/waiting/").content.decode()


def test_whom_a_doctor_puts_on_the_list_stands_there_too(clinic: Clinic) -> None:
    with acting(clinic.doctor) as li:
        waiting_actions.join(resident_id=clinic.resident.pk, want=want_of(clinic, "open"), actor=li)
    assert "周桂兰" in desk(clinic, unit=clinic.world.lead).get("/slots/waiting/").content.decode()


def test_who_leaves_the_list_is_seen_no_more(clinic: Clinic, zhou: Actor) -> None:
    with acting(zhou):
        entry = waiting_actions.join(resident_id=clinic.resident.pk, want=want_of(clinic, "open"), actor=zhou)
        waiting_actions.leave(entry_key=entry.key, actor=zhou)
    (sight,) = sights(clinic, entry)
    assert sight.closes_at is not None
    assert sight.closes_at <= timezone.now()
    assert "周桂兰" not in desk(clinic, unit=clinic.world.lead).get("/slots/waiting/").content.decode()


def test_twenty_who_wait_cost_the_list_no_more_than_one(clinic: Clinic, django_assert_max_num_queries) -> None:  # type: ignore[no-untyped-def]
    village = clinic.world.village
    names = [f"候补{number}" for number in range(20)]
    people = [
        make_resident(organization_id=village, name=name, number="", phone="", panel_of=(village,)) for name in names
    ]
    with acting(clinic.doctor) as li:
        for person in people:
            waiting_actions.join(resident_id=person.pk, want=want_of(clinic, "open"), actor=li)
    client = desk(clinic, unit=clinic.world.lead)
    client.get("/slots/waiting/")
    with django_assert_max_num_queries(15):
        page = client.get("/slots/waiting/").content.decode()
    assert all(name in page for name in names)


def test_who_joined_at_a_machine_answers_the_offer_there(client: Client, clinic: Clinic) -> None:
    slot = make_slot(clinic, open=1)
    house = clinic.world.village
    taker = make_resident(organization_id=house, name="吴大山", number="", phone="", panel_of=(house,))
    standing = book_for(clinic, slot, taker, "open")
    kiosk(client, clinic)
    facts = facts_of(clinic)
    client.post("/slots/kiosk/", facts)
    client.post(f"/slots/kiosk/find/{clinic.schedule.department.key}/wait/")
    page = client.get("/slots/kiosk/mine/").content.decode()
    assert "候补中" in page
    assert "退出候补" in page
    with acting(clinic.doctor) as li:
        actions.cancel(booking_key=standing.key, actor=li, reason="改期")
    with acting(SYSTEM):
        entry = WaitingEntry.objects.get()
    page = client.get("/slots/kiosk/mine/").content.decode()
    assert f"/slots/kiosk/waiting/{entry.key}/accept/" in page
    assert f"/slots/kiosk/waiting/{entry.key}/pass/" in page
    taken = client.post(f"/slots/kiosk/waiting/{entry.key}/accept/")
    assert taken.headers["Location"].endswith("?said=taken")
    with acting(SYSTEM):
        entry.refresh_from_db()
        assert (entry.state, Booking.objects.get(resident=clinic.resident).slot_id) == ("booked", slot.pk)
    # Touched once more, from a page that was left open: nothing is done twice, and it is said.
    assert client.post(f"/slots/kiosk/waiting/{entry.key}/leave/").status_code == 422


def test_nobody_answers_at_a_machine_for_somebody_else(client: Client, clinic: Clinic) -> None:
    house = clinic.world.village
    other = make_resident(organization_id=house, name="吴大山", number="", phone="", panel_of=(house,))
    with acting(clinic.doctor) as li:
        entry = waiting_actions.join(resident_id=other.pk, want=want_of(clinic, "open"), actor=li)
    kiosk(client, clinic)
    client.post("/slots/kiosk/", facts_of(clinic))
    assert client.post(f"/slots/kiosk/waiting/{entry.key}/leave/").status_code == 404
    with acting(SYSTEM):
        entry.refresh_from_db()
    assert entry.state == "waiting"


def test_who_joined_before_clinics_saw_who_waits_is_seen_from_the_next_look_on(clinic: Clinic, zhou: Actor) -> None:
    today = timezone.localdate()
    with acting(zhou):
        entry = WaitingEntry(
            department_id=clinic.schedule.department_id,
            resident=clinic.resident,
            resident_key=clinic.resident.key,
            organization_id=clinic.world.lead,
            source_organization_id=clinic.world.village,
            origin="open",
            channel="self",
            first_day=today,
            last_day=today + timedelta(days=20),
        )
        workflow.begin(entry, "self-join", actor=zhou, details={})
    client = desk(clinic, unit=clinic.world.lead)
    assert "周桂兰" not in client.get("/slots/waiting/").content.decode()
    assert ticks.settle_waiting() == 1
    assert "周桂兰" in client.get("/slots/waiting/").content.decode()
    (sight,) = sights(clinic, entry)
    assert (sight.scope, sight.basis) == ("episode", "已登记候补")
    # Once is enough, and what was closed stays closed.
    assert ticks.settle_waiting() == 0
    with acting(zhou):
        waiting_actions.leave(entry_key=entry.key, actor=zhou)
    assert ticks.settle_waiting() == 0
