"""Every write of the ECG centre, by what it is about: the order, the reading, the report, the critical value, the outcome."""

from doorstep.care.diagnosis.actions.critical import acknowledge, close_by_referral, close_critical
from doorstep.care.diagnosis.actions.ordering import (
    attach_recording,
    cancel,
    end_for_death,
    end_for_voided_visit,
    order_after_look,
    order_ecg,
    recognise_result,
)
from doorstep.care.diagnosis.actions.outcomes import note_outcome, see_outcomes
from doorstep.care.diagnosis.actions.reading import (
    claim,
    note_preread,
    release,
    release_stale,
    renew_lease,
    return_recording,
    save_draft,
)
from doorstep.care.diagnosis.actions.reporting import amend, sign

__all__ = [
    "acknowledge",
    "amend",
    "attach_recording",
    "cancel",
    "claim",
    "close_by_referral",
    "close_critical",
    "end_for_death",
    "end_for_voided_visit",
    "note_outcome",
    "note_preread",
    "order_after_look",
    "order_ecg",
    "recognise_result",
    "release",
    "release_stale",
    "renew_lease",
    "return_recording",
    "save_draft",
    "see_outcomes",
    "sign",
]
