"""Whose a place of a shared quota is: dealt by the division that is in force on the place's own day."""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta

from django.db.models import Count, F
from django.utils import timezone

from doorstep.coordination.scheduling.models import Place, QuotaShare
from doorstep.coordination.scheduling.proposing import next_unit
from doorstep.coordination.scheduling.rules import CHINA, Quota

# Only what is given down has units to share it.
SHARED = (Quota.COMMUNITY, Quota.CONTRACT, Quota.REFERRAL)


class Dealer:
    """Deals the places of one department's quota to units, in the order in which they are asked for.

    A month and a division begin their own count, so that every unit comes to its part of either. `without` are places that
    are about to be dealt anew and do not count.
    """

    def __init__(self, *, department_id: int, quota: str, without: Sequence[int] = ()) -> None:
        self._department_id, self._quota, self._without = department_id, quota, list(without)
        found = QuotaShare.objects.filter(department_id=department_id, quota=quota).order_by("since")
        self._shares = list(found) if quota in SHARED else []
        self._had: dict[tuple[date, date], dict[int, int]] = {}

    def unit_on(self, day: date) -> int | None:
        """The unit whose turn it is for a place of this day; None where all units have the places together."""
        weights = self._weights(day)
        if not weights:
            return None
        span = self._span(day)
        had = self._had.get(span)
        if had is None:
            had = self._had[span] = self._given(span, weights)
        unit = next_unit(weights, had)
        had[unit] = had.get(unit, 0) + 1
        return unit

    def _weights(self, day: date) -> dict[int, int]:
        weights: dict[int, int] = {}
        for share in self._shares:
            if share.since <= day and (share.until is None or share.until > day):
                weights[share.organization_id] = share.weight
        return weights

    def _span(self, day: date) -> tuple[date, date]:
        """From when to when (exclusive) what is dealt counts together with this day."""
        first = day.replace(day=1)
        following = (first + timedelta(days=32)).replace(day=1)
        turns = {one for share in self._shares for one in (share.since, share.until) if one is not None}
        return max([first, *(one for one in turns if one <= day)]), min(
            [following, *(one for one in turns if one > day)]
        )

    def _given(self, span: tuple[date, date], weights: dict[int, int]) -> dict[int, int]:
        first, until = (datetime.combine(day, time(), tzinfo=CHINA) for day in span)
        found = Place.objects.filter(
            slot__schedule__department_id=self._department_id,
            slot__starts_at__gte=first,
            slot__starts_at__lt=until,
            given_quota=self._quota,
            given_organization_id__in=weights,
        ).exclude(id__in=self._without)
        return dict(found.values_list("given_organization_id").annotate(n=Count("id")))


def deal_again(*, department_id: int, quota: str, since: date) -> int:
    """Deal what was laid out for a day or later and is still free by the division of its day; returns how many places changed hands.

    What is booked, kept for somebody or was released upward already stays as it is.
    """
    begins = max(timezone.now(), datetime.combine(since, time(), tzinfo=CHINA))
    free = list(
        Place.objects.select_for_update(skip_locked=True, of=("self",))
        .filter(slot__schedule__department_id=department_id, slot__starts_at__gte=begins, slot__stopped_at__isnull=True)
        .filter(quota=quota, state="free", is_extra=False, sunk_at__isnull=True)
        .annotate(starts_at=F("slot__starts_at"))
        .order_by("slot__starts_at", "slot_id", "number")
    )
    dealer = Dealer(department_id=department_id, quota=quota, without=[place.pk for place in free])
    changed = []
    for place in free:
        unit = dealer.unit_on(place.starts_at.astimezone(CHINA).date())
        if unit != place.origin_organization_id:
            place.origin_organization_id = place.given_organization_id = unit
            place.given_quota = quota
            changed.append(place)
    Place.objects.bulk_update(
        changed, ["origin_organization_id", "given_organization_id", "given_quota"], batch_size=2_000
    )
    return len(changed)
