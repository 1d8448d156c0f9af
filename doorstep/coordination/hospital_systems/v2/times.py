"""Times of HL7 v2 (TS, DTM): YYYY[MM[DD[HH[MM[SS[.S…]]]]]][+/-ZZZZ]; without a zone they are China's."""

import re
from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

CHINA = ZoneInfo("Asia/Shanghai")
_FORM = re.compile(r"^(\d{4})(\d{2})?(\d{2})?(\d{2})?(\d{2})?(\d{2})?(?:\.\d{1,6})?([+-]\d{4})?$")
# What some systems and people write instead: 2026-05-01 10:30:00, 2026/5/1 8:05, 2026年5月1日 8时5分. Each part is read for itself: with the
# separators taken out, 2026/1/12 8:00 would be the 28th of November.
_SEPARATED = re.compile(
    r"^(\d{4})(?:[-/.年](\d{1,2}))(?:[-/.月](\d{1,2})日?|月)?"
    r"(?:(?:\s*T\s*|\s*)(\d{1,2})[:：时](?:(\d{1,2})分?)?(?:[:：]?(\d{1,2})秒?)?)?(?:\.\d{1,6})?(Z|[+-]\d{2}:?\d{2})?$"
)


def moment_of(text: str) -> datetime | None:
    """The instant; a date alone is its midnight in China. None for what is empty or no time."""
    parts = _parts(text)
    if parts is None:
        return None
    numbers, zone = parts
    year, month, day, hour, minute, second = (numbers + [1, 1, 0, 0, 0][len(numbers) - 1 :])[:6]
    try:
        return datetime(year, month, day, hour, minute, min(second, 59), tzinfo=zone)
    except ValueError:
        return None


def day_of(text: str) -> date | None:
    """The day; None for what is empty, no date, or says less than a day."""
    parts = _parts(text)
    if parts is None or len(parts[0]) < 3:
        return None
    try:
        return date(*parts[0][:3])
    except ValueError:
        return None


def fhir_time(text: str) -> str:
    """As FHIR dateTime, as precise as it was given; "" for none."""
    parts = _parts(text)
    moment = moment_of(text)
    if parts is None or moment is None:
        return ""
    lengths = {1: "%Y", 2: "%Y-%m", 3: "%Y-%m-%d"}
    form = lengths.get(len(parts[0]))
    return moment.strftime(form) if form else moment.isoformat(timespec="seconds")


def _parts(text: str) -> tuple[list[int], timezone | ZoneInfo] | None:
    found = _FORM.match(text.strip()) or _SEPARATED.match(text.strip())
    if found is None:
        return None
    numbers = [int(one) for one in found.groups()[:6] if one is not None]
    return numbers, _zone(found.group(7))


def _zone(text: str | None) -> timezone | ZoneInfo:
    if not text:
        return CHINA
    if text == "Z":
        return UTC
    text = text.replace(":", "")
    offset = timedelta(hours=int(text[1:3]), minutes=int(text[3:5]))
    return timezone(-offset if text[0] == "-" else offset)
