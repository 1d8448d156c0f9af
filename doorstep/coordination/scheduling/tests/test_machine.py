"""Any order of hold, release, book, cancel and expire: the places always add up and none is booked twice."""

import uuid
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from doorstep.coordination.scheduling import actions, queries
from doorstep.coordination.scheduling.models import Booking
from doorstep.coordination.scheduling.tests.factories import Clinic, make_clinic, make_slot
from doorstep.kernel.access.actor import Purpose, system_actor
from doorstep.kernel.access.refusals import Conflict
from doorstep.kernel.access.session import acting, bind
from doorstep.people.residents.tests.factories import make_resident

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

PLACES = {"referral": 2, "open": 1}
ACTS = st.sampled_from(["hold", "release", "book", "cancel", "expire", "wait"])


class Story:
    """A run of acts with a model of what the places must be."""

    def __init__(self, clinic: Clinic, slots: list[Any], residents: list[int], clock: Any) -> None:
        self.clinic, self.slots, self.residents, self.clock = clinic, slots, residents, clock
        self.now: datetime = timezone.now()
        self.holds: dict[uuid.UUID, datetime] = {}
        self.booked: list[uuid.UUID] = []

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
        elif act == "wait":
            self.now += timedelta(minutes=4)
            self.clock.move_to(self.now)
        elif act == "expire":
            bind(system_actor(Purpose.CLOCKS))
            actions.expire_holds(actor=system_actor(Purpose.CLOCKS), now=self.now)
            bind(actor)
        elif act == "cancel" and self.booked:
            actions.cancel(booking_key=self.booked.pop(number % len(self.booked)), actor=actor, reason="改期")
        elif self.holds and act in ("release", "book"):
            key = list(self.holds)[number % len(self.holds)]
            until = self.holds.pop(key)
            if act == "release":
                actions.release(hold_key=key, actor=actor)
            else:
                self._book(key, until, self.residents[number % len(self.residents)])

    def _book(self, key: uuid.UUID, until: datetime, resident_id: int) -> None:
        try:
            booking = actions.book(
                hold_key=key, resident_id=resident_id, actor=self.clinic.doctor, reference="referral/story"
            )
        except Conflict as refused:
            if refused.code == "resident-busy":
                self.holds[key] = until
            else:
                assert until <= self.now
            return
        assert until > self.now
        self.booked.append(booking.key)

    def check(self) -> None:
        """Places = free + held + booked, and one booking a place."""
        counts = queries.counts(slot_ids=[slot.id for slot in self.slots])
        assert sum(counts.values()) == 2 * sum(PLACES.values())
        assert counts["booked"] == len(self.booked)
        assert counts["held"] >= self.live()
        places = list(Booking.objects.exclude(state="cancelled").values_list("place_id", flat=True))
        assert len(places) == len(set(places))


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(acts=st.lists(st.tuples(ACTS, st.integers(0, 9)), max_size=25))
def test_places_add_up_after_any_story(acts: list[tuple[str, int]]) -> None:
    start_of_story = datetime.fromisoformat("2026-03-02T00:00:00+00:00")
    with time_machine.travel(start_of_story, tick=False) as clock, transaction.atomic():
        clinic = make_clinic()
        start = timezone.now() + timedelta(days=2)
        slots = [make_slot(clinic, starts_at=start + timedelta(hours=number), **PLACES) for number in range(2)]
        village = clinic.world.village
        others = [
            make_resident(organization_id=village, name=name, number="", phone="", panel_of=(village,)).id
            for name in ("钱进", "孙立")
        ]
        story = Story(clinic, slots, [clinic.resident.id, *others], clock)
        with acting(clinic.doctor):
            for act, number in acts:
                story.go(act, number)
                story.check()
        transaction.set_rollback(True)
