"""The waiting list: joining, offering freed places in order, taking, passing by, leaving."""

import uuid
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from doorstep.coordination.scheduling import (
    actions,
    checking,
    offering,
    rebooking_actions,
    standing,
    telling,
    waiting_queries,
)
from doorstep.coordination.scheduling.models import Booking, Channel, WaitingEntry
from doorstep.coordination.scheduling.outcomes import Wish, hold_gone
from doorstep.coordination.scheduling.taking import Ask
from doorstep.kernel.access.actor import Actor, ActorKind
from doorstep.kernel.access.refusals import Conflict, Refused
from doorstep.kernel.workflow import actions as workflow
from doorstep.people.organizations.models import Department

# Nobody waits longer than this; platform default.
LONGEST_WAIT = timedelta(days=60)
# After so many offers that were not answered the wait lapses; platform default.
MISSED_OFFERS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Want:
    """What somebody waits for: a department or one of its schedules, between two days, as which origin."""

    department_id: int
    schedule_id: int | None = None
    origin: str
    first_day: date
    last_day: date
    reference: str = ""
    channel: str = ""


def want_for_days(*, department_id: int, origin: str, days: int, channel: str) -> Want:
    """A wish for any time of a department in the days that were looked at without finding one."""
    today = timezone.localdate()
    return Want(
        department_id=department_id,
        origin=origin,
        first_day=today,
        last_day=today + timedelta(days=days),
        channel=channel,
    )


@transaction.atomic
def join(*, resident_id: int, want: Want, actor: Actor) -> WaitingEntry:
    """Put a resident on a waiting list; the rule of precedence is decided now and shown with its inputs.

    Raises Conflict when the resident waits there already, Refused when the days are wrong or when the pause after missed
    visits keeps the person from booking alone.
    """
    resident = actions.bookable_resident(resident_id, actor)
    if actor.kind is ActorKind.RESIDENT:
        checking.check_not_paused(resident)
    today = timezone.localdate()
    if not today <= want.first_day <= want.last_day <= today + LONGEST_WAIT:
        raise Refused(
            _("候补日期不正确。"),
            fields={"last_day": _("最早日期不早于今天，最晚日期不早于最早日期，最长候补 60 天。")},
        )
    department = Department.objects.get(id=want.department_id)
    own = actor.kind is ActorKind.RESIDENT
    decided = standing.standing_of(
        resident, day=today, referred=want.origin == "referral" or want.reference.startswith("referral/")
    )
    entry = WaitingEntry(
        department=department,
        schedule_id=want.schedule_id,
        resident=resident,
        resident_key=resident.key,
        organization_id=department.organization_id,
        source_organization_id=(resident.organization_id if own else actor.organization_id)
        or department.organization_id,
        origin=want.origin,
        channel=actions.channel_of(actor, department.organization_id, want.channel),
        first_day=want.first_day,
        last_day=want.last_day,
        points=decided.points,
        groups=list(decided.groups),
        reference=want.reference[:80],
    )
    facts = {"points": decided.points, "groups": list(decided.groups), "department_id": department.pk}
    try:
        with transaction.atomic():
            joined = workflow.begin(entry, "self-join" if own else "join", actor=actor, details=facts)
    except IntegrityError as error:
        message = _("该居民已在这个科室候补，不必重复登记。")
        raise Conflict(message, fields={"department": message}) from error
    offering.let_see(joined, actor=actor)
    return joined


def offer_freed(*, actor: Actor, now: datetime | None = None) -> int:
    """Offer every free place that somebody waits for to the first in line; returns how many offers were made."""
    moment = now or timezone.now()
    return sum(
        offering.offer_slot(
            slot_key=slot_key,
            department_id=department_id,
            schedule_id=schedule_id,
            starts_at=starts_at,
            actor=actor,
            now=moment,
        )
        for slot_key, department_id, schedule_id, starts_at in waiting_queries.offerable(now=moment)
    )


@transaction.atomic
def accept(*, entry_key: uuid.UUID | str, actor: Actor) -> Booking:
    """Take the offered place; raises Conflict when the offer has run out."""
    entry = waiting_queries.get_entry(key=entry_key, actor=actor)
    if entry.state == "booked" and entry.booking is not None:
        return entry.booking
    if entry.state != "offered" or entry.hold_key is None:
        raise hold_gone()
    actions.check_booker(entry.resident_id, actor)
    own = actor.kind is ActorKind.RESIDENT
    key = entry.hold_key
    wish = Wish(reference=entry.reference, channel=Channel.WAITING.value, wanted_since=entry.created_at)
    ask = Ask(actor=actor, now=timezone.now(), hold=key, resident_id=entry.resident_id, anybody=True)
    booking = actions.in_turn(lambda: actions.take_and_insert(ask, wish=wish), ask=ask, wish=wish)
    values = {"hold_key": None, "offered_until": None, "booking_id": booking.pk}
    facts = {"booking": str(booking.key), "slot_id": booking.slot_id}
    workflow.apply(entry, "self-accept" if own else "accept", actor=actor, values=values, details=facts)
    offering.end_sight(entry, actor=actor)
    rebooking_actions.settle(booking=booking, actor=actor)
    return booking


@transaction.atomic
def pass_by(*, entry_key: uuid.UUID | str, actor: Actor) -> WaitingEntry:
    """Do not take this offer but go on waiting: the place goes to the next in line, and no other of that half day is offered again."""
    entry = waiting_queries.get_entry(key=entry_key, actor=actor)
    verb = "self-pass" if actor.kind is ActorKind.RESIDENT else "pass"
    return offering.take_back(entry, verb, actor, declined=offering.let_go(entry))


@transaction.atomic
def leave(*, entry_key: uuid.UUID | str, actor: Actor) -> WaitingEntry:
    """Leave the waiting list; an offered place goes to the next in line."""
    entry = waiting_queries.get_entry(key=entry_key, actor=actor)
    return offering.take_back(entry, "self-leave" if actor.kind is ActorKind.RESIDENT else "leave", actor)


@transaction.atomic
def expire_offers(*, actor: Actor, now: datetime | None = None) -> int:
    """End offers that were not answered, and waits whose days are over; returns how many ended."""
    moment = now or timezone.now()
    ended = waiting_queries.run_out(now=moment)
    for entry in ended:
        missed = entry.missed_offers + 1
        verb = "lapse" if missed >= MISSED_OFFERS else "expire"
        asked = entry.offered_slot
        offering.take_back(entry, verb, actor, missed_offers=missed, declined=offering.let_go(entry))
        telling.tell_waiting(entry, f"waiting-{verb}", slot=asked, actor=actor)
    over = waiting_queries.over(today=timezone.localdate(moment))
    for entry in over:
        workflow.apply(entry, "lapse", actor=actor, details={"why": "days-over"})
        offering.end_sight(entry, actor=actor)
        telling.tell_waiting(entry, "waiting-lapse", slot=None, actor=actor)
    return len(ended) + len(over)


@transaction.atomic
def settle_served(*, actor: Actor, since: datetime | None = None) -> int:
    """End the waits of those who came to a place of the department some other way, whoever booked it; returns how many.

    `since` looks only at bookings from then on; without it at every wait. An offered place goes to the next in line. Who booked
    outside the wished days, or another expert than the one waited for, waits on.
    """
    found = waiting_queries.served(since=since)
    for entry, booking in found:
        facts = {"booking": str(booking.key), "slot_id": booking.slot_id, "why": "booked-otherwise"}
        offering.take_back(entry, "settle", actor, details=facts, booking_id=booking.pk)
        telling.tell_waiting(entry, "waiting-settle", slot=booking.slot, actor=actor)
    return len(found)


@transaction.atomic
def show_who_waits(*, actor: Actor) -> int:
    """Let clinics see who joined their waiting list before that was let; returns how many."""
    return offering.let_see_unseen(actor=actor, today=timezone.localdate())
