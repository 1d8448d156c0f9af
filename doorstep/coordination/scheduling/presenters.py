"""The office's board: a week of slots by department and expert, every quota with what is left of it."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import TypeAlias
from uuid import UUID

from django.utils import timezone

from doorstep.coordination.scheduling.halfdays import named
from doorstep.coordination.scheduling.models import Booking, PlaceQuota, Schedule, Slot, VisitKind, WeeklySession

# Each quota keeps its colour on every page.
TONES = {"own": "plain", "contract": "ok", "referral": "info", "community": "warn", "open": "neutral"}

# What views call the rows that they hand from query to presenter: they never import models.
ShownSchedule: TypeAlias = Schedule
ShownKind: TypeAlias = VisitKind
ShownBooking: TypeAlias = Booking
ShownSession: TypeAlias = WeeklySession


@dataclass(frozen=True, slots=True)
class Share:
    """One quota of a slot: how many places, how many are left, how many are held now."""

    quota: str
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


@dataclass(frozen=True, slots=True)
class HalfDay:
    """The slots of a schedule in a morning, an afternoon or an evening, as one cell of the board; shares are summed over them.

    `stopped` says why where every slot is stopped, `stopped_count` how many are.
    """

    cells: tuple[Cell, ...]
    shares: tuple[Share, ...]
    stopped: str
    stopped_count: int

    @property
    def past(self) -> bool:
        """Whether the last one has begun."""
        return self.cells[-1].past


@dataclass(slots=True)
class Row:
    """One schedule with its half days per day."""

    schedule: Schedule
    days: list[list[HalfDay]] = field(default_factory=list)


def week_of(day: date) -> list[date]:
    """Monday to Sunday of the week of a day."""
    monday = day - timedelta(days=day.weekday())
    return [monday + timedelta(days=number) for number in range(7)]


def board(slots: Iterable[Slot], *, days: list[date], now: datetime) -> list[Row]:
    """The rows of the board, in the order of the slots."""
    rows: dict[int, Row] = {}
    halves: dict[tuple[int, int, str], list[Cell]] = {}
    for slot in slots:
        rows.setdefault(slot.schedule_id, Row(slot.schedule, [[] for _day in days]))
        number = (timezone.localtime(slot.starts_at).date() - days[0]).days
        if 0 <= number < len(days):
            part = named(department_id=0, starts_at=slot.starts_at)
            halves.setdefault((slot.schedule_id, number, part), []).append(_cell(slot, now))
    for (schedule_id, number, _part), cells in halves.items():
        rows[schedule_id].days[number].append(_half_day(cells))
    return list(rows.values())


def times_of(slots: Iterable[Slot], *, now: datetime) -> list[tuple[Slot, Cell]]:
    """Every slot of a day with its shares, for the page of the day."""
    return [(slot, _cell(slot, now)) for slot in slots]


def totals(rows: Iterable[Row]) -> dict[str, int]:
    """Places of the week: all, left, held, booked."""
    counted: Counter[str] = Counter()
    for share in (share for row in rows for day in row.days for half in day for share in half.shares):
        counted.update(total=share.total, left=share.left, held=share.held)
    return {
        "total": counted["total"],
        "left": counted["left"],
        "held": counted["held"],
        "booked": counted["total"] - counted["left"] - counted["held"],
    }


def _half_day(cells: list[Cell]) -> HalfDay:
    """One cell of the board: stopped slots have no places to be had, so only the others are summed."""
    summed: dict[str, list[int]] = {}
    for share in (share for cell in cells if not cell.stopped for share in cell.shares):
        counts = summed.setdefault(share.quota, [0, 0, 0])
        for place, count in enumerate((share.total, share.left, share.held)):
            counts[place] += count
    shares = tuple(
        Share(quota.value, TONES[quota], *summed[quota.value]) for quota in PlaceQuota if quota.value in summed
    )
    stopped = [cell.stopped for cell in cells if cell.stopped]
    return HalfDay(tuple(cells), shares, stopped[0] if len(stopped) == len(cells) else "", len(stopped))


def _cell(slot: Slot, now: datetime) -> Cell:
    shares = []
    places = list(slot.places.all())
    for quota in PlaceQuota:
        mine = [place for place in places if place.quota == quota and place.state != "closed"]
        if not mine:
            continue
        held = sum(place.state == "held" and place.held_until is not None and place.held_until > now for place in mine)
        booked = sum(place.state == "booked" for place in mine)
        shares.append(Share(quota.value, TONES[quota], len(mine), left=len(mine) - held - booked, held=held))
    return Cell(slot.key, slot.starts_at, slot.stop_reason, slot.starts_at <= now, tuple(shares))
