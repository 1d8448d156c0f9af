"""Every write of a referral: sending, answering, treating, following up."""

from doorstep.care.referrals.actions.answering import (
    accept,
    check_in,
    check_in_by_code,
    check_in_by_number,
    decline,
    expire_arrivals,
    redirect,
    return_for_information,
)
from doorstep.care.referrals.actions.dying import end_for_death
from doorstep.care.referrals.actions.following import (
    Findings,
    close,
    complete_follow_up,
    decline_back,
    fall_due,
    miss_follow_ups,
    receive_back,
    reschedule_follow_up,
)
from doorstep.care.referrals.actions.sending import (
    Consent,
    draft_from_record,
    hold_slot,
    record_death,
    revise,
    submit,
    withdraw,
)
from doorstep.care.referrals.actions.treating import Discharge, Plan, admit, discharge, hand_back, treat

__all__ = [
    "Consent",
    "Discharge",
    "Findings",
    "Plan",
    "accept",
    "admit",
    "check_in",
    "check_in_by_code",
    "check_in_by_number",
    "close",
    "complete_follow_up",
    "decline",
    "decline_back",
    "discharge",
    "draft_from_record",
    "end_for_death",
    "expire_arrivals",
    "fall_due",
    "hand_back",
    "hold_slot",
    "miss_follow_ups",
    "receive_back",
    "record_death",
    "redirect",
    "reschedule_follow_up",
    "return_for_information",
    "revise",
    "submit",
    "treat",
    "withdraw",
]
