"""Numbers of the queue: one after the other for each schedule and day."""

from django.db.models import Max
from django.db.models.functions import Coalesce
from django.utils import timezone

from doorstep.coordination.scheduling.models import Booking, Schedule, Ticket
from doorstep.coordination.scheduling.precedence import WEIGHTS
from doorstep.coordination.scheduling.rules import PASSED_BEHIND
from doorstep.kernel.web.formats import masked_name
from doorstep.kernel.web.push import push


def give_ticket(booking: Booking) -> Ticket:
    """The booking's ticket of the day; given once, however often it is asked. Who checks in again has the number from before."""
    existing = Ticket.objects.filter(booking=booking).first()
    if existing is not None:
        if existing.state == Ticket.State.VOID:
            # Whoever was called already and comes back goes behind others, as whoever was passed over.
            existing.state, existing.turn_in = Ticket.State.WAITING.value, PASSED_BEHIND if existing.calls else None
            Ticket.objects.filter(pk=existing.pk).update(state=existing.state, turn_in=existing.turn_in)
        return existing
    # One at a time for a schedule; bookings, which only point at the schedule, do not wait for this lock.
    schedule = Schedule.objects.select_for_update(no_key=True).get(slots=booking.slot_id)
    day = timezone.localdate(booking.slot.starts_at)
    last = Ticket.objects.filter(schedule=schedule, day=day).aggregate(last=Max("number"))["last"] or 0
    return Ticket.objects.create(
        booking=booking,
        resident_id=booking.resident_id,
        schedule=schedule,
        organization_id=booking.organization_id,
        day=day,
        number=last + 1,
        shown_name=masked_name(booking.resident.name),
        starts_at=booking.slot.starts_at,
        turn_in=PASSED_BEHIND if booking.slot.ends_at < timezone.now() else None,
        points=sum(weight.points for weight in WEIGHTS if weight.code in booking.groups),
    )


def close_ticket(booking: Booking) -> None:
    """Whoever was seen waits no more: nobody calls the number again, also when the visit was recorded by another way than the queue."""
    waiting = Ticket.objects.filter(booking=booking).exclude(state=Ticket.State.DONE)
    if waiting.update(state=Ticket.State.DONE, called_at=Coalesce("called_at", timezone.now())):
        _push(booking)


def void_ticket(booking: Booking) -> None:
    """Nobody is called by this number any more: the check-in was taken back, or the person left. The number goes to nobody else."""
    if Ticket.objects.filter(booking=booking).exclude(state=Ticket.State.DONE).update(state=Ticket.State.VOID):
        _push(booking)


def _push(booking: Booking) -> None:
    schedule_id = booking.slot.schedule_id
    push(to=[f"organization:{booking.organization_id}"], kind="queue", reference=f"schedule/{schedule_id}")
