"""The basic search of FHIR R4 (hl7.org/fhir/R4/search.html): parameters become SQL conditions with their values apart."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from doorstep.kernel.fhir.outcome import FhirRefused

_CLINICAL = ("identifier", "patient", "subject", "status", "code", "category", "encounter", "date")
PARAMETERS: dict[str, tuple[str, ...]] = {
    "Patient": ("identifier", "name", "gender", "birthdate", "active"),
    "Practitioner": ("identifier", "name", "active"),
    "PractitionerRole": ("practitioner", "organization", "active"),
    "Organization": ("identifier", "name", "active", "type"),
    "Encounter": ("identifier", "patient", "subject", "status", "class", "type", "date", "service-provider"),
    "Observation": (*_CLINICAL, "performer", "based-on"),
    "Condition": ("identifier", "patient", "subject", "code", "category", "clinical-status", "encounter", "onset-date"),
    "DiagnosticReport": (*_CLINICAL, "performer", "based-on"),
    "ServiceRequest": (
        "identifier",
        "patient",
        "subject",
        "status",
        "intent",
        "priority",
        "code",
        "category",
        "requester",
        "performer",
        "authored",
    ),
    "Task": ("identifier", "patient", "subject", "status", "code", "owner", "focus", "based-on", "authored-on"),
    "CarePlan": ("identifier", "patient", "subject", "status", "intent", "category", "date", "based-on"),
    "Communication": ("identifier", "patient", "subject", "status", "category", "based-on", "sent"),
    "Composition": ("identifier", "patient", "subject", "status", "type", "encounter", "author", "date"),
    "Consent": ("identifier", "patient", "status", "category", "date"),
    "Contract": ("identifier", "subject", "patient", "status"),
    "CareTeam": ("identifier", "patient", "subject", "status", "category"),
    "Appointment": ("identifier", "patient", "status", "actor", "date"),
    "Slot": ("identifier", "schedule", "status", "start"),
    "Schedule": ("identifier", "active", "actor"),
    "MedicationStatement": ("identifier", "patient", "subject", "status", "code", "effective"),
    "MedicationRequest": ("identifier", "patient", "subject", "status", "intent", "code", "authoredon", "requester"),
    "Procedure": ("identifier", "patient", "subject", "status", "code", "category", "encounter", "performer", "date"),
    "AllergyIntolerance": ("identifier", "patient", "clinical-status", "code", "date"),
    "Immunization": ("identifier", "patient", "status", "date"),
    "DocumentReference": ("identifier", "patient", "subject", "status", "type", "category", "date", "author"),
    "Media": ("identifier", "patient", "subject", "status", "based-on"),
    "Flag": ("identifier", "patient", "subject", "status", "code", "encounter"),
}
_DATES = {"date", "onset-date", "authored", "authored-on", "authoredon", "sent", "effective", "start"}
# Keys that few resources share: the index of the keys finds them, and the policy is asked of these few.
_SELECTIVE = {"identifier", "patient", "subject", "encounter", "based-on", "part-of", "focus", "practitioner"}
_CONTROLS = {"_id", "_lastUpdated", "_count", "_offset", "_format"}
_CHINA = ZoneInfo("Asia/Shanghai")
_MOMENT = re.compile(r"^(eq|ge|gt|le|lt)?(\d{4}(-\d{2}(-\d{2}(T.+)?)?)?)$")
MAX_COUNT = 200


@dataclass(slots=True)
class Search:
    """A parsed search: SQL conditions over the resource table, and their values."""

    type: str
    clauses: list[str] = field(default_factory=list)
    values: dict[str, Any] = field(default_factory=dict)
    count: int = 50
    offset: int = 0
    patient: str = ""

    def bind(self, value: Any) -> str:
        """Keep a value and return its placeholder."""
        name = f"v{len(self.values)}"
        self.values[name] = value
        return f"%({name})s"


def parse(type: str, pairs: Iterable[tuple[str, str]]) -> Search:
    """Parse the query of a search; an unknown type or parameter is refused by name, never ignored."""
    allowed = PARAMETERS.get(type)
    if allowed is None:
        raise FhirRefused(404, "not-supported", f"没有资源类型 {type} / there is no resource type {type} here")
    search = Search(type=type)
    for name, value in pairs:
        base, _, modifier = name.partition(":")
        if modifier or (base not in allowed and base not in _CONTROLS):
            raise FhirRefused(
                400, "invalid", f"{type} 不支持查询参数 {name}；支持：{', '.join(allowed)} / unknown parameter {name}"
            )
        _add(search, base, value)
    return search


def _add(search: Search, name: str, value: str) -> None:
    if name == "_format":
        if "json" not in value:
            raise FhirRefused(406, "not-supported", "只提供 JSON / only JSON is offered")
    elif name in ("_count", "_offset"):
        _page(search, name, value)
    elif name == "_id":
        search.clauses.append(f"fhir_id = ANY({search.bind(value.split(','))})")
    elif name == "_lastUpdated":
        _date(search, "updated_at", name, value)
    elif name in _DATES:
        _date(search, "occurred_at", name, value)
    elif name == "birthdate":
        search.clauses.append(f"content ->> 'birthDate' = {search.bind(value)}")
    elif name == "name":
        search.clauses.append(f"tokens && {search.bind([f'name|{part.lower()}' for part in value.split(',')])}::text[]")
    else:
        _token(search, name, value)


def _token(search: Search, name: str, value: str) -> None:
    wanted = []
    for given in value.split(","):
        part = given
        if name in ("patient", "subject"):
            part = given if "/" in given else f"Patient/{given}"
            search.patient = part.partition("/")[2]
        wanted.append(f"{name}|{part.removeprefix('|')}")
    if name in _SELECTIVE:
        search.clauses.append(f"id IN (SELECT record_matching(%(type)s, {search.bind(wanted)}::text[]))")
    else:
        search.clauses.append(f"tokens && {search.bind(wanted)}::text[]")


def _page(search: Search, name: str, value: str) -> None:
    if not value.isdigit():
        raise FhirRefused(400, "invalid", f"{name} 应为不小于 0 的整数 / {name} must be a whole number")
    if name == "_count":
        search.count = min(int(value), MAX_COUNT)
    else:
        search.offset = int(value)


def _date(search: Search, column: str, name: str, value: str) -> None:
    found = _MOMENT.match(value)
    if found is None:
        raise FhirRefused(400, "invalid", f"{name} 的值 {value} 不是日期；写法如 ge2026-01-31 / not a date: {value}")
    prefix = found.group(1) or "eq"
    start, end = _span(name, found.group(2))
    if prefix == "eq":
        search.clauses.append(f"{column} >= {search.bind(start)} AND {column} < {search.bind(end)}")
    else:
        # A date is a span: after it means from its end on, up to it means before its end.
        operator, edge = {"gt": (">=", end), "ge": (">=", start), "lt": ("<", start), "le": ("<", end)}[prefix]
        search.clauses.append(f"{column} {operator} {search.bind(edge)}")


def _span(name: str, text: str) -> tuple[datetime, datetime]:
    """The span that a date of any precision covers; a date without a zone is a day in China."""
    try:
        if "T" in text:
            moment = datetime.fromisoformat(text.replace("Z", "+00:00").replace(" ", "+"))
            if moment.tzinfo is None:
                moment = moment.replace(tzinfo=_CHINA)
            return moment, moment + timedelta(seconds=1)
        parts = [int(part) for part in text.split("-")]
        year, month, day = (*parts, 1, 1)[:3] if len(parts) < 3 else parts
        start = datetime(year, month, day, tzinfo=_CHINA)
        if len(parts) == 1:
            return start, datetime(year + 1, 1, 1, tzinfo=_CHINA)
        if len(parts) == 2:
            return start, datetime(year + month // 12, month % 12 + 1, 1, tzinfo=_CHINA)
        return start, start + timedelta(days=1)
    except ValueError as error:
        raise FhirRefused(400, "invalid", f"{name} 的值 {text} 不是日期 / not a date: {text}") from error
