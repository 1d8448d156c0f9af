"""What comes after the constraints' word that somebody is expected in the same clinic that half day: a referral goes first, others are told."""

from collections.abc import Callable

from django.utils.translation import gettext as _

from doorstep.coordination.scheduling import booking_queries, halfdays
from doorstep.coordination.scheduling.giving_back import give_back
from doorstep.coordination.scheduling.models import Booking, Slot
from doorstep.coordination.scheduling.outcomes import SAME_HALF_DAY, Wish, constraints
from doorstep.coordination.scheduling.taking import Ask
from doorstep.kernel.access.actor import ActorKind, Purpose, system_actor
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
