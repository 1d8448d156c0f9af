"""Which sessions a schedule holds on a day: its week, its exceptions, national holidays and make-up workdays. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache

import chinese_calendar

from doorstep.coordination.scheduling.hours import Hours, any_hold
from doorstep.coordination.scheduling.rules import CHINA

HOLIDAY_ZH = {
    "New Year's Day": "元旦",
    "Spring Festival": "春节",
    "Tomb-sweeping Day": "清明节",
    "Labour Day": "劳动节",
    "Dragon Boat Festival": "端午节",
    "National Day": "国庆节",
    "Mid-autumn Festival": "中秋节",
    "Anti-Fascist 70th Day": "抗战胜利纪念日",
}


class DayKind(StrEnum):
    """What a day is in the national calendar (国务院办公厅节假日安排, as the package chinesecalendar has it)."""

    WORKDAY = "workday"
    WEEKEND = "weekend"
    HOLIDAY = "holiday"
    MAKEUP = "makeup"


# 全国年节及纪念日放假办法（国务院令第795号）: what the law itself gives, known before the yearly notice moves weekends around it.
# The days of the moon are those of the almanac.
STATUTORY_SOURCE = "全国年节及纪念日放假办法（国务院令第795号）"
_SUN = {(1, 1): "元旦", (5, 1): "劳动节", (5, 2): "劳动节", (10, 1): "国庆节", (10, 2): "国庆节", (10, 3): "国庆节"}
_MOON = {
    2027: {"春节": (date(2027, 2, 5), 4), "清明节": (date(2027, 4, 5), 1), "端午节": (date(2027, 6, 9), 1), "中秋节": (date(2027, 9, 15), 1)},
    2028: {"春节": (date(2028, 1, 25), 4), "清明节": (date(2028, 4, 4), 1), "端午节": (date(2028, 5, 28), 1), "中秋节": (date(2028, 10, 3), 1)},
}  # fmt: skip
_DECEMBER = 12
# A day of the calendar that was entered by hand: its kind and the holiday's name.
Entered = Mapping[date, tuple[str, str]]


def day_kind(day: date, *, entered: Entered | None = None) -> tuple[DayKind, str]:
    """The kind of a day and the holiday's Chinese name: what was entered, else the published calendar, else what the law gives."""
    if entered and day in entered:
        kind, name = entered[day]
        return DayKind(kind), name
    published = _published(day)
    if published is not None:
        return published
    # The law's days rest whatever part of the notice was entered: it comes piece by piece, and only adds days around them.
    if name := statutory(day):
        return DayKind.HOLIDAY, name
    return (DayKind.WEEKEND if day.weekday() > 4 else DayKind.WORKDAY), ""


def is_published(year: int) -> bool:
    """Whether the packaged calendar has a year's notice."""
    return _published(date(year, 1, 1)) is not None


def is_settled(day: date) -> bool:
    """Whether no notice can change a day any more: that of its year is there, and in December that of the next year, which may reach back.

    国办发明电〔2018〕15 号 for 2019 gave 2018-12-30 and 31 free and had Saturday 2018-12-29 worked.
    """
    return is_published(day.year) and (day.month < _DECEMBER or is_published(day.year + 1))


def statutory(day: date) -> str:
    """The holiday that the law gives on a day, "" for none; days of the moon only for the years that are listed."""
    for name, (first, length) in _MOON.get(day.year, {}).items():
        if first <= day < first + timedelta(days=length):
            return name
    return _SUN.get((day.month, day.day), "")


@lru_cache(maxsize=2_000)
def _published(day: date) -> tuple[DayKind, str] | None:
    try:
        off, name = chinese_calendar.get_holiday_detail(day)
    except NotImplementedError:
        return None
    if off and name:
        return DayKind.HOLIDAY, HOLIDAY_ZH.get(name, name)
    if off:
        return DayKind.WEEKEND, ""
    if day.weekday() > 4:
        return DayKind.MAKEUP, HOLIDAY_ZH.get(name or "", name or "")
    return DayKind.WORKDAY, ""


@dataclass(frozen=True, slots=True)
class Session:
    """One session of a template: weekday 0 is Monday, times are China's, minutes are one visit and its buffers.

    `only_on` makes it an extra session of one day; `since` and `until` (exclusive) bound it. `places` counts per quota.
    """

    id: int
    weekday: int
    starts: time
    ends: time
    minutes: int
    before: int = 0
    after: int = 0
    only_on: date | None = None
    since: date | None = None
    until: date | None = None
    places: Mapping[str, int] | None = None
    kind_id: int | None = None


@dataclass(frozen=True, slots=True)
class Template:
    """A schedule's week with what departs from it. `exceptions` maps a day to the weekday it follows, None for no clinic."""

    sessions: Sequence[Session]
    exceptions: Mapping[date, int | None]
    rests_on_holidays: bool = True
    makeup_as: int | None = None
    entered: Entered | None = None
    hours_off: Mapping[date, Sequence[Hours]] | None = None


@dataclass(frozen=True, slots=True)
class DayPlan:
    """One day of a template: its sessions, in words why it departs from the week, and the hours in which no visit begins."""

    day: date
    kind: DayKind
    holiday: str
    sessions: tuple[Session, ...]
    follows: int | None
    why: str
    off: tuple[Hours, ...] = ()


def plan_of(template: Template, day: date) -> DayPlan:
    """What a template holds on a day. An exception has the first word, then the national calendar, then the week.

    `why` is one of "", "exception-rest", "exception-follow", "holiday", "makeup-follow", "makeup-none".
    """
    kind, holiday = day_kind(day, entered=template.entered)
    follows: int | None = day.weekday()
    why = ""
    if day in template.exceptions:
        follows = template.exceptions[day]
        why = "exception-rest" if follows is None else "exception-follow"
    elif kind is DayKind.HOLIDAY and template.rests_on_holidays:
        follows, why = None, "holiday"
    elif kind is DayKind.MAKEUP and template.makeup_as is not None:
        follows, why = template.makeup_as, "makeup-follow"
    sessions = [one for one in template.sessions if _holds(one, day, follows)]
    sessions.sort(key=lambda one: (one.starts, one.id))
    off = tuple((template.hours_off or {}).get(day, ()))
    return DayPlan(day, kind, holiday, tuple(sessions), follows, why, off)


def slots_of(session: Session, day: date, off: Sequence[Hours] = ()) -> Iterator[tuple[datetime, datetime]]:
    """Start and end of every visit of a session on a day that begins in none of the hours `off`; buffers lie between, a rest shorter
    than a visit is left.
    """
    start = datetime.combine(day, session.starts, tzinfo=CHINA) + timedelta(minutes=session.before)
    closes = datetime.combine(day, session.ends, tzinfo=CHINA)
    length, gap = timedelta(minutes=session.minutes), timedelta(minutes=session.after + session.before)
    while start + length + timedelta(minutes=session.after) <= closes:
        if not any_hold(off, start.time()):
            yield start, start + length
        start += length + gap


def released_at(day: date, *, days_before: int, at: time) -> datetime:
    """When a day's slots are released: so many days before, at that hour in China."""
    return datetime.combine(day - timedelta(days=days_before), at, tzinfo=CHINA)


def _holds(session: Session, day: date, follows: int | None) -> bool:
    if session.only_on is not None:
        return session.only_on == day
    if session.since is not None and day < session.since:
        return False
    if session.until is not None and day >= session.until:
        return False
    return session.weekday == follows
