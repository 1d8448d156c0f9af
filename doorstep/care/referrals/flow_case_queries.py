"""The cases behind a figure of the board of flows, as the system's own purpose sees them, like the figure itself."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone

from doorstep.care.referrals.models import DownProposal, Referral
from doorstep.care.referrals.models.figures import CODED
from doorstep.care.referrals.models.referral import number_of
from doorstep.care.referrals.states import ENDED
from doorstep.kernel.access.actor import Actor, Purpose
from doorstep.kernel.access.session import for_purpose
from doorstep.kernel.database.remembered import Remembered, Slot, ask
from doorstep.kernel.worklist.models import Task
from doorstep.people.organizations import queries as organizations

# Cases on a page.
CASES = 100
EXPORTED = 20_000
# Why patients did not get on.
REASONS = {word: column for word, column in CODED.items() if word != "outside"}
# Who is admitted so soon after the first look was admitted by it.
FIRST_LOOK = timedelta(minutes=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Late(NamedTuple):
    """By which task a case is overdue."""

    urgency: int
    due_at: datetime
    task_id: int


class Case(NamedTuple):
    """One case: what the page and its file show of it; units by their names."""

    id: int
    key: UUID
    state: str
    kind: str
    direction: str
    created_at: datetime
    patient_name: str
    outside_name: str
    decline_code: str
    return_code: str
    back_code: str
    offer_refusal: str
    outside_reason: str
    submitted_at: datetime | None
    accepted_at: datetime | None
    arrived_at: datetime | None
    treated_at: datetime | None
    admitted_at: datetime | None
    discharged_at: datetime | None
    handed_back_at: datetime | None
    received_back_at: datetime | None
    closed_at: datetime | None
    source: str
    target: str | None
    receiver: str | None
    late: Late | None = None
    is_seen: bool = False  # whether the reader may see the referral itself: a figure counts more than that

    @property
    def number(self) -> str:
        """What people read out."""
        return number_of(key=self.key, begun=self.created_at)

    @property
    def sent_at(self) -> datetime | None:
        """When it was sent; out of the network nobody is asked, and it is gone on the day on which it is written."""
        return self.submitted_at or (self.created_at if self.direction == Referral.Direction.OUT else None)

    @property
    def place(self) -> str:
        """Where it stands in the list, as an address carries it; an overdue one by its clock."""
        if self.late is not None:
            return f"{self.late.urgency}_{(self.late.due_at - _EPOCH) // timedelta(microseconds=1)}_{self.late.task_id}"
        return f"{(self.created_at - _EPOCH) // timedelta(microseconds=1)}_{self.id}"


_UNITS = ("source", "target", "receiver")
_COLUMNS = tuple(f"{name}__name" if name in _UNITS else name for name in Case._fields[:-2])


def cases(*, actor: Actor, since: datetime, what: str, limit: int = CASES, after: str = "") -> list[Case]:
    """The very referrals behind a figure, newest first; `what` is "stage:<state>", "flow:<source>-<target>", "dark", …

    What is overdue comes by urgency, then the longest overdue first. `after` is the `place` of the last case of the page before.
    """
    with for_purpose(Purpose.INDICATORS, actor):
        found = _counted(actor=actor, since=since, what=what, limit=limit, after=after)
    seen = _seen_of(Referral.objects.filter(id__in=[one.id for one in found]), actor)
    return [one._replace(is_seen=one.id in seen) for one in found]


def _seen_of(rows: QuerySet[Any], actor: Actor) -> frozenset[int]:
    """Those of the rows that the reader's own wall shows: drafts of others and what was not handed over yet count, and stay unnamed."""
    return frozenset(rows.values_list("id", flat=True)) if actor.record_reach else frozenset()


def _counted(*, actor: Actor, since: datetime, what: str, limit: int, after: str) -> list[Case]:
    kind, _colon, value = what.partition(":")
    if kind == "overdue":
        return _overdue(actor, value, limit=limit, after=after)
    moment, last = _place(after)
    goal: int | str = 0
    if kind == "outside" and "|" in value:
        value, _bar, goal = value.partition("|")
        kind = "outside-at"
    if kind == "flow":
        kind, value, goal = _flow_asked(value)  # type: ignore[assignment]
    if kind in _FIXED:
        if what not in _FIGURES:
            return []
        kind = what
    rows = _list(kind if kind in _FIGURES else "", limit).rows(list(actor.reach), moment, last, since, value, goal)
    return [Case(*row) for row in rows]


class RefusedDown(NamedTuple):
    """One refusal of a proposal to go home: by which unit (the ward's hospital or the one that was asked), with which code."""

    proposal: DownProposal
    unit_id: int
    unit: str
    code: str
    is_seen: bool = False  # whether the reader may see the proposal itself

    @property
    def place(self) -> str:
        """Its proposal's place in the list, from which the next page goes on."""
        return f"{(self.proposal.created_at - _EPOCH) // timedelta(microseconds=1)}_{self.proposal.pk}"


def refused_down(*, actor: Actor, since: datetime, code: str, after: str = "", limit: int = CASES) -> list[RefusedDown]:
    """Every refusal with this code ("" for any), a line for each, newest proposal first; of at most `limit` proposals."""
    moment, last = _place(after)
    with for_purpose(Purpose.INDICATORS, actor):
        rows = refusable(list(actor.reach), since)
        if code:
            rows = rows.filter(Q(ward_code=code) | Q(receiver_codes__contains=[{"code": code}]))
        else:
            rows = rows.exclude(ward_code="", receiver_codes=[])
        rows = rows.filter(Q(created_at__lt=moment) | Q(created_at=moment, id__lt=last))
        found = list(rows.select_related("hospital", "receiver").order_by("-created_at", "-id")[:limit])
    said = [
        (row, unit, given)
        for row in found
        for unit, given in (
            *([(row.hospital_id, row.ward_code)] if row.ward_code else []),
            *((one["unit"], one["code"]) for one in row.receiver_codes),
        )
        if code in ("", given)
    ]
    names = organizations.names(ids={unit for _row, unit, _given in said})
    seen = _seen_of(DownProposal.objects.filter(id__in=[row.pk for row in found]), actor)
    return [RefusedDown(row, unit, names.get(unit, "—"), given, row.pk in seen) for row, unit, given in said]


def refusable(reach: list[int], since: datetime) -> QuerySet[DownProposal]:
    """The proposals of a period that were these units' to answer; whoever was asked before the present receiver counts as well."""
    mine = Q(hospital_id__in=reach) | Q(receiver_id__in=reach)
    return DownProposal.objects.filter(created_at__gte=since).filter(mine)


def forgotten(rows: QuerySet[Referral]) -> QuerySet[Referral]:
    """Of these the open ones that nobody has to do anything about, as the house's watch has found them."""
    open_tasks = Task.objects.filter(kind__startswith="referral.", item_id=OuterRef("pk"), closed_at__isnull=True)
    return rows.filter(dark_since__isnull=False).exclude(state__in=ENDED).filter(~Exists(open_tasks))


# Narrows the cases of an actor: from when on, the value of the figure, and of a flow the unit it goes to.
_Narrow = Callable[[QuerySet[Referral], Slot, Slot, Slot], QuerySet[Referral]]


def _flow(rows: QuerySet[Referral], since: Slot, source: Slot, goal: Slot) -> QuerySet[Referral]:
    going = Q(direction="down", receiver_id=goal) | (~Q(direction="down") & Q(target_id=goal))
    return _flow_out(rows, since, source).filter(going)


def _seen(rows: QuerySet[Referral], since: Slot) -> QuerySet[Referral]:
    return rows.filter(created_at__gte=since, treated_at__isnull=False).exclude(direction="down")


def _flow_out(rows: QuerySet[Referral], since: Slot, source: Slot, *_goal: Slot) -> QuerySet[Referral]:
    return rows.filter(created_at__gte=since).exclude(state="draft").filter(source_id=source)


def _coded(column: str) -> _Narrow:
    """By a code that few referrals carry: the index holds these alone, and is found when the statement says so too."""
    return lambda rows, since, value, _goal: rows.filter(created_at__gte=since, **{column: value}).exclude(
        **{column: ""}
    )


def _stage(code: str) -> _Narrow:
    return lambda rows, *_slots: rows.filter(state=code)


def _flow_along(direction: str, *, outside: bool) -> _Narrow:
    """One direction from one unit to another, or to a place that is named and is no unit of the network."""
    column = "receiver" if direction == "down" else "target"

    def narrow(rows: QuerySet[Referral], since: Slot, source: Slot, goal: Slot) -> QuerySet[Referral]:
        ends = {f"{column}__isnull": True, "outside_name": goal} if outside else {f"{column}_id": goal}
        return _flow_out(rows, since, source).filter(direction=direction, **ends)

    return narrow


def _direction(code: str) -> _Narrow:
    return lambda rows, since, *_slots: rows.exclude(state="draft").filter(created_at__gte=since, direction=code)


# Figures whose value stands in the statement itself: which rows an index holds depends on it.
_FIXED = ("stage", "direction")
_FIGURES: dict[str, _Narrow] = {
    # Figures of this moment; all others count over the period.
    **{f"stage:{state.code}": _stage(state.code) for state in Referral.machine.states},
    "open": lambda rows, _since, _value, _goal: rows.exclude(state__in=ENDED),
    "dark": lambda rows, _since, _value, _goal: forgotten(rows),
    "flow": _flow,
    **{f"flow-{code}": _flow_along(code, outside=False) for code in Referral.Direction.values},
    **{f"flow-{code}-to": _flow_along(code, outside=True) for code in Referral.Direction.values},
    "flow-out": lambda rows, since, value, goal: _flow_out(rows, since, value).filter(target__isnull=True),
    **{f"direction:{code}": _direction(code) for code in Referral.Direction.values},
    **{kind: _coded(column) for kind, column in CODED.items()},
    "outside-at": lambda rows, since, value, place: _coded("outside_reason")(rows, since, value, place).filter(
        direction="out", outside_name=place
    ),
    # Who was seen, and of these who was admitted after the first look: what the two waits are counted of.
    "first-wait": lambda rows, since, _value, _goal: _seen(rows, since),
    "second-wait": lambda rows, since, _value, _goal: _seen(rows, since).filter(
        admitted_at__gte=F("treated_at") + FIRST_LOOK
    ),
    "": lambda rows, since, _value, _goal: rows.filter(created_at__gte=since),
}


@lru_cache(maxsize=64)
def _list(kind: str, limit: int) -> Remembered[Any]:
    def build(*slots: Slot) -> QuerySet[Referral, Any]:
        reach, moment, last, *narrowing = slots
        rows = _FIGURES[kind](_within(reach), *narrowing)
        further = Q(created_at__lt=moment) | Q(created_at=moment, id__lt=last)
        # Said twice: the first is where the index is entered.
        rows = rows.filter(created_at__lte=moment).filter(further)
        return rows.order_by("-created_at", "-id").values_list(*_COLUMNS)[:limit]

    return Remembered(build, slots=6)


def _within(reach: Slot) -> QuerySet[Referral]:
    return Referral.objects.filter(Q(source_id__any=reach) | Q(target_id__any=reach) | Q(receiver_id__any=reach))


def _flow_asked(value: str) -> tuple[str, int, int | str]:
    """Of "<source>-<target>-<direction>|<place>" the figure, the source and the goal; an older address names no direction."""
    units, _bar, place = value.partition("|")
    source, target, direction = (*units.split("-"), "", "")[:3]
    if direction not in Referral.Direction.values:
        return ("flow" if _whole(target) else "flow-out"), _whole(source), _whole(target)
    if _whole(target):
        return f"flow-{direction}", _whole(source), _whole(target)
    return f"flow-{direction}-to", _whole(source), place


def _place(after: str) -> tuple[datetime, int]:
    """The keys in an address; what is not one of ours begins at the top."""
    begun, _mark, last = after.partition("_")
    if begun.isdecimal() and last.isdecimal() and len(after) < 40 and len(begun) < 18 and len(last) < 19:
        return _EPOCH + timedelta(microseconds=int(begun)), int(last)
    return timezone.now() + timedelta(days=1), 0


# For each unit and urgency the first of its overdue tasks: ranges of the index task_open, however many are late.
_LATE = """
SELECT t.item_id, u.urgency, t.due_at, t.id FROM unnest(%(reach)s::bigint[]) AS unit (id)
 CROSS JOIN (VALUES (3), (2), (1), (0)) AS u (urgency)
 CROSS JOIN LATERAL (
   SELECT task.id, task.item_id, task.due_at FROM worklist_task task
    WHERE task.organization_id = unit.id AND task.urgency = u.urgency AND task.closed_at IS NULL AND task.due_at <= %(now)s
      AND task.level = 0 AND task.kind LIKE %(kind)s
      AND (u.urgency < %(urgency)s::int
           OR (u.urgency = %(urgency)s::int AND (task.due_at, task.id) > (%(due)s::timestamptz, %(task)s::bigint)))
    ORDER BY task.due_at, task.id LIMIT %(limit)s::bigint) AS t
 WHERE u.urgency <= %(urgency)s::int
 ORDER BY u.urgency DESC, t.due_at, t.id LIMIT %(limit)s::bigint
"""
_OF_TASKS: Remembered[Any] = Remembered(
    lambda reach, ids: _within(reach).filter(id__any=ids).order_by().values_list(*_COLUMNS)
)
_STATES = frozenset(state.code for state in Referral.machine.states)


def _overdue(actor: Actor, state: str, *, limit: int, after: str) -> list[Case]:
    """The referrals whose clock ran out, in one state or ("") in any, the most urgent first, then by how long."""
    urgency, due, task = _late_place(after)
    facts: dict[str, Any] = {
        "reach": list(actor.reach),
        "kind": f"referral.{state if state in _STATES else '%'}",
        "now": timezone.now(),
        "urgency": urgency,
        "due": due,
        "task": task,
        "limit": limit,
    }
    late = {row[0]: Late(*row[1:]) for row in ask(_LATE, facts)}
    found = {row[0]: row for row in _OF_TASKS.rows(list(actor.reach), list(late))}
    return [Case(*found[key])._replace(late=one) for key, one in late.items() if key in found]


def _late_place(after: str) -> tuple[int, datetime, int]:
    """The keys in an address; what is not one of ours begins at the top."""
    parts = after.split("_")
    if len(parts) != 3 or not all(part.removeprefix("-").isdecimal() and len(part) < 19 for part in parts):
        return 4, _EPOCH, 0
    return min(int(parts[0]), 4), _EPOCH + timedelta(microseconds=int(parts[1])), int(parts[2])


def _whole(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 19 else 0
