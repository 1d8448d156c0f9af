"""The machine of a booking: booked, arrived, fulfilled; cancelled or not come."""

from enum import StrEnum

from doorstep.coordination.scheduling import events
from doorstep.coordination.scheduling.permissions import Permission
from doorstep.kernel.workflow.machine import Machine, State, Transition


class BookingState(StrEnum):
    """The states of a booking; the FHIR status is that of Appointment."""

    BOOKED = "booked"
    ARRIVED = "arrived"
    FULFILLED = "fulfilled"
    CANCELLED = "cancelled"
    NO_SHOW = "no-show"


S = BookingState

# Nobody has to act on a booking between its making and its day: the referral behind it carries the clock.
BOOKING = Machine(
    name="booking",
    zh="预约",
    en="Booking",
    states=(
        State(S.BOOKED, "已预约", "Booked", fhir="booked"),
        State(S.ARRIVED, "已报到", "Arrived", fhir="arrived"),
        State(S.FULFILLED, "已就诊", "Fulfilled", fhir="fulfilled", final=True),
        State(S.CANCELLED, "已取消", "Cancelled", fhir="cancelled", final=True),
        State(S.NO_SHOW, "未到诊", "Did not come", fhir="noshow", final=True),
    ),
    transitions=(
        Transition("book", "预约", "Book", (), S.BOOKED, "source", events.BookingMade, Permission.SLOT_BOOK),
        Transition(
            "arrive",
            "报到",
            "Check in",
            (S.BOOKED,),
            S.ARRIVED,
            "target",
            events.BookingArrived,
            Permission.SLOT_VIEW,
            style="primary",
        ),
        Transition(
            "fulfil",
            "就诊完成",
            "Seen",
            (S.ARRIVED,),
            S.FULFILLED,
            "target",
            events.BookingFulfilled,
            Permission.SLOT_VIEW,
            style="primary",
        ),
        Transition(
            "cancel",
            "取消预约",
            "Cancel",
            (S.BOOKED,),
            S.CANCELLED,
            "source",
            events.BookingCancelled,
            Permission.SLOT_BOOK,
            reason=True,
            style="danger",
        ),
        Transition(
            "call-off",
            "院方取消",
            "Call off",
            (S.BOOKED,),
            S.CANCELLED,
            "target",
            events.BookingCancelled,
            Permission.SLOT_VIEW,
            reason=True,
            style="danger",
        ),
        Transition("miss", "登记未到诊", "Record no-show", (S.BOOKED,), S.NO_SHOW, "system", events.BookingMissed),
    ),
)

# A place with a booking in one of these states is taken.
TAKEN = (S.BOOKED, S.ARRIVED, S.FULFILLED, S.NO_SHOW)
# A resident with a booking in one of these states is expected somewhere at that time.
EXPECTED = (S.BOOKED, S.ARRIVED)
