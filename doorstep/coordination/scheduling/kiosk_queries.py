"""Reads of the kiosk and of the telephone desk: what one person has to come."""

from datetime import timedelta

from django.db.models import Q
from django.utils import timezone

from doorstep.coordination.scheduling.models import Booking
from doorstep.coordination.scheduling.states import EXPECTED
from doorstep.kernel.access.actor import Actor


def coming_here(*, person: Actor, organization_id: int | None = None) -> list[Booking]:
    """The bookings to come of the person who was identified, at one house or at all, next first."""
    # Who left unseen today may come back and check in again.
    found = Booking.objects.filter(
        Q(state__in=EXPECTED) | Q(state="left", slot__starts_at__date=timezone.localdate()),
        resident_id__in=person.resident_ids,
        slot__ends_at__gte=timezone.now() - timedelta(hours=2),
    )
    if organization_id is not None:
        found = found.filter(organization_id=organization_id)
    with_slot = (
        "slot__schedule__department",
        "slot__schedule__practitioner",
        "slot__schedule__facility",
        "slot__facility",
        "organization",
    )
    return list(found.select_related(*with_slot, "ticket").order_by("period")[:6])
