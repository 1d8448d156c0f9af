"""Every state machine of the product."""

from doorstep.care.contracts.states import CONTRACT
from doorstep.care.diagnosis.states import CRITICAL_VALUE, ECG_ORDER
from doorstep.care.referrals.case_states import CASE_QUESTION, DOWN_PROPOSAL, PAY_LATER
from doorstep.care.referrals.follow_up_states import FOLLOW_UP
from doorstep.care.referrals.states import REFERRAL
from doorstep.coordination.beds.states import BED, BED_REQUEST
from doorstep.coordination.hospital_systems.states import MERGE_NOTICE
from doorstep.coordination.scheduling.states import BOOKING, REBOOKING, WAITING
from doorstep.coordination.visits.states import VISIT
from doorstep.kernel.workflow.machine import Machine
from doorstep.people.identity.states import MERGE_PROPOSAL

MACHINES: tuple[Machine, ...] = (
    BOOKING,
    BED,
    BED_REQUEST,
    CONTRACT,
    VISIT,
    MERGE_NOTICE,
    MERGE_PROPOSAL,
    ECG_ORDER,
    CRITICAL_VALUE,
    REFERRAL,
    FOLLOW_UP,
    WAITING,
    REBOOKING,
    CASE_QUESTION,
    PAY_LATER,
    DOWN_PROPOSAL,
)

# Whose task is handed on when its clock has run out, or is urgent as it begins: an alarm may come to them at any time.
ALARMED: frozenset[str] = frozenset(
    state.permission
    for machine in MACHINES
    for state in machine.states
    if state.permission and state.clock is not None and state.clock.escalate
)
