"""Machines in a hall at which people prove by themselves who they are: which are closed after too many slips, and opening them again."""

from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction

from doorstep.kernel.access.actor import Actor
from doorstep.kernel.audit import actions as audit
from doorstep.people.residents.permissions import Permission


@dataclass(frozen=True, slots=True)
class ClosedTerminal:
    """A machine's account, how many tries failed at it in 15 minutes, and when the last one did."""

    user_id: int
    failed: int
    since: datetime


def is_closed() -> bool:
    """Whether the machine that asks lets nobody prove anything for now: nothing need be typed into it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT residents_presence_state(gen_random_uuid(), 'phone') = -1")
        return bool(cursor.fetchone()[0])


def closed_at(*, actor: Actor) -> list[ClosedTerminal]:
    """The closed machines of the actor's unit; none for whoever may not open them."""
    if actor.organization_id is None or not actor.may(Permission.TERMINAL_OPEN):
        return []
    with connection.cursor() as cursor:
        cursor.execute("SELECT user_id, failed, since FROM residents_closed_terminals(%s)", [actor.organization_id])
        return [ClosedTerminal(*row) for row in cursor.fetchall()]


@transaction.atomic
def open_again(*, user_id: int, actor: Actor) -> bool:
    """Let people use a machine of the own unit again; False when it was not closed. Numbers that were tried too often stay closed there."""
    actor.check(Permission.TERMINAL_OPEN)
    with connection.cursor() as cursor:
        cursor.execute("SELECT residents_open_terminal(%s, %s)", [user_id, actor.organization_id])
        aside = int(cursor.fetchone()[0])
    if aside:
        audit.record(action="terminal.open", actor=actor, details={"terminal": user_id, "tries": aside})
    return aside > 0
