"""The machines of a booking, of a wait for a place, and of what a stopped clinic leaves to rebook."""

from datetime import timedelta
from enum import StrEnum

from doorstep.coordination.scheduling import events
from doorstep.coordination.scheduling.permissions import Permission
from doorstep.kernel.workflow.machine import Clock, Escalation, Machine, State, Transition


class BookingState(StrEnum):
    """The states of a booking; the FHIR status is that of Appointment."""

    BOOKED = "booked"
    ARRIVED = "arrived"
    FULFILLED = "fulfilled"
    CANCELLED = "cancelled"
    NO_SHOW = "no-show"
    EXCUSED = "excused"
    LEFT = "left"


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
        State(S.NO_SHOW, "未到诊", "Did not come", fhir="noshow"),
        State(S.EXCUSED, "未到诊已更正", "No-show corrected", fhir="cancelled", final=True),
        # Came and was not seen: no no-show. Whoever comes back is checked in again, a visit that was not entered is entered later.
        State(S.LEFT, "报到后未就诊", "Came, not seen", fhir="cancelled"),
    ),
    transitions=(
        Transition("book", "预约", "Book", (), S.BOOKED, "source", events.BookingMade, Permission.SLOT_BOOK),
        Transition("self-book", "居民预约", "Book oneself", (), S.BOOKED, "resident", events.BookingMade),
        Transition(
            "overbook", "加号", "Overbook", (), S.BOOKED, "target", events.BookingMade, Permission.SLOT_OVERBOOK
        ),
        Transition(
            "arrive",
            "报到",
            "Check in",
            (S.BOOKED, S.LEFT),
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
            (S.ARRIVED, S.LEFT),
            S.FULFILLED,
            "target",
            events.BookingFulfilled,
            Permission.SLOT_VIEW,
            style="primary",
        ),
        Transition(
            "undo-arrive",
            "撤销报到",
            "Take back check-in",
            (S.ARRIVED,),
            S.BOOKED,
            "target",
            events.BookingArrivalTakenBack,
            Permission.QUEUE_CALL,
            reason=True,
        ),
        Transition(
            "leave",
            "离开未就诊",
            "Left unseen",
            (S.ARRIVED,),
            S.LEFT,
            "target",
            events.BookingLeft,
            Permission.QUEUE_CALL,
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
        Transition(
            "self-cancel",
            "居民取消",
            "Cancel oneself",
            (S.BOOKED,),
            S.CANCELLED,
            "resident",
            events.BookingCancelled,
            style="danger",
        ),
        Transition("miss", "登记未到诊", "Record no-show", (S.BOOKED,), S.NO_SHOW, "system", events.BookingMissed),
        Transition(
            "excuse",
            "更正未到诊",
            "Correct no-show",
            (S.NO_SHOW,),
            S.EXCUSED,
            "target",
            events.BookingExcused,
            Permission.QUEUE_CALL,
            reason=True,
        ),
    ),
)

# A place with a booking in one of these states is taken.
TAKEN = (S.BOOKED, S.ARRIVED, S.FULFILLED, S.NO_SHOW, S.LEFT)
# A resident with a booking in one of these states is expected somewhere at that time.
EXPECTED = (S.BOOKED, S.ARRIVED)


class WaitingState(StrEnum):
    """The states of a wait for a place; the FHIR status is that of Appointment."""

    WAITING = "waiting"
    OFFERED = "offered"
    BOOKED = "booked"
    LEFT = "left"
    LAPSED = "lapsed"


W = WaitingState
WAITING_LIVE = (W.WAITING, W.OFFERED)

# Platform default: long enough to ask the resident by phone, short enough for the next in line.
OFFER_CLOCK = Clock(
    due=timedelta(hours=2),
    warn=timedelta(hours=1),
    source="平台默认：候补放号 2 小时内确认，逾期顺延下一位",
    verified=False,
)

WAITING = Machine(
    name="waiting",
    zh="候补",
    en="Waiting for a place",
    states=(
        State(W.WAITING, "候补中", "Waiting", fhir="waitlist"),
        State(
            W.OFFERED,
            "待确认",
            "Offered",
            fhir="proposed",
            owner="source",
            permission=Permission.SLOT_BOOK,
            clock=OFFER_CLOCK,
            task_zh="确认候补号源",
            task_en="Confirm a freed place",
        ),
        State(W.BOOKED, "已约上", "Booked", fhir="fulfilled", final=True),
        State(W.LEFT, "已退出", "Left", fhir="cancelled", final=True),
        State(W.LAPSED, "已失效", "Lapsed", fhir="cancelled", final=True),
    ),
    transitions=(
        Transition("join", "登记候补", "Join", (), W.WAITING, "source", events.WaitingJoined, Permission.SLOT_BOOK),
        Transition("self-join", "居民登记候补", "Join oneself", (), W.WAITING, "resident", events.WaitingJoined),
        Transition("offer", "放号", "Offer", (W.WAITING,), W.OFFERED, "system", events.WaitingOffered),
        Transition(
            "accept",
            "确认预约",
            "Take the place",
            (W.OFFERED,),
            W.BOOKED,
            "source",
            events.WaitingServed,
            Permission.SLOT_BOOK,
            style="primary",
        ),
        Transition("self-accept", "居民确认", "Take oneself", (W.OFFERED,), W.BOOKED, "resident", events.WaitingServed),
        Transition(
            "pass", "这次不要", "Pass", (W.OFFERED,), W.WAITING, "source", events.WaitingPassed, Permission.SLOT_BOOK
        ),
        Transition("self-pass", "居民放弃", "Pass oneself", (W.OFFERED,), W.WAITING, "resident", events.WaitingPassed),
        Transition(
            "settle", "已另行约上", "Booked otherwise", (W.WAITING, W.OFFERED), W.BOOKED, "system", events.WaitingServed
        ),
        Transition("expire", "逾期顺延", "Run out", (W.OFFERED,), W.WAITING, "system", events.WaitingPassed),
        Transition(
            "leave",
            "退出候补",
            "Leave",
            (W.WAITING, W.OFFERED),
            W.LEFT,
            "source",
            events.WaitingLeft,
            Permission.SLOT_BOOK,
            style="danger",
        ),
        Transition(
            "self-leave", "居民退出", "Leave oneself", (W.WAITING, W.OFFERED), W.LEFT, "resident", events.WaitingLeft
        ),
        Transition("lapse", "失效", "Lapse", (W.WAITING, W.OFFERED), W.LAPSED, "system", events.WaitingLapsed),
    ),
)


class RebookingState(StrEnum):
    """The states of what a stopped clinic leaves to do; the FHIR status is that of Task."""

    OPEN = "open"
    DONE = "done"
    DROPPED = "dropped"


R = RebookingState

REBOOKING = Machine(
    name="rebooking",
    zh="停诊改约",
    en="Rebooking",
    states=(
        State(
            R.OPEN,
            "待改约",
            "To rebook",
            fhir="requested",
            owner="source",
            permission=Permission.SLOT_BOOK,
            clock=Clock(
                due=timedelta(hours=8),
                warn=timedelta(hours=4),
                source="平台默认：停诊后一个工作日内完成改约",
                escalate=(Escalation("parent", timedelta(hours=8)), Escalation("lead", timedelta(hours=8))),
                working_time=True,
                verified=False,
            ),
            task_zh="为停诊居民改约",
            task_en="Find a new time after a stopped clinic",
        ),
        State(R.DONE, "已改约", "Rebooked", fhir="completed", final=True),
        State(R.DROPPED, "不再改约", "Not rebooked", fhir="cancelled", final=True),
    ),
    transitions=(
        Transition("open", "停诊待改约", "Open", (), R.OPEN, "system", events.RebookingOpened),
        Transition(
            "rebook",
            "改约",
            "Rebook",
            (R.OPEN,),
            R.DONE,
            "source",
            events.RebookingDone,
            Permission.SLOT_BOOK,
            style="primary",
            listed=False,
        ),
        Transition("self-rebook", "居民改约", "Rebook oneself", (R.OPEN,), R.DONE, "resident", events.RebookingDone),
        Transition(
            "self-drop", "居民不再改约", "Drop oneself", (R.OPEN,), R.DROPPED, "resident", events.RebookingDropped
        ),
        Transition("restore", "恢复原预约", "Restore", (R.OPEN,), R.DONE, "system", events.RebookingDone),
        Transition(
            "drop",
            "不再改约",
            "No new time",
            (R.OPEN,),
            R.DROPPED,
            "source",
            events.RebookingDropped,
            Permission.SLOT_BOOK,
            reason=True,
        ),
    ),
)
