"""The office's board: a week of slots by department and expert, every quota with what is left of it."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import TypeAlias
from uuid import UUID

from django.utils import timezone

from doorstep.coordination.scheduling.models import Booking, PlaceQuota, Schedule, Slot, VisitKind

# Each quota keeps its colour on every page.
TONES = {"own": "plain", "contract": "ok", "referral": "info", "community": "warn", "open": "neutral"}

# What views call the rows that they hand from query to presenter: they never import models.
ShownSchedule: TypeAlias = Schedule
ShownKind: TypeAlias = VisitKind
ShownBooking: TypeAlias = Booking


@dataclass(frozen=True, slots=True)
class Share:
    """One quota of a slot: how many places, how many are left, how many are held now."""

    label: str
    tone: str
    total: int
    left: int
    held: int


@dataclass(frozen=True, slots=True)
class Cell:
    """One slot on the board."""

    key: UUID
    starts_at: datetime
    stopped: str
    past: bool
    shares: tuple[Share, ...]


@dataclass(slots=True)
class Row:
    """One schedule with a list of slots per day."""

    schedule: Schedule
    days: list[list[Cell]] = field(default_factory=list)


def week_of(day: date) -> list[date]:
    """Monday to Sunday of the week of a day."""
    monday = day - timedelta(days=day.weekday())
    return [monday + timedelta(days=number) for number in range(7)]


def board(slots: Iterable[Slot], *, days: list[date], now: datetime) -> list[Row]:
    """The rows of the board, in the order of the slots."""
    rows: dict[int, Row] = {}
    for slot in slots:
        row = rows.setdefault(slot.schedule_id, Row(slot.schedule, [[] for _day in days]))
        number = (timezone.localtime(slot.starts_at).date() - days[0]).days
        if 0 <= number < len(days):
            row.days[number].append(_cell(slot, now))
    return list(rows.values())


def totals(rows: Iterable[Row]) -> dict[str, int]:
    """Places of the week: all, left, held, booked."""
    counted: Counter[str] = Counter()
    for share in (
        share for row in rows for day in row.days for cell in day if not cell.stopped for share in cell.shares
    ):
        counted.update(total=share.total, left=share.left, held=share.held)
    return {
        "total": counted["total"],
        "left": counted["left"],
        "held": counted["held"],
        "booked": counted["total"] - counted["left"] - counted["held"],
    }


def _cell(slot: Slot, now: datetime) -> Cell:
    shares = []
    places = list(slot.places.all())
    for quota in PlaceQuota:
        mine = [place for place in places if place.quota == quota and place.state != "closed"]
        if not mine:
            continue
        held = sum(place.state == "held" and place.held_until is not None and place.held_until > now for place in mine)
        booked = sum(place.state == "booked" for place in mine)
        shares.append(Share(str(quota.label), TONES[quota], len(mine), left=len(mine) - held - booked, held=held))
    return Cell(slot.key, slot.starts_at, slot.stop_reason, slot.starts_at <= now, tuple(shares))
