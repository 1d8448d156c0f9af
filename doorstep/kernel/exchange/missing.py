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
    beside = Message.objects.filter(
        organization_id=connection.organization_id, received_at__gte=since, received_at__lt=until
    ).exclude(connection=connection)
    gaps = gaps_in(arrived[:LIMIT], beside.values_list("control_id", flat=True)[:LIMIT])
    return Missing(
        gaps=gaps[:LISTED],
        failed=listed[:LISTED],
        cut=len(arrived) > LIMIT or len(listed) > LISTED or len(gaps) > LISTED,
    )


def gaps_in(arrived: Iterable[tuple[str, datetime]], elsewhere: Iterable[str] = ()) -> list[Gap]:
    """The holes in the sequences that control ids end in ("A000017"); ids without a dense numbering have none. Pure.

    elsewhere: control ids that the same unit's other systems sent: some units count them all in one sequence.
    """
    series: dict[str, dict[int, datetime]] = {}
    widths: dict[str, int] = {}
    for control_id, at in arrived:
        matched = _NUMBERED.fullmatch(control_id)
        if matched:
            prefix, digits = matched.groups()
            series.setdefault(prefix, {}).setdefault(int(digits), at)
            widths[prefix] = max(widths.get(prefix, 0), len(digits) if digits.startswith("0") else 0)
    others: dict[str, set[int]] = {}
    for control_id in elsewhere:
        matched = _NUMBERED.fullmatch(control_id)
        if matched:
            others.setdefault(matched[1], set()).add(int(matched[2]))
    return [
        gap for prefix, seen in series.items() for gap in _gaps(prefix, widths[prefix], seen, others.get(prefix, set()))
    ]


def _gaps(prefix: str, width: int, seen: dict[int, datetime], others: set[int]) -> list[Gap]:
    numbers = sorted(seen)
    steps = [(one, other) for one, other in pairwise(numbers) if other - one <= LARGEST_GAP]
    holes = [(one, other, [number for number in range(one + 1, other) if number not in others]) for one, other in steps]
    lost = sum(len(hole) for _one, _other, hole in holes)
    if lost and len(steps) / (len(steps) + lost) < LEAST_FILLED:
        return []
    return [
        Gap(
            first=f"{prefix}{run[0]:0{width}d}",
            last=f"{prefix}{run[-1]:0{width}d}",
            count=len(run),
            after=seen[one],
            before=seen[other],
        )
        for one, other, hole in holes
        for run in _runs(hole)
    ]


def _runs(numbers: list[int]) -> list[list[int]]:
    """Numbers in a row, together."""
    found: list[list[int]] = []
    for number in numbers:
        if found and found[-1][-1] == number - 1:
            found[-1].append(number)
        else:
            found.append([number])
    return found
