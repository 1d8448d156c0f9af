"""Opening and closing tasks, and what happens when their clocks run."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol
from uuid import UUID, uuid4

import structlog
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from doorstep.kernel.access import actions as access
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.access.models import CareRelationship
from doorstep.kernel.access.refusals import NotFound
from doorstep.kernel.database.calls import Call, as_json, run
from doorstep.kernel.events import actions as events
from doorstep.kernel.events.event import Event
from doorstep.kernel.web.push import push
from doorstep.kernel.worklist import calendar
from doorstep.kernel.worklist.duty import next_in_line
from doorstep.kernel.worklist.events import TaskEscalated, TaskOverdue, TaskWarned
from doorstep.kernel.worklist.models import Delegation, Task

log = structlog.get_logger(__name__)
_BATCH = 200
# After which a task that could not be handed on is tried again.
_AGAIN = timedelta(minutes=1)


class ClockLike(Protocol):
    """What a task needs of a state's clock."""

    @property
    def due(self) -> timedelta: ...
    @property
    def warn(self) -> timedelta | None: ...
    @property
    def working_time(self) -> bool: ...
    @property
    def escalate(self) -> tuple[Any, ...]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTask:
    """A task to be opened; `due_at` wins over the clock's own length."""

    kind: str
    item_id: int
    item_key: UUID
    organization_id: int
    episode: str = ""
    consortium_id: int | None = None
    resident_id: int | None = None
    permission: str = ""
    urgency: int = 0
    assignee_id: int | None = None
    clock: ClockLike | None = None
    due_at: datetime | None = None


def open_task(new: NewTask, *, now: datetime | None = None) -> None:
    """Open a task with its clock and tell the pages of its organisation."""
    run([opening(new, now=now or timezone.now())])


def opening(new: NewTask, *, now: datetime) -> Call:
    """The call that opens a task, for an act that sends it with its other traces; pages are told once that has committed."""
    due_at, warn_at, steps = new.due_at, None, []
    if new.clock is not None:
        due_at = due_at or calendar.due(now, new.clock.due, working_time=new.clock.working_time)
        if new.clock.warn is not None:
            warn_at = min(calendar.due(now, new.clock.warn, working_time=new.clock.working_time), due_at)
        steps = [{"to": step.to, "seconds": int(step.due.total_seconds())} for step in new.clock.escalate]
    task = {
        "key": uuid4(),
        "kind": new.kind,
        "item_id": new.item_id,
        "item_key": new.item_key,
        "episode": new.episode,
        "organization_id": new.organization_id,
        "consortium_id": new.consortium_id,
        "resident_id": new.resident_id,
        "permission": new.permission,
        "urgency": new.urgency,
        "assignee_id": new.assignee_id,
        "opened_at": now,
        "due_at": due_at,
        "warn_at": warn_at,
        "escalate_to": steps,
    }
    push(to=[f"organization:{new.organization_id}"], kind="worklist", reference=new.kind)
    return Call("worklist_open", (as_json(task),))


def close_tasks(*, machine: str, item_id: int, outcome: str, actor: Actor, now: datetime | None = None) -> int:
    """Close every open task of a thing, in whoever's list it lies; returns how many."""
    return int(run([closing(machine=machine, item_id=item_id, outcome=outcome, actor=actor, now=now)])[0])


def closing(*, machine: str, item_id: int, outcome: str, actor: Actor, now: datetime | None = None) -> Call:
    """The call that closes the tasks of a thing, for an act that sends it with its other traces."""
    return Call("worklist_close", (machine, item_id, outcome, actor.user_id, now or timezone.now()))


def set_urgency(*, machine: str, item_id: int, urgency: int) -> int:
    """Give the open tasks of a thing another place in the lists; returns how many the actor could reach."""
    return Task.objects.filter(kind__startswith=f"{machine}.", item_id=item_id, closed_at__isnull=True).update(
        urgency=urgency
    )


def delegate(
    *, from_user_id: int, to_user_id: int, starts_on: Any, ends_on: Any, reason: str, actor: Actor
) -> Delegation:
    """Give a colleague the tasks of a person on leave; both belong to the actor's organisation."""
    if actor.organization_id is None:
        raise NotFound()
    return Delegation.objects.create(
        organization_id=actor.organization_id,
        from_user_id=from_user_id,
        to_user_id=to_user_id,
        starts_on=starts_on,
        ends_on=ends_on,
        reason=reason[:200],
    )


def end_delegation(*, key: UUID, from_user_id: int, now: datetime) -> bool:
    """Take a deputy back before the last day; False when this person has no such one that still stands."""
    standing = Delegation.objects.filter(key=key, from_user_id=from_user_id, ended_at__isnull=True)
    return standing.filter(ends_on__gte=timezone.localdate(now)).update(ended_at=now) == 1


@transaction.atomic
def run_clocks(*, actor: Actor, now: datetime | None = None) -> int:
    """Warn owners and hand overdue tasks to the next in line; returns how many tasks were touched.

    Rows are taken with SKIP LOCKED, so several clock runners, or a person closing the task, never wait for each other
    and no task is escalated twice. One that cannot be handed on is left for the next minute and holds no other up: see `count_stuck`.
    """
    now = now or timezone.now()
    open_tasks = Task.objects.select_for_update(skip_locked=True).filter(closed_at__isnull=True)
    ripe = Q(stuck_at__isnull=True) | Q(stuck_at__lte=now - _AGAIN)
    overdue = list(open_tasks.filter(ripe, due_at__lte=now, escalated_at__isnull=True).order_by("due_at")[:_BATCH])
    stuck = [task.id for task in overdue if not _alone(_escalate, task, actor=actor, now=now)]
    warned = list(
        open_tasks.filter(ripe, warn_at__lte=now, warned_at__isnull=True, escalated_at__isnull=True).order_by(
            "warn_at"
        )[:_BATCH]
    )
    told = {task.id for task in warned if _alone(_warn, task, actor=actor, now=now)}
    Task.objects.filter(id__in=told).update(warned_at=now, stuck_at=None)
    stuck += [task.id for task in warned if task.id not in told]
    if stuck:
        Task.objects.filter(id__in=stuck).update(stuck_at=now)
    return len(overdue) + len(warned)


def count_stuck() -> int:
    """How many tasks nobody could be warned of, or that could not be handed to the next in line; somebody must look."""
    return Task.objects.filter(closed_at__isnull=True, stuck_at__isnull=False).count()


def _alone(act: Callable[..., None], task: Task, *, actor: Actor, now: datetime) -> bool:
    """Do what a clock wants for one task in a savepoint of its own; False when that failed."""
    try:
        with transaction.atomic():
            act(task, actor=actor, now=now)
    except Exception:
        if transaction.get_rollback():
            # The savepoint cannot be gone back to: the connection is lost, and no task is at fault.
            raise
        # Whatever is wrong with one task, the clocks of all others go on.
        log.exception("task_not_handed_on", task=task.id, kind=task.kind)
        return False
    return True


def _warn(task: Task, *, actor: Actor, now: datetime) -> None:
    events.publish(_event(TaskWarned, task, organization_id=task.organization_id))
    push(to=[f"organization:{task.organization_id}"], kind="clock", reference=str(task.key))


def _escalate(task: Task, *, actor: Actor, now: datetime) -> None:
    steps = list(task.escalate_to)
    target = None
    while steps and target is None:
        step = steps.pop(0)
        target = next_in_line(step["to"], task.organization_id)
        if target == task.organization_id:
            target = None
    Task.objects.filter(id=task.id).update(escalated_at=now, stuck_at=None)
    if target is None:
        events.publish(_event(TaskOverdue, task, organization_id=task.organization_id))
        push(to=[f"organization:{task.organization_id}"], kind="clock", reference=str(task.key))
        return
    if task.resident_id is not None:
        access.open_relationship(
            resident_id=task.resident_id,
            organization_id=target,
            reason=CareRelationship.Reason.ESCALATION,
            scope=CareRelationship.Scope.EPISODE,
            episode=task.episode,
            closes_at=now + timedelta(days=7),
            actor=actor,
        )
    following = Task(
        kind=task.kind,
        item_id=task.item_id,
        item_key=task.item_key,
        episode=task.episode,
        organization_id=target,
        consortium_id=task.consortium_id,
        resident_id=task.resident_id,
        permission=task.permission,
        urgency=task.urgency,
        opened_at=now,
        due_at=now + timedelta(seconds=step["seconds"]),
        level=task.level + 1,
        escalate_to=steps,
    )
    following.save(force_insert=True)
    events.publish(_event(TaskEscalated, task, organization_id=target))
    push(to=[f"organization:{target}"], kind="escalated", reference=str(following.key))


def _event(kind: type[Event], task: Task, *, organization_id: int) -> Event:
    return kind(
        subject=task.episode or f"task/{task.key}",
        subject_id=task.item_id,
        resident_id=task.resident_id,
        organization_id=organization_id,
        consortium_id=task.consortium_id,
        details={
            "kind": task.kind,
            "permission": task.permission,
            "level": task.level,
            "from": task.organization_id,
            "to": organization_id,
        },
    )
