"""Lists of work."""

from collections.abc import Iterable
from datetime import date
from typing import Any

from django.db import connection
from django.db.models import Count, F, Q, QuerySet

from doorstep.kernel.access.actor import Actor
from doorstep.kernel.worklist.models import Delegation, Task


def open_tasks(*, actor: Actor, kinds: Iterable[str] = (), limit: int = 50) -> list[Task]:
    """The open tasks that the actor's posts and role may do: most urgent first, then by the clock."""
    return list(_mine(actor, kinds).order_by("-urgency", F("due_at").asc(nulls_last=True), "id")[:limit])


def count_by_kind(*, actor: Actor) -> dict[str, int]:
    """How many open tasks of each kind wait for the actor."""
    return dict(_mine(actor, ()).values_list("kind").annotate(count=Count("id")))


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


def escalations_of(*, machine: str, item_id: int) -> list[Task]:
    """Every task of a thing, oldest first: who had it, when it was warned, and to whom it went."""
    return list(Task.objects.filter(kind__startswith=f"{machine}.", item_id=item_id).order_by("opened_at", "id"))


def deputies(*, user_id: int, day: date) -> list[int]:
    """The persons whose tasks this user has during their leave."""
    return list(
        Delegation.objects.filter(to_user_id=user_id, starts_on__lte=day, ends_on__gte=day).values_list(
            "from_user_id", flat=True
        )
    )


def stage_times(*, since: Any, until: Any) -> list[dict[str, Any]]:
    """Per kind of task: how many were closed, median and 90th percentile of their time, and the share inside the clock.

    Read under a named system purpose; seconds.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT kind, count(*) AS closed,
                   percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM closed_at - opened_at)) AS median,
                   percentile_cont(0.9) WITHIN GROUP (ORDER BY extract(epoch FROM closed_at - opened_at)) AS ninetieth,
                   count(*) FILTER (WHERE due_at IS NOT NULL) AS clocked,
                   count(*) FILTER (WHERE due_at IS NOT NULL AND closed_at <= due_at) AS inside
            FROM worklist_task WHERE level = 0 AND closed_at >= %s AND closed_at < %s GROUP BY kind ORDER BY kind
            """,
            [since, until],
        )
        names = [column.name for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _mine(actor: Actor, kinds: Iterable[str]) -> QuerySet[Task]:
    wanted = list(kinds)
    tasks = Task.objects.filter(closed_at__isnull=True, organization_id__in=actor.reach).filter(
        Q(permission="") | Q(permission__in=list(actor.permissions))
    )
    tasks = tasks.filter(Q(assignee_id__isnull=True) | Q(assignee_id=actor.user_id))
    return tasks.filter(kind__in=wanted) if wanted else tasks
