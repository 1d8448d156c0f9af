"""Reads of what stands still: a line for each stretch of days on which a schedule is stopped for one reason."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from django.db.models import Count, F, Max, Min, Q, Value
from django.db.models.functions import Coalesce, TruncDate
from django.utils import timezone

from doorstep.coordination.scheduling.hours import Hours
from doorstep.coordination.scheduling.models import Slot
from doorstep.coordination.scheduling.rules import CHINA

# A year of a large hospital's stops; what is folded of them is a few lines.
_MOST_DAYS = 5_000


@dataclass(slots=True)
class Stopped:
    """Days on which a schedule is stopped for one reason, with nothing of it taking place between them.

    `first` and `last` are when it would begin and end; `days` and `slots` count what stands still, `unsettled` who has no new time yet.
    """

    schedule_id: int
    department: str
    who: str
    reason: str
    first: datetime
    last: datetime
    days: int
    slots: int
    unsettled: int

    @property
    def first_day(self) -> date:
        """The first day of the stretch."""
        return self.first.astimezone(CHINA).date()

    @property
    def last_day(self) -> date:
        """The last day of the stretch."""
        return self.last.astimezone(CHINA).date()

    @property
    def hours(self) -> Hours | None:
        """From when to when on its one day, for what resumes this line alone; None for several days, and for a night."""
        starts, ends = self.first.astimezone(CHINA).time(), self.last.astimezone(CHINA).time()
        return Hours(starts, ends) if self.first_day == self.last_day and starts < ends else None


def stopped(*, organization_id: int, schedule_id: int | None = None) -> list[Stopped]:
    """What is stopped of a unit's schedules, or of one, from now on; the earliest first."""
    coming = Slot.objects.filter(organization_id=organization_id, starts_at__gt=timezone.now())
    if schedule_id is not None:
        coming = coming.filter(schedule_id=schedule_id)
    lines = (
        coming.filter(stopped_at__isnull=False)
        .annotate(day=TruncDate("starts_at"))
        .values("schedule_id", "day", reason=F("stop_reason"), department=F("schedule__department__name"))
        .annotate(
            called=Coalesce("schedule__practitioner__name", "schedule__facility__name", Value("")),
            first=Min("starts_at"),
            last=Max("ends_at"),
            slots=Count("id", distinct=True),
            unsettled=Count("bookings__rebooking", filter=Q(bookings__rebooking__state="open"), distinct=True),
        )
        .order_by("schedule_id", "day", "first")[:_MOST_DAYS]
    )
    rows: list[dict[str, Any]] = [{**row} for row in lines]
    held = _taking_place(coming, rows)
    return sorted(_folded(rows, held), key=lambda one: (one.first_day, one.department, one.schedule_id, one.first))


def _taking_place(coming: Any, rows: list[dict[str, Any]]) -> dict[int, list[date]]:
    """On which days the schedules of these lines take place, as far as the lines reach."""
    if not rows:
        return {}
    until = datetime.combine(max(row["day"] for row in rows), time(23, 59), tzinfo=CHINA)
    found = (
        coming.filter(
            stopped_at__isnull=True, starts_at__lt=until, schedule_id__in={row["schedule_id"] for row in rows}
        )
        .annotate(day=TruncDate("starts_at"))
        .values_list("schedule_id", "day")
        .order_by("schedule_id", "day")
        .distinct()
    )
    days: dict[int, list[date]] = {}
    for schedule, day in found:
        days.setdefault(schedule, []).append(day)
    return days


def _folded(rows: Iterable[dict[str, Any]], held: dict[int, list[date]]) -> list[Stopped]:
    found: list[Stopped] = []
    for row in rows:
        before = found[-1] if found else None
        if before is not None and _goes_on(before, row, held.get(row["schedule_id"], [])):
            before.days += row["day"] != before.last_day
            before.last = max(before.last, row["last"])
            before.slots += row["slots"]
            before.unsettled += row["unsettled"]
            continue
        facts = {
            name: row[name] for name in ("schedule_id", "department", "reason", "first", "last", "slots", "unsettled")
        }
        found.append(Stopped(**facts, who=row["called"], days=1))
    return found


def _goes_on(before: Stopped, row: dict[str, Any], held: list[date]) -> bool:
    """Whether a day belongs to the stretch before it: the same reason, and nothing of the schedule takes place from there to here."""
    return (
        before.schedule_id == row["schedule_id"]
        and before.reason == row["reason"]
        and not any(before.last_day <= day <= row["day"] for day in held)
    )
