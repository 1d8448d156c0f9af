"""Dates of any precision as the span of time they stand for (hl7.org/fhir/R4/search.html#date), half open."""

import re
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache
from typing import Any

Span = tuple[datetime, datetime]

# A date without a zone is a day in China, as the offset says it: the summer times of 1940 to 1991 are no part of a date.
CHINA = timezone(timedelta(hours=8))
# Before and after everything: an open end of a period.
FIRST = datetime(1, 1, 2, tzinfo=UTC)
LAST = datetime(9999, 12, 30, tzinfo=UTC)
_DATE = re.compile(
    r"(\d{4})(?:-(\d\d)(?:-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(\.\d+)?)?(Z|[+\- ]\d\d:\d\d)?)?)?)?", re.ASCII
)


@lru_cache(maxsize=8192)
def span(text: str) -> Span:
    """The span of a date, dateTime or instant; ValueError when it is none. A minute without seconds lasts a minute."""
    found = _DATE.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"not a date: {text}")
    year, month, day, hour, minute, second, fraction, zone = found.groups()
    if hour is None:
        return _days(int(year), month, day)
    # A leap second is the last one of its minute.
    seconds = min(int(second or 0), 59)
    micro = int((fraction or ".0")[1:7].ljust(6, "0"))
    start = datetime(int(year), int(month), int(day), int(hour), int(minute), seconds, micro, tzinfo=CHINA)
    if zone:
        # A plus sign of an address that was not encoded arrives as a space.
        start = datetime.fromisoformat(
            start.replace(tzinfo=None).isoformat() + zone.replace("Z", "+00:00").replace(" ", "+")
        )
    length = timedelta(minutes=1)
    if second is not None:
        length = timedelta(microseconds=10 ** max(0, 6 - len(fraction or ".") + 1))
    return _bounded(start, lambda: start + length)


def _days(year: int, month: str | None, day: str | None) -> Span:
    start = datetime(year, int(month or 1), int(day or 1), tzinfo=CHINA)
    if day:
        return _bounded(start, lambda: start + timedelta(days=1))
    if month:
        return _bounded(start, lambda: datetime(year + int(month) // 12, int(month) % 12 + 1, 1, tzinfo=CHINA))
    return _bounded(start, lambda: datetime(year + 1, 1, 1, tzinfo=CHINA))


def _bounded(start: datetime, end: Any) -> Span:
    try:
        return max(start, FIRST), min(end(), LAST)
    except (ValueError, OverflowError):
        return start, LAST


def span_of(value: Any, type: str) -> Span | None:
    """The span of an element: a date, a Period, or the whole of a Timing; None when it names no time."""
    try:
        if type == "Period":
            start, end = value.get("start"), value.get("end")
            if start is None and end is None:
                return None
            return (span(start)[0] if start else FIRST), (span(end)[1] if end else LAST)
        if type == "Timing":
            return _timing(value)
        return span(value)
    except (ValueError, OverflowError, AttributeError, TypeError):
        return None


def _timing(value: Any) -> Span | None:
    spans = [span(one) for one in value.get("event", ())]
    bounds = span_of(value.get("repeat", {}).get("boundsPeriod", {}), "Period")
    spans += [bounds] if bounds else []
    return (min(one[0] for one in spans), max(one[1] for one in spans)) if spans else None
