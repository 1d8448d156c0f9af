"""Reading the record: one path for pages and machines. The database's policies decide what is there."""

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

from django.db.models import Q, QuerySet

from doorstep.kernel.access import queries as access
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.access.models import CareRelationship
from doorstep.kernel.audit import actions as audit
from doorstep.kernel.database.calls import Call, as_json, run
from doorstep.kernel.database.remembered import Remembered, Slot
from doorstep.kernel.record.models import Resource
from doorstep.kernel.record.search_index import number


class Entry(NamedTuple):
    """One entry of a timeline."""

    type: str
    fhir_id: str
    occurred_at: datetime
    organization_id: int | None
    episode: str
    category: str
    sensitive: bool
    content: dict[str, Any]


def timeline(
    *,
    resident_id: int,
    actor: Actor,
    limit: int = 200,
    types: tuple[str, ...] = (),
    relationships: Sequence[CareRelationship] | None = None,
) -> list[Entry]:
    """The resident's entries, newest first; the look is audited with its ground.

    A page that has read the resident's `relationships` already gives them along and spares a query.
    """
    subject = f"resident/{resident_id}"
    if relationships is None:
        note_look(resident_id=resident_id, actor=actor, subject=subject, action="record.view")
    else:
        ground = access.ground_among(relationships, actor=actor)
        basis = ground.reason if ground else ""
        audit.record(action="record.view", actor=actor, subject=subject, resident_id=resident_id, basis=basis)
    rows = Resource.objects.filter(resident_id=resident_id, deleted=False)
    if types:
        rows = rows.filter(type__in=types)
    return [_entry(row) for row in rows.order_by("-occurred_at", "-id")[:limit]]


def note_look(*, resident_id: int, actor: Actor, subject: str, action: str) -> str:
    """Write that the actor read something of a resident and on what ground; returns the ground ("" for own or system)."""
    ground: str = run([looking(resident_id=resident_id, actor=actor, subject=subject, action=action)])[0]
    return ground


def looking(*, resident_id: int, actor: Actor, subject: str, action: str) -> Call:
    """The call that notes a look, for an act that sends it with its traces; it answers the ground."""
    reach = "{" + ",".join(map(str, actor.record_reach)) + "}"
    return Call("record_look", (as_json(audit.who(actor)), action, subject, resident_id, reach))


def read(*, type: str, fhir_id: str) -> dict[str, Any] | None:
    """One resource as it is; None when it is not there or not the actor's."""
    row = Resource.objects.filter(type=type, fhir_id=fhir_id, deleted=False).first()
    return None if row is None else row.content


def newest(
    *, resident_id: int, types: Sequence[str], limit: int, also: str = "", apart: Sequence[str] = ()
) -> list[Entry]:
    """The newest entries of some types, and the one that `also` names ("DiagnosticReport/<id>"), newest first.

    Types that are read `apart` have a limit of their own: what stands for years is not lost beneath many newer values. For
    what is judged and not shown; the caller records the look.
    """
    kind, _slash, fhir_id = also.partition("/")
    rest = tuple(one for one in types if one not in apart)
    groups = tuple(group for group in (rest, tuple(apart)) if group)
    if fhir_id:
        rows = _newest_and(groups, limit).rows(resident_id, kind, fhir_id)
    else:
        rows = _newest(groups, limit).rows(resident_id)
    # Stable: of two entries of one instant the later written one stays first, as each group has it.
    return sorted((Entry(*row) for row in rows), key=lambda one: one.occurred_at, reverse=True)


# The types stand in the statement: with a list of any length the database would plan anew for each call, for longer than it reads.
@cache
def _newest(groups: tuple[tuple[str, ...], ...], limit: int) -> Remembered[Any]:
    return Remembered(lambda resident_id: _of_groups(resident_id, groups, limit))


@cache
def _newest_and(groups: tuple[tuple[str, ...], ...], limit: int) -> Remembered[Any]:
    def build(resident_id: Slot, kind: Slot, fhir_id: Slot) -> QuerySet[Resource, Any]:
        named = Resource.objects.filter(resident_id=resident_id, deleted=False, type=kind, fhir_id=fhir_id)
        return _of_groups(resident_id, groups, limit, named.values_list(*Entry._fields)[:1])

    return Remembered(build)


def _of_groups(
    resident_id: Slot, groups: tuple[tuple[str, ...], ...], limit: int, *more: QuerySet[Resource, Any]
) -> QuerySet[Resource, Any]:
    first, *others = (_of_types(resident_id, types, limit) for types in groups)
    return first.union(*others, *more, all=True) if others or more else first


def _of_types(resident_id: Slot, types: tuple[str, ...], limit: int) -> QuerySet[Resource, Any]:
    rows = Resource.objects.filter(resident_id=resident_id, deleted=False, type__in=types)
    return rows.order_by("-occurred_at", "-id").values_list(*Entry._fields)[:limit]


def chosen(*, resident_id: int, references: Sequence[str], types: Sequence[str], limit: int) -> list[Entry]:
    """The entries that `references` name ("Type/id"), and all of some types, newest first, as far as the actor may read them.

    The caller records the look.
    """
    named = Q(type__in=types)
    for reference in references:
        kind, _slash, fhir_id = reference.partition("/")
        named |= Q(type=kind, fhir_id=fhir_id)
    rows = Resource.objects.filter(named, resident_id=resident_id, deleted=False).order_by("-occurred_at", "-id")
    return [_entry(row) for row in rows[:limit]]


def entry(*, resident_id: int, type: str, fhir_id: str) -> Entry | None:
    """One entry of a resident; None when it is not there or not the actor's. The caller records the look."""
    row = Resource.objects.filter(resident_id=resident_id, type=type, fhir_id=fhir_id, deleted=False).first()
    return None if row is None else _entry(row)


def entries(*, resident_id: int, type: str, fhir_ids: Sequence[str]) -> list[Entry]:
    """Several entries of one type in the order of their ids as given, as far as the actor may read them."""
    if not fhir_ids:
        return []
    rows = Resource.objects.filter(resident_id=resident_id, type=type, fhir_id__in=fhir_ids, deleted=False)
    found = {row.fhir_id: _entry(row) for row in rows}
    return [found[one] for one in fhir_ids if one in found]


def of_episode(*, episode: str, types: tuple[str, ...] = ()) -> list[Entry]:
    """Every entry of one episode, oldest first."""
    rows = Resource.objects.filter(episode=episode, deleted=False)
    if types:
        rows = rows.filter(type__in=types)
    return [_entry(row) for row in rows.order_by("occurred_at", "id")[:200]]


def of_type(*, resident_id: int, type: str, but_category: str = "", limit: int = 50) -> list[Entry]:
    """A resident's resources of one type, newest first, as far as the actor may read them; `but_category` leaves one out.

    For a line of a page whose look is audited as a whole.
    """
    return [_entry(row) for row in _of_type(limit).rows(resident_id, type, but_category or "-")]


@cache
def _of_type(limit: int) -> Remembered[Resource]:
    return Remembered(
        lambda resident_id, type, but_category: (
            Resource.objects.filter(resident_id=resident_id, type=type, deleted=False)
            .exclude(category=but_category)
            .order_by("-occurred_at", "-id")[:limit]
        )
    )


def _entry(row: Resource) -> Entry:
    return Entry(
        row.type,
        row.fhir_id,
        row.occurred_at,
        row.organization_id,
        row.episode,
        row.category,
        row.sensitive,
        row.content,
    )


def latest_observation(*, resident_id: int, code: str) -> dict[str, Any] | None:
    """The newest observation with this code ("system|code" or code) of a resident, or None."""
    row = (
        Resource.objects.filter(
            resident_id=resident_id, type="Observation", keys__contains=[_code_key(code)], deleted=False
        )
        .order_by("-occurred_at")
        .first()
    )
    return None if row is None else row.content


def _code_key(code: str) -> int:
    system, bar, rest = code.partition("|")
    return number(f"Observation.code|s|{system}|{rest.casefold()}" if bar else f"Observation.code|c|{code.casefold()}")


def note_read(*, type: str, fhir_id: str, actor: Actor, resident_id: int | None, action: str = "fhir.read") -> None:
    """Write that a machine read one resource, and of whom."""
    if resident_id is None:
        audit.record(action=action, actor=actor, subject=f"{type}/{fhir_id}")
    else:
        note_look(resident_id=resident_id, actor=actor, subject=f"{type}/{fhir_id}", action=action)
