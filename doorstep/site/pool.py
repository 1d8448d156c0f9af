"""The pool of places as hospital systems' messages use it: between coordination/hospital_systems and coordination/scheduling."""

import uuid

from doorstep.coordination.hospital_systems.own_places import Plan
from doorstep.coordination.scheduling import actions, declaring_queries
from doorstep.coordination.scheduling.outcomes import Wish
from doorstep.coordination.scheduling.permissions import Permission
from doorstep.coordination.scheduling.rules import Quota
from doorstep.kernel.access.actor import Actor

_NUMBERS = uuid.UUID("0c3b9b0e-50c6-4a0f-9c1b-9b6a3a1de0b7")


class PoolOfPlaces:
    """Books, moves and gives back what a hospital arranged in its own system, by the actions of every other channel."""

    def book(self, plan: Plan, *, actor: Actor) -> uuid.UUID | None:
        """Take the hospital's own share of the slot that begins then, else an open place; None for a clinic that is not here."""
        slot = declaring_queries.slot_at(
            organization_id=plan.organization_id, clinic=plan.clinic, doctor=plan.doctor, starts_at=plan.start
        )
        old = declaring_queries.booking_by_request(key=_key(plan))
        if slot is None:
            return None
        if old is not None and old.slot_id == slot.pk:
            return old.key
        able = _able(actor)
        if old is None or old.state != "booked":
            request = _key(plan) if old is None else uuid.uuid5(_key(plan), str(old.key))
            made = actions.book_at_once(
                slot_key=slot.key,
                origin=Quota.OWN.value,
                resident_id=plan.resident_id,
                actor=able,
                request_key=request,
                # It stands in the hospital's own book already: no rule of ours keeps it out.
                wish=Wish(channel="system", again=True),
            )
            return made.key
        return actions.move(booking_key=old.key, slot_key=slot.key, origin=Quota.OWN.value, actor=able).key

    def cancel(self, plan: Plan, *, actor: Actor) -> uuid.UUID | None:
        """Give the booking back with the hospital's reason; one that was given back already stays so."""
        old = declaring_queries.booking_by_request(key=_key(plan))
        if old is None:
            return None
        if old.state == "booked":
            actions.cancel(booking_key=old.key, actor=_able(actor), reason=plan.reason or "院内系统取消")
        return old.key


def _able(actor: Actor) -> Actor:
    return actor.with_permissions({*actor.permissions, Permission.SLOT_VIEW, Permission.SLOT_BOOK})


def _key(plan: Plan) -> uuid.UUID:
    """The same number of the same hospital is the same booking, whenever its messages come."""
    return uuid.uuid5(_NUMBERS, f"{plan.organization_id}|{plan.number}")
