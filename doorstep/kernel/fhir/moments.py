"""Dates of any precision as spans of time; a date without a zone is a day in China."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from doorstep.kernel.fhir.outcome import FhirRefused

CHINA = ZoneInfo("Asia/Shanghai")


def span(name: str, text: str) -> tuple[datetime, datetime]:
    """From and to below of what a date, a month, a year or an instant covers; raises FhirRefused (400)."""
    try:
        if "T" in text:
            moment = datetime.fromisoformat(text.replace("Z", "+00:00").replace(" ", "+"))
            moment = moment if moment.tzinfo else moment.replace(tzinfo=CHINA)
            return moment, moment + (timedelta(microseconds=1) if "." in text else timedelta(seconds=1))
        parts = [int(part) for part in text.split("-")]
        start = datetime(*(*parts, 1, 1)[:3], tzinfo=CHINA)  # type: ignore[misc,arg-type]
        if len(parts) == 1:
            return start, start.replace(year=start.year + 1)
        if len(parts) == 2:
            return start, (start + timedelta(days=32)).replace(day=1)
        return start, start + timedelta(days=1)
    except (ValueError, TypeError, OverflowError) as error:
        raise FhirRefused(400, "value", f"{name} 的值 {text[:40]} 不是日期 / not a date") from error
