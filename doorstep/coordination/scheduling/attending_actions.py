"""What becomes of a check-in besides the visit: taken back, left unseen, and the end of the day for those whom nobody saw."""

import uuid
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from doorstep.coordination.scheduling import queries, telling, ticketing
from doorstep.coordination.scheduling.drafting import facts_of
from doorstep.coordination.scheduling.models import Booking
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.workflow import actions as workflow

# A day's check-ins are closed after midnight, and not before so long after the visit's time; platform default.
LEFT_AFTER = timedelta(hours=2)


@transaction.atomic
def take_back_arrival(*, booking_key: uuid.UUID | str, reason: str, actor: Actor) -> Booking:
    """Take a check-in back with its reason: the person is expected as before, and the number is called no more."""
    booking = queries.get_booking(booking_key=booking_key, actor=actor)
    moved = workflow.apply(booking, "undo-arrive", actor=actor, reason=reason, details=facts_of(booking))
    ticketing.void_ticket(booking)
    return moved


@transaction.atomic
def leave(*, booking_key: uuid.UUID | str, reason: str = "", actor: Actor) -> Booking:
    """Who checked in left without having been seen: no missed appointment; whoever comes back is checked in again."""
    booking = queries.get_booking(booking_key=booking_key, actor=actor)
    return _left(booking, reason.strip()[:200], actor)


@transaction.atomic
def close_days(*, actor: Actor, now: datetime | None = None) -> int:
    """After midnight: whoever checked in and has no visit entered came and was not seen; returns how many, 200 at most."""
    moment = now or timezone.now()
    midnight = timezone.localtime(moment).replace(hour=0, minute=0, second=0, microsecond=0)
    left = list(
        Booking.objects.select_for_update(skip_locked=True, of=("self",))
        .filter(state="arrived", slot__ends_at__lte=min(midnight, moment - LEFT_AFTER))
        .select_related("slot__schedule__department", "slot__schedule__practitioner", "organization")
        .order_by("id")[:200]
    )
    for booking in left:
        _left(booking, _("当日结束时没有就诊记录"), actor)
    return len(left)


def _left(booking: Booking, reason: str, actor: Actor) -> Booking:
    moved = workflow.apply(booking, "leave", actor=actor, reason=reason, details=facts_of(booking))
    ticketing.void_ticket(booking)
    telling.tell_booking(booking, "booking-left", actor=actor)
    return moved
