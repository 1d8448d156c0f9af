"""Sending a resident word of bookings that others made, called off or closed, and of the waiting list: who can do that is wired in by the site."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime

from django.utils import timezone

from doorstep.coordination.scheduling import precedence
from doorstep.coordination.scheduling.models import Booking, Slot, WaitingEntry
from doorstep.kernel.access.actor import Actor

# (resident, kind of notice, its parameters, who acts)
Tell = Callable[[int, str, Mapping[str, str], Actor], None]
_tell: list[Tell] = []


def install(tell: Tell) -> None:
    """Wire what sends notices; the last one counts."""
    _tell[:] = [tell]


def tell_resident(*, resident_id: int, kind: str, params: Mapping[str, str], actor: Actor) -> None:
    """Send a resident a notice; without anything wired nobody is told."""
    if _tell:
        _tell[0](resident_id, kind, params, actor)


def tell_booking(booking: Booking, kind: str, *, actor: Actor, **more: str) -> None:
    """Send the person word of a booking: its time, its place, and what else the text names."""
    params = {
        "time": timezone.localtime(booking.slot.starts_at).strftime("%m-%d %H:%M"),
        "place": f"{booking.slot.organization.name} {booking.slot.schedule.department.name}",
        **more,
    }
    tell_resident(resident_id=booking.resident_id, kind=kind, params=params, actor=actor)


def tell_missed(booking: Booking, *, days: Sequence[date], actor: Actor) -> None:
    """Send who did not come word of it: how many have been missed by now, on which `days`, this one included; the one by which the pause
    begins says until when.
    """
    today = timezone.localdate()
    count = str(sum(day >= today - precedence.NO_SHOW_WINDOW for day in days))
    until = precedence.paused_until(days, today)
    if until is None:
        tell_booking(booking, "booking-missed", actor=actor, count=count)
    else:
        tell_booking(booking, "booking-paused", actor=actor, count=count, until=until.isoformat())


def tell_waiting(
    entry: WaitingEntry, kind: str, *, slot: Slot | None, actor: Actor, until: datetime | None = None
) -> None:
    """Send who waits word of an offer, of its end or of the wait's; `slot` is the one it is about, `until` how long it is kept."""
    params = {"place": f"{entry.organization.name} {entry.department.name}"}
    if slot is not None:
        params["time"] = timezone.localtime(slot.starts_at).strftime("%m-%d %H:%M")
    if until is not None:
        params["until"] = timezone.localtime(until).strftime("%m-%d %H:%M")
    tell_resident(resident_id=entry.resident_id, kind=kind, params=params, actor=actor)
