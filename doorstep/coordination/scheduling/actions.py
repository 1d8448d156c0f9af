"""Holding, booking, changing and giving back places: one pool for all channels."""

import uuid
from datetime import datetime, timedelta
from typing import NoReturn

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from doorstep.coordination.scheduling import booking_queries, claiming, offering, queries, standing, ticketing
from doorstep.coordination.scheduling.claiming import Taken
from doorstep.coordination.scheduling.models import Booking, Channel, Slot
from doorstep.coordination.scheduling.outcomes import Hold, NoPlaceLeft, Wish, constraints, hold_gone, named, say
from doorstep.coordination.scheduling.permissions import Permission
from doorstep.coordination.scheduling.precedence import Standing
from doorstep.coordination.scheduling.queries import as_key
from doorstep.coordination.scheduling.rules import QUOTA_ZH, Quota
from doorstep.kernel.access import actions as access
from doorstep.kernel.access.actor import Actor, ActorKind, Purpose, system_actor
from doorstep.kernel.access.models import CareRelationship
from doorstep.kernel.access.refusals import Conflict, NotFound, NotPermitted, Refused
from doorstep.kernel.access.session import for_purpose
from doorstep.kernel.workflow import actions as workflow
from doorstep.people.residents import queries as residents
from doorstep.people.residents.models import Resident

__all__ = [
    "Hold",
    "NoPlaceLeft",
    "Wish",
    "arrive",
    "book",
    "book_at_once",
    "bookable_resident",
    "cancel",
    "cancelling_verb",
    "change",
    "channel_of",
    "expire_holds",
    "facts_of",
    "fulfil",
    "give_back",
    "hold",
    "insert",
    "record_no_shows",
    "release",
]

# Platform default for a held place; the referral form is filled in meanwhile.
HOLD_MINUTES = 10
# A resident who has not checked in by then did not come; platform default.
NO_SHOW_AFTER = timedelta(hours=12)
_READ = ("id", "key", "name", "birth_date", "deceased_on", "organization_id", "consortium_id")
# How long a clinic sees a booking's episode after its time; platform default.
VIEW_AFTER = timedelta(days=7)


@transaction.atomic
def hold(
    *,
    slot_key: uuid.UUID | str,
    origin: str,
    actor: Actor,
    resident_id: int,
    minutes: int = HOLD_MINUTES,
) -> Hold:
    """Keep a place of a slot for some minutes, out of the origin's own quota first, then out of the open one.

    Raises NoPlaceLeft with the next free slot when another was first, Refused when the slot has begun, was stopped or
    is not given to this origin, NotFound when the slot or the resident is not there for the actor.
    """
    resident = bookable_resident(resident_id, actor)
    _check_origin(origin, resident, actor)
    now = timezone.now()
    key, until = uuid.uuid4(), now + timedelta(minutes=minutes)
    taken = _claim(slot_key, origin, resident=resident, actor=actor, now=now, until=until, key=key)
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
    resident = bookable_resident(resident_id, actor)
    key = as_key(hold_key)
    earlier = Booking.objects.filter(hold_key=key, resident_id=resident_id).first()
    if earlier is not None:
        return earlier
    with constraints():
        taken = claiming.take(hold_key=key, actor=actor, now=timezone.now())
        if taken is None:
            raise hold_gone()
        return insert(taken, key, resident=resident, actor=actor, wish=wish or Wish(reference=reference))


def book_at_once(
    *,
    slot_key: uuid.UUID | str,
    origin: str,
    resident_id: int,
    actor: Actor,
    request_key: uuid.UUID,
    wish: Wish | None = None,
) -> Booking:
    """Claim and book in one act, for machines that ask no further; a resend with the same `request_key` finds its booking.

    Raises what `hold` and `book` raise.
    """
    resident = bookable_resident(resident_id, actor)
    _check_origin(origin, resident, actor)
    earlier = Booking.objects.filter(hold_key=request_key).first()
    if earlier is not None:
        if earlier.resident_id != resident_id:
            raise NotFound()
        return earlier
    # A machine's request that is refused is rolled back as a whole: it needs no savepoint of its own.
    with constraints(savepoint=False):
        taken = _claim(
            slot_key, origin, resident=resident, actor=actor, now=timezone.now(), until=None, key=request_key
        )
        return insert(taken, request_key, resident=resident, actor=actor, wish=wish or Wish())


@transaction.atomic
def change(*, booking_key: uuid.UUID | str, hold_key: uuid.UUID | str, actor: Actor) -> Booking:
    """Move a booking to a held place: the old time is given back and the new one booked, both or neither.

    The new booking is for the same thing; the release of the old place goes to the waiting list as any other.
    """
    old = queries.get_booking(booking_key=booking_key, actor=actor)
    if old.state != "booked":
        raise Conflict(_("只有“已预约”的预约可以改约，请刷新后查看。"))
    give_back(old, cancelling_verb(old, actor), actor=actor, reason=_("改约到其他时间"))
    wish = Wish(reference=old.reference, channel=channel_of(actor, old.organization_id, ""), changed_from=old)
    return book(hold_key=hold_key, resident_id=old.resident_id, actor=actor, wish=wish)


def cancel(*, booking_key: uuid.UUID | str, actor: Actor, reason: str) -> Booking:
    """Give a booking back: by the resident, by the side that made it, or called off by the clinic; its place is free again."""
    booking = queries.get_booking(booking_key=booking_key, actor=actor)
    return give_back(booking, cancelling_verb(booking, actor), actor=actor, reason=reason)


@transaction.atomic
def arrive(*, booking_key: uuid.UUID | str, actor: Actor) -> Booking:
    """The resident has checked in and has a number in the queue of the day."""
    booking = queries.get_booking(booking_key=booking_key, actor=actor)
    moved = workflow.apply(booking, "arrive", actor=actor, details=facts_of(booking))
    ticketing.give_ticket(booking)
    return moved


def fulfil(*, booking_key: uuid.UUID | str, actor: Actor) -> Booking:
    """The resident has been seen."""
    booking = queries.get_booking(booking_key=booking_key, actor=actor)
    return workflow.apply(booking, "fulfil", actor=actor, details=facts_of(booking))


def expire_holds(*, actor: Actor, now: datetime | None = None) -> int:
    """Free the places whose hold has run out; returns how many. Never waits for somebody who is booking one."""
    return claiming.sweep(now=now or timezone.now())


def record_no_shows(*, actor: Actor, now: datetime | None = None) -> int:
    """Close the bookings whose time passed half a day ago without a check-in; returns how many."""
    limit = (now or timezone.now()) - NO_SHOW_AFTER
    missed = list(
        Booking.objects.select_for_update(skip_locked=True, of=("self",)).filter(
            state="booked", slot__ends_at__lte=limit
        )[:200]
    )
    for booking in missed:
        workflow.apply(booking, "miss", actor=actor, details=facts_of(booking))
    return len(missed)


def give_back(booking: Booking, verb: str, *, actor: Actor, reason: str) -> Booking:
    """Cancel a booking by one of its verbs and free its place in the same transaction."""
    with transaction.atomic():
        moved = workflow.apply(booking, verb, actor=actor, reason=reason, details=facts_of(booking))
        if claiming.free_place(place_id=booking.place_id):
            _offer_on(booking, actor)
        access.close_relationship(
            resident_id=booking.resident_id,
            reason=CareRelationship.Reason.REFERRAL,
            episode=booking.subject,
            actor=actor,
        )
    return moved


def _offer_on(booking: Booking, actor: Actor) -> None:
    """Offer the place that was just given back to the first in line, while nobody else can see it yet."""
    slot = booking.slot
    now = timezone.now()
    if slot.stopped_at is not None or slot.starts_at <= now:
        return
    with for_purpose(Purpose.HANDLER, actor):
        offering.offer_slot(
            slot_key=slot.key,
            department_id=slot.schedule.department_id,
            schedule_id=slot.schedule_id,
            starts_at=slot.starts_at,
            actor=system_actor(Purpose.HANDLER, consortium_id=booking.consortium_id),
            now=now,
        )


def cancelling_verb(booking: Booking, actor: Actor) -> str:
    """The verb by which this actor gives a booking back."""
    if actor.kind is ActorKind.RESIDENT:
        return "self-cancel"
    return "cancel" if actor.is_system or actor.reaches(booking.source_organization_id) else "call-off"


def insert(taken: Taken, key: uuid.UUID, *, resident: Resident, actor: Actor, wish: Wish, verb: str = "") -> Booking:
    """Write the booking of a place that was just taken, open the clinic's sight of it, and leave the traces."""
    slot = taken.slot
    if slot.stopped_at is not None:
        raise Conflict(_("该号源已停诊：%(reason)s。请改选其他时间。") % {"reason": slot.stop_reason})
    now = timezone.now()
    own = actor.kind is ActorKind.RESIDENT
    decided = _standing(resident, wish, taken.quota)
    booking = Booking(
        place_id=taken.place_id,
        slot=slot,
        resident=resident,
        resident_key=resident.key,
        organization_id=slot.organization_id,
        source_organization_id=(resident.organization_id if own else actor.organization_id) or slot.organization_id,
        consortium_id=actor.consortium_id or slot.consortium_id,
        quota=taken.quota,
        period=(slot.starts_at, slot.ends_at),
        reference=wish.reference[:80],
        hold_key=key,
        booked_by_id=actor.user_id,
        channel=channel_of(actor, slot.organization_id, wish.channel or ("referral" if wish.reference else "")),
        groups=list(decided.groups),
        wanted_since=wish.wanted_since or now,
        changed_from=wish.changed_from,
        extra_reason=wish.extra_reason[:200],
    )
    if not wish.reference:
        _open_sight(booking, actor)
    return workflow.begin(booking, verb or ("self-book" if own else "book"), actor=actor, details=facts_of(booking))


def channel_of(actor: Actor, organization_id: int, given: str) -> str:
    """The channel that was named, or what the actor's side says."""
    if given:
        return Channel(given).value
    if actor.kind is ActorKind.RESIDENT:
        return Channel.SELF.value
    if actor.kind is ActorKind.CLIENT:
        return Channel.SYSTEM.value
    return Channel.DESK.value if actor.organization_id == organization_id else Channel.DOCTOR.value


def facts_of(booking: Booking) -> dict[str, object]:
    """What handlers need: they know nothing of our tables."""
    return {
        "reference": booking.reference,
        "slot_id": booking.slot_id,
        "organization_id": booking.organization_id,
        "source_organization_id": booking.source_organization_id,
        "quota": booking.quota,
        "channel": booking.channel,
    }


def bookable_resident(resident_id: int, actor: Actor) -> Resident:
    """The resident for whom the actor may book; NotFound when there is none for the actor."""
    if actor.kind is ActorKind.RESIDENT:
        if resident_id not in actor.resident_ids:
            raise NotFound()
    else:
        actor.check(Permission.SLOT_BOOK)
        if actor.organization_id is None and not actor.is_system:
            raise NotFound()
    # Sealed fields stay sealed: opening them costs more than all the rest of a booking's reading.
    resident = Resident.objects.only(*_READ).filter(id=resident_id).first()
    if resident is None:
        raise NotFound()
    if resident.deceased_on is not None:
        residents.check_living(resident_id=resident_id)
    return resident


def _check_origin(origin: str, resident: Resident, actor: Actor) -> None:
    if origin not in QUOTA_ZH:
        raise Refused(_("号源类别不存在。"), fields={"origin": _("请从列表中选择号源类别。")})
    if actor.kind is not ActorKind.RESIDENT:
        return
    if origin not in (Quota.OPEN, Quota.CONTRACT):
        raise NotPermitted(permission=Permission.SLOT_BOOK)
    if origin == Quota.CONTRACT and "signed" not in _standing(resident, Wish(), origin).groups:
        raise Refused(_("签约号只供签约居民预约。"), fields={"origin": _("请选择公开号，或先与家庭医生签约。")})
    until = booking_queries.paused_until(resident_id=resident.pk)
    if until is not None:
        raise Refused(
            _("您近 90 天内有 3 次预约未到诊，%(day)s 前请由家庭医生或门诊窗口代为预约。") % {"day": until.isoformat()}
        )


def _standing(resident: Resident, wish: Wish, quota: str) -> Standing:
    referred = quota == Quota.REFERRAL or wish.reference.startswith("referral/")
    return standing.standing_of(resident, day=timezone.localdate(), referred=referred)


def _claim(
    slot_key: uuid.UUID | str,
    origin: str,
    *,
    resident: Resident,
    actor: Actor,
    now: datetime,
    until: datetime | None,
    key: uuid.UUID,
) -> Taken:
    def claimed(*, first: bool) -> Taken | None:
        return claiming.claim(
            slot_key=as_key(slot_key),
            origin=origin,
            actor=actor,
            unit=resident.organization_id if actor.kind is ActorKind.RESIDENT else actor.organization_id,
            now=now,
            until=until,
            key=key,
            first=first,
        )

    taken = claimed(first=origin != Quota.OPEN)
    if taken is None and origin == Quota.OPEN and queries.opens_later(slot_key=as_key(slot_key), now=now):
        # Before places open for everybody the rule of precedence lets some in.
        if not _standing(resident, Wish(), origin).groups:
            _refuse_early(as_key(slot_key))
        taken = claimed(first=True)
    if taken is None:
        _refuse(as_key(slot_key), origin, actor, now)
    return taken


def _refuse_early(slot_key: uuid.UUID) -> NoReturn:
    opens_at = Slot.objects.values_list("opens_at", flat=True).get(key=slot_key)
    message = _("此号源 %(time)s 前仅供转诊患者、签约居民和 65 岁及以上老人预约，请届时再约。") % {
        "time": timezone.localtime(opens_at).strftime("%m-%d %H:%M")
    }
    raise Conflict(message, fields={"slot": message}, code="not-yet-open")


def _refuse(slot_key: uuid.UUID, origin: str, actor: Actor, now: datetime) -> NoReturn:
    """Say why no place was had, and where the next one is."""
    slot = queries.slot_detail(slot_key=slot_key, origin=origin, actor=actor)
    found = queries.next_free(slot=slot, origin=origin, actor=actor, now=now)
    if slot.starts_at <= now or Slot.objects.filter(id=slot.id, stopped_at__isnull=False).exists():
        what = _("所选号源已开诊或已停诊，不能再约。")
    else:
        what = _("%(who)s %(time)s 的号刚刚约满。") % named(slot)
    raise NoPlaceLeft(say(what, found), next_slot=found)


def _open_sight(booking: Booking, actor: Actor) -> None:
    """Let the clinic read the booking's own episode, which holds the appointment and no more.

    A resident's own booking is the resident's own word for it; a clinic's desk books for whom it sees already.
    """
    if actor.kind is ActorKind.RESIDENT or booking.organization_id == actor.organization_id:
        with for_purpose(Purpose.HANDLER, actor):
            _open_episode(booking, actor, basis="居民本人预约" if actor.kind is ActorKind.RESIDENT else "本院窗口预约")
    else:
        _open_episode(booking, actor, basis="", savepoint=actor.kind is not ActorKind.CLIENT)


def _open_episode(booking: Booking, actor: Actor, *, basis: str, savepoint: bool = True) -> None:
    access.open_relationship(
        resident_id=booking.resident_id,
        organization_id=booking.organization_id,
        reason=CareRelationship.Reason.REFERRAL,
        scope=CareRelationship.Scope.EPISODE,
        episode=booking.subject,
        closes_at=booking.slot.ends_at + VIEW_AFTER,
        actor=actor,
        basis=basis,
        savepoint=savepoint,
    )
