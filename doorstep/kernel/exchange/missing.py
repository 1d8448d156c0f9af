"""What a sender is to be asked for again: numbers that are missing in its sequence, and messages that could not be worked.

HL7 v2 has no message by which a receiver asks for old ones; the list goes to the sender's engineer.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from doorstep.kernel.access.actor import Actor
from doorstep.kernel.exchange.models import Connection, Message
from doorstep.kernel.exchange.permissions import Permission
from doorstep.kernel.exchange.states import MessageState

# A larger step is another sequence, not a loss; numbers that fill less of their span than this are no sequence.
LARGEST_GAP, LEAST_FILLED = 1_000, 0.5
# Read at most; a span with more is asked for in parts.
LIMIT = 50_000
LISTED = 500
_NUMBERED = re.compile(r"(.*?)(\d{1,15})")


@dataclass(frozen=True, slots=True)
class Gap:
    """Control ids that never came: the first and the last of them, how many, and when its neighbours came."""

    first: str
    last: str
    count: int
    after: datetime
    before: datetime


@dataclass(frozen=True, slots=True)
class Missing:
    """What is to be asked for again of a span of time; `cut` says that there is more than is listed."""

    gaps: list[Gap]
    failed: list[Message]
    cut: bool


def missing(*, connection: Connection, since: datetime, until: datetime, actor: Actor) -> Missing:
    """What a sender did not send, or sent so that it could not be worked, in a span of time."""
    actor.check(Permission.EXCHANGE_VIEW)
    rows = Message.objects.filter(connection=connection, received_at__gte=since, received_at__lt=until)
    arrived = list(rows.order_by("id").values_list("control_id", "received_at")[: LIMIT + 1])
    failed = rows.filter(state__in=[MessageState.FAILED, MessageState.WAITING]).defer("body").order_by("id")
    listed = list(failed[: LISTED + 1])
    gaps = gaps_in(arrived[:LIMIT])
    return Missing(
        gaps=gaps[:LISTED],
        failed=listed[:LISTED],
        cut=len(arrived) > LIMIT or len(listed) > LISTED or len(gaps) > LISTED,
    )


def gaps_in(arrived: Iterable[tuple[str, datetime]]) -> list[Gap]:
    """The holes in the sequences that control ids end in ("A000017"); ids without a dense numbering have none. Pure."""
    series: dict[str, dict[int, datetime]] = {}
    widths: dict[str, int] = {}
    for control_id, at in arrived:
        matched = _NUMBERED.fullmatch(control_id)
        if matched:
            prefix, digits = matched.groups()
            series.setdefault(prefix, {}).setdefault(int(digits), at)
            widths[prefix] = max(widths.get(prefix, 0), len(digits) if digits.startswith("0") else 0)
    return [gap for prefix, seen in series.items() for gap in _gaps(prefix, widths[prefix], seen)]


def _gaps(prefix: str, width: int, seen: dict[int, datetime]) -> list[Gap]:
    numbers = sorted(seen)
    steps = [(one, other) for one, other in pairwise(numbers) if other - one <= LARGEST_GAP]
    span = sum(other - one for one, other in steps)
    if not span or len(steps) / span < LEAST_FILLED:
        return []
    return [
        Gap(
            first=f"{prefix}{one + 1:0{width}d}",
            last=f"{prefix}{other - 1:0{width}d}",
            count=other - one - 1,
            after=seen[one],
            before=seen[other],
        )
        for one, other in steps
        if other - one > 1
    ]
