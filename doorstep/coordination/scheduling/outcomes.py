"""What comes of going for a place: a hold, a wish carried along, or a refusal that names the next place."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from doorstep.coordination.scheduling.models import Booking
from doorstep.coordination.scheduling.queries import SlotChoice
from doorstep.kernel.access.refusals import Conflict

# The refusal of a second visit to one department in one half day.
SAME_HALF_DAY = "same-half-day"


class NoPlaceLeft(Conflict):
    """The last place went to somebody else; `next_slot` is the next one that is free, or None."""

    code = "no-place-left"

    def __init__(self, message: object, *, next_slot: SlotChoice | None) -> None:
        super().__init__(message, fields={"slot": message})
        self.next_slot = next_slot


class AlreadyBooked(NoPlaceLeft):
    """Nothing is left, and the person who asks has a place of that time."""

    code = "already-booked"


@dataclass(frozen=True, slots=True)
class Hold:
    """A place kept for somebody until a moment; `key` books it or gives it back."""

    key: uuid.UUID
    until: datetime
    place_id: int
    number: int
    quota: str
    slot: SlotChoice


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What stands around a booking: what it is for, by which way it came, what it replaces, since when it was wanted.

    `reference` names what it is for ("referral/<key>"); what stands behind it opens the resident to the clinic. Without a
    reference the booking itself does, for its own episode. `again`: a second visit to the department in one half day is meant.
    `source_id`: the unit that had booked, where the house itself gives a called-off time back.
    """

    reference: str = ""
    channel: str = ""
    changed_from: Booking | None = None
    wanted_since: datetime | None = None
    extra_reason: str = ""
    again: bool = False
    source_id: int | None = None


def hold_gone() -> Conflict:
    """The refusal of a hold that has run out or was used."""
    message = _("预留已过期或已使用，请重新选择号源。")
    return Conflict(message, fields={"slot": message}, code="hold-gone")


def resident_busy() -> Conflict:
    """The refusal of a time at which the resident is expected elsewhere."""
    message = _("该居民在这个时间已有其他预约，请改选其他时间，或先取消原预约。")
    return Conflict(message, fields={"slot": message}, code="resident-busy")


@contextmanager
def constraints(*, savepoint: bool = True) -> Iterator[None]:
    """The constraints' last word as sentences: the resident is expected elsewhere, or the place was taken."""
    try:
        with transaction.atomic(savepoint=savepoint):
            yield
    except IntegrityError as error:
        refused = by_constraint(getattr(getattr(error.__cause__, "diag", None), "constraint_name", ""))
        if refused is None:
            raise
        raise refused from error


def by_constraint(constraint: str | None) -> Conflict | None:
    """What a constraint's word means for the person; None for one that is a fault."""
    if constraint == "booking_resident_one_at_a_time":
        return resident_busy()
    if constraint == "booking_half_day_once":
        message = _("该居民这个半天在该科室已有预约，请改约或取消原预约，或选其他半天。")
        return Conflict(message, fields={"slot": message}, code=SAME_HALF_DAY)
    return hold_gone() if constraint == "booking_place_once" else None


def named(slot: SlotChoice) -> dict[str, str]:
    """A slot's doctor and time for a sentence."""
    return {"who": slot.who, "time": timezone.localtime(slot.starts_at).strftime("%m-%d %H:%M")}


def say(what: str, slot: SlotChoice | None) -> str:
    """What happened, and where the next place is."""
    if slot is None:
        return what + _("该院近期没有其他可约号源，请改选其他医院或联系转诊中心。")
    return what + _("最近可约：%(who)s %(time)s，余 %(left)s 个号。") % {**named(slot), "left": slot.left}
