"""What comes after the constraints' word that somebody is expected in the same clinic that half day: a referral goes first, others are told."""

from collections.abc import Callable

from django.db.models import Q
from django.utils.translation import gettext as _

from doorstep.coordination.scheduling import booking_queries, halfdays
from doorstep.coordination.scheduling.giving_back import give_back
from doorstep.coordination.scheduling.models import Booking, Slot
from doorstep.coordination.scheduling.outcomes import SAME_HALF_DAY, Wish, constraints, resident_busy
from doorstep.coordination.scheduling.states import EXPECTED
from doorstep.coordination.scheduling.taking import Ask
from doorstep.kernel.access.actor import Actor, ActorKind, Purpose, system_actor
from doorstep.kernel.access.refusals import Conflict
from doorstep.kernel.access.session import for_purpose


def in_turn(run: Callable[[], Booking], *, ask: Ask, wish: Wish) -> Booking:
    """Book, and once more where a booking without a referral gave way to one with it.

    Raises Conflict that names the booking that stands in the way. Nothing is asked before: the database's constraint decides.
    """
    try:
        with constraints():
            return run()
    except Conflict as refused:
        if refused.code != SAME_HALF_DAY:
            raise
        _give_way(ask, wish, refused)
    with constraints():
        return run()


def check_room(*, resident_id: int, slot: Slot, wish: Wish, actor: Actor) -> None:
    """Raise Conflict when a booking of this slot would be refused for what is booked for the person already.

    Said to whoever keeps a place; the constraints have the last word at the booking. What the wish replaces stands in nobody's way:
    the booking that is moved, an earlier one for the same referral, or one that gives way to a referral.
    """
    half_day = "" if wish.again else halfdays.half_day_of(slot)
    same_time = Q(period__overlap=(slot.starts_at, slot.ends_at))
    where = same_time | Q(half_day=half_day) if half_day else same_time
    with for_purpose(Purpose.HANDLER, actor):
        found = list(
            Booking.objects.filter(where, resident_id=resident_id, state__in=EXPECTED)
            .select_related("slot__schedule__department", "slot__schedule__practitioner", "organization")
            .order_by("id")
        )
    for booking in found:
        if wish.changed_from is not None and booking.pk == wish.changed_from.pk:
            continue
        if wish.reference and booking.reference == wish.reference:
            continue
        if not half_day or booking.half_day != half_day:
            raise resident_busy()
        if not halfdays.yields(booking, reference=wish.reference):
            message = halfdays.sentence(booking, own=actor.kind is ActorKind.RESIDENT)
            raise Conflict(message, fields={"slot": message}, code=SAME_HALF_DAY)


def _give_way(ask: Ask, wish: Wish, refused: Conflict) -> None:
    wanted = Slot.objects.select_related("schedule")
    slot = (wanted.filter(key=ask.slot) if ask.slot else wanted.filter(places__hold_key=ask.hold)).first()
    resident_id = ask.resident_id or booking_queries.resident_of(key=str(ask.resident_key))
    if slot is None or resident_id is None:
        raise refused
    found = halfdays.standing(resident_id=resident_id, slot=slot, actor=ask.actor)
    if found is None:
        raise refused
    if not halfdays.yields(found, reference=wish.reference):
        message = halfdays.sentence(found, own=ask.actor.kind is ActorKind.RESIDENT)
        raise Conflict(message, fields={"slot": message}, code=SAME_HALF_DAY) from refused
    with for_purpose(Purpose.HANDLER, ask.actor):
        house = system_actor(Purpose.HANDLER, consortium_id=found.consortium_id)
        give_back(found, "cancel", actor=house, reason=_("同一半天同一科室转诊预约优先，原预约已退回"))
