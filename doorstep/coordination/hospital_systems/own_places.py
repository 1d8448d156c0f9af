"""A hospital that books its own clinics in its own system (SIU) takes places of the one pool: who keeps the pool is wired in by the site."""

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from doorstep.kernel.access.actor import Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a message says of a booking: the hospital's number of it, its clinic by code and name, its doctor, its time."""

    organization_id: int
    resident_id: int
    number: str
    clinic: tuple[str, str]
    doctor: str
    start: datetime | None
    reason: str


class Pool(Protocol):
    """What the house does with such a plan; each answers the booking's key, or None when the pool knows no such clinic or booking.

    Raises access.refusals.Refused with the sentence that a page would show, as when the last place is gone.
    """

    def book(self, plan: Plan, *, actor: Actor) -> uuid.UUID | None:
        """Take a place of the clinic at that time; the same number again finds its booking, at another time moves it."""

    def cancel(self, plan: Plan, *, actor: Actor) -> uuid.UUID | None:
        """Give the booking of this number back."""


_pool: list[Pool] = []


def install(pool: Pool) -> None:
    """Wire the pool; the last one counts."""
    _pool[:] = [pool]


def pool() -> Pool | None:
    """The pool, None where nothing is wired."""
    return _pool[0] if _pool else None
