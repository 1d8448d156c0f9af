"""By when something is to happen to a referral: the clock of its task, of a case in follow-up the next follow-up."""

from collections.abc import Sequence
from datetime import datetime, time

from django.utils import timezone

from doorstep.care.referrals import queries, states
from doorstep.care.referrals.models import Referral
from doorstep.kernel.worklist import queries as worklist

Clock = tuple[datetime | None, datetime | None]


def clocks_of(rows: Sequence[Referral]) -> dict[int, Clock]:
    """When each is due and warns. The task of a case in follow-up ends with the last one, weeks after the next."""
    kinds = {f"referral.{row.state}" for row in rows if row.state not in states.ENDED}
    clocks = worklist.clocks_of(kinds=kinds, item_ids=[row.pk for row in rows])
    followed = [row.pk for row in rows if row.state == "received_back"]
    if not followed:
        return clocks
    zone = timezone.get_current_timezone()
    nearest = {
        key: (datetime.combine(day, time.max, tzinfo=zone), datetime.combine(day, time.min, tzinfo=zone))
        for key, day in queries.next_follow_ups(referral_ids=followed).items()
    }
    return {**clocks, **nearest}
