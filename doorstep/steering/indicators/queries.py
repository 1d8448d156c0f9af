"""The times of every stage and their share inside the clock, down to the very cases.

A case is shown by its stage, units and times, never by the resident or by what somebody wrote of the case: a manager manages clocks,
not records, and the reason of a step is a doctor's own words about a patient.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.utils import timezone

from doorstep.kernel.access.actor import Actor
from doorstep.kernel.access.refusals import NotFound
from doorstep.kernel.workflow import catalogue
from doorstep.kernel.workflow import queries as workflow
from doorstep.kernel.worklist import queries as worklist
from doorstep.people.organizations import queries as organizations
from doorstep.steering.indicators.permissions import Permission

PERIODS = {
    "day": timedelta(days=1),
    "week": timedelta(days=7),
    "month": timedelta(days=30),
    "year": timedelta(days=365),
}


@dataclass(frozen=True, slots=True)
class StageLine:
    """One stage in a period: figures in seconds, `share` of those with a clock that kept it."""

    kind: str
    machine_zh: str
    machine_en: str
    label_zh: str
    label_en: str
    closed: int
    median: float | None
    ninetieth: float | None
    clocked: int
    late: int
    share: float | None
    open_now: int
    overdue_now: int
    clock_seconds: int | None
    clock_source: str
    verified: bool


@dataclass(frozen=True, slots=True)
class CaseLine:
    """One task behind a figure."""

    key: UUID
    kind: str
    organization: str
    opened_at: datetime
    closed_at: datetime | None
    due_at: datetime | None
    seconds: float
    late: bool
    outcome_zh: str
    outcome_en: str


@dataclass(frozen=True, slots=True)
class CaseStep:
    """One step in the history of a case."""

    at: datetime
    label_zh: str
    label_en: str
    state_zh: str
    state_en: str
    organization: str


def list_stages(*, actor: Actor, period: str, now: datetime | None = None) -> list[StageLine]:
    """Every stage of every machine with its figures over the actor's organisations; what is worked on stands first."""
    actor.check(Permission.INDICATOR_VIEW)
    now = now or timezone.now()
    closed = {
        row.kind: row
        for row in worklist.stage_times(since=now - PERIODS[period], until=now, actor=actor, moot=catalogue.moot_ways())
    }
    waiting = worklist.open_and_overdue(now=now, actor=actor)
    lines = []
    for machine in catalogue.machines():
        for state in machine.states:
            kind = f"{machine.name}.{state.code}"
            if kind not in closed and kind not in waiting and state.clock is None:
                continue
            row = closed.get(kind)
            clock = state.clock
            lines.append(
                StageLine(
                    kind=kind,
                    machine_zh=machine.zh,
                    machine_en=machine.en,
                    label_zh=state.zh,
                    label_en=state.en,
                    closed=row.closed if row else 0,
                    median=row.median if row else None,
                    ninetieth=row.ninetieth if row else None,
                    clocked=row.clocked if row else 0,
                    late=row.clocked - row.inside if row else 0,
                    share=row.share if row else None,
                    open_now=waiting.get(kind, (0, 0))[0],
                    overdue_now=waiting.get(kind, (0, 0))[1],
                    clock_seconds=int(clock.due.total_seconds()) if clock else None,
                    clock_source=clock.source if clock else "",
                    verified=clock.verified if clock else True,
                )
            )
    # Stable: within a group the machines keep their order.
    return sorted(lines, key=lambda line: (not line.overdue_now, not (line.closed or line.open_now)))


def list_cases(*, actor: Actor, kind: str, period: str, late: bool, now: datetime | None = None) -> list[CaseLine]:
    """The slowest cases behind a stage's figure, at most 50."""
    actor.check(Permission.INDICATOR_VIEW)
    now = now or timezone.now()
    tasks = worklist.stage_cases(
        kind=kind, since=now - PERIODS[period], until=now, actor=actor, late=late, moot=catalogue.moot_ways()
    )
    names = organizations.names(ids=[task.organization_id for task in tasks])
    lines = []
    for task in tasks:
        outcome_zh, outcome_en = _outcome(task.kind, task.outcome)
        lines.append(
            CaseLine(
                key=task.key,
                kind=task.kind,
                organization=names.get(task.organization_id, ""),
                opened_at=task.opened_at,
                closed_at=task.closed_at,
                due_at=task.due_at,
                seconds=((task.closed_at or now) - task.opened_at).total_seconds(),
                late=bool(task.due_at and task.closed_at and task.closed_at > task.due_at),
                outcome_zh=outcome_zh,
                outcome_en=outcome_en,
            )
        )
    return lines


def _outcome(kind: str, verb: str) -> tuple[str, str]:
    """What ended a stage, in Chinese and English words: the name of the transition that led out of it."""
    stage = catalogue.stage(kind)
    way = stage.machine.transition(verb, stage.state.code) if stage else None
    return (way.zh, way.en) if way else (verb, verb)


def list_case_steps(*, actor: Actor, key: UUID) -> list[CaseStep]:
    """Everything that happened to the case of a task, oldest first; 404 outside the actor's organisations."""
    actor.check(Permission.INDICATOR_VIEW)
    task = worklist.task_by_key(key=key, actor=actor)
    stage = catalogue.stage(task.kind) if task else None
    if task is None or stage is None:
        raise NotFound()
    steps = []
    for step in workflow.steps_of(machine=stage.machine.name, item_id=task.item_id):
        way = stage.machine.transition(step.verb, step.from_state)
        state = stage.machine.state(step.to_state)
        steps.append(
            CaseStep(
                at=step.at,
                label_zh=way.zh if way else step.verb,
                label_en=way.en if way else step.verb,
                state_zh=state.zh,
                state_en=state.en,
                organization=step.organization_name,
            )
        )
    return steps
