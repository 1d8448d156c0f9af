"""Which event is followed by which handlers. Each runs once, after the commit of its cause."""

from collections.abc import Callable, Sequence

from doorstep.care.contracts import events as contract_events
from doorstep.care.contracts import handlers as contracts
from doorstep.care.diagnosis import handlers as diagnosis
from doorstep.care.referrals import case_events
from doorstep.care.referrals import debt_handlers as debts
from doorstep.care.referrals import elsewhere_handlers as referral_elsewhere
from doorstep.care.referrals import events as referral_events
from doorstep.care.referrals import handlers as referrals
from doorstep.care.referrals import place_handlers as referral_places
from doorstep.coordination.allergies import handlers as allergies
from doorstep.coordination.beds import events as bed_events
from doorstep.coordination.hospital_systems import handlers as hospital_systems
from doorstep.coordination.notices import handlers as notices
from doorstep.coordination.scheduling import events as scheduling_events
from doorstep.coordination.scheduling import handlers as scheduling
from doorstep.coordination.visits.events import VisitOpened, VisitVoided
from doorstep.kernel.events.event import Event
from doorstep.kernel.worklist.events import TaskEscalated, TaskOverdue, TaskWarned
from doorstep.people.identity import handlers as identity
from doorstep.people.identity.events import MergeUndone, ResidentIdentified, ResidentsMerged
from doorstep.people.residents.events import ResidentDied

SUBSCRIPTIONS: dict[type[Event], Sequence[Callable[[Event], None]]] = {
    ResidentsMerged: (
        hospital_systems.close_merge_notices,
        identity.renew_lists,
        allergies.renew_lists,
        referrals.follow_name,
    ),
    MergeUndone: (identity.renew_lists, allergies.renew_lists, referrals.follow_name),
    ResidentIdentified: (referrals.follow_name,),
    ResidentDied: (
        scheduling.end_for_death,
        contracts.end_for_death,
        referrals.end_for_death,
        diagnosis.end_for_death,
    ),
    VisitOpened: (referral_elsewhere.tell_seen_elsewhere,),
    VisitVoided: (diagnosis.end_for_voided_visit,),
    scheduling_events.SlotsGenerated: (scheduling.publish_slots,),
    scheduling_events.ClinicStopped: (scheduling.call_off_bookings, scheduling.publish_slots),
    scheduling_events.ClinicResumed: (scheduling.give_back_times, scheduling.publish_slots),
    scheduling_events.BookingCancelled: (referral_places.follow_place,),
    scheduling_events.RebookingDone: (referral_places.follow_place,),
    contract_events.ContractSigned: (contracts.open_to_team,),
    referral_events.ReferralSubmitted: (
        referrals.tell_parties,
        referrals.keep_bed_list,
        diagnosis.close_by_referral,
    ),
    referral_events.PlaceOffered: (referrals.tell_parties,),
    referral_events.OfferConfirmed: (referrals.tell_parties,),
    referral_events.OfferRefused: (referrals.tell_parties,),
    referral_events.OfferExpired: (referrals.tell_parties,),
    referral_events.ReferralAdvised: (referrals.tell_parties, referrals.keep_bed_list),
    referral_events.ReferralPassedOn: (referrals.tell_parties, referrals.keep_bed_list),
    referral_events.PatientDeparted: (referrals.tell_parties,),
    referral_events.CheckInCorrected: (referrals.tell_parties,),
    referral_events.PatientWentElsewhere: (referrals.tell_parties, referrals.keep_bed_list),
    referral_events.PatientLeftNetwork: (referrals.tell_parties,),
    referral_events.OutsideResultKnown: (referrals.tell_parties,),
    referral_events.PatientDied: (referrals.tell_parties, referrals.keep_bed_list),
    referral_events.ReferralAccepted: (referrals.tell_parties,),
    referral_events.ReferralReturned: (referrals.tell_parties, referrals.keep_bed_list),
    referral_events.ReferralRedirected: (referrals.tell_parties, referrals.keep_bed_list),
    referral_events.ReferralDeclined: (referrals.tell_parties, referrals.keep_bed_list),
    referral_events.ReferralWithdrawn: (referrals.tell_parties, referrals.keep_bed_list),
    referral_events.PatientArrived: (referrals.tell_parties, referrals.close_others),
    referral_events.PatientNotArrived: (referrals.tell_parties,),
    referral_events.PlaceGivenUp: (referrals.tell_parties, referrals.keep_bed_list),
    referral_events.NewDayAgreed: (referrals.tell_parties, referrals.keep_bed_list),
    referral_events.TreatmentStarted: (referrals.tell_parties, referrals.keep_bed_list),
    referral_events.PatientAdmitted: (referrals.tell_parties, referrals.keep_bed_list),
    referral_events.PatientDischarged: (referrals.tell_parties, diagnosis.note_outcome),
    referral_events.PatientHandedBack: (referrals.tell_parties,),
    referral_events.HandBackDeclined: (referrals.tell_parties,),
    referral_events.ReturnArranged: (referrals.tell_parties,),
    referral_events.PatientReceivedBack: (referrals.tell_parties,),
    referral_events.ReferralClosed: (referrals.tell_parties, diagnosis.note_outcome),
    bed_events.BedReleased: (referrals.tell_bed_released,),
    case_events.QuestionAsked: (referrals.tell_case,),
    case_events.QuestionAnswered: (referrals.tell_case,),
    case_events.DownProposed: (referrals.tell_down,),
    case_events.WardAgreed: (referrals.tell_down,),
    case_events.ReceiverRefused: (referrals.tell_down,),
    case_events.ReceiverSilent: (referrals.tell_down,),
    case_events.OtherAsked: (referrals.tell_down,),
    case_events.DownReturned: (referrals.tell_down,),
    case_events.DownAgreed: (referrals.tell_down, referrals.open_down_draft),
    case_events.DebtNoted: (debts.tell_debt,),
    case_events.DebtReminded: (debts.tell_debt,),
    case_events.DebtPartPaid: (debts.tell_debt,),
    case_events.DebtPaid: (debts.tell_debt,),
    case_events.DebtWaived: (debts.tell_debt,),
    referral_events.FollowUpFellDue: (referrals.tell_follow_up_due,),
    referral_events.FollowUpRescheduled: (referrals.tell_follow_up_passed,),
    referral_events.FollowUpMissed: (referrals.tell_follow_up_missed,),
    referral_events.FollowUpEscalated: (referrals.tell_follow_up_escalated,),
    TaskWarned: (notices.warn_owner,),
    TaskOverdue: (notices.tell_overdue, referrals.tell_question_late, debts.tell_debt_late),
    TaskEscalated: (notices.tell_escalated, referrals.tell_question_late),
}
