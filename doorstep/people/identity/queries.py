"""Reads of the records office: two records side by side, and the merges that were made."""

import json
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from doorstep.kernel.access.actor import Actor, Purpose
from doorstep.kernel.access.refusals import NotFound
from doorstep.kernel.access.session import for_purpose
from doorstep.kernel.audit import actions as audit
from doorstep.people.identity import moving
from doorstep.people.identity.models import IdentityChange, Merge
from doorstep.people.organizations import queries as organizations
from doorstep.people.residents import queries as residents
from doorstep.people.residents.models import Resident


@dataclass(frozen=True, slots=True)
class Pair:
    """Two records side by side; the counts say by table how many rows each has, over all units."""

    standing: Resident
    former: Resident
    standing_counts: dict[str, int]
    former_counts: dict[str, int]


def compare(*, standing: Resident, former_key: UUID, actor: Actor) -> Pair:
    """Two records for the side-by-side page; the look is audited under both. Raises NotFound out of sight."""
    former = residents.get_former(key=former_key)
    for one, other in ((standing, former), (former, standing)):
        audit.record(
            action="resident.compare",
            actor=actor,
            subject=f"resident/{one.key}",
            resident_id=one.pk,
            details={"with": str(other.key)},
        )
    with for_purpose(Purpose.MERGE, actor):
        counts = moving.counts(standing.pk), moving.counts(former.pk)
    return Pair(standing, former, *counts)


@dataclass(frozen=True, slots=True)
class Change:
    """One change of who a resident is said to be: by whom, when, on what ground, and the facts as they were and became."""

    at: datetime
    by: str
    unit: str
    reason: str
    before: dict[str, str]
    after: dict[str, str]


def changes_of(*, resident_id: int) -> list[Change]:
    """How a resident's name, birth date, sex and number changed, newest first; of an unnamed patient the first says how they were found."""
    rows = list(IdentityChange.objects.filter(resident_id=resident_id).order_by("-at", "-id")[:50])
    units = organizations.names(ids=[row.organization_id for row in rows if row.organization_id])
    return [
        Change(
            at=row.at,
            by=row.actor_name,
            unit=units.get(row.organization_id or 0, ""),
            reason=row.reason,
            before=json.loads(row.before or "{}"),
            after=json.loads(row.after or "{}"),
        )
        for row in rows
    ]


def recent_merges(*, actor: Actor, limit: int = 50) -> list[Merge]:
    """The merges of the actor's units, newest first."""
    return list(
        Merge.objects.select_related("standing", "former", "organization").order_by("-merged_at", "-id")[:limit]
    )


def get_merge(*, key: UUID) -> Merge:
    """One merge; raises NotFound when it is not there or not the actor's."""
    found = Merge.objects.select_related("standing", "former", "organization").filter(key=key).first()
    if found is None:
        raise NotFound()
    return found


def rows_of(merge: Merge, *, actor: Actor) -> tuple[dict[str, int], dict[str, int]]:
    """By table: how many rows moved with a merge, and how many came to the standing record since."""
    with for_purpose(Purpose.MERGE, actor):
        moved: dict[str, int] = {}
        for table in merge.rows.filter(act="moved").values_list("table", flat=True):
            moved[table] = moved.get(table, 0) + 1
        since = {} if merge.undone_at else moving.counts_since(merge)
    return moved, since
