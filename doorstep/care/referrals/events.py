"""What happens to referrals and to the follow-ups that come back with them.

`details` always carry `origin` (the subject it grew from, for example "ecg-order/<key>"), `source`, `target` and `receiver` (organisation ids), `kind`, `patient`, and from the discharge on `outcome` and `outcome_en`.
"""

from doorstep.kernel.events.event import Event


class ReferralDrafted(Event):
    """A referral was begun."""


class ReferralSubmitted(Event):
    """A referral was sent with consent; the target sees it from now on."""


class ReferralReturned(Event):
    """The target asked for more information."""


class ReferralRedirected(Event):
    """The target passed the referral on to another department or unit."""


class ReferralAccepted(Event):
    """The target accepted and expects the patient."""


class ReferralDeclined(Event):
    """The target declined with a coded reason and an alternative; its sight ended."""


class ReferralWithdrawn(Event):
    """The sender withdrew the referral; the target's sight ended."""


class PatientArrived(Event):
    """The patient was checked in at the target."""


class PatientNotArrived(Event):
    """The patient did not come in time."""


class NewDayAgreed(Event):
    """A patient agreed to come another day, before the first or after having missed it. `details` carry `expected_at` and `place`."""


class PlaceGivenUp(Event):
    """The booked place of an accepted referral was cancelled where places are booked; the target looks for another."""


class TreatmentStarted(Event):
    """A specialist took the patient into treatment without a bed."""


class PatientAdmitted(Event):
    """The patient was admitted to a ward."""


class PatientDischarged(Event):
    """The patient was discharged with a summary and a recovery plan."""


class PatientHandedBack(Event):
    """The recovery plan was sent down to the receiver."""


class HandBackDeclined(Event):
    """The receiver could not take the patient; the hospital must find another."""


class ReturnArranged(Event):
    """The receiver takes the patient: when and where is agreed, the patient is expected. `details` carry `goes_to` and `expected_at`."""


class PatientReceivedBack(Event):
    """The receiver took the patient over and has the follow-ups."""


class ReferralClosed(Event):
    """The loop was closed: everybody who took part learns how it ended."""


class PatientDied(Event):
    """The patient died; the referral ended."""


class PlaceOffered(Event):
    """The target offered a place or a bed; the sender asks the resident."""


class OfferConfirmed(Event):
    """The resident agreed to the offered place or bed."""


class OfferRefused(Event):
    """The resident did not want the offered place or bed; the target looks for another."""


class OfferExpired(Event):
    """The offered place or bed was not confirmed in time and went back."""


class ReferralAdvised(Event):
    """The target answered by advice: no visit is needed."""


class ReferralPassedOn(Event):
    """The target was silent; the referral went to the next unit by itself."""


class PatientDeparted(Event):
    """The patient is on the way."""


class CheckInCorrected(Event):
    """A check-in was taken back: it was another patient."""


class PatientWentElsewhere(Event):
    """The patient was seen somewhere else; what was open here ended."""


class PatientLeftNetwork(Event):
    """The patient goes to a unit outside the network: leakage, with destination and reason."""


class OutsideResultKnown(Event):
    """What came of a patient outside the network became known."""


class FollowUpPlanned(Event):
    """A follow-up was put on its day."""


class FollowUpFellDue(Event):
    """The day of a follow-up has come."""


class FollowUpDone(Event):
    """A follow-up was done."""


class FollowUpMissed(Event):
    """A follow-up was not done in its window."""


class FollowUpRescheduled(Event):
    """A follow-up was put on another day."""


class FollowUpEscalated(Event):
    """A follow-up found what needs a hospital again."""


class FollowUpCancelled(Event):
    """A follow-up is no longer needed."""
