"""A family doctor or a desk books for somebody, also for who is paused after three missed visits."""

import uuid
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from doorstep.coordination.scheduling import booking_queries, stopping_actions
from doorstep.coordination.scheduling.models import Booking, Place
from doorstep.coordination.scheduling.tests.factories import Clinic, book_for, make_clinic, make_slot, stop, told
from doorstep.kernel.access.actor import Purpose, system_actor
from doorstep.kernel.access.models import User
from doorstep.kernel.access.session import acting
from doorstep.people.residents.tests.factories import make_staff

pytestmark = pytest.mark.django_db
SYSTEM = system_actor(Purpose.INDICATORS)


def _doctor(client: Client, clinic: Clinic) -> str:
    client.force_login(User.objects.get(username="li"))
    return f"/slots/for/{clinic.resident.key}/"


def _sent(slot: object) -> dict[str, str]:
    return {"slot": str(slot), "idempotency_key": str(uuid.uuid4())}


def test_a_doctor_books_out_of_the_communitys_share_and_the_resident_is_told(client: Client) -> None:
    clinic = make_clinic()
    slot = make_slot(clinic, community=1, own=1)
    page = _doctor(client, clinic)
    department = f"{page}?department={clinic.schedule.department.key}"
    assert "心血管内科" in client.get(page).content.decode()
    times = client.get(department).content.decode()
    assert "王主任" in times
    assert "社区号" in times
    sent = _sent(slot.key)
    made = client.post(department, sent)
    assert made.status_code == 302
    # Pressed twice: one booking.
    assert client.post(department, sent).headers["Location"] == made.headers["Location"]
    with acting(SYSTEM):
        booking = Booking.objects.get()
        assert (booking.resident_id, booking.quota, booking.channel) == (clinic.resident.pk, "community", "doctor")
        assert booking.source_organization_id == clinic.world.village
    assert [kind for kind, _params in told(clinic.resident.pk)] == ["booking-made"]
    assert "周桂兰" in client.get(made.headers["Location"]).content.decode()


def test_who_is_paused_is_booked_by_the_doctor(client: Client) -> None:
    clinic = make_clinic()
    with acting(SYSTEM):
        like = book_for(clinic, make_slot(clinic, referral=1), clinic.resident)
    with acting(system_actor(Purpose.IMPORT)):
        for days in (2, 12, 22):
            missed = make_slot(clinic, starts_at=timezone.now() - timedelta(days=days), open=1)
            Booking.objects.create(
                place=Place.objects.get(slot=missed),
                slot=missed,
                resident_id=like.resident_id,
                resident_key=like.resident_key,
                organization_id=like.organization_id,
                source_organization_id=like.source_organization_id,
                quota="open",
                period=(missed.starts_at, missed.ends_at),
                hold_key=uuid.uuid4(),
                state="no-show",
                consortium_id=like.consortium_id,
            )
        assert booking_queries.paused_until(resident_id=clinic.resident.pk) is not None
    slot = make_slot(clinic, starts_at=timezone.now() + timedelta(days=5), open=1)
    page = f"{_doctor(client, clinic)}?department={clinic.schedule.department.key}"
    assert client.post(page, _sent(slot.key)).status_code == 302


def test_too_late_names_the_next_time_and_nothing_is_half_saved(client: Client) -> None:
    clinic = make_clinic()
    gone = make_slot(clinic, own=1)
    following = make_slot(clinic, starts_at=timezone.now() + timedelta(days=3), community=1)
    page = f"{_doctor(client, clinic)}?department={clinic.schedule.department.key}"
    late = client.post(page, _sent(gone.key))
    assert late.status_code == 422
    assert f'value="{following.key}"' in late.content.decode()
    assert client.post(page, _sent("x")).status_code == 404
    assert client.post(page, _sent(uuid.uuid4())).status_code == 404
    client.force_login(User.objects.get(username="zhao"))
    assert client.get(page).status_code == 404
    assert client.post(page, _sent(following.key)).status_code == 404
    with acting(SYSTEM):
        assert not Booking.objects.exists()
        assert not Place.objects.exclude(state="free").exists()


def test_a_new_time_answers_what_a_stopped_clinic_left(client: Client) -> None:
    clinic = make_clinic()
    slot = make_slot(clinic, community=1)
    old = book_for(clinic, slot, clinic.resident, "community")
    stop(slot, reason="专家外出")
    with acting(system_actor(Purpose.HANDLER)) as system:
        stopping_actions.call_off(slot_ids=[slot.pk], reason="专家外出", actor=system)
    again = make_slot(clinic, starts_at=timezone.now() + timedelta(days=3), community=1)
    page = f"{_doctor(client, clinic)}?department={clinic.schedule.department.key}"
    assert client.post(page, _sent(again.key)).status_code == 302
    with acting(SYSTEM):
        made = Booking.objects.get(slot=again)
        assert (made.changed_from_id, old.rebooking.new_booking_id) == (old.pk, made.pk)


def test_a_desk_takes_its_houses_own_places(client: Client) -> None:
    clinic = make_clinic()
    slot = make_slot(clinic, own=1)
    # Whoever is looked after at the house itself: a visit there has opened the way.
    desk = make_staff(name="何静", organization_id=clinic.world.lead, role="clinic_desk")
    client.force_login(desk)
    page = f"/slots/for/{clinic.resident.key}/?department={clinic.schedule.department.key}"
    assert client.get(page).status_code == 404
    book_for(clinic, make_slot(clinic, starts_at=timezone.now() + timedelta(days=8), referral=1), clinic.resident)
    times = client.get(page).content.decode()
    assert "本院号" in times
    assert client.post(page, _sent(slot.key)).status_code == 302
    with acting(SYSTEM):
        assert Booking.objects.get(slot=slot).channel == "desk"


def test_twenty_times_ask_no_more_than_two(client: Client) -> None:
    clinic = make_clinic()
    for number in range(2):
        make_slot(clinic, starts_at=timezone.now() + timedelta(days=1, hours=number), community=1)
    page = f"{_doctor(client, clinic)}?department={clinic.schedule.department.key}"
    client.get(page)
    with CaptureQueriesContext(
        connection,
    ) as few:
        client.get(page)
    for number in range(2, 20):
        make_slot(clinic, starts_at=timezone.now() + timedelta(days=1, hours=number), community=1)
    with CaptureQueriesContext(connection) as many:
        assert client.get(page).content.decode().count("约此号") >= 20
    assert len(many) == len(few) <= 14
