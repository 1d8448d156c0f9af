"""Units of voltage and time, lead names and national identifiers as carts spell them."""

import math
import re
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from typing import Final
from zoneinfo import ZoneInfo

from doorstep.care.diagnosis.ecg.recording import LEADS, Sex

CART_ZONE: Final = ZoneInfo("Asia/Shanghai")
_MICROVOLTS: Final = {"nv": 0.001, "uv": 1.0, "µv": 1.0, "μv": 1.0, "mv": 1000.0, "v": 1_000_000.0}
_SECONDS: Final = {"s": 1.0, "ms": 0.001, "us": 0.000001, "µs": 0.000001, "μs": 0.000001}
_BY_UPPER: Final = {name.upper(): name for name in LEADS}
_LEAD_WORD: Final = re.compile(r"\b(AVR|AVL|AVF|III|II|I|V[1-6])\b")
_NATIONAL_ID: Final = re.compile(r"\d{17}[\dXx]")
_TIMESTAMP: Final = re.compile(r"(\d{4})(\d\d)(\d\d)(?:(\d\d)(\d\d)?(\d\d)?(?:\.(\d{1,6})\d*)?)?\s*([+-]\d{4}|Z)?")


def microvolts_per(unit: str) -> float | None:
    """How many microvolts one `unit` (UCUM: nV, uV, mV, V) is; None for a unit that is not a voltage."""
    return _MICROVOLTS.get(unit.strip().lower())


def seconds_per(unit: str) -> float | None:
    """How many seconds one `unit` (UCUM: s, ms, us) is; None for a unit that is not a time."""
    return _SECONDS.get(unit.strip().lower())


def lead_named(text: str) -> str | None:
    """Standard lead name inside a label such as "Lead aVR (Goldberger)" or "MDC_ECG_LEAD_V1"; None when there
    is none."""
    words = text.upper().replace("_", " ")
    match = _LEAD_WORD.search(words)
    return _BY_UPPER[match.group(1)] if match else None


def finite(value: object) -> float | None:
    """The value as a finite float, else None."""
    try:
        number = float(str(value))
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def national_id_in(*candidates: str | None) -> str | None:
    """The first candidate shaped like a Chinese resident identity number (18 places, GB 11643), in upper case."""
    for candidate in candidates:
        if candidate and _NATIONAL_ID.fullmatch(candidate.strip()):
            return candidate.strip().upper()
    return None


def sex_of(code: str | None) -> Sex | None:
    """Sex from DICOM or HL7 codes (M, F) or Chinese characters; None when the file does not say."""
    match (code or "").strip().upper():
        case "M" | "MALE" | "男":
            return "male"
        case "F" | "FEMALE" | "女":
            return "female"
    return None


def instant_of(text: str | None, *, offset: str | None = None) -> datetime | None:
    """Instant in UTC from a DICOM DT or HL7 TS text; None when unreadable.

    Carts seldom write a zone: without one their clock is taken as China's.
    """
    match = _TIMESTAMP.fullmatch((text or "").strip())
    if match is None:
        return None
    year, month, day, hour, minute, second, fraction, zone = match.groups()
    micro = int((fraction or "").ljust(6, "0"))
    try:
        clock = (int(hour or 0), int(minute or 0), min(int(second or 0), 59))
        local = datetime(int(year), int(month), int(day), *clock, micro, tzinfo=_zone(zone or offset))
        return local.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _zone(text: str | None) -> tzinfo:
    if not text:
        return CART_ZONE
    if text == "Z":
        return UTC
    minutes = int(text[1:3]) * 60 + int(text[3:5])
    return timezone(timedelta(minutes=-minutes if text[0] == "-" else minutes))


def date_of(text: str | None) -> date | None:
    """Date from a text that starts with YYYYMMDD; None when unreadable."""
    try:
        return date.fromisoformat((text or "").strip()[:8])
    except ValueError:
        return None
