"""Reads of wards, beds, stays and the waiting list.

Whoever manages beds without seeing records learns figures, counted under the system's own purpose, and no names.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID

from django.db.models import Count, Min, Q
from django.db.models.functions import Length

from doorstep.coordination.beds.models import Bed, BedRequest, Stay, Ward
from doorstep.kernel.access.actor import Actor, Purpose
from doorstep.kernel.access.refusals import NotFound
from doorstep.kernel.access.session import for_purpose


@dataclass(slots=True)
class WardBoard:
    """A ward with its beds in order of their numbers, and how many are in each state."""

    ward: Ward
    beds: list[tuple[Bed, Stay | None]] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    leaving: int = 0  # predicted to leave by the asked day


def board(*, actor: Actor, leaving_by: date) -> list[WardBoard]:
    """The wards of the actor's units with every bed and, where the actor sees records, who lies in it.

    How many are predicted to leave is counted for every ward; the caller has recorded the look of whoever sees no names.
    """
    wards = Ward.objects.filter(organization_id__in=actor.reach).select_related("organization", "department")
    found = {ward.pk: WardBoard(ward) for ward in wards.order_by("organization_id", "name")}
    stays = {stay.bed_id: stay for stay in open_stays(organization_ids=actor.reach)}
    for ward_id, count in _leaving(actor=actor, by=leaving_by).items():
        if ward_id in found:
            found[ward_id].leaving = count
    for bed in Bed.objects.filter(ward_id__in=found).order_by("ward_id", Length("number"), "number"):
        line, stay = found[bed.ward_id], stays.get(bed.pk)
        line.beds.append((bed, stay))
        line.counts[bed.state] = line.counts.get(bed.state, 0) + 1
    return list(found.values())


def sees_all(actor: Actor) -> bool:
    """Whether the actor sees the records of every unit whose beds it handles."""
    return set(actor.reach) <= set(actor.record_reach)


def _leaving(*, actor: Actor, by: date) -> dict[int, int]:
    """How many patients are predicted to leave each ward by a day."""
    rows = Stay.objects.filter(organization_id__in=actor.reach, left_at__isnull=True, predicted_on__lte=by)
    counted = rows.values_list("bed__ward_id").annotate(Count("id"))
    if sees_all(actor):
        return dict(counted)
    with for_purpose(Purpose.INDICATORS, actor):
        return dict(counted)


def open_stays(*, organization_ids: Iterable[int]) -> list[Stay]:
    """The stays that have not ended, of several houses."""
    rows = Stay.objects.filter(organization_id__in=list(organization_ids), left_at__isnull=True)
    return list(
        rows.select_related("bed__ward", "attending", "resident").order_by(
            "bed__ward_id", Length("bed__number"), "bed__number"
        )
    )


def every_open_stay(*, limit: int = 2000) -> list[Stay]:
    """Every stay that has not ended, as far as the actor may see: for the system's own look at the wards."""
    rows = Stay.objects.filter(left_at__isnull=True).select_related(
        "bed__ward", "attending", "resident", "organization"
    )
    return list(rows.order_by("id")[:limit])


def stay_of(*, key: UUID | str) -> Stay:
    """The stay with this key; raises NotFound."""
    found = Stay.objects.select_related("bed__ward", "attending", "resident", "organization").filter(key=key).first()
    if found is None:
        raise NotFound()
    return found


def stay_by_reference(*, reference: str) -> Stay | None:
    """The newest stay for a thing ("referral/<key>")."""
    rows = Stay.objects.filter(reference=reference).select_related("bed__ward", "attending")
    return rows.order_by("-admitted_at").first()


def open_stay_of(*, resident_id: int) -> Stay | None:
    """The bed in which a resident lies now."""
    return Stay.objects.filter(resident_id=resident_id, left_at__isnull=True).select_related("bed__ward").first()


def bed_of(*, key: UUID | str, actor: Actor) -> Bed:
    """A bed of the actor's units; raises NotFound."""
    found = Bed.objects.select_related("ward").filter(key=key, organization_id__in=actor.reach).first()
    if found is None:
        raise NotFound()
    return found


def free_beds(
    *, organization_ids: Iterable[int], kept_for: str = "", kinds: Iterable[str] = (), limit: int = 60
) -> list[Bed]:
    """The free beds of some houses by ward and number, in wards of these kinds (all without any), the one kept for a thing on top."""
    which = Q(state="free") | Q(state="held", held_for=kept_for or "-")
    rows = Bed.objects.filter(which, organization_id__in=list(organization_ids)).select_related("ward")
    if wanted := list(kinds):
        rows = rows.filter(ward__kind__in=wanted)
    return list(rows.order_by("-state", "ward__name", Length("number"), "number")[:limit])


def kept_for(*, reference: str) -> Bed | None:
    """The bed that is kept for a thing now ("referral/<key>"); None when the keeping has run out."""
    return Bed.objects.filter(held_for=reference, state="held").first() if reference else None


def free_count(*, organization_ids: Iterable[int], kinds: Iterable[str] = ()) -> dict[int, int]:
    """How many beds are free in each of several houses, in wards of these kinds (all without any); a house without such beds is not in it."""
    rows = Bed.objects.filter(organization_id__in=list(organization_ids)).values_list("organization_id")
    if wanted := list(kinds):
        rows = rows.filter(ward__kind__in=wanted)
    return dict(rows.annotate(free=Count("id", filter=Q(state="free"))))


def with_wards(*, kind: str) -> list[int]:
    """The ids of the houses that have a ward of this kind."""
    return list(Ward.objects.filter(kind=kind).order_by().values_list("organization_id", flat=True).distinct())


def waiting(*, actor: Actor, limit: int = 100) -> list[BedRequest]:
    """Who waits for a bed of the actor's units, as far as the actor sees records: by priority, then who came first."""
    rows = BedRequest.objects.filter(organization_id__in=actor.reach, state="waiting")
    return list(rows.select_related("department", "organization").order_by("-priority", "created_at")[:limit])


@dataclass(frozen=True, slots=True)
class WaitingCount:
    """How many wait at one priority, and since when the longest of them."""

    priority: int
    count: int
    since: datetime


def waiting_counts(*, actor: Actor) -> list[WaitingCount]:
    """How many wait for a bed of the actor's units by priority, the most urgent first; names nobody."""
    rows = BedRequest.objects.filter(organization_id__in=actor.reach, state="waiting")
    counted = rows.order_by("-priority").values_list("priority").annotate(Count("id"), Min("created_at"))
    if sees_all(actor):
        return [WaitingCount(*row) for row in counted]
    with for_purpose(Purpose.INDICATORS, actor):
        return [WaitingCount(*row) for row in counted]


def request_of(*, reference: str) -> BedRequest | None:
    """The waiting request for a thing ("referral/<key>")."""
    return BedRequest.objects.filter(reference=reference, state="waiting").first()
