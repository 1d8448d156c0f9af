"""Lists of work."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection
from django.db.models import Count, F, Q, QuerySet
from django.utils import timezone

from doorstep.kernel.access.actor import Actor
from doorstep.kernel.database.remembered import Remembered, Slot
from doorstep.kernel.worklist.models import Delegation, Task


@dataclass(frozen=True, slots=True)
class StageTimes:
    """How one kind of task went in a period; times in seconds."""

    kind: str
    closed: int
    median: float
    ninetieth: float
    clocked: int
    inside: int

    @property
    def share(self) -> float | None:
        """The share closed inside the clock; None when no task had one."""
        return self.inside / self.clocked if self.clocked else None


class OpenTask(NamedTuple):
    """What the line of a list shows of a task."""

    kind: str
    item_id: int
    item_key: UUID
    resident_id: int | None
    organization_id: int
    urgency: int
    opened_at: datetime
    warn_at: datetime | None
    due_at: datetime | None
    level: int
    assignee_id: int | None


# The lines of a list.
LIST = 50


def open_tasks(*, actor: Actor) -> list[OpenTask]:
    """The first open tasks that the actor's posts and role may do: most urgent first, then by the clock."""
    facts = (list(actor.reach), list(actor.permissions), actor.user_id or 0, timezone.localdate())
    return [OpenTask._make(row) for row in _OPEN.rows(*facts)]


def task_of(*, machine: str, item_id: int) -> Task | None:
    """The open task of a thing with the nearest clock, as far as the actor may see it."""
    return (
        Task.objects.filter(kind__startswith=f"{machine}.", item_id=item_id, closed_at__isnull=True)
        .order_by(F("due_at").asc(nulls_last=True))
        .first()
    )


def tasks_of_items(*, machine: str, item_ids: Iterable[int]) -> dict[int, Task]:
    """The open task of each of several things, in one query."""
    found = Task.objects.filter(kind__startswith=f"{machine}.", item_id__in=list(item_ids), closed_at__isnull=True)
    return {task.item_id: task for task in found.order_by("-due_at")}


def _clocks(kinds: Slot, items: Slot) -> QuerySet[Task, tuple[int, datetime | None, datetime | None]]:
    # Kinds and things as lists: both are ranges of the index task_of_item. A kind made of a column would be asked of every task of a
    # thing's number, behind the wall.
    found = Task.objects.filter(kind__any=kinds, item_id__any=items, closed_at__isnull=True)
    return found.order_by(F("due_at").desc(nulls_first=True)).values_list("item_id", "due_at", "warn_at")


_CLOCKS = Remembered(_clocks)


def clocks_of(*, kinds: Collection[str], item_ids: Sequence[int]) -> dict[int, tuple[datetime | None, datetime | None]]:
    """When the open task of each thing is due and warns, the nearest where there are several; `kinds` are whole."""
    if not kinds or not item_ids:
        return {}
    return {item: (due, warn) for item, due, warn in _CLOCKS.rows(sorted(kinds), list(item_ids))}


def escalations_of(*, machine: str, item_id: int) -> list[Task]:
    """Every task of a thing, oldest first: who had it, when it was warned, and to whom it went."""
    return list(Task.objects.filter(kind__startswith=f"{machine}.", item_id=item_id).order_by("opened_at", "id"))


def deputies(*, user_id: int, day: date) -> list[int]:
    """The persons whose tasks this user has during their leave."""
    return list(
        Delegation.objects.filter(
            to_user_id=user_id, starts_on__lte=day, ends_on__gte=day, ended_at__isnull=True
        ).values_list("from_user_id", flat=True)
    )


def delegations_of(*, user_id: int) -> list[Delegation]:
    """The leaves for which this person named a deputy, newest first."""
    return list(Delegation.objects.filter(from_user_id=user_id).order_by("-starts_on")[:20])


def stage_times(*, since: datetime, until: datetime, actor: Actor, moot: Sequence[str]) -> list[StageTimes]:
    """Per kind of task, over the actor's organisations: how many were closed, how long they took, how many inside the clock.

    Only first tasks count (level 0): one that was handed on is the same work, late. What fell away inside its clock ("machine.verb" of
    `moot`: withdrawn, died) was done by nobody and counts as nothing; what fell away after it is late.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT kind, count(*)::int,
                   percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM closed_at - opened_at))::float,
                   percentile_cont(0.9) WITHIN GROUP (ORDER BY extract(epoch FROM closed_at - opened_at))::float,
                   count(*) FILTER (WHERE due_at IS NOT NULL)::int,
                   count(*) FILTER (WHERE due_at IS NOT NULL AND closed_at <= due_at)::int
            FROM worklist_task
            WHERE level = 0 AND closed_at >= %s AND closed_at < %s AND organization_id = ANY (%s)
              AND NOT (closed_at <= coalesce(due_at, closed_at) AND split_part(kind, '.', 1) || '.' || outcome = ANY (%s))
            GROUP BY kind ORDER BY kind
            """,
            [since, until, list(actor.reach), list(moot)],
        )
        return [StageTimes(*row) for row in cursor.fetchall()]


def stage_times_by_unit(*, since: datetime, until: datetime, moot: Sequence[str]) -> dict[int, list[StageTimes]]:
    """The figures of `stage_times` for every organisation at once; only for the system, which counts for all of them."""
    found: dict[int, list[StageTimes]] = {}
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT organization_id, kind, count(*)::int,
                   percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM closed_at - opened_at))::float,
                   percentile_cont(0.9) WITHIN GROUP (ORDER BY extract(epoch FROM closed_at - opened_at))::float,
                   count(*) FILTER (WHERE due_at IS NOT NULL)::int,
                   count(*) FILTER (WHERE due_at IS NOT NULL AND closed_at <= due_at)::int
            FROM worklist_task
            WHERE level = 0 AND closed_at >= %s AND closed_at < %s AND access_is_system()
              AND NOT (closed_at <= coalesce(due_at, closed_at) AND split_part(kind, '.', 1) || '.' || outcome = ANY (%s))
            GROUP BY organization_id, kind ORDER BY organization_id, kind
            """,
            [since, until, list(moot)],
        )
        for organization_id, *figures in cursor.fetchall():
            found.setdefault(organization_id, []).append(StageTimes(*figures))
    return found


def stage_cases(
    *, kind: str, since: datetime, until: datetime, actor: Actor, late: bool, moot: Sequence[str], limit: int = 50
) -> list[Task]:
    """The very tasks behind a figure of `stage_times`, slowest first; `late` keeps those that broke their clock."""
    found = Task.objects.filter(
        kind=kind, level=0, closed_at__gte=since, closed_at__lt=until, organization_id__in=actor.reach
    )
    machine = kind.partition(".")[0]
    verbs = [one.partition(".")[2] for one in moot if one.partition(".")[0] == machine]
    in_time = Q(due_at__isnull=True) | Q(closed_at__lte=F("due_at"))
    found = found.exclude(in_time, outcome__in=verbs) if verbs else found
    if late:
        found = found.filter(due_at__isnull=False, closed_at__gt=F("due_at"))
    return list(found.annotate(took=F("closed_at") - F("opened_at")).order_by("-took", "id")[:limit])


def open_and_overdue(*, now: datetime, actor: Actor) -> dict[str, tuple[int, int]]:
    """Per kind: how many tasks are open and how many of them are past their clock."""
    found = Task.objects.filter(closed_at__isnull=True, level=0, organization_id__in=actor.reach)
    rows = found.values_list("kind").annotate(count=Count("id"), late=Count("id", filter=Q(due_at__lte=now)))
    return {kind: (count, late) for kind, count, late in rows}


def task_by_key(*, key: UUID, actor: Actor) -> Task | None:
    """The task with this key, when it belongs to one of the actor's organisations."""
    return Task.objects.filter(key=key, organization_id__in=actor.reach).first()


def _waiting(reach: Any, permissions: Any, user_id: Any, today: Any) -> QuerySet[Task]:
    """The open tasks of these units that a person with these permissions may do; takes values or slots."""
    away = Delegation.objects.filter(
        to_user_id=user_id, starts_on__lte=today, ends_on__gte=today, ended_at__isnull=True
    )
    return Task.objects.filter(
        Q(permission="") | Q(permission__any=permissions),
        Q(assignee_id__isnull=True) | Q(assignee_id=user_id) | Q(assignee_id__in=away.values("from_user_id")),
        closed_at__isnull=True,
        organization_id__any=reach,
    )


def _listed(reach: Slot, permissions: Slot, user_id: Slot, today: Slot) -> QuerySet[Task, tuple[Any, ...]]:
    tasks = _waiting(reach, permissions, user_id, today).order_by("-urgency", F("due_at").asc(nulls_last=True), "id")
    return tasks.values_list(*OpenTask._fields)[:LIST]


_OPEN = Remembered(_listed)
