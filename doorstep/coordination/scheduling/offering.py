"""Offering a place to whoever is first in line, before anybody else can take it."""

import uuid
from datetime import datetime, timedelta

from django.db import transaction

from doorstep.coordination.scheduling import claiming, halfdays, queries, telling, waiting_queries
from doorstep.coordination.scheduling.models import WaitingEntry
from doorstep.coordination.scheduling.rules import answer_by
from doorstep.coordination.scheduling.states import OFFER_CLOCK
from doorstep.coordination.scheduling.taking import Ask, take
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.workflow import actions as workflow

# An offer ends at the latest so long before the visit.
LAST_ANSWER = timedelta(minutes=30)


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
    return moved
