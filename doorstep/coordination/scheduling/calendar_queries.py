"""Reads of the national calendar: what was entered by hand, a year's days with their source, and clinics that stand on a day off."""

import time
from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import Count

from doorstep.coordination.scheduling import days
from doorstep.coordination.scheduling.models import CalendarDay, Slot

PACKAGED = "国务院办公厅放假通知（软件包 chinesecalendar）"

# Clocks in working time ask for day after day: one read a minute serves them.
_FRESH_SECONDS = 60.0
_known: list[tuple[float, dict[date, tuple[str, str]]]] = []


@dataclass(frozen=True, slots=True)
class ShownDay:
    """A day of the calendar's page; `slots` counts the unit's clinics that are laid out on a day off."""

    day: date
    kind: str
    name: str
    source: str
    entered: bool
    slots: int = 0


def entered() -> dict[date, tuple[str, str]]:
    """Every day that was entered by hand: its kind and the holiday's name."""
    return {one.day: (one.kind, one.name) for one in CalendarDay.objects.all()}


def worked(day: date) -> bool:
    """Whether a day beyond the published calendar is worked; what was entered counts within a minute."""
    now = time.monotonic()
    if not _known or now - _known[0][0] > _FRESH_SECONDS:
        _known[:] = [(now, entered())]
    return days.day_kind(day, entered=_known[0][1])[0] in (days.DayKind.WORKDAY, days.DayKind.MAKEUP)


def year_of(*, year: int, organization_id: int) -> list[ShownDay]:
    """The days of a year that depart from the week, in order, and how many slots the unit has on each day off; in two queries."""
    by_hand = {one.day: one for one in CalendarDay.objects.filter(day__year=year)}
    laid_out = dict(
        Slot.objects.filter(organization_id=organization_id, starts_at__date__year=year, stopped_at__isnull=True)
        .values_list("starts_at__date")
        .annotate(n=Count("id"))
    )
    known = {day: (one.kind, one.name) for day, one in by_hand.items()}
    source = PACKAGED if days.is_published(year) else days.STATUTORY_SOURCE
    found = []
    for number in range((date(year + 1, 1, 1) - date(year, 1, 1)).days):
        day = date(year, 1, 1) + timedelta(days=number)
        kind, name = days.day_kind(day, entered=known)
        if kind in (days.DayKind.HOLIDAY, days.DayKind.MAKEUP):
            own = by_hand.get(day)
            clinics = laid_out.get(day, 0) if kind is days.DayKind.HOLIDAY else 0
            found.append(ShownDay(day, kind, name, own.source if own else source, own is not None, clinics))
    return found


def forget() -> None:
    """Read the entered days anew at the next question."""
    _known.clear()
