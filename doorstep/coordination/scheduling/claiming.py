"""Giving places back: a hold, a booked place, and the holds whose time is over. How one is claimed stands in sql/1_take.sql."""

import uuid
from datetime import datetime

from django.db import connection

from doorstep.kernel.access.actor import Actor

_FREE = "state = 'free', hold_key = NULL, held_until = NULL, held_by_id = NULL, held_organization_id = NULL"


def free_hold(*, hold_key: uuid.UUID, actor: Actor, anybody: bool = False) -> bool:
    """Give a held place back; returns False when the hold had gone already."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE scheduling_place SET {_FREE} WHERE hold_key = %s AND state = 'held'"
            " AND (%s OR held_organization_id = ANY(%s) OR (held_organization_id IS NULL AND held_by_id = %s))",
            [hold_key, anybody or actor.is_system, list(actor.reach), actor.user_id],
        )
        return bool(cursor.rowcount == 1)


def free_place(*, place_id: int) -> bool:
    """Give a booked place back; a place that was added over the template is gone with its booking."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE scheduling_place SET {_FREE} WHERE id = %s AND state = 'booked' AND NOT is_extra", [place_id]
        )
        freed = bool(cursor.rowcount == 1)
        if not freed:
            cursor.execute(
                "UPDATE scheduling_place SET state = 'closed' WHERE id = %s AND state = 'booked' AND is_extra",
                [place_id],
            )
        return freed


def keep_called_off(*, slot_ids: list[int], until: datetime, actor: Actor) -> int:
    """Keep the places of those whom a stop called off and who have no new time yet, under the key of each one's task; returns how many.

    A place that was added for one person is closed by then; it is opened again only in the act that books it (`reopen_added`).
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE scheduling_place q SET state = 'held', hold_key = t.key, held_until = %s, held_by_id = %s,"
            " held_organization_id = %s FROM scheduling_rebooking t JOIN scheduling_booking b ON b.id = t.booking_id"
            " WHERE t.state = 'open' AND b.slot_id = ANY(%s) AND q.id = b.place_id AND q.state = 'free' AND NOT q.is_extra",
            [until, actor.user_id, actor.organization_id, slot_ids],
        )
        return int(cursor.rowcount)


def reopen_added(*, place_id: int, key: uuid.UUID, until: datetime) -> None:
    """Keep a place that was added for one person and closed with the booking, for the same person."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE scheduling_place SET state = 'held', hold_key = %s, held_until = %s"
            " WHERE id = %s AND state = 'closed' AND is_extra",
            [key, until, place_id],
        )


def sweep(*, now: datetime) -> int:
    """Free the places whose hold has run out; never waits for somebody who is booking one.

    Housekeeping only: whoever comes for a place finds an expired one free without it.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH gone AS (SELECT id FROM scheduling_place WHERE state = 'held' AND held_until <= %s"
            " ORDER BY held_until LIMIT 1000 FOR UPDATE SKIP LOCKED)"
            f" UPDATE scheduling_place q SET {_FREE} FROM gone WHERE q.id = gone.id",
            [now],
        )
        return int(cursor.rowcount)
