"""Due times on the wall clock or in China's working time with its national holidays and make-up workdays."""

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import chinese_calendar

CHINA = ZoneInfo("Asia/Shanghai")
_DAY = (time(8, 0), time(17, 30))
_DECEMBER = 12
# (day) -> whether a day beyond the published calendar is worked, as somebody has entered it; None where nobody has.
Worked = Callable[[date], bool | None]
_worked: list[Worked] = []


def install(worked: Worked) -> None:
    """Wire what knows the days that were entered by hand; the last one counts."""
    _worked[:] = [worked]


def due(start: datetime, length: timedelta, *, working_time: bool) -> datetime:
    """When `length` has passed since `start`; in working time only 08:00 to 17:30 of workdays counts."""
    if not working_time:
        return start + length
    moment, left = start.astimezone(CHINA), length
    while True:
        opens, closes = (datetime.combine(moment.date(), hour, tzinfo=CHINA) for hour in _DAY)
        if is_workday(moment) and moment < closes:
            begin = max(moment, opens)
            if begin + left <= closes:
                return (begin + left).astimezone(start.tzinfo)
            left -= closes - begin
        moment = opens + timedelta(days=1)


def working_moment(moment: datetime) -> datetime:
    """The moment itself where it lies in the working time of a workday, else when the next workday opens."""
    opens, closes = (datetime.combine(moment.astimezone(CHINA).date(), hour, tzinfo=CHINA) for hour in _DAY)
    if is_workday(opens) and opens <= moment < closes:
        return moment
    while moment >= opens or not is_workday(opens):
        opens += timedelta(days=1)
    return opens.astimezone(moment.tzinfo)


def is_workday(moment: datetime) -> bool:
    """Whether the day in China is a workday; beyond the published calendar what was entered, else Monday to Friday but the law's holidays.

    The notice of a year reaches back into the December before it: for that month what was entered is asked first.
    """
    day = moment.astimezone(CHINA).date()
    entered = _worked[0](day) if _worked and day.month == _DECEMBER else None
    if entered is not None:
        return entered
    try:
        return bool(chinese_calendar.is_workday(day))
    except NotImplementedError:
        known = _worked[0](day) if _worked else None
        return day.weekday() < 5 if known is None else known
