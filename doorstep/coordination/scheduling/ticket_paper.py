"""The slip of the queue on paper of 80 mm: the number, where to go, how many come before."""

from pathlib import Path

from django.utils import timezone

from doorstep.coordination.scheduling.models import Booking, Ticket
from doorstep.kernel.files.printing import typeset

_TEMPLATE = Path(__file__).parent / "ticket.typ"


def ticket_pdf(booking: Booking, ticket: Ticket, *, ahead: int) -> bytes:
    """The slip as PDF; it names the person only by the masked name that the calling screen shows."""
    schedule = booking.slot.schedule
    facts = {
        "house": booking.organization.name,
        "number": ticket.number,
        "name": ticket.shown_name,
        "department": schedule.department.name,
        "who": booking.slot.who,
        "by": "医生" if schedule.practitioner else "地点",
        "room": booking.slot.room.name if schedule.practitioner and booking.slot.room else "",
        "time": timezone.localtime(booking.slot.starts_at).strftime("%m-%d %H:%M"),
        "ahead": ahead,
        "taken": timezone.localtime(ticket.taken_at).strftime("%Y-%m-%d %H:%M"),
    }
    return typeset(_TEMPLATE, facts=facts, at=ticket.taken_at)
