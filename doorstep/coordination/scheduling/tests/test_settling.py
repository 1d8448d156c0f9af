"""A new time that came about without the rebooking's button still says which booking of a stopped clinic it replaces."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.utils import timezone

from doorstep.coordination.scheduling import (
    actions,
    booking_queries,
    calling_actions,
    rebooking_actions,
    stopping_actions,
    waiting_actions,
)
from doorstep.coordination.scheduling.fhir import PREVIOUS
from doorstep.coordination.scheduling.models import Booking, Rebooking, Schedule
from doorstep.coordination.scheduling.tests.factories import Clinic, book_for, make_clinic, make_slot, stop, want_of
from doorstep.kernel.access.actor import Actor, ActorKind, Purpose, system_actor
from doorstep.kernel.access.session import acting
from doorstep.kernel.record.models import Resource
from doorstep.people.organizations.models import Department
from doorstep.people.residents.models import Resident

pytestmark = pytest.mark.django_db


def _own(resident: Resident) -> Actor:
    return Actor(
        kind=ActorKind.RESIDENT, display_name=resident.name, user_id=90_000 + resident.pk, resident_ids=(resident.pk,)
    )


def _called_off(clinic: Clinic) -> Booking:
    """周桂兰's booking of tomorrow, called off because the clinic stopped."""
    slot = make_slot(clinic, referral=1)
    booking = book_for(clinic, slot, clinic.resident)
    stop(slot, reason="专家外出会诊")
    with acting(system_actor(Purpose.HANDLER)) as system:
        assert stopping_actions.call_off(slot_ids=[slot.pk], reason="专家外出会诊", actor=system) == 1
    return booking


def _said_to_replace(made: Booking) -> list[str]:
    with acting(system_actor(Purpose.HANDLER)):
        made.refresh_from_db()
        content = Resource.objects.get(type="Appointment", fhir_id=str(made.key)).content
    assert content["status"] == "booked"
    said = [one["valueReference"]["reference"] for one in content.get("extension", []) if one["url"] == PREVIOUS]
    # The row and the record say the same.
    assert said == ([f"Appointment/{made.replaces_key}"] if made.replaces_key else [])
    return said


def test_a_time_booked_at_the_machine_replaces_what_was_called_off() -> None:
    clinic = make_clinic()
    old = _called_off(clinic)
    again = make_slot(clinic, starts_at=timezone.now() + timedelta(days=4), open=1)
    own = _own(clinic.resident)
    with acting(own):
        made = calling_actions.book(slot_key=again.key, origin="open", change="", channel="kiosk", person=own)
    assert _said_to_replace(made) == [f"Appointment/{old.key}"]
    assert (made.changed_from_id, made.wanted_since) == (old.pk, old.wanted_since)


def test_a_place_from_the_waiting_list_replaces_what_was_called_off() -> None:
    clinic = make_clinic()
    old = _called_off(clinic)
    with acting(clinic.doctor) as li:
        entry = waiting_actions.join(resident_id=clinic.resident.pk, want=want_of(clinic), actor=li)
    make_slot(clinic, starts_at=timezone.now() + timedelta(days=6), referral=1)
    with acting(system_actor(Purpose.CLOCKS)) as clocks:
        assert waiting_actions.offer_freed(actor=clocks) == 1
    with acting(clinic.doctor) as li:
        made = waiting_actions.accept(entry_key=entry.key, actor=li)
    assert _said_to_replace(made) == [f"Appointment/{old.key}"]


def test_a_time_that_a_desk_booked_without_the_task_is_found_and_linked() -> None:
    clinic = make_clinic()
    old = _called_off(clinic)
    made = book_for(
        clinic, make_slot(clinic, starts_at=timezone.now() + timedelta(days=5), referral=1), clinic.resident
    )
    assert _said_to_replace(made) == []
    with acting(system_actor(Purpose.CLOCKS)) as clocks:
        assert rebooking_actions.settle_found(actor=clocks) == 1
        assert rebooking_actions.settle_found(actor=clocks) == 0
    assert _said_to_replace(made) == [f"Appointment/{old.key}"]


def test_a_booking_that_replaces_another_already_keeps_its_word() -> None:
    clinic = make_clinic()
    first = book_for(
        clinic, make_slot(clinic, starts_at=timezone.now() + timedelta(days=2), referral=1), clinic.resident
    )
    old = _called_off(clinic)
    own = _own(clinic.resident)
    later = make_slot(clinic, starts_at=timezone.now() + timedelta(days=7), referral=1)
    with acting(clinic.doctor) as li:
        made = actions.move(booking_key=first.key, slot_key=later.key, origin="referral", actor=li)
    with acting(own):
        task = rebooking_actions.settle(booking=made, actor=own)
        assert task is not None
        assert (task.state, task.new_booking_id, task.booking_id) == ("done", made.pk, old.pk)
    assert _said_to_replace(made) == [f"Appointment/{first.key}"]


def test_another_department_settles_nothing() -> None:
    clinic = make_clinic()
    _called_off(clinic)
    with acting(system_actor(Purpose.IMPORT)):
        eyes = Department.objects.create(organization_id=clinic.world.lead, code="1201", name="眼科")
        beside = Schedule.objects.create(organization_id=clinic.world.lead, department=eyes)
    elsewhere = replace(clinic, schedule=beside)
    made = book_for(
        elsewhere, make_slot(elsewhere, starts_at=timezone.now() + timedelta(days=3), referral=1), clinic.resident
    )
    with acting(system_actor(Purpose.CLOCKS)) as clocks:
        assert rebooking_actions.settle_found(actor=clocks) == 0
    assert _said_to_replace(made) == []
    with acting(clinic.doctor):
        assert len(booking_queries.open_rebookings(resident_ids=[clinic.resident.pk])) == 1


def test_one_new_time_answers_one_of_two_that_were_called_off() -> None:
    clinic = make_clinic()
    first = _called_off(clinic)
    second_slot = make_slot(clinic, starts_at=timezone.now() + timedelta(days=2), referral=1)
    second = book_for(clinic, second_slot, clinic.resident)
    stop(second_slot, reason="专家外出会诊")
    with acting(system_actor(Purpose.HANDLER)) as system:
        stopping_actions.call_off(slot_ids=[second_slot.pk], reason="专家外出会诊", actor=system)
    times = [make_slot(clinic, starts_at=timezone.now() + timedelta(days=day), referral=1) for day in (5, 6)]
    with acting(clinic.doctor) as li:
        key = Rebooking.objects.get(booking=first).key
        made = rebooking_actions.rebook(key=key, slot_key=times[0].key, origin="referral", actor=li)
    with acting(system_actor(Purpose.CLOCKS)) as clocks:
        # The other visit still wants its time.
        assert rebooking_actions.settle_found(actor=clocks) == 0
        assert rebooking_actions.settle(booking=made, actor=clocks) is None
        assert Rebooking.objects.get(booking=second).state == "open"
    again = book_for(clinic, times[1], clinic.resident)
    with acting(system_actor(Purpose.CLOCKS)) as clocks:
        assert rebooking_actions.settle_found(actor=clocks) == 1
        assert Rebooking.objects.get(booking=second).new_booking_id == again.pk
