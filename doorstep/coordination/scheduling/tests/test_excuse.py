"""A missed appointment is corrected by the clinic with its reason, and the pause that hung on it ends."""

from datetime import timedelta

import pytest
from django.utils import timezone

from doorstep.coordination.scheduling import actions, booking_queries
from doorstep.coordination.scheduling.models import Booking, Slot
from doorstep.coordination.scheduling.tests.factories import book_for, make_clinic, make_slot, told
from doorstep.kernel.access.actor import Purpose, system_actor
from doorstep.kernel.access.refusals import NotPermitted, Refused
from doorstep.kernel.access.session import acting
from doorstep.people.residents.tests.factories import make_staff
from doorstep.site.actors import of_user

pytestmark = pytest.mark.django_db
SYSTEM = system_actor(Purpose.CLOCKS)


def test_excuse_ends_the_pause_that_hung_on_it_and_tells_the_resident() -> None:
    clinic = make_clinic()
    bookings = [
        book_for(clinic, make_slot(clinic, starts_at=timezone.now() + timedelta(days=day), referral=1), clinic.resident)
        for day in (1, 2, 3)
    ]
    with acting(SYSTEM):
        Booking.objects.filter(pk__in=[one.pk for one in bookings]).update(state="no-show")
        past = timezone.now() - timedelta(days=3)
        for number, one in enumerate(bookings):
            start = past + timedelta(hours=number)
            Slot.objects.filter(pk=one.slot_id).update(starts_at=start, ends_at=start + timedelta(minutes=30))
        assert booking_queries.paused_until(resident_id=clinic.resident.pk) is not None
    manager = of_user(make_staff(name="周敏", organization_id=clinic.world.lead, role="clinic_manager"))
    with acting(manager) as zhou:
        with pytest.raises(Refused):
            actions.excuse(booking_key=bookings[0].key, reason=" ", actor=zhou)
        assert actions.excuse(booking_key=bookings[0].key, reason="当天住院", actor=zhou).state == "excused"
        with pytest.raises(Refused):
            actions.excuse(booking_key=bookings[0].key, reason="再次", actor=zhou)
    with acting(clinic.doctor) as li, pytest.raises((NotPermitted, Refused)):
        actions.excuse(booking_key=bookings[1].key, reason="不是本院", actor=li)
    with acting(SYSTEM):
        assert booking_queries.paused_until(resident_id=clinic.resident.pk) is None
    kind, params = told(clinic.resident.pk)[-1]
    assert (kind, params["reason"]) == ("booking-excused", "当天住院")
