"""The places behind a figure of the division's weeks: whose each was, what became of it, who sat on it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet
from django.db.models.expressions import Value
from django.db.models.functions import Coalesce, NullIf

from doorstep.coordination.scheduling.models import Booking, Place
from doorstep.coordination.scheduling.states import TAKEN
from doorstep.kernel.access.actor import Actor, Purpose
from doorstep.kernel.access.session import for_purpose

PAGE = 50
# The columns of the report that open, each with the places that it counts.
_HAS = Q(has=True)
FIGURES: dict[str, Q] = {
    "given": Q(),
    "used": _HAS & Q(sunk_at__isnull=True),
    "released": Q(sunk_at__isnull=False),
    "used_after": _HAS & Q(sunk_at__isnull=False),
    "missed": Q(missed=True),
    "wasted": Q(has=False),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One figure of the report: a share (`quota` of a unit, None for no unit in particular) from `since` to `until`, and which column."""

    quota: str
    unit_id: int | None
    since: datetime
    until: datetime
    what: str


@dataclass(frozen=True, slots=True)
class Case:
    """A place of the share with the booking that sits on it, or None."""

    place: Place
    booking: Booking | None


@dataclass(frozen=True, slots=True)
class CasePage:
    """A page of places by time; `next` begins the next one, "" on the last."""

    rows: list[Case]
    next: str


def cases(
    figure: Figure, *, organization_ids: Sequence[int], now: datetime, actor: Actor, after: str = "", limit: int = PAGE
) -> CasePage:
    """The places behind a figure by time, counted as the report counts them, under the purpose of indicators.

    `after` is the `next` of the page before. Raises LookupError for a column that does not exist.
    """
    found = _behind(figure, organization_ids=organization_ids, now=now)
    last = _place(after)
    if last is not None:
        at = last.slot.starts_at
        found = found.filter(Q(slot__starts_at__gt=at) | Q(slot__starts_at=at, id__gt=last.pk))
    with for_purpose(Purpose.INDICATORS, actor):
        rows = list(found.order_by("slot__starts_at", "id")[: limit + 1])
    more, rows = len(rows) > limit, rows[:limit]
    shown = [Case(place, next(iter(place.taken), None)) for place in rows]  # type: ignore[attr-defined]
    return CasePage(shown, str(rows[-1].pk) if more else "")


def _place(after: str) -> Place | None:
    """The last place of the page before; its time does not change."""
    if not after.isdecimal() or len(after) > 18:
        return None
    return Place.objects.filter(id=int(after)).select_related("slot").first()


def _behind(figure: Figure, *, organization_ids: Sequence[int], now: datetime) -> QuerySet[Place]:
    sitting = Booking.objects.filter(state__in=TAKEN)
    here = sitting.filter(place_id=OuterRef("pk"))
    which = FIGURES[figure.what]
    if figure.what == "wasted":
        which &= Q(slot__starts_at__lt=now)
    return (
        Place.objects.annotate(
            share=Coalesce(NullIf("given_quota", Value("")), "quota"),
            has=Exists(here),
            missed=Exists(here.filter(state="no-show")),
        )
        .filter(
            which,
            share=figure.quota,
            given_organization_id=figure.unit_id,
            is_extra=False,
            slot__organization_id__in=list(organization_ids),
            slot__starts_at__gte=figure.since,
            slot__starts_at__lt=figure.until,
            slot__stopped_at__isnull=True,
        )
        .select_related(
            "slot__schedule__department", "slot__schedule__practitioner", "slot__schedule__facility", "slot__facility"
        )
        .prefetch_related(Prefetch("bookings", queryset=sitting.select_related("source_organization"), to_attr="taken"))
    )
