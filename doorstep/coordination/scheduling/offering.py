"""Offering a place to whoever is first in line, before anybody else can take it."""

import uuid
from contextlib import nullcontext
from datetime import date, datetime, time, timedelta

from django.db import transaction

from doorstep.coordination.scheduling import claiming, halfdays, queries, telling, waiting_queries
from doorstep.coordination.scheduling.models import WaitingEntry
from doorstep.coordination.scheduling.rules import CHINA, answer_by
from doorstep.coordination.scheduling.states import OFFER_CLOCK, WAITING_LIVE
from doorstep.coordination.scheduling.taking import Ask, take
from doorstep.kernel.access import actions as access
from doorstep.kernel.access.actor import Actor, ActorKind, Purpose
from doorstep.kernel.access.models import CareRelationship
from doorstep.kernel.access.session import for_purpose
from doorstep.kernel.workflow import actions as workflow

# An offer ends at the latest so long before the visit.
LAST_ANSWER = timedelta(minutes=30)
# The ground that stands in the trail when the sight is not passed on by somebody who has it.
_OWN_WORD, _OWN_DESK, _ON_THE_LIST = "居民本人候补", "本院窗口候补", "已登记候补"


def offer_slot(
    *, slot_key: uuid.UUID, department_id: int, schedule_id: int, starts_at: datetime, actor: Actor, now: datetime
) -> int:
    """Offer a slot's free places in the order of the rule, as the system; returns how many offers were made.

    A place is held for the one asked until the offer's end. Somebody for whose origin nothing is left keeps the turn.
    """
    asked: list[int] = []
    made = 0
    while entry := waiting_queries.next_in_line(
        department_id=department_id, schedule_id=schedule_id, starts_at=starts_at, without=asked
    ):
        asked.append(entry.pk)
        made += _offer(entry, slot_key, starts_at, actor=actor, now=now)
        if len(asked) >= 20:
            break
    return made


@transaction.atomic
def _offer(entry: WaitingEntry, slot_key: uuid.UUID, starts_at: datetime, *, actor: Actor, now: datetime) -> bool:
    until = min(answer_by(now, within=OFFER_CLOCK.due), starts_at - LAST_ANSWER)
    if until <= now or queries.is_expected(resident_id=entry.resident_id, slot_key=slot_key):
        return False
    key = uuid.uuid4()
    ask = Ask(
        actor=actor,
        now=now,
        slot=slot_key,
        origin=entry.origin,
        unit=entry.source_organization_id,
        first=bool(entry.groups),
        key=key,
        until=until,
    )
    taken = take(ask).taken
    if taken is None:
        return False
    values = {"hold_key": key, "offered_slot_id": taken.slot.pk, "offered_until": until}
    facts = {"slot_id": taken.slot.pk, "until": until.isoformat()}
    workflow.apply(entry, "offer", actor=actor, values=values, details=facts, due_at=until)
    telling.tell_waiting(entry, "waiting-offer", slot=taken.slot, actor=actor, until=until)
    return True


def let_go(entry: WaitingEntry) -> list[str]:
    """The half days that are offered to somebody no more, with that of the offer which goes by now."""
    slot = entry.offered_slot
    if slot is None:
        return list(entry.declined)
    gone = halfdays.named(department_id=entry.department_id, starts_at=slot.starts_at)
    return [*(one for one in entry.declined if one != gone), gone]


def take_back(
    entry: WaitingEntry, verb: str, actor: Actor, *, details: dict[str, object] | None = None, **more: object
) -> WaitingEntry:
    """Move an entry away from its offer; the place that was kept is free again."""
    key = entry.hold_key
    values = {"hold_key": None, "offered_until": None, **more}
    moved = workflow.apply(entry, verb, actor=actor, values=values, details=details)
    if key is not None:
        claiming.free_hold(hold_key=key, actor=actor, anybody=True)
    if moved.state not in WAITING_LIVE:
        end_sight(moved, actor=actor)
    return moved


def let_see(entry: WaitingEntry, *, actor: Actor) -> None:
    """Let the clinic see who waits: the wait's own episode, until its days are over. A referral opens what belongs to it by itself.

    Residents join by their own word, and a clinic's desk enters whom it sees already; others pass on only what they have.
    """
    if entry.reference:
        return
    own = actor.kind is ActorKind.RESIDENT
    inside = own or actor.organization_id == entry.organization_id
    with for_purpose(Purpose.HANDLER, actor) if inside else nullcontext():
        _open(entry, basis=_OWN_WORD if own else _OWN_DESK if inside else "", actor=actor)


def let_see_unseen(*, actor: Actor, today: date) -> int:
    """Let clinics see who has waited for them since before they came to see it, as the house; returns how many."""
    found = waiting_queries.unseen(today=today)
    with for_purpose(Purpose.HANDLER, actor):
        for entry in found:
            _open(entry, basis=_ON_THE_LIST, actor=actor)
    return len(found)


def _open(entry: WaitingEntry, *, basis: str, actor: Actor) -> None:
    access.open_relationship(
        resident_id=entry.resident_id,
        organization_id=entry.organization_id,
        reason=CareRelationship.Reason.REFERRAL,
        scope=CareRelationship.Scope.EPISODE,
        episode=entry.subject,
        closes_at=midnight_after(entry.last_day),
        basis=basis,
        actor=actor,
    )


def end_sight(entry: WaitingEntry, *, actor: Actor) -> None:
    """The wait is over: a booking that came of it opens its own sight."""
    with for_purpose(Purpose.HANDLER, actor):
        access.close_relationship(
            resident_id=entry.resident_id,
            reason=CareRelationship.Reason.REFERRAL,
            episode=entry.subject,
            actor=actor,
        )


def midnight_after(day: date) -> datetime:
    """The end of a day of China's clock."""
    return datetime.combine(day + timedelta(days=1), time(), tzinfo=CHINA)
