"""Lists of referrals, a page at a time: each is read in the order of an index, however many are open.

A page begins after the last line of the page before (keyset): nothing is skipped or shown twice when others act meanwhile.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from django.db.models import BooleanField, Q, QuerySet
from django.db.models.expressions import RawSQL

from doorstep.care.referrals.models import Referral
from doorstep.care.referrals.models.figures import COMING
from doorstep.care.referrals.states import ENDED
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.database.remembered import Remembered, Slot

PAGE = 50
_WITH = ("source", "target", "receiver")
# What a line shows, and what puts it into its order: a whole referral is ten times as much to read and to make.
_SHOWN = (
    "key", "state", "state_since", "created_at", "desk", "kind", "direction", "resident_id", "patient_name", "impression",
    "discharge_diagnosis", "outside_name", "outcome", "outcome_en", "alternative", "attending_id", "department_id", "green_center",
    "source__name", "target__name", "receiver__name",
)  # fmt: skip
# What the office has before it, what the specialists have, what comes back: values of `Referral.desk`.
_OFFICE, _WARD, _BACK = (0, 9), (10, 19), (13, 15)
# How many of those on the way are counted; a house that has more looks at the soonest.
COUNTED = 99
_ENDED_SQL = ", ".join(f"'{state}'" for state in ENDED)
_OPEN = f"state NOT IN ({_ENDED_SQL})"


@dataclass(frozen=True, slots=True)
class Page:
    """The lines of a page, and where the next one begins ("" on the last)."""

    rows: list[Referral]
    next: str


@dataclass(frozen=True, slots=True)
class _Order:
    """One list: the column of the units, which rows, and their order as two SQL expressions with the id as the last word."""

    column: str
    where: str
    first: str
    second: str
    descending: bool = False
    kinds: tuple[str, str] = ("int", "timestamptz")

    def key(self, row: Referral) -> tuple[Any, Any, int]:
        """Where a row stands in this order."""
        first, second = (0 if name == "0" else getattr(row, name) for name in (self.first, self.second))
        return first, second, row.pk


def list_incoming(*, actor: Actor, after: str = "", limit: int = PAGE) -> Page:
    """What the referral office has before it: green and urgent first, then expected, offered, not come; each by its wait."""
    return _page(_desk(_OFFICE), sorted(actor.reach), after=after, limit=limit)


# Where a page begins among those who named no time.
_TIMELESS = "later"
_COMING_WITH = ("source", "target", "department", "expert", "referrer")


def list_coming(*, actor: Actor, after: str = "", limit: int = PAGE) -> Page:
    """Who is on the way to the actor's units, and who comes by the green channel and has not set out, the soonest first; who named no time comes last."""
    rows = Referral.objects.filter(COMING, target_id__in=sorted(actor.reach)).select_related(*_COMING_WITH)
    moment, _mark, number = after.partition("_")
    if _whole(moment) and _whole(number):
        at, last = _EPOCH + timedelta(microseconds=int(moment)), int(number)
        rows = rows.filter(Q(expected_at__gt=at) | Q(expected_at=at, id__gt=last) | Q(expected_at__isnull=True))
    elif moment == _TIMELESS and _whole(number):
        rows = rows.filter(expected_at__isnull=True, id__gt=int(number))
    found = list(rows.order_by("expected_at", "id")[: limit + 1])
    shown = found[:limit]
    if len(found) <= limit:
        return Page(shown, "")
    last_one = shown[-1]
    begins = _TIMELESS if last_one.expected_at is None else _word(last_one.expected_at)
    return Page(shown, f"{begins}_{last_one.pk}")


def count_on_the_way(*, actor: Actor) -> str:
    """How many of them there are, "99+" for more."""
    found = Referral.objects.filter(COMING, target_id__in=sorted(actor.reach))[: COUNTED + 1].count()
    return str(found) if found <= COUNTED else f"{COUNTED}+"


def list_treating(*, actor: Actor, mine: bool = False, after: str = "", limit: int = PAGE) -> Page:
    """What the specialists have: arrived, in treatment, discharged, handed back; `mine` is the attending doctor's own."""
    if not mine:
        return _page(_desk(_WARD), sorted(actor.reach), after=after, limit=limit)
    own = _desk(_WARD, column="attending_id", more=" AND target_id = ANY (%(reach)s)")
    units = [actor.practitioner_id] if actor.practitioner_id else []
    return _page(own, units, after=after, limit=limit, reach=sorted(actor.reach))


def list_returning(*, actor: Actor, after: str = "", limit: int = PAGE) -> Page:
    """What comes back to the actor's units: to be received first, then those in follow-up."""
    return _page(_desk(_BACK, column="receiver_id"), sorted(actor.reach), after=after, limit=limit)


def list_sent(*, actor: Actor, after: str = "", limit: int = PAGE) -> Page:
    """The open referrals that the actor's units sent, newest first."""
    order = _Order("source_id", _OPEN, "created_at", "0", descending=True, kinds=("timestamptz", "int"))
    return _page(order, sorted(actor.reach), after=after, limit=limit)


def list_outcomes(*, actor: Actor, after: str = "", limit: int = PAGE) -> Page:
    """How it ended: the referrals of the actor's units, or treated by them, that came to an end or have an outcome."""
    where = f"(state IN ({_ENDED_SQL}) OR outcome <> '')"
    sides = [
        _Order(column, where, "state_since", "0", descending=True, kinds=("timestamptz", "int"))
        for column in ("source_id", "target_id", "receiver_id")
    ]
    return _page(sides, sorted(actor.reach), after=after, limit=limit)


def _desk(between: tuple[int, int], *, column: str = "target_id", more: str = "") -> _Order:
    low, high = between
    return _Order(column, f"desk BETWEEN {low} AND {high}{more}", "desk", "state_since")


def _page(
    order: _Order | Sequence[_Order], units: Iterable[int], *, after: str, limit: int, reach: list[int] | None = None
) -> Page:
    """One statement finds the ids in order: the first of each unit by its index, then the first of all of them."""
    orders = [order] if isinstance(order, _Order) else list(order)
    place = _place(after, orders[0])
    parts = " UNION ".join(f"SELECT * FROM ({_part(one, begins=place is not None)}) AS part" for one in orders)
    way = "DESC" if orders[0].descending else "ASC"
    facts: dict[str, Any] = {"units": list(units), "limit": limit + 1, "reach": reach or []}
    if place is not None:
        facts |= dict(zip(("first", "second", "id"), place, strict=True))
    ids = f"SELECT id FROM ({parts}) AS found ORDER BY first {way}, second {way}, id {way} LIMIT %(limit)s"
    # As an array they are found first; as a subquery the planner would read all referrals beside it.
    sql = f"referrals_referral.id = ANY (ARRAY({ids}))"
    names = _NAMED.findall(sql)
    found = _reading(sql, len(names)).rows(*(facts[name] for name in names))
    rows = sorted(found, key=orders[0].key, reverse=orders[0].descending)
    shown = rows[:limit]
    return Page(shown, _text(orders[0].key(shown[-1])) if len(rows) > limit else "")


@cache
def _reading(sql: str, slots: int) -> Remembered[Referral]:
    """The referrals of a condition with named values, each list under the few conditions that stand above."""
    condition = _NAMED.sub("%s", sql)

    def build(*values: Slot) -> QuerySet[Referral]:
        these = RawSQL(condition, values, output_field=BooleanField())  # noqa: S611 - every word of it stands above
        return Referral.objects.select_related(*_WITH).filter(these).only(*_SHOWN)

    return Remembered(build, slots=slots)


_NAMED = re.compile(r"%\((\w+)\)s")


def _part(one: _Order, *, begins: bool) -> str:
    way, sign = ("DESC", "<") if one.descending else ("ASC", ">")
    keys = f"{one.first}, {one.second}, id"
    first, second = one.kinds
    start = f" AND ({keys}) {sign} (%(first)s::{first}, %(second)s::{second}, %(id)s::bigint)" if begins else ""
    # An order by a constant is none: the second key of a list with one is left out.
    by = ", ".join(f"{key} {way}" for key in (one.first, one.second, "id") if key != "0")
    return (
        "SELECT r.id, r.first, r.second FROM unnest(%(units)s::bigint[]) AS unit (id) CROSS JOIN LATERAL"
        f" (SELECT id, {one.first} AS first, {one.second} AS second FROM referrals_referral"
        f" WHERE {one.column} = unit.id AND {one.where}{start} ORDER BY {by} LIMIT %(limit)s) AS r"
    )


def _text(key: tuple[Any, Any, int]) -> str:
    """The last line of a page, as an address carries it."""
    return "_".join(map(_word, key))


def _word(value: Any) -> str:
    return str((value - _EPOCH) // timedelta(microseconds=1)) if isinstance(value, datetime) else str(value)


def _place(after: str, order: _Order) -> tuple[Any, Any, int] | None:
    """The keys in an address; what is not one of ours begins at the top."""
    parts = after.split("_")
    if len(parts) != 3 or not all(part.removeprefix("-").isdecimal() and len(part) < 19 for part in parts):
        return None
    first, second = (_key(part, kind) for part, kind in zip(parts, order.kinds, strict=False))
    return first, second, int(parts[2])


def _whole(text: str) -> bool:
    """Whether a part of an address is a figure that a column can hold."""
    return text.isdecimal() and len(text) < 18


def _key(part: str, kind: str) -> Any:
    return _EPOCH + timedelta(microseconds=int(part)) if kind == "timestamptz" else int(part)


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
