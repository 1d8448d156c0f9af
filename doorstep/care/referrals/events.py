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


class PatientReceivedBack(Event):
    """The receiver took the patient over and has the follow-ups."""


class ReferralClosed(Event):
    """The loop was closed: everybody who took part learns how it ended."""


class PatientDied(Event):
    """The patient died; the referral ended."""


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
