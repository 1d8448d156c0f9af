"""What happens to questions on a case, to debts, and to proposals to let a patient go home."""

from doorstep.kernel.events.event import Event


class QuestionAsked(Event):
    """A unit asked the other side of a case something; the clock of the answer runs."""


class QuestionAnswered(Event):
    """A question on a case was answered."""


class QuestionRetracted(Event):
    """A question on a case was taken back."""


class DebtNoted(Event):
    """A patient was treated before paying; what is owed is known. `details` carry amount (yuan) and due_on."""


class DebtReminded(Event):
    """The patient was reminded of what is owed."""


class DebtPaid(Event):
    """What was owed has been paid."""


class DebtPartPaid(Event):
    """A part of what was owed has been paid."""


class DebtWaived(Event):
    """What was still owed was waived with a reason."""


class DownProposed(Event):
    """A patient of a ward fulfils the criteria of going home; the ward's doctor is asked."""


class WardAgreed(Event):
    """The ward agreed that the patient may go home; the receiver is asked."""


class ReceiverRefused(Event):
    """A receiver cannot take the patient, with a coded reason; the next one is asked."""


class ReceiverSilent(Event):
    """A receiver did not answer in time; the next one is asked."""


class OtherAsked(Event):
    """The ward asks another unit instead of the one that has not answered yet."""


class DownReturned(Event):
    """Nobody is left to be asked of those whom the ward named: the ward's doctor chooses again."""


class DownAgreed(Event):
    """Ward and receiver agreed."""


class DownRefused(Event):
    """The patient does not go home now, with a coded reason of the ward or of the last receiver."""


class DownLapsed(Event):
    """The proposal lost its ground: the patient left the ward or is no longer stable."""
