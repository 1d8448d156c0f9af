"""Holding, booking and giving back places. Schedules are laid out and stopped in `clinic_actions`."""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from doorstep.coordination.scheduling import queries
from doorstep.coordination.scheduling.models import Booking, Slot
from doorstep.coordination.scheduling.permissions import Permission
from doorstep.coordination.scheduling.queries import SlotChoice, as_key
from doorstep.coordination.scheduling.rules import QUOTA_ZH, quotas_for
from doorstep.kernel.access import actions as access
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.access.models import CareRelationship
from doorstep.kernel.access.refusals import Conflict, NotFound, Refused
from doorstep.kernel.workflow import actions as workflow
from doorstep.people.residents import queries as residents
from doorstep.people.residents.models import Resident

# Platform default for a held place; the referral form is filled in meanwhile.
HOLD_MINUTES = 10
# A resident who has not checked in by then did not come; platform default.
NO_SHOW_AFTER = timedelta(hours=12)
# How long a clinic sees a booking's episode after its time; platform default.
VIEW_AFTER = timedelta(days=7)

_CLAIM = """
WITH picked AS (
  SELECT q.id FROM scheduling_place q
   WHERE q.slot_id = %(slot)s AND q.quota = ANY(%(quotas)s)
     AND (q.state = 'free' OR (q.state = 'held' AND q.held_until <= %(now)s))
     AND (q.origin_organization_id IS NULL OR q.origin_organization_id = ANY(%(origins)s))
   ORDER BY array_position(%(quotas)s, q.quota::text), q.origin_organization_id NULLS LAST, q.number
   LIMIT 1 FOR UPDATE SKIP LOCKED)
UPDATE scheduling_place q
   SET state = 'held', hold_key = %(key)s, held_until = %(until)s, held_by_id = %(user)s,
       held_organization_id = %(organization)s
  FROM picked WHERE q.id = picked.id RETURNING q.id, q.number, q.quota
"""

_TAKE = """
UPDATE scheduling_place SET state = 'booked', hold_key = NULL, held_until = NULL
 WHERE hold_key = %s AND state = 'held' AND held_until > %s AND held_organization_id = ANY(%s)
RETURNING id, slot_id, quota
"""

_FREE = "state = 'free', hold_key = NULL, held_until = NULL, held_by_id = NULL, held_organization_id = NULL"


class NoPlaceLeft(Conflict):
    """The last place went to somebody else; `next_slot` is the next one that is free, or None."""

    code = "no-place-left"

    def __init__(self, message: object, *, next_slot: SlotChoice | None) -> None:
        super().__init__(message, fields={"slot": message})
        self.next_slot = next_slot


@dataclass(frozen=True, slots=True)
class Hold:
    """A place kept for somebody until a moment; `key` books it or gives it back."""

    key: uuid.UUID
    until: datetime
    place_id: int
    number: int
    quota: str
    slot: SlotChoice


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
    actor.check(Permission.SLOT_BOOK)
    if origin not in QUOTA_ZH:
        raise Refused(_("号源类别不存在。"), fields={"origin": _("请从列表中选择号源类别。")})
    if not Resident.objects.filter(id=resident_id).exists():
        raise NotFound()
    residents.check_living(resident_id=resident_id)
    now = timezone.now()
    slot = queries.slot_detail(slot_key=slot_key, origin=origin, actor=actor)
    if slot.starts_at <= now or Slot.objects.filter(id=slot.id, stopped_at__isnull=False).exists():
        raise NoPlaceLeft(
            _say(_("所选号源已开诊或已停诊，不能再约。"), found := _next(slot, origin, actor, now)), next_slot=found
        )
    key, until = uuid.uuid4(), now + timedelta(minutes=minutes)
    with connection.cursor() as cursor:
        cursor.execute(
            _CLAIM,
            {
                "slot": slot.id,
                "quotas": list(quotas_for(origin)),
                "now": now,
                "origins": list(actor.reach),
                "key": key,
                "until": until,
                "user": actor.user_id,
                "organization": actor.organization_id,
            },
        )
        row = cursor.fetchone()
    if row is None:
        raise NoPlaceLeft(
            _say(_("%(who)s %(time)s 的号刚刚约满。") % _named(slot), found := _next(slot, origin, actor, now)),
            next_slot=found,
        )
    return Hold(key=key, until=until, place_id=row[0], number=row[1], quota=row[2], slot=slot)


def release(*, hold_key: uuid.UUID | str, actor: Actor) -> bool:
    """Give a held place back; returns False when the hold had gone already, which is no fault."""
    actor.check(Permission.SLOT_BOOK)
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE scheduling_place SET {_FREE} WHERE hold_key = %s AND state = 'held'"
            " AND (held_organization_id = ANY(%s) OR %s)",
            [as_key(hold_key), list(actor.reach), actor.is_system],
        )
        return bool(cursor.rowcount == 1)


@transaction.atomic
def book(*, hold_key: uuid.UUID | str, resident_id: int, actor: Actor, reference: str = "") -> Booking:
    """Book a held place for a resident; a resend with the same hold returns the same booking.

    `reference` names what it is for ("referral/<key>"); what stands behind it opens the resident to the clinic. Without a
    reference the booking itself does, for its own episode. Raises Conflict when the hold has run out, or when the resident
    is expected elsewhere at that time; then the place stays held.
    """
    actor.check(Permission.SLOT_BOOK)
    key = as_key(hold_key)
    earlier = Booking.objects.filter(hold_key=key, resident_id=resident_id).first()
    if earlier is not None:
        return earlier
    resident = Resident.objects.filter(id=resident_id).first()
    if actor.organization_id is None or resident is None:
        raise NotFound()
    try:
        with transaction.atomic():
            return _book(key, resident=resident, actor=actor, reference=reference)
    except IntegrityError as error:
        constraint = getattr(getattr(error.__cause__, "diag", None), "constraint_name", "")
        if constraint == "booking_resident_one_at_a_time":
            message = _("该居民在这个时间已有其他预约，请改选其他时间，或先取消原预约。")
            raise Conflict(message, fields={"slot": message}, code="resident-busy") from error
        if constraint == "booking_place_once":
            raise _hold_gone() from error
        raise


def _book(key: uuid.UUID, *, resident: Resident, actor: Actor, reference: str) -> Booking:
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, [key, timezone.now(), list(actor.reach)])
        row = cursor.fetchone()
    if row is None:
        raise _hold_gone()
    place_id, slot_id, quota = row
    slot = Slot.objects.select_related("organization", "schedule__department", "schedule__practitioner").get(id=slot_id)
    if slot.stopped_at is not None:
        raise Conflict(_("该号源已停诊：%(reason)s。请改选其他时间。") % {"reason": slot.stop_reason})
    booking = Booking(
        place_id=place_id,
        slot=slot,
        resident=resident,
        resident_key=resident.key,
        organization_id=slot.organization_id,
        source_organization_id=actor.organization_id or slot.organization_id,
        quota=quota,
        period=(slot.starts_at, slot.ends_at),
        reference=reference[:80],
        hold_key=key,
        booked_by_id=actor.user_id,
    )
    if not reference and booking.organization_id != booking.source_organization_id:
        access.open_relationship(
            resident_id=resident.pk,
            organization_id=booking.organization_id,
            reason=CareRelationship.Reason.REFERRAL,
            scope=CareRelationship.Scope.EPISODE,
            episode=booking.subject,
            closes_at=slot.ends_at + VIEW_AFTER,
            actor=actor,
        )
    return workflow.begin(booking, "book", actor=actor, details=_facts(booking))


def cancel(*, booking_key: uuid.UUID | str, actor: Actor, reason: str) -> Booking:
    """Give a booking back: by the side that made it, or called off by the clinic; its place is free again."""
    booking = queries.get_booking(booking_key=booking_key, actor=actor)
    verb = "cancel" if actor.is_system or actor.reaches(booking.source_organization_id) else "call-off"
    return give_back(booking, verb, actor=actor, reason=reason)


def end_for_death(*, resident_id: int, actor: Actor) -> int:
    """Give the places of a resident who has died back; returns how many."""
    found = list(Booking.objects.filter(resident_id=resident_id, state="booked"))
    for booking in found:
        give_back(booking, "cancel", actor=actor, reason=_("居民已登记死亡"))
    return len(found)


def arrive(*, booking_key: uuid.UUID | str, actor: Actor) -> Booking:
    """The resident has checked in."""
    booking = queries.get_booking(booking_key=booking_key, actor=actor)
    return workflow.apply(booking, "arrive", actor=actor, details=_facts(booking))


def fulfil(*, booking_key: uuid.UUID | str, actor: Actor) -> Booking:
    """The resident has been seen."""
    booking = queries.get_booking(booking_key=booking_key, actor=actor)
    return workflow.apply(booking, "fulfil", actor=actor, details=_facts(booking))


def expire_holds(*, actor: Actor, now: datetime | None = None) -> int:
    """Free the places whose hold has run out; returns how many. Never waits for somebody who is booking one."""
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH gone AS (SELECT id FROM scheduling_place WHERE state = 'held' AND held_until <= %s"
            " ORDER BY held_until LIMIT 1000 FOR UPDATE SKIP LOCKED)"
            f" UPDATE scheduling_place q SET {_FREE} FROM gone WHERE q.id = gone.id",
            [now or timezone.now()],
        )
        return int(cursor.rowcount)


def record_no_shows(*, actor: Actor, now: datetime | None = None) -> int:
    """Close the bookings whose time passed half a day ago without a check-in; returns how many."""
    limit = (now or timezone.now()) - NO_SHOW_AFTER
    missed = list(
        Booking.objects.select_for_update(skip_locked=True, of=("self",)).filter(
            state="booked", slot__ends_at__lte=limit
        )[:200]
    )
    for booking in missed:
        workflow.apply(booking, "miss", actor=actor, details=_facts(booking))
    return len(missed)


def give_back(booking: Booking, verb: str, *, actor: Actor, reason: str) -> Booking:
    """Cancel a booking by one of its two verbs and free its place in the same transaction."""
    with transaction.atomic():
        moved = workflow.apply(booking, verb, actor=actor, reason=reason, details=_facts(booking))
        with connection.cursor() as cursor:
            cursor.execute(
                f"UPDATE scheduling_place SET {_FREE} WHERE id = %s AND state = 'booked'", [booking.place_id]
            )
        access.close_relationship(
            resident_id=booking.resident_id,
            reason=CareRelationship.Reason.REFERRAL,
            episode=booking.subject,
            actor=actor,
        )
    return moved


def _facts(booking: Booking) -> dict[str, object]:
    """What handlers need: they know nothing of our tables."""
    return {
        "reference": booking.reference,
        "slot_id": booking.slot_id,
        "organization_id": booking.organization_id,
        "source_organization_id": booking.source_organization_id,
        "quota": booking.quota,
    }


def _hold_gone() -> Conflict:
    message = _("预留已过期或已使用，请重新选择号源。")
    return Conflict(message, fields={"slot": message}, code="hold-gone")


def _next(slot: SlotChoice, origin: str, actor: Actor, now: datetime) -> SlotChoice | None:
    return queries.next_free(slot=slot, origin=origin, actor=actor, now=now)


def _named(slot: SlotChoice) -> dict[str, str]:
    return {"who": slot.who, "time": timezone.localtime(slot.starts_at).strftime("%m-%d %H:%M")}


def _say(what: str, slot: SlotChoice | None) -> str:
    if slot is None:
        return what + _("该院近期没有其他可约号源，请改选其他医院或联系转诊中心。")
    return what + _("最近可约：%(who)s %(time)s，余 %(left)s 个号。") % {**_named(slot), "left": slot.left}
