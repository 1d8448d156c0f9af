"""Any order of all acts on the pool: the places always add up, none is booked twice, nobody is expected twice at one time."""

import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from doorstep.coordination.scheduling import (
    actions,
    attending_actions,
    queries,
    queue_actions,
    quota_actions,
    resuming_actions,
    stopping_actions,
    waiting_actions,
)
from doorstep.coordination.scheduling.models import Booking, WaitingEntry
from doorstep.coordination.scheduling.states import EXPECTED
from doorstep.coordination.scheduling.tests.factories import Clinic, make_clinic, make_slot
from doorstep.coordination.scheduling.waiting_actions import Want
from doorstep.kernel.access.actor import Actor, Purpose, system_actor
from doorstep.kernel.access.refusals import Conflict, Refused
from doorstep.kernel.access.session import acting, bind
from doorstep.people.residents.tests.factories import make_resident, make_staff
from doorstep.site.actors import of_user

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

PLACES = {"referral": 2, "open": 1}
ACTS = st.sampled_from(
    [
        "hold",
        "hold",
        "release",
        "book",
        "book",
        "at-once",
        "cancel",
        "change",
        "expire",
        "wait",
        "join",
        "offer",
        "accept",
        "pass",
        "leave",
        "overbook",
        "arrive",
        "stop",
        "resume",
        "left",
        "sink",
    ]
)
SYSTEM = system_actor(Purpose.CLOCKS)


class Story:
    """A run of acts with a model of what the places must be."""

    def __init__(self, clinic: Clinic, slots: list[Any], residents: list[int], clock: Any, manager: Actor) -> None:
        self.clinic, self.slots, self.residents, self.clock = clinic, slots, residents, clock
        self.manager = manager
        self.now: datetime = timezone.now()
        self.holds: dict[uuid.UUID, datetime] = {}
        self.booked: list[uuid.UUID] = []
        self.waits: list[uuid.UUID] = []
        self.extras = 0

    def live(self) -> int:
        """How many holds have not run out."""
        return sum(until > self.now for until in self.holds.values())

    def go(self, act: str, number: int) -> None:
        """Take one act and compare."""
        actor = self.clinic.doctor
        if act == "hold":
            try:
                held = actions.hold(
                    slot_key=self.slots[number % 2].key, origin="referral", actor=actor, resident_id=self.residents[0]
                )
                self.holds[held.key] = held.until
            except actions.NoPlaceLeft:
                pass
            except Conflict:
                # What it was for stands already, be it an added place that this doctor does not see.
                bind(SYSTEM)
                assert Booking.objects.filter(resident_id=self.residents[0], state__in=EXPECTED).exists()
                bind(actor)
        elif act == "wait":
            self.now += timedelta(minutes=4)
            self.clock.move_to(self.now)
        elif act == "expire":
            bind(system_actor(Purpose.CLOCKS))
            actions.expire_holds(actor=system_actor(Purpose.CLOCKS), now=self.now)
            bind(actor)
        elif act in OTHERS:
            try:
                with transaction.atomic():
                    OTHERS[act](self, number)
            except Refused:
                bind(actor)
        elif self.holds and act in ("release", "book"):
            key = list(self.holds)[number % len(self.holds)]
            until = self.holds.pop(key)
            if act == "release":
                actions.release(hold_key=key, actor=actor)
            else:
                self._book(key, until, self.residents[number % len(self.residents)])

    def cancel(self, number: int) -> None:
        """Give a booking back; an added place is gone with it."""
        if self.booked:
            key = self.booked[number % len(self.booked)]
            gone = actions.cancel(booking_key=key, actor=self.clinic.doctor, reason="改期")
            self.booked.remove(key)
            self.extras -= gone.place.is_extra

    def at_once(self, number: int) -> None:
        """Hold and book in one act."""
        made = actions.book_at_once(
            slot_key=self.slots[number % 2].key,
            origin="referral",
            resident_id=self.residents[number % len(self.residents)],
            actor=self.clinic.doctor,
            request_key=uuid.uuid4(),
        )
        self.booked.append(made.key)

    def change(self, number: int) -> None:
        """Move a booking to the other slot."""
        if self.booked:
            key = self.booked[number % len(self.booked)]
            old = Booking.objects.filter(key=key).first()
            if old is None:
                # An added place of somebody whom this doctor does not see.
                return
            made = actions.move(
                booking_key=key,
                slot_key=self.slots[number % 2].key,
                origin="referral",
                actor=self.clinic.doctor,
            )
            self.booked[self.booked.index(key)] = made.key
            self.extras -= old.place.is_extra

    def join(self, number: int) -> None:
        """Wait for a place."""
        today = timezone.localdate()
        want = Want(
            department_id=self.clinic.schedule.department_id,
            origin="referral",
            first_day=today,
            last_day=today + timedelta(days=9),
        )
        resident_id = self.residents[number % len(self.residents)]
        self.waits.append(waiting_actions.join(resident_id=resident_id, want=want, actor=self.clinic.doctor).key)

    def offer(self, _number: int) -> None:
        """Let the ticks of the waiting list run."""
        bind(SYSTEM)
        waiting_actions.expire_offers(actor=SYSTEM)
        waiting_actions.offer_freed(actor=SYSTEM)
        bind(self.clinic.doctor)

    def answer(self, number: int, verb: str) -> None:
        """Take an offer, pass it by, or leave the list."""
        if self.waits:
            key = self.waits[number % len(self.waits)]
            if verb == "accept":
                before = WaitingEntry.objects.get(key=key).state
                made = waiting_actions.accept(entry_key=key, actor=self.clinic.doctor)
                if before == "offered":
                    self.booked.append(made.key)
            elif verb == "pass":
                waiting_actions.pass_by(entry_key=key, actor=self.clinic.doctor)
            else:
                waiting_actions.leave(entry_key=key, actor=self.clinic.doctor)

    def overbook(self, number: int) -> None:
        """Add a place for one person."""
        bind(self.manager)
        made = queue_actions.overbook(
            slot_key=self.slots[number % 2].key,
            resident_id=self.residents[number % len(self.residents)],
            reason="病情需要加号",
            actor=self.manager,
        )
        bind(self.clinic.doctor)
        self.booked.append(made.key)
        self.extras += 1

    def arrive(self, number: int) -> None:
        """Check somebody in: the place stays taken for good."""
        if self.booked:
            bind(self.manager)
            # On the day; before it nobody is checked in.
            self.clock.move_to(self.slots[0].starts_at - timedelta(minutes=5))
            try:
                actions.arrive(booking_key=self.booked[number % len(self.booked)], actor=self.manager)
            finally:
                self.clock.move_to(self.now)
            bind(self.clinic.doctor)

    def stop(self, number: int) -> None:
        """Stop one slot and call everybody off."""
        slot = self.slots[number % 2]
        bind(self.manager)
        stopping_actions.stop_clinic(
            schedule=self.clinic.schedule,
            since=slot.starts_at,
            until=slot.starts_at + timedelta(minutes=1),
            reason="设备故障",
            actor=self.manager,
        )
        bind(SYSTEM)
        stopping_actions.call_off(slot_ids=[slot.id], reason="设备故障", actor=SYSTEM)
        gone = list(Booking.objects.filter(key__in=self.booked, state="cancelled").select_related("place"))
        bind(self.clinic.doctor)
        for booking in gone:
            self.booked.remove(booking.key)
            self.extras -= booking.place.is_extra

    def resume(self, number: int) -> None:
        """Let one slot take place after all: who has no new time has the old one back."""
        slot = self.slots[number % 2]
        bind(self.manager)
        resuming_actions.resume_clinic(
            schedule=self.clinic.schedule,
            since=slot.starts_at,
            until=slot.starts_at + timedelta(minutes=1),
            actor=self.manager,
        )
        bind(SYSTEM)
        resuming_actions.give_back_times(slot_ids=[slot.id], actor=SYSTEM)
        back = Booking.objects.filter(slot=slot, state="booked", changed_from__rebooking__state="done")
        for booking in back.exclude(key__in=self.booked).select_related("place"):
            self.booked.append(booking.key)
            self.extras += booking.place.is_extra
        bind(self.clinic.doctor)

    def left(self, number: int) -> None:
        """Somebody who checked in leaves unseen, or the check-in is taken back."""
        bind(self.manager)
        here = Booking.objects.filter(key__in=self.booked, state="arrived").order_by("id").first()
        if here is not None and number % 2:
            attending_actions.leave(booking_key=here.key, actor=self.manager)
        elif here is not None:
            attending_actions.take_back_arrival(booking_key=here.key, reason="按错了人", actor=self.manager)
        bind(self.clinic.doctor)

    def sink(self, _number: int) -> None:
        """Let the release rule run."""
        bind(SYSTEM)
        quota_actions.sink(actor=SYSTEM)
        bind(self.clinic.doctor)

    def _book(self, key: uuid.UUID, until: datetime, resident_id: int) -> None:
        try:
            # Without a reference the booking itself lets the clinic see it: nothing stands behind one here.
            booking = actions.book(hold_key=key, resident_id=resident_id, actor=self.clinic.doctor)
        except Conflict as refused:
            if refused.code in ("resident-busy", "same-half-day"):
                self.holds[key] = until
            return
        assert until > self.now
        self.booked.append(booking.key)

    def check(self) -> None:
        """Places = free + held + booked, and one booking a place."""
        counts = queries.counts(slot_ids=[slot.id for slot in self.slots])
        assert sum(counts.values()) == 2 * sum(PLACES.values()) + self.extras
        assert counts["booked"] == len(self.booked)
        standing = list(Booking.objects.exclude(state="cancelled").values_list("place_id", "resident_id", "half_day"))
        assert len(standing) == len({place for place, _person, _half_day in standing})
        # None of the story's acts says that a second visit in a half day is meant.
        assert len(standing) == len({(person, half_day) for _place, person, half_day in standing})


OTHERS: dict[str, Callable[[Story, int], None]] = {
    "cancel": Story.cancel,
    "at-once": Story.at_once,
    "change": Story.change,
    "join": Story.join,
    "offer": Story.offer,
    "accept": lambda story, number: story.answer(number, "accept"),
    "pass": lambda story, number: story.answer(number, "pass"),
    "leave": lambda story, number: story.answer(number, "leave"),
    "overbook": Story.overbook,
    "arrive": Story.arrive,
    "stop": Story.stop,
    "sink": Story.sink,
}


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(acts=st.lists(st.tuples(ACTS, st.integers(0, 9)), max_size=25))
def test_places_add_up_after_any_story(acts: list[tuple[str, int]]) -> None:
    # Of today: the database looks at its own clock when it decides who may see whom.
    start_of_story = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    with time_machine.travel(start_of_story, tick=False) as clock, transaction.atomic():
        clinic = make_clinic()
        start = timezone.now() + timedelta(days=2)
        slots = [make_slot(clinic, starts_at=start + timedelta(hours=number), **PLACES) for number in range(2)]
        village = clinic.world.village
        others = [
            make_resident(organization_id=village, name=name, number="", phone="", panel_of=(village,)).id
            for name in ("钱进", "孙立")
        ]
        manager = of_user(make_staff(name="周敏", organization_id=clinic.world.lead, role="clinic_manager"))
        story = Story(clinic, slots, [clinic.resident.id, *others], clock, manager)
        with acting(clinic.doctor):
            for act, number in acts:
                story.go(act, number)
                story.check()
        transaction.set_rollback(True)
