"""Two people at once, one stops and one resumes: whatever comes of it holds together, and nobody is left between."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from doorstep.coordination.scheduling import resuming_actions, stopping_actions
from doorstep.coordination.scheduling.models import Booking, Place, Rebooking, Slot
from doorstep.coordination.scheduling.tests.factories import Clinic, book_for, make_clinic, make_slot
from doorstep.kernel.access.actor import Actor, Purpose, system_actor
from doorstep.kernel.access.refusals import Refused
from doorstep.kernel.access.session import acting
from doorstep.people.residents.tests.factories import make_resident, make_staff
from doorstep.site.actors import of_user

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
PEOPLE = 6


def _together(*acts: Callable[[], None]) -> list[BaseException]:
    """Run acts at the same moment, each with a connection of its own; returns what failed."""
    start, faults = threading.Barrier(len(acts)), []

    def run(act: Callable[[], None]) -> None:
        start.wait()
        try:
            act()
        except BaseException as fault:
            faults.append(fault)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return faults


def _managers(clinic: Clinic) -> tuple[Actor, Actor]:
    lead = clinic.world.lead
    names = ("周敏", "凌志华")
    return tuple(of_user(make_staff(name=name, organization_id=lead, role="clinic_manager")) for name in names)  # type: ignore[return-value]


def _handlers(slot: Slot) -> None:
    """The house's own work after both, in either order: it may come at any time."""
    with acting(system_actor(Purpose.HANDLER)) as house:
        stopping_actions.call_off(slot_ids=[slot.pk], reason="会诊", actor=house)
        resuming_actions.give_back_times(slot_ids=[slot.pk], actor=house)


def _holds_together(slot: Slot) -> None:
    with acting(system_actor(Purpose.INDICATORS)):
        slot.refresh_from_db()
        booked = set(Booking.objects.filter(slot=slot, state="booked").values_list("resident_id", flat=True))
        waiting = set(Rebooking.objects.filter(state="open").values_list("resident_id", flat=True))
        places = sorted(Place.objects.filter(slot=slot).values_list("state", flat=True))
        assert len(booked | waiting) == PEOPLE
        assert not booked & waiting
        if slot.stopped_at is None:
            assert (len(booked), places) == (PEOPLE, ["booked"] * PEOPLE)
        else:
            assert (len(waiting), places) == (PEOPLE, ["free"] * PEOPLE)


def test_stop_and_resume_at_the_same_moment() -> None:
    clinic = make_clinic()
    first, second = _managers(clinic)
    slot = make_slot(clinic, open=PEOPLE)
    village = clinic.world.village
    for number in range(PEOPLE):
        person = make_resident(organization_id=village, name=f"居民{number}", number="", phone="", panel_of=(village,))
        book_for(clinic, slot, person, origin="open")
    span: dict[str, Any] = {"since": slot.starts_at - timedelta(minutes=1), "until": slot.ends_at}

    def stop() -> None:
        with acting(first):
            stopping_actions.stop_clinic(schedule=clinic.schedule, reason="会诊", actor=first, **span)

    def resume() -> None:
        with acting(second):
            resuming_actions.resume_clinic(schedule=clinic.schedule, actor=second, **span)

    def call_off() -> None:
        with acting(system_actor(Purpose.HANDLER)) as house:
            stopping_actions.call_off(slot_ids=[slot.pk], reason="会诊", actor=house)

    for _round in range(4):
        refused = _together(stop, resume)
        assert all(isinstance(one, Refused) for one in refused), refused
        _handlers(slot)
        _holds_together(slot)
        # The house calls off one by one while somebody resumes.
        with acting(system_actor(Purpose.HANDLER)):
            stands = not Slot.objects.filter(pk=slot.pk, stopped_at__isnull=False).exists()
        if stands:
            assert _together(stop) == []
        refused = _together(call_off, resume)
        assert all(isinstance(one, Refused) for one in refused), refused
        _handlers(slot)
        _holds_together(slot)
