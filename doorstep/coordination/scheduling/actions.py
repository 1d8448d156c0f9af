"""Holding, booking, changing and giving back places: one pool for all channels."""

import uuid
from dataclasses import replace
from datetime import datetime, timedelta
from typing import NoReturn

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from doorstep.coordination.scheduling import (
    at_once,
    booking_queries,
    claiming,
    queries,
    refusing,
    telling,
    ticketing,
)
from doorstep.coordination.scheduling.checking import (
    bookable_resident,
    check_booker,
    check_day,
    check_in_is,
    check_not_begun,
    check_wish,
    standing_for,
)
from doorstep.coordination.scheduling.drafting import channel_of, draft, facts_of
from doorstep.coordination.scheduling.giving_back import cancelling_verb, give_back
from doorstep.coordination.scheduling.giving_way import check_room, in_turn
from doorstep.coordination.scheduling.models import Booking
from doorstep.coordination.scheduling.outcomes import (
    SAME_HALF_DAY,
    Hold,
    NoPlaceLeft,
    Wish,
    by_constraint,
    constraints,
    hold_gone,
)
from doorstep.coordination.scheduling.permissions import Permission
from doorstep.coordination.scheduling.queries import as_key
from doorstep.coordination.scheduling.rules import Quota
from doorstep.coordination.scheduling.taking import Answer, Ask, Taken, take
from doorstep.kernel.access.actor import Actor, ActorKind
from doorstep.kernel.access.refusals import Conflict, NotFound
from doorstep.kernel.database.calls import Call
from doorstep.kernel.workflow import actions as workflow
from doorstep.people.residents import queries as residents
from doorstep.people.residents.models import Resident

__all__ = [
    "Hold",
    "NoPlaceLeft",
    "Wish",
    "arrive",
    "book",
    "book_alone",
    "book_at_once",
    "bookable_resident",
    "cancel",
    "cancelling_verb",
    "change",
    "channel_of",
    "check_booker",
    "check_in_is",
    "expire_holds",
    "facts_of",
    "fulfil",
    "give_back",
    "hold",
    "in_turn",
    "move",
    "record_no_shows",
    "release",
    "take_and_insert",
]

# Platform default for a held place; the referral form is filled in meanwhile.
HOLD_MINUTES = 10
# A resident who has not checked in by then did not come; platform default.
NO_SHOW_AFTER = timedelta(hours=12)


@transaction.atomic
def hold(
    *,
    slot_key: uuid.UUID | str,
    origin: str,
    actor: Actor,
    resident_id: int,
    minutes: int = HOLD_MINUTES,
    wish: Wish | None = None,
) -> Hold:
    """Keep a place of a slot for some minutes, out of the origin's own quota first, then out of the open one.

    `wish` says what it is kept for as far as that is known: a referral, or the booking that is to be moved here.
    Raises NoPlaceLeft with the next free slot when another was first, Refused when the slot has begun, was stopped or
    is not given to this origin, NotFound when the slot or the resident is not there for the actor, Conflict that names the
    booking when the resident is expected elsewhere then or in the same clinic that half day.
    """
    now = timezone.now()
    key, until = uuid.uuid4(), now + timedelta(minutes=minutes)
    unit = check_wish(origin, resident_id, actor)
    ask = Ask(
        actor=actor,
        now=now,
        slot=as_key(slot_key),
        resident_id=resident_id,
        origin=origin,
        unit=unit,
        first=origin != Quota.OPEN,
        key=key,
        until=until,
    )
    taken, _resident = _go_for(ask)
    check_room(resident_id=resident_id, slot=taken.slot, wish=wish or Wish(), actor=actor)
    return Hold(
        key=key, until=until, place_id=taken.place_id, number=taken.number, quota=taken.quota, slot=taken.choice()
    )


def release(*, hold_key: uuid.UUID | str, actor: Actor) -> bool:
    """Give a held place back; returns False when the hold had gone already, which is no fault."""
    if actor.kind is not ActorKind.RESIDENT:
        actor.check(Permission.SLOT_BOOK)
    return claiming.free_hold(hold_key=as_key(hold_key), actor=actor)


def book(
    *, hold_key: uuid.UUID | str, resident_id: int, actor: Actor, reference: str = "", wish: Wish | None = None
) -> Booking:
    """Book a held place for a resident; a resend with the same hold returns the same booking.

    Raises Conflict when the hold has run out, or when the resident is expected elsewhere at that time; then the place stays
    held. `wish` says more than the `reference` where there is more to say.
    """
    check_booker(resident_id, actor)
    key, wished = as_key(hold_key), wish or Wish(reference=reference)
    ask = Ask(actor=actor, now=timezone.now(), hold=key, resident_id=resident_id, request=key)
    return in_turn(lambda: take_and_insert(ask, wish=wished), ask=ask, wish=wished)


def book_at_once(
    *,
    slot_key: uuid.UUID | str,
    origin: str,
    resident_id: int | None = None,
    resident_key: uuid.UUID | None = None,
    actor: Actor,
    request_key: uuid.UUID,
    wish: Wish | None = None,
) -> Booking:
    """Claim and book in one act, for machines that ask no further; a resend with the same `request_key` finds its booking.

    The resident is named by id or by key. Raises what `hold` and `book` raise.
    """
    if resident_id is None and actor.kind is ActorKind.RESIDENT:
        resident_id = booking_queries.resident_of(key=str(resident_key))
    unit = check_wish(origin, resident_id, actor)
    ask = Ask(
        actor=actor,
        now=timezone.now(),
        slot=as_key(slot_key),
        resident_id=resident_id,
        resident_key=resident_key or bookable_resident(resident_id or 0, actor).key,
        request=request_key,
        origin=origin,
        unit=unit,
        first=origin != Quota.OPEN,
    )
    wished = wish or Wish()
    if actor.kind is not ActorKind.CLIENT or wished.reference:
        return in_turn(lambda: _booked_at_once(ask, wished), ask=ask, wish=wished)
    # A machine's request that is refused is rolled back as a whole: it needs no savepoint of its own.
    with constraints(savepoint=False):
        return _booked_at_once(ask, wished)


def book_alone(
    *,
    slot_key: uuid.UUID,
    origin: str,
    resident_key: uuid.UUID,
    actor: Actor,
    request_key: uuid.UUID,
    wish: Wish,
    entering: Call,
) -> at_once.Made | None:
    """The same in one statement, which enters by `entering` and is a transaction of its own; for machines.

    None, with nothing done, when `book_at_once` must look at it: who enters is another by now, or the answer is not plain.
    """
    ask = Ask(
        actor=actor,
        now=timezone.now(),
        slot=slot_key,
        resident_key=resident_key,
        request=request_key,
        origin=origin,
        unit=check_wish(origin, None, actor),
        first=origin != Quota.OPEN,
    )
    answer = at_once.go_for(ask, wish=wish, entering=entering)
    if answer is None or answer.made is not None:
        return answer.made if answer else None
    if answer.outcome in ("sold-out", "over"):
        refusing.refuse(ask, over=answer.outcome == "over")
    if answer.outcome == "refused" and (refused := by_constraint(answer.constraint)) is not None:
        if refused.code == SAME_HALF_DAY and wish.reference:
            # A referral goes first: what stands there may give way.
            return None
        raise refused
    return None


def _booked_at_once(ask: Ask, wish: Wish) -> Booking:
    answer = at_once.go_for(ask, wish=wish, home=ask.unit)
    if answer is not None and answer.outcome == "early":
        if not standing_for(bookable_resident(answer.resident_id or 0, ask.actor), wish, ask.origin).groups:
            refusing.refuse_early(ask)
        answer = at_once.go_for(replace(ask, first=True), wish=wish, home=ask.unit)
    if answer is None:
        raise NotFound()
    if answer.booking is not None:
        return answer.booking
    if answer.earlier is not None:
        earlier = Booking.objects.get(key=answer.earlier)
        if earlier.resident_key != ask.resident_key:
            raise NotFound()
        return earlier
    if answer.outcome == "watched":
        # Who subscribed to Appointments is told by the long way.
        return take_and_insert(ask, wish=wish)
    _refuse(answer.outcome, ask, answer.resident_id)


@transaction.atomic
def change(*, booking_key: uuid.UUID | str, hold_key: uuid.UUID | str, actor: Actor, channel: str = "") -> Booking:
    """Move a booking to a held place: the old time is given back and the new one booked, both or neither.

    The new booking is for the same thing; the release of the old place goes to the waiting list as any other. `channel` is the way
    by which it was asked for, where the actor alone does not say it.
    """
    old = queries.get_booking(booking_key=booking_key, actor=actor)
    if old.state != "booked":
        raise Conflict(_("只有“已预约”的预约可以改约，请刷新后查看。"))
    check_not_begun(old, actor)
    give_back(old, cancelling_verb(old, actor), actor=actor, reason=_("改约到其他时间"))
    way = channel_of(actor, old.organization_id, channel)
    wish = Wish(reference=old.reference, channel=way, changed_from=old, again=not old.half_day)
    return book(hold_key=hold_key, resident_id=old.resident_id, actor=actor, wish=wish)


@transaction.atomic
def move(
    *, booking_key: uuid.UUID | str, slot_key: uuid.UUID | str, origin: str, actor: Actor, channel: str = ""
) -> Booking:
    """Move a booking to a free place of another slot; raises what `hold` and `change` raise, and then the old time stands.

    Sent once more it finds the booking that it made.
    """
    old = queries.get_booking(booking_key=booking_key, actor=actor)
    if old.state == "cancelled" and (made := booking_queries.moved_to(old, slot_key=as_key(slot_key))) is not None:
        return made
    wish = Wish(reference=old.reference, changed_from=old, again=not old.half_day)
    held = hold(slot_key=slot_key, origin=origin, actor=actor, resident_id=old.resident_id, wish=wish)
    return change(booking_key=old.key, hold_key=held.key, actor=actor, channel=channel)


def cancel(*, booking_key: uuid.UUID | str, actor: Actor, reason: str) -> Booking:
    """Give a booking back: by the resident before it begins, by the side that made it, or called off by the clinic; its place is free again."""
    booking = queries.get_booking(booking_key=booking_key, actor=actor)
    check_not_begun(booking, actor)
    return give_back(booking, cancelling_verb(booking, actor), actor=actor, reason=reason)


@transaction.atomic
def arrive(*, booking_key: uuid.UUID | str, actor: Actor) -> Booking:
    """The resident has checked in and has a number in the queue of the day; Conflict on any other day than the visit's."""
    booking = queries.get_booking(booking_key=booking_key, actor=actor)
    check_day(booking)
    moved = workflow.apply(booking, "arrive", actor=actor, details=facts_of(booking))
    ticketing.give_ticket(booking)
    return moved


@transaction.atomic
def fulfil(*, booking_key: uuid.UUID | str, actor: Actor) -> Booking:
    """The resident has been seen, and waits in no queue any more."""
    booking = queries.get_booking(booking_key=booking_key, actor=actor)
    moved = workflow.apply(booking, "fulfil", actor=actor, details=facts_of(booking))
    ticketing.close_ticket(booking)
    return moved


def expire_holds(*, actor: Actor, now: datetime | None = None) -> int:
    """Free the places whose hold has run out; returns how many. Never waits for somebody who is booking one."""
    return claiming.sweep(now=now or timezone.now())


def record_no_shows(*, actor: Actor, now: datetime | None = None) -> int:
    """Close the bookings whose time passed half a day ago without a check-in; returns how many."""
    limit = (now or timezone.now()) - NO_SHOW_AFTER
    missed = list(
        Booking.objects.select_for_update(skip_locked=True, of=("self",))
        .select_related("slot__organization", "slot__schedule__department")
        .filter(state="booked", slot__ends_at__lte=limit)
        .order_by("period")[:200]
    )
    before = booking_queries.missed_days(resident_ids={booking.resident_id for booking in missed})
    for booking in missed:
        workflow.apply(booking, "miss", actor=actor, details=facts_of(booking))
        days = before.setdefault(booking.resident_id, [])
        days.append(timezone.localdate(booking.slot.starts_at))
        telling.tell_missed(booking, days=days, actor=actor)
    return len(missed)


@transaction.atomic
def excuse(*, booking_key: uuid.UUID | str, reason: str, actor: Actor) -> Booking:
    """Correct a missed appointment of one's own clinic with the reason: it counts no more, and a pause that hung on it ends at once."""
    booking = queries.get_booking(booking_key=booking_key, actor=actor)
    moved = workflow.apply(booking, "excuse", actor=actor, reason=reason, details=facts_of(booking))
    telling.tell_booking(booking, "booking-excused", actor=actor, reason=reason.strip())
    return moved


def take_and_insert(ask: Ask, *, wish: Wish, verb: str = "") -> Booking:
    """Go for a place and write its booking; a request that has its booking already finds it.

    Without a reference the clinic comes to see the booking's own episode; with one, what stands behind it says what is seen.
    """
    key = None if wish.reference else uuid.uuid4()
    answer = _answered(replace(ask, booking=key))
    if answer.earlier_id is not None:
        earlier = Booking.objects.get(pk=answer.earlier_id)
        if answer.resident is None or earlier.resident_id != answer.resident.pk:
            raise hold_gone() if ask.hold else NotFound()
        return earlier
    if answer.taken is None or answer.resident is None:
        raise NotFound()
    request = ask.request or ask.hold or uuid.uuid4()
    return _insert(answer.taken, request, resident=answer.resident, actor=ask.actor, wish=wish, verb=verb)


def _insert(taken: Taken, key: uuid.UUID, *, resident: Resident, actor: Actor, wish: Wish, verb: str = "") -> Booking:
    """Write the booking of a place that was just taken, and leave the traces."""
    slot = taken.slot
    if slot.stopped_at is not None:
        raise Conflict(_("该号源已停诊：%(reason)s。请改选其他时间。") % {"reason": slot.stop_reason})
    booking = draft(
        slot,
        key=taken.booking or uuid.uuid4(),
        request=key,
        resident_key=resident.key,
        home=resident.organization_id,
        actor=actor,
        wish=wish,
    )
    booking.place_id, booking.quota, booking.resident = taken.place_id, taken.quota, resident
    booking.groups = list(standing_for(resident, wish, taken.quota, signed=taken.signed).groups)
    first = verb or ("self-book" if actor.kind is ActorKind.RESIDENT else "book")
    return workflow.begin(booking, first, actor=actor, details=facts_of(booking))


def _go_for(ask: Ask) -> tuple[Taken, Resident]:
    answer = _answered(ask)
    if answer.taken is None or answer.resident is None:
        raise NotFound()
    return answer.taken, answer.resident


def _answered(ask: Ask) -> Answer:
    """Go for the place; who comes first by rule is let in before places open for all. Raises the refusal otherwise."""
    answer = take(ask)
    if answer.outcome == "early" and answer.resident is not None:
        if not standing_for(answer.resident, Wish(), ask.origin).groups:
            refusing.refuse_early(ask)
        answer = take(replace(ask, first=True))
    if answer.outcome in ("taken", "earlier"):
        return answer
    _refuse(answer.outcome, ask, answer.resident.pk if answer.resident else None)


def _refuse(outcome: str, ask: Ask, resident_id: int | None) -> NoReturn:
    if outcome == "deceased" and resident_id is not None:
        residents.check_living(resident_id=resident_id)
    if outcome == "hold-gone":
        raise hold_gone()
    if outcome == "sold-out" and resident_id is not None and ask.actor.kind is not ActorKind.CLIENT:
        # Pressed again, or from a page that was left open: the place went to this very person.
        refusing.refuse_booked(ask, resident_id)
    if outcome in ("sold-out", "over"):
        refusing.refuse(ask, over=outcome == "over")
    raise NotFound()
