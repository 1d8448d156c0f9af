"""What the record says of slots follows the bookings."""

from datetime import timedelta

import pytest
from django.utils import timezone

from doorstep.coordination.scheduling import actions, showing
from doorstep.coordination.scheduling.models import Booking, Slot
from doorstep.coordination.scheduling.tests.factories import make_clinic, make_slot
from doorstep.kernel.access.actor import Purpose, system_actor
from doorstep.kernel.access.session import acting

pytestmark = pytest.mark.django_db


def test_show_turned_finds_what_moved_and_the_long_look_what_took_long() -> None:
    clinic = make_clinic()
    full, open_still = (
        make_slot(clinic, referral=1),
        make_slot(clinic, starts_at=timezone.now() + timedelta(days=9), referral=2),
    )
    with acting(clinic.doctor) as li:
        for slot in (full, open_still):
            held = actions.hold(slot_key=slot.key, origin="referral", actor=li, resident_id=clinic.resident.id)
            made = actions.book(hold_key=held.key, resident_id=clinic.resident.id, actor=li)
    with acting(system_actor(Purpose.CLOCKS)) as clock:
        Slot.objects.update(shown="free")
        assert showing.show_turned(actor=clock) == 1
        assert dict(Slot.objects.values_list("id", "shown")) == {full.pk: "busy", open_still.pk: "free"}
        assert showing.show_turned(actor=clock) == 0
        # An act that took two minutes.
        Slot.objects.update(shown="free")
        Booking.objects.update(state_since=timezone.now() - timedelta(minutes=2))
        assert showing.show_turned(actor=clock) == 0
        assert showing.show_turned(actor=clock, long=True) == 1
        assert Slot.objects.get(pk=full.pk).shown == "busy"
    with acting(clinic.doctor) as li:
        first = Booking.objects.exclude(pk=made.pk).get()
        actions.cancel(booking_key=first.key, actor=li, reason="时间不合适")
    with acting(system_actor(Purpose.CLOCKS)) as clock:
        assert showing.show_turned(actor=clock) == 1
        assert Slot.objects.get(pk=full.pk).shown == "free"
