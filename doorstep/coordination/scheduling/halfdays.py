"""A person is seen once in a department's clinic in one half day: how that half day is named, and what stands in it already. Mostly pure."""

from datetime import datetime

from django.utils.translation import gettext as _

from doorstep.coordination.scheduling.models import Booking, Schedule, Slot
from doorstep.coordination.scheduling.rules import CHINA, EVENING, NOON
from doorstep.coordination.scheduling.states import EXPECTED, BookingState
from doorstep.kernel.access.actor import Actor, Purpose
from doorstep.kernel.access.session import for_purpose


def half_day_of(slot: Slot) -> str:
    """The department and half day of a slot as one word ("12/2026-11-23/am"); "" for examinations, of which a morning may hold several."""
    if slot.schedule.service == Schedule.Service.EXAM:
        return ""
    return named(department_id=slot.schedule.department_id, starts_at=slot.starts_at)


def named(*, department_id: int, starts_at: datetime) -> str:
    """A department's half day of China's clock."""
    local = starts_at.astimezone(CHINA)
    part = "am" if local.hour < NOON else "pm" if local.hour < EVENING else "eve"
    return f"{department_id}/{local.date().isoformat()}/{part}"


def standing(*, resident_id: int, slot: Slot, actor: Actor) -> Booking | None:
    """What is booked for a person in a slot's department and half day, whoever booked it; None for nothing.

    Asked as the house: that something stands there is known from the refusal, and the next word is which one.
    """
    half_day = half_day_of(slot)
    if not half_day:
        return None
    with for_purpose(Purpose.HANDLER, actor):
        return (
            Booking.objects.filter(resident_id=resident_id, half_day=half_day, state__in=EXPECTED)
            .select_related("slot__schedule__department", "slot__schedule__practitioner", "organization")
            .first()
        )


def yields(booking: Booking, *, reference: str) -> bool:
    """Whether a booking gives way to one for this reference: a referral's goes before what was booked without one."""
    return reference.startswith("referral/") and not booking.reference and booking.state == BookingState.BOOKED


def sentence(booking: Booking, *, own: bool) -> str:
    """Which booking stands in the way, and what to do; `own` says it to the person."""
    local = booking.slot.starts_at.astimezone(CHINA)
    said = (
        _("您这个半天在%(department)s已有预约：%(time)s %(who)s（%(place)s）。请改约或取消原预约，或选其他半天。")
        if own
        else _(
            "该居民这个半天在%(department)s已有预约：%(time)s %(who)s（%(place)s）。请改约或取消原预约，或选其他半天；确需再看一次的，由门诊加号并写明原因。"
        )
    )
    return said % {
        "department": booking.slot.schedule.department.name,
        "time": local.strftime("%m-%d %H:%M"),
        "who": booking.slot.who,
        "place": booking.organization.name,
    }
