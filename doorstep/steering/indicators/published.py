"""Indicators as FHIR R4 Measure and MeasureReport (hl7.org/fhir/R4/measure.html, measurereport.html): counts, never residents."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from doorstep.coordination.recognition.queries import Tally
from doorstep.kernel.fhir import elements, systems
from doorstep.kernel.record.publishing import Published
from doorstep.kernel.workflow import catalogue
from doorstep.kernel.worklist.queries import StageTimes

_SCORING = "http://terminology.hl7.org/CodeSystem/measure-scoring"
_POPULATION = "http://terminology.hl7.org/CodeSystem/measure-population"
STAGE = f"{systems.BASE}/CodeSystem/stage"
CLOCK, MEDIAN, RECOGNITION = "stage-inside-clock", "stage-median", "recognition-share"
_MEASURES = (
    (CLOCK, "proportion", "环节时限内办结率", "各环节首次任务中，在时限内办结的 ÷ 有时限并已办结的"),
    (MEDIAN, "continuous-variable", "环节中位用时", "各环节首次任务从产生到办结的中位秒数"),
    (RECOGNITION, "proportion", "互认率", "认可的结果 ÷（认可 + 已有可互认结果仍重复检查）；危急值不计入"),
)


@dataclass(frozen=True, slots=True)
class Unit:
    """Who reports."""

    id: int
    key: UUID
    name: str


def measures(*, at: datetime) -> list[Published]:
    """What is counted, each as a Measure."""
    return [
        _published(
            {
                "resourceType": "Measure",
                "id": name,
                "url": _url(name),
                "name": name.replace("-", " ").title().replace(" ", ""),
                "title": title,
                "status": "active",
                "description": said,
                "scoring": elements.concept(_SCORING, scoring),
            },
            None,
            at,
        )
        for name, scoring, title, said in _MEASURES
    ]


def reports(
    unit: Unit, month: date, *, stages: Sequence[StageTimes], tally: Tally | None, end: datetime
) -> list[Published]:
    """The MeasureReports of a unit for a month that ended at `end`; none for what did not happen."""
    clocked = [_clock_group(one) for one in stages if one.clocked]
    medians = [_median_group(one) for one in stages]
    recognised = [_recognition_group(tally)] if tally else []
    return [
        _report(unit, month, name, groups, end)
        for name, groups in ((CLOCK, clocked), (MEDIAN, medians), (RECOGNITION, recognised))
        if groups
    ]


def report_id(unit_key: UUID, name: str, month: date) -> str:
    """The id of a unit's report of a measure in a month."""
    return str(uuid5(unit_key, f"{name}/{month:%Y-%m}"))


def _report(unit: Unit, month: date, name: str, groups: list[elements.Json], end: datetime) -> Published:
    last = (month.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
    content = {
        "resourceType": "MeasureReport",
        "id": report_id(unit.key, name, month),
        "status": "complete",
        "type": "summary",
        "measure": _url(name),
        "date": elements.instant(end),
        "reporter": elements.reference("Organization", unit.key, unit.name),
        "period": elements.period(month, last),
        "group": groups,
    }
    return _published(content, unit.id, end)


def _clock_group(one: StageTimes) -> elements.Json:
    counts = (("initial-population", one.closed), ("denominator", one.clocked), ("numerator", one.inside))
    return {**_counted(counts), "code": _stage(one.kind), "measureScore": _ratio(one.inside, one.clocked)}


def _median_group(one: StageTimes) -> elements.Json:
    score = elements.quantity(round(one.median, 3), "s")
    return {**_counted((("measure-population", one.closed),)), "code": _stage(one.kind), "measureScore": score}


def _recognition_group(tally: Tally) -> elements.Json:
    counts = (("denominator", tally.standing), ("numerator", tally.recognised))
    return {**_counted(counts), "measureScore": _ratio(tally.recognised, tally.standing)}


def _counted(counts: Sequence[tuple[str, int]]) -> dict[str, Any]:
    return {"population": [{"code": elements.concept(_POPULATION, code), "count": count} for code, count in counts]}


def _ratio(part: int, whole: int) -> elements.Json:
    return {"value": round(part / whole, 4), "system": systems.UCUM, "code": "1"}


def _stage(kind: str) -> elements.Json:
    found = catalogue.stage(kind)
    words = f"{found.machine.zh} · {found.state.zh}" if found else kind
    return elements.concept(STAGE, kind, words)


def _url(name: str) -> str:
    return f"{systems.BASE}/Measure/{name}"


def _published(content: elements.Json, organization_id: int | None, at: datetime) -> Published:
    # A report is read through the machine interface by its own unit and by who reads for the units below; what is counted is open to all.
    return Published(
        content=content,
        organization_id=organization_id,
        occurred_at=at,
        category="measure",
        sensitive=content["resourceType"] == "MeasureReport",
    )
