"""What a linkage found: written once, decided by a person, and remembered when it was rejected."""

from collections.abc import Iterator, Sequence
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from doorstep.kernel.access.actor import Actor
from doorstep.kernel.access.refusals import Conflict, NotFound
from doorstep.kernel.audit import actions as audit
from doorstep.people.identity.doubles import facts_of
from doorstep.people.identity.linkage_result import Linked
from doorstep.people.identity.matching import Facts
from doorstep.people.identity.models import LikelyPair, Merge
from doorstep.people.residents import queries as residents
from doorstep.people.residents.models import Resident
from doorstep.people.residents.permissions import Permission

SHOWN = 50
_BATCH = 5_000


def everybody() -> tuple[list[tuple[int, int]], list[Facts]]:
    """Every living record that was not merged: (id, managing unit), and its facts, in the same order. For the system only."""
    ids: list[tuple[int, int]] = []
    facts: list[Facts] = []
    for resident in _living():
        ids.append((resident.pk, resident.organization_id))
        facts.append(facts_of(resident))
    return ids, facts


def _living() -> Iterator[Resident]:
    rows = residents.not_merged().filter(deceased_on__isnull=True, unidentified=False).order_by("id")
    yield from rows.iterator(chunk_size=_BATCH)


@transaction.atomic
def note_pairs(*, found: Sequence[Linked], ids: Sequence[tuple[int, int]], actor: Actor) -> int:
    """Write the pairs of a linkage of the whole index; a pair that is known keeps what was decided. Returns how many are new.

    A pair that nobody has decided and that is not found any more goes: the records were corrected, or the weights were.
    """
    known = {tuple(sorted((ids[one.left][0], ids[one.right][0]))) for one in found}
    waiting = LikelyPair.objects.filter(state=LikelyPair.State.OPEN).values_list("id", "first_id", "second_id")
    gone = [pair_id for pair_id, first, second in waiting if (first, second) not in known]
    LikelyPair.objects.filter(id__in=gone).delete()
    before = LikelyPair.objects.count()
    LikelyPair.objects.bulk_create((_pair(one, ids) for one in found), ignore_conflicts=True, batch_size=_BATCH)
    new = LikelyPair.objects.count() - before
    audit.record(action="resident.link", actor=actor, details={"pairs": len(found), "new": new})
    return new


def _pair(one: Linked, ids: Sequence[tuple[int, int]]) -> LikelyPair:
    (first, first_unit), (second, second_unit) = sorted((ids[one.left], ids[one.right]))
    return LikelyPair(
        first_id=first,
        second_id=second,
        first_unit_id=first_unit,
        second_unit_id=second_unit,
        weight=one.verdict.weight,
        probability=one.verdict.probability,
        levels=one.verdict.levels,
        automatic=one.automatic,
    )


def open_pairs(*, actor: Actor, limit: int = SHOWN) -> list[LikelyPair]:
    """Pairs that wait for a person, the likeliest first."""
    rows = LikelyPair.objects.filter(
        state=LikelyPair.State.OPEN, first_unit_id__in=actor.reach, second_unit_id__in=actor.reach
    )
    return list(rows.select_related("first", "second", "first_unit", "second_unit").order_by("-weight", "id")[:limit])


def waiting_between(*, one: Resident, other: Resident) -> LikelyPair | None:
    """The pair of these two records, while it waits for a person."""
    first, second = sorted((one.pk, other.pk))
    return LikelyPair.objects.filter(first_id=first, second_id=second, state=LikelyPair.State.OPEN).first()


@transaction.atomic
def reject(*, key: UUID, actor: Actor) -> LikelyPair:
    """Say that two records are two people: the pair is not shown again, and a later linkage remembers it."""
    actor.check(Permission.RESIDENT_MERGE)
    pair = LikelyPair.objects.filter(key=key).first()
    if pair is None:
        raise NotFound()
    changed = LikelyPair.objects.filter(pk=pair.pk, state=LikelyPair.State.OPEN).update(
        state=LikelyPair.State.REJECTED, **_decided(actor)
    )
    if not changed:
        raise Conflict(_("这一对档案已由其他人核对。"))
    for resident_id in (pair.first_id, pair.second_id):
        audit.record(action="resident.not-double", actor=actor, resident_id=resident_id, subject=f"pair/{pair.key}")
    return pair


def settle(*, merge: Merge, actor: Actor) -> None:
    """Note on the pair what became of it: merged, or after parting two people."""
    first, second = sorted((merge.standing_id, merge.former_id))
    state = LikelyPair.State.MERGED if merge.undone_at is None else LikelyPair.State.REJECTED
    LikelyPair.objects.filter(first_id=first, second_id=second).update(state=state, **_decided(actor))


def _decided(actor: Actor) -> dict[str, object]:
    return {
        "decided_at": timezone.now(),
        "decided_by_id": actor.user_id,
        "decided_by_name": actor.display_name[:80],
    }
