"""The ways home: handed back, taken over, expected, arrived, followed up, closed."""

from doorstep.care.referrals import events
from doorstep.care.referrals.permissions import Permission
from doorstep.kernel.workflow.machine import Transition

_P = Permission
# The variant of referrals whose patient arrives at the receiver after it was taken over (`down_aims.ARRIVING`).
ARRIVES = "arrives"

BACK_WAYS: tuple[Transition, ...] = (
    Transition(
        "hand_back",
        "下转",
        "Hand back",
        ("discharged",),
        "handed_back",
        "target",
        events.PatientHandedBack,
        _P.REFERRAL_TREAT,
        style="primary",
    ),
    Transition(
        "receive_back",
        "承接",
        "Receive back",
        ("handed_back",),
        "received_back",
        "receiver",
        events.PatientReceivedBack,
        _P.REFERRAL_RECEIVE_BACK,
        style="primary",
    ),
    # Who lies in a bed, moves into a care home or is visited at home is expected first: taking over is not yet having the patient.
    Transition(
        "receive_back",
        "承接",
        "Receive back",
        ("handed_back",),
        "expected_back",
        "receiver",
        events.ReturnArranged,
        _P.REFERRAL_RECEIVE_BACK,
        style="primary",
        variant=ARRIVES,
    ),
    Transition(
        "arrive_back",
        "登记到达",
        "Arrived",
        ("expected_back",),
        "received_back",
        "receiver",
        events.PatientReceivedBack,
        _P.REFERRAL_RECEIVE_BACK,
        style="primary",
    ),
    Transition(
        "postpone_back",
        "改约到达时间",
        "Another time of arrival",
        ("expected_back",),
        "expected_back",
        "receiver",
        events.ReturnArranged,
        _P.REFERRAL_RECEIVE_BACK,
        reason=True,
    ),
    Transition(
        "decline_back",
        "无法承接",
        "Cannot take back",
        ("handed_back", "expected_back"),
        "discharged",
        "receiver",
        events.HandBackDeclined,
        _P.REFERRAL_RECEIVE_BACK,
        reason=True,
    ),
    Transition(
        "time_out_back",
        "承接逾时，退回医院另选",
        "Not received in time",
        ("handed_back",),
        "discharged",
        "system",
        events.HandBackDeclined,
    ),
    Transition(
        "close",
        "办结",
        "Close",
        ("received_back",),
        "closed",
        "receiver",
        events.ReferralClosed,
        _P.FOLLOW_UP_DO,
        style="primary",
    ),
)
