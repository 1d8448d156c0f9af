"""A place kept for a case while somebody decides: by one side of the case, taken or given back by another.

Who may move the case may keep, take and give back its place: the case's own table of states was asked before.
"""

import math
import uuid
from datetime import timedelta

from django.utils import timezone

from doorstep.coordination.scheduling import actions, claiming
from doorstep.coordination.scheduling.models import Booking
from doorstep.coordination.scheduling.outcomes import Hold, Wish
from doorstep.coordination.scheduling.permissions import Permission
from doorstep.coordination.scheduling.queries import as_key
from doorstep.coordination.scheduling.rules import Quota
from doorstep.coordination.scheduling.taking import Ask
from doorstep.kernel.access.actor import Actor, ActorKind


def keep(*, slot_key: uuid.UUID | str, resident_id: int, reference: str, stands: timedelta, actor: Actor) -> Hold:
    """Keep a place for a referral (`reference`) for so long; raises what `actions.hold` raises."""
    return actions.hold(
        slot_key=slot_key,
        origin=Quota.REFERRAL.value,
        actor=_able(actor),
        resident_id=resident_id,
        minutes=math.ceil(stands.total_seconds() / 60),
        wish=Wish(reference=reference),
    )


def take(*, hold_key: uuid.UUID | str, resident_id: int, reference: str, actor: Actor) -> Booking:
    """Book the kept place, whichever side of the case keeps it; raises what `actions.book` raises."""
    able, key, wish = _able(actor), as_key(hold_key), Wish(reference=reference)
    actions.check_booker(resident_id, able)
    ask = Ask(actor=able, now=timezone.now(), hold=key, resident_id=resident_id, request=key, anybody=True)
    return actions.in_turn(lambda: actions.take_and_insert(ask, wish=wish), ask=ask, wish=wish)


def give_back(*, hold_key: uuid.UUID, actor: Actor) -> bool:
    """Give the kept place back; returns False when it had gone already, which is no fault."""
    return claiming.free_hold(hold_key=hold_key, actor=actor, anybody=True)


def _able(actor: Actor) -> Actor:
    if actor.kind is ActorKind.RESIDENT:
        return actor
    return actor.with_permissions({*actor.permissions, Permission.SLOT_BOOK})
