"""Whether the places went round fairly: how long each group, channel and centre waited, counted without names."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection
from django.db.models import F, Q

from doorstep.coordination.scheduling.models import Booking, Channel
from doorstep.coordination.scheduling.precedence import LABELS
from doorstep.kernel.access.actor import Actor, Purpose
from doorstep.kernel.access.session import for_purpose

PAGE = 50

_BY = {
    "group": "unnest(CASE WHEN b.groups = '{}' THEN ARRAY['other']::varchar[] ELSE b.groups END)",
    "channel": "b.channel",
    "unit": "o.name",
}

_LINES = """
SELECT name, count(*), percentile_cont(0.5) WITHIN GROUP (ORDER BY days), percentile_cont(0.9) WITHIN GROUP (ORDER BY days),
       count(*) FILTER (WHERE state = 'no-show'), count(*) FILTER (WHERE channel = 'waiting')
  FROM (SELECT {by} AS name, b.state, b.channel,
               extract(epoch FROM s.starts_at - b.wanted_since) / 86400.0 AS days
          FROM scheduling_booking b
          JOIN scheduling_slot s ON s.id = b.slot_id
          JOIN organizations_organization o ON o.id = b.source_organization_id
         WHERE b.organization_id = ANY(%(organizations)s) AND b.created_at >= %(since)s AND b.created_at < %(until)s
           AND b.state <> 'cancelled') AS found
 GROUP BY name ORDER BY count(*) DESC, name LIMIT 60
"""


@dataclass(frozen=True, slots=True)
class FairLine:
    """One group, channel or centre: bookings, days from wanting to the visit (median, nine of ten), missed, and made from the waiting list.

    Who was called off by a stopped clinic and booked anew waited since the first wish, but not on the list.
    """

    code: str
    name: str
    bookings: int
    median: float
    ninetieth: float
    missed: int
    waited: int


@dataclass(frozen=True, slots=True)
class CasePage:
    """A page of bookings, longest wait first; `next` begins the next one, "" on the last."""

    rows: Sequence[Booking]
    next: str


def lines(
    *, by: str, organization_ids: Iterable[int], since: datetime, until: datetime, actor: Actor
) -> list[FairLine]:
    """Waiting by "group", "channel" or "unit" of the bookings made in a time."""
    labels = {**LABELS, "other": "其他居民"} if by == "group" else dict(Channel.choices) if by == "channel" else {}
    with for_purpose(Purpose.INDICATORS, actor), connection.cursor() as cursor:
        cursor.execute(
            _LINES.format(by=_BY[by]), {"organizations": list(organization_ids), "since": since, "until": until}
        )
        return [
            FairLine(str(row[0]), str(labels.get(row[0], row[0])), row[1], float(row[2]), float(row[3]), row[4], row[5])
            for row in cursor.fetchall()
        ]


def cases(
    *,
    by: str,
    code: str,
    organization_ids: Iterable[int],
    since: datetime,
    until: datetime,
    what: str = "",
    after: str = "",
    limit: int = PAGE,
) -> CasePage:
    """The bookings behind a figure, as far as the actor may see them, longest wait first; `what` is "", "missed" or "waited".

    `after` is the `next` of the page before. Raises LookupError for a division that does not exist.
    """
    which = {
        "group": Q(groups=[]) if code == "other" else Q(groups__contains=[code]),
        "channel": Q(channel=code),
        "unit": Q(source_organization__name=code),
    }[by]
    if what == "missed":
        which &= Q(state="no-show")
    elif what == "waited":
        which &= Q(channel=Channel.WAITING)
    found = Booking.objects.filter(
        which, organization_id__in=list(organization_ids), created_at__gte=since, created_at__lt=until
    ).exclude(state="cancelled")
    found = found.annotate(waited=F("slot__starts_at") - F("wanted_since"))
    last = found.filter(id=int(after)).first() if after.isdecimal() and len(after) < 19 else None
    if last is not None:
        found = found.filter(Q(waited__lt=last.waited) | Q(waited=last.waited, id__gt=last.pk))
    rows = list(
        found.select_related(
            "slot__schedule__department", "slot__schedule__practitioner", "source_organization"
        ).order_by("-waited", "id")[: limit + 1]
    )
    return CasePage(rows[:limit], str(rows[limit - 1].pk) if len(rows) > limit else "")
