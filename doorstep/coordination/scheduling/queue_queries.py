"""Reads of the queue: who is called, who is next, and what a screen on the wall shows."""

import uuid
from dataclasses import dataclass
from datetime import date

from django.db.models import Case, F, IntegerField, Value, When

from doorstep.coordination.scheduling.models import Ticket
from doorstep.coordination.scheduling.queries import as_key
from doorstep.kernel.access.actor import Actor, Purpose
from doorstep.kernel.access.refusals import NotFound
from doorstep.kernel.access.session import for_purpose

# Whoever lined up again and has let the others go before; then by time; then who has still to let some go; passed over, last.
_ORDER = (
    Case(
        When(state="passed", then=Value(3)),
        When(turn_in=0, then=Value(0)),
        When(turn_in__isnull=True, then=Value(1)),
        default=Value(2),
        output_field=IntegerField(),
    ),
    "turn_in",
    "starts_at",
    F("points").desc(),
    "number",
)


@dataclass(frozen=True, slots=True)
class Board:
    """One schedule's part of the calling screen."""

    schedule_id: int
    department: str
    who: str
    called: list[Ticket]
    waiting: list[Ticket]
    passed: list[Ticket]


def next_ticket(*, schedule_id: int, day: date) -> Ticket | None:
    """Whose turn it is: by the booked time, within one time by precedence, then by number; locked, others' left out."""
    return (
        Ticket.objects.select_for_update(skip_locked=True, of=("self",))
        .filter(schedule_id=schedule_id, day=day, state__in=("waiting", "passed"))
        .order_by(*_ORDER)
        .first()
    )


def lock_ticket(*, key: uuid.UUID | str, actor: Actor) -> Ticket:
    """A ticket of the actor's units, locked; raises NotFound."""
    found = Ticket.objects.select_for_update(of=("self",)).filter(key=as_key(key)).first()
    if found is None or not actor.reaches(found.organization_id):
        raise NotFound()
    return found


def boards(*, organization_id: int, day: date, department_id: int | None = None) -> list[Board]:
    """The queues of a unit's day by schedule, in one query."""
    found = Ticket.objects.filter(organization_id=organization_id, day=day).exclude(state__in=("done", "void"))
    if department_id is not None:
        found = found.filter(schedule__department_id=department_id)
    by_schedule: dict[int, list[Ticket]] = {}
    for ticket in found.select_related(
        "schedule__department", "schedule__practitioner", "schedule__facility", "booking"
    ).order_by(*_ORDER):
        by_schedule.setdefault(ticket.schedule_id, []).append(ticket)
    return [_board(tickets) for tickets in by_schedule.values()]


def called_into(boards: list[Board], *, room: str) -> Ticket | None:
    """Whoever was called last into a room and is neither seen nor passed over; where no room is named, whoever was called last."""
    called = [one for board in boards for one in board.called if not room or one.place_name in ("", room)]
    return called[0] if called else None


def ahead_of(ticket: Ticket, *, actor: Actor) -> int:
    """How many are called before this ticket; who asks need not see the others, of whom nothing but their number is said."""
    line = Ticket.objects.filter(schedule_id=ticket.schedule_id, day=ticket.day, state="waiting")
    with for_purpose(Purpose.HANDLER, actor):
        waiting = in_line(list(line.order_by(*_ORDER)))
    return next((place for place, one in enumerate(waiting) if one.pk == ticket.pk), len(waiting))


def in_line(waiting: list[Ticket]) -> list[Ticket]:
    """Waiting tickets, in the order of the database, as they will be called: whoever lined up again behind so many others."""
    line = [one for one in waiting if one.turn_in is None]
    for one in sorted((one for one in waiting if one.turn_in is not None), key=lambda one: one.turn_in or 0):
        line.insert(one.turn_in or 0, one)
    return line


def _board(tickets: list[Ticket]) -> Board:
    schedule = tickets[0].schedule
    called = sorted(
        (one for one in tickets if one.state == "called"), key=lambda one: one.called_at or one.taken_at, reverse=True
    )
    return Board(
        schedule_id=schedule.pk,
        department=schedule.department.name,
        who=schedule.who,
        called=called,
        waiting=in_line([one for one in tickets if one.state == "waiting"]),
        passed=[one for one in tickets if one.state == "passed"],
    )
