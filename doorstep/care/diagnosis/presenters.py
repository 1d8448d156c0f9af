"""Orders, reports and critical values as pages show them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from doorstep.care.diagnosis import states
from doorstep.care.diagnosis.ecg.templates import BY_CODE, GROUP_LABELS, PHRASES
from doorstep.care.diagnosis.fhir import ORDERED
from doorstep.care.diagnosis.models import CriticalValue, EcgOrder
from doorstep.care.diagnosis.report import CRITICAL_BY_CODE, MEASURES
from doorstep.coordination.visits.models import Visit
from doorstep.kernel.access.actor import SYSTEM_NAME, Actor
from doorstep.kernel.hooks import registry as hooks
from doorstep.kernel.workflow.machine import Machine
from doorstep.kernel.workflow.models import Step
from doorstep.kernel.worklist.models import Task
from doorstep.people.residents.models import Resident

_TONES = {
    states.REQUESTED: "neutral",
    states.QUEUED: "info",
    states.READING: "info",
    states.SIGNED: "ok",
    states.RETURNED: "warn",
    states.CANCELLED: "plain",
    states.TOLD: "critical",
    states.ACKNOWLEDGED: "warn",
    states.CLOSED: "ok",
    states.WITHDRAWN: "plain",
}
_GENDERS = {"male": "男", "female": "女"}


@dataclass(frozen=True, slots=True)
class Line:
    """One order in a list."""

    order: EcgOrder
    key: UUID
    name: str
    who: str
    unit: str
    state: str
    tone: str
    urgency: int
    suspicion: str
    conclusion: str
    critical: bool
    arrived_at: datetime | None
    due_at: datetime | None
    warn_at: datetime | None
    done_at: datetime | None
    reader: str


def lines_of(orders: Iterable[EcgOrder], residents: Mapping[int, Resident], *, today: date) -> list[Line]:
    """Orders as lines; a resident whose record is closed to the reader by now has no name."""
    return [_line(order, residents.get(order.resident_id), today) for order in orders]


def _line(order: EcgOrder, resident: Resident | None, today: date) -> Line:
    arrived = order.arrived_at
    return Line(
        order=order,
        key=order.key,
        name=resident.name if resident else _("查阅期已过"),
        who=who_of(resident, today) if resident else "",
        unit=order.source_name,
        state=label_of(order.machine, order.state),
        tone=_TONES[order.state],
        urgency=order.queue_urgency,
        suspicion=suspicion_of(order),
        conclusion=order.conclusion_text if order.signed_at else "",
        critical=bool(order.critical_code) and order.signed_at is not None,
        arrived_at=arrived,
        due_at=arrived + states.REPORT_WITHIN if arrived else None,
        warn_at=arrived + (states.REPORT_CLOCK.warn or states.REPORT_WITHIN) if arrived else None,
        done_at=order.signed_at,
        reader=order.reader_name or "" if order.state == states.READING else "",
    )


def who_of(resident: Resident, today: date) -> str:
    """Sex and age in years: 女 63 岁."""
    born = resident.birth_date
    years = today.year - born.year - ((today.month, today.day) < (born.month, born.day))
    return f"{_(_GENDERS.get(resident.gender, '未说明'))} {_('%(count)s 岁') % {'count': years}}"


def label_of(machine: Machine, state: str) -> str:
    """The label of a state in the reader's language."""
    found = machine.state(state)
    return found.en if english() else found.zh


def tone_of(state: str) -> str:
    """The tone of a state's tag."""
    return _TONES[state]


def english() -> bool:
    """Whether the reader reads English."""
    return (get_language() or "").startswith("en")


def suspicion_of(order: EcgOrder) -> str:
    """What the machine suspects, in one line; "" before it looked or when it saw nothing."""
    words = "en" if english() else "zh"
    preread = order.preread
    if preread and not preread.get("usable"):
        return str(preread.get(f"reason_{words}", ""))
    return "；".join(str(one[words]) for one in preread.get("suspicions", ())[:2])


def suspicions_of(order: EcgOrder) -> list[dict[str, Any]]:
    """Everything that the machine suspects, with its leads and tone."""
    words = "en" if english() else "zh"
    tones = {0: "critical", 1: "warn"}
    return [
        {"text": one[words], "leads": " ".join(one.get("leads", ())), "tone": tones.get(one.get("urgency"), "neutral")}
        for one in order.preread.get("suspicions", ())
    ]


def measurements_of(order: EcgOrder) -> list[tuple[str, str]]:
    """The figures of a report with names and units."""
    return [
        (measure.en if english() else measure.zh, f"{order.measurements[measure.name]} {_(measure.unit)}")
        for measure in MEASURES
        if measure.name in order.measurements
    ]


def phrases() -> list[dict[str, Any]]:
    """The phrases for the picker: key, text, group."""
    words = 1 if english() else 0
    return [
        {
            "code": phrase.code,
            "key": phrase.key,
            "text": phrase.zh,
            "en": phrase.en,
            "group": GROUP_LABELS[phrase.group][words],
            "critical": phrase.critical,
        }
        for phrase in PHRASES
    ]


def picked(order: EcgOrder) -> list[str]:
    """The texts of the phrases of a report."""
    return [BY_CODE[code].en if english() else BY_CODE[code].zh for code in order.findings if code in BY_CODE]


def critical_text(code: str) -> str:
    """What a critical value says, or ""."""
    value = CRITICAL_BY_CODE.get(code)
    return "" if value is None else value.en if english() else value.zh


@dataclass(frozen=True, slots=True)
class Happening:
    """One line of the story of a report: a step, or a clock that ran out."""

    at: datetime
    title: str
    who: str
    detail: str
    tone: str
    icon: str


_STEP_ICONS = {
    "order": "file-plus",
    "submit": "upload",
    "claim": "user-check",
    "sign": "signature",
    "amend": "edit",
    "return": "arrow-back-up",
    "raise": "urgent",
    "acknowledge": "check",
    "close": "checks",
}
_STEP_TONES = {"sign": "ok", "return": "warn", "raise": "critical", "acknowledge": "ok", "close": "ok", "lapse": "warn"}


def story(steps: Sequence[tuple[Machine, Step]], tasks: Iterable[Task], units: Mapping[int, str]) -> list[Happening]:
    """Everything that happened to a report and its critical values, newest first."""
    found = [_step(machine, step) for machine, step in steps]
    for task in tasks:
        found += _clock(task, units)
    return sorted(found, key=lambda one: one.at, reverse=True)


def _step(machine: Machine, step: Step) -> Happening:
    way = next((one for one in machine.transitions if one.verb == step.verb), None)
    title = step.verb if way is None else way.en if english() else way.zh
    name = _("系统") if step.actor_name == SYSTEM_NAME else step.actor_name
    return Happening(
        at=step.at,
        title=title,
        who=f"{name} · {step.organization_name}".strip(" ·"),
        detail=step.reason,
        tone=_STEP_TONES.get(step.verb, "neutral"),
        icon=_STEP_ICONS.get(step.verb, "circle"),
    )


def _clock(task: Task, units: Mapping[int, str]) -> list[Happening]:
    found = []
    unit = units.get(task.organization_id, "")
    if task.level > 0:
        found.append(Happening(task.opened_at, _("逾时未处理，转给上一级"), unit, "", "critical", "bell-ringing"))
    if task.warned_at:
        found.append(Happening(task.warned_at, _("时限将到，已提醒"), unit, "", "warn", "clock"))
    return found


@dataclass(frozen=True, slots=True)
class CriticalLine:
    """One critical value in a list."""

    critical: CriticalValue
    key: str
    name: str
    text: str
    unit: str
    state: str
    tone: str
    open: bool
    due_at: datetime | None
    warn_at: datetime | None


def critical_lines(
    criticals: Iterable[CriticalValue], residents: Mapping[int, Resident], tasks: Mapping[int, Task]
) -> list[CriticalLine]:
    """Critical values as lines, with the clock of the actor's own task."""
    found = []
    for one in criticals:
        task, resident = tasks.get(one.pk), residents.get(one.resident_id)
        found.append(
            CriticalLine(
                critical=one,
                key=str(one.key),
                name=resident.name if resident else _("查阅期已过"),
                text=one.text_en if english() and one.text_en else one.text_zh,
                unit=one.source.name,
                state=label_of(one.machine, one.state),
                tone=_TONES[one.state],
                open=one.state in (states.TOLD, states.ACKNOWLEDGED),
                due_at=task.due_at if task else None,
                warn_at=task.warn_at if task else None,
            )
        )
    return found


def order_hints(visit: Visit, *, actor: Actor) -> list[hooks.Card]:
    """What the house says to who is about to order an ECG: the same as other systems are told at order-select."""
    draft = {"resourceType": "ServiceRequest", "id": "draft", "status": "draft", "intent": "order", "code": ORDERED}
    asked = hooks.Asked(
        resident_id=visit.resident_id,
        patient_id=str(visit.resident.key),
        hook="order-select",
        context={
            "encounterId": str(visit.key),
            "selections": ["ServiceRequest/draft"],
            "draftOrders": {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": draft}]},
        },
    )
    return hooks.cards(hook="order-select", asked=asked, actor=actor)
