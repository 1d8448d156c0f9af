"""Problem list and medicines out of the record: what is active, what is over, and where each was written."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone

from doorstep.kernel.record.queries import Entry
from doorstep.people.residents.chart.diseases import chapter_of

_OVER = frozenset({"inactive", "remission", "resolved"})
_WITHDRAWN = frozenset({"entered-in-error", "refuted"})
_TAKEN = frozenset({"active", "intended", "on-hold", "draft", "unknown", ""})


@dataclass(frozen=True, slots=True)
class Problem:
    """A diagnosis, once for all units that wrote it; `entries` newest first."""

    name: str
    code: str
    chapter: str
    active: bool
    since: str
    until: str
    units: tuple[str, ...]
    sensitive: bool
    entries: tuple[Entry, ...]

    @property
    def newest(self) -> Entry:
        """The entry that says how it stands."""
        return self.entries[0]


@dataclass(frozen=True, slots=True)
class Medicine:
    """A medicine, once for all prescriptions of it; `dosage` is that of the newest."""

    name: str
    dosage: str
    current: bool
    since: str
    until: str
    units: tuple[str, ...]
    sensitive: bool
    entries: tuple[Entry, ...]

    @property
    def newest(self) -> Entry:
        """The entry that says how it stands."""
        return self.entries[0]


def problems_of(entries: Iterable[Entry], *, units: Mapping[int, str]) -> list[Problem]:
    """The problem list, active ones first, then by chapter of ICD-10 and by the day they began."""
    groups: dict[str, list[Entry]] = {}
    for entry in entries:
        if _code(entry.content.get("verificationStatus")) in _WITHDRAWN:
            continue
        code, name = _code(entry.content.get("code")), _text(entry.content.get("code"))
        groups.setdefault(code or name, []).append(entry)
    found = [_problem(held, units) for held in groups.values()]
    return sorted(found, key=lambda one: (not one.active, one.code[:1] or "~", one.since))


def medicines_of(entries: Iterable[Entry], *, units: Mapping[int, str]) -> list[Medicine]:
    """Medicines, those that are taken now first, then by name."""
    groups: dict[str, list[Entry]] = {}
    for entry in entries:
        if entry.content.get("status") == "entered-in-error":
            continue
        name = medicine_name(entry.content)
        if name:
            groups.setdefault(name, []).append(entry)
    found = [_medicine(name, held, units) for name, held in groups.items()]
    return sorted(found, key=lambda one: (not one.current, one.name))


def by_chapter(problems: Iterable[Problem]) -> list[tuple[str, list[Problem]]]:
    """Problems under the names of their chapters, in the order in which they come."""
    groups: dict[str, list[Problem]] = {}
    for problem in problems:
        groups.setdefault(problem.chapter, []).append(problem)
    return list(groups.items())


def medicine_name(content: Mapping[str, Any]) -> str:
    """What a prescription or statement names."""
    reference = content.get("medicationReference") or {}
    return _text(content.get("medicationCodeableConcept")) or str(reference.get("display", ""))


def dosage_of(content: Mapping[str, Any]) -> str:
    """How a medicine is taken, in the words of who wrote it."""
    lines = content.get("dosageInstruction") or content.get("dosage") or []
    return "；".join(str(one.get("text", "")) for one in lines if one.get("text"))


def _problem(held: list[Entry], units: Mapping[int, str]) -> Problem:
    newest = held[0].content
    code = _code(newest.get("code"))
    begun = [str(one.content.get("onsetDateTime") or "") for one in held]
    return Problem(
        name=_text(newest.get("code")),
        code=code,
        chapter=str(chapter_of(code)),
        active=_code(newest.get("clinicalStatus")) not in _OVER,
        since=min(filter(None, begun), default=_day(held[-1].occurred_at))[:10],
        until=str(newest.get("abatementDateTime") or "")[:10],
        units=_names(held, units),
        sensitive=any(one.sensitive for one in held),
        entries=tuple(held),
    )


def _medicine(name: str, held: list[Entry], units: Mapping[int, str]) -> Medicine:
    newest = held[0].content
    spans = [one.content.get("effectivePeriod") or {} for one in held]
    starts = [
        str(span.get("start") or one.content.get("authoredOn") or "") for span, one in zip(spans, held, strict=True)
    ]
    return Medicine(
        name=name,
        dosage=dosage_of(newest),
        current=str(newest.get("status", "")) in _TAKEN,
        since=min(filter(None, starts), default=_day(held[-1].occurred_at))[:10],
        until=str(spans[0].get("end") or "")[:10],
        units=_names(held, units),
        sensitive=any(one.sensitive for one in held),
        entries=tuple(held),
    )


def _names(held: list[Entry], units: Mapping[int, str]) -> tuple[str, ...]:
    names = (units.get(one.organization_id or 0, "") for one in held)
    return tuple(dict.fromkeys(filter(None, names)))


def _day(at: datetime) -> str:
    return timezone.localdate(at).isoformat()


def _code(concept: Any) -> str:
    given = concept.get("coding") if isinstance(concept, dict) else None
    return str(given[0].get("code", "")) if given else ""


def _text(concept: Any) -> str:
    if not isinstance(concept, dict):
        return ""
    coding = (concept.get("coding") or [{}])[0]
    return str(concept.get("text") or coding.get("display") or coding.get("code") or "")
