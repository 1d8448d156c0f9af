"""Hours of a day for which a clinic stands still: half a day, or from one hour to another. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import time

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from doorstep.coordination.scheduling.rules import EVENING, NOON

# A day has no hour 24 of its own.
_DAY_ENDS = time.max


@dataclass(frozen=True, slots=True, order=True)
class Hours:
    """From one hour of China's clock to another on each day of a time, the last excluded; `time.max` is the end of the day.

    A visit belongs to the hours in which it begins, as to its half day: one that begins before them takes place.
    """

    starts: time
    ends: time

    def hold(self, moment: time) -> bool:
        """Whether a visit that begins then lies in these hours."""
        return self.starts <= moment < self.ends

    def without(self, other: "Hours") -> list["Hours"]:
        """What is left of these hours when others are taken out of them."""
        before = Hours(self.starts, min(self.ends, other.starts))
        after = Hours(max(self.starts, other.ends), self.ends)
        return [one for one in (before, after) if one.starts < one.ends]

    def __str__(self) -> str:
        """As it is written on a page: 08:00–12:00."""
        ends = "24:00" if self.ends == _DAY_ENDS else self.ends.strftime("%H:%M")
        return f"{self.starts.strftime('%H:%M')}–{ends}"


WHOLE_DAY = Hours(time(), _DAY_ENDS)
# The half days of the clinics' signs, and the evening's.
PARTS = {
    "am": Hours(time(), time(NOON)),
    "pm": Hours(time(NOON), time(EVENING)),
    "eve": Hours(time(EVENING), _DAY_ENDS),
}
PART_NAMES = (("day", _("全天")), ("am", _("上午")), ("pm", _("下午")), ("eve", _("晚上")), ("hours", _("指定时间")))


def named(hours: Hours | None) -> str:
    """Half a day by its name, other hours by the clock, "" for the whole day."""
    if hours is None:
        return ""
    return next((str(dict(PART_NAMES)[name]) for name, part in PARTS.items() if part == hours), str(hours))


def begins_in(hours: Hours | None) -> Q:
    """The slots that begin in these hours of their day; all of them for None."""
    if hours is None:
        return Q()
    return Q(starts_at__time__gte=hours.starts, starts_at__time__lt=hours.ends)


def any_hold(found: Iterable[Hours], moment: time) -> bool:
    """Whether a visit that begins then lies in any of these hours."""
    return any(one.hold(moment) for one in found)
