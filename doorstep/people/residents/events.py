"""What happens to the index of residents."""

from doorstep.kernel.events.event import Event


class ResidentRegistered(Event):
    """A person is in the index for the first time."""


class ResidentChanged(Event):
    """Phone, address or groups of a resident changed."""


class InsuranceRecorded(Event):
    """How a resident's care is paid was written down; `details`: kind, place, source."""


class InsuranceEnded(Event):
    """A line of insurance no longer stands; `details`: kind, ending, reason."""


class SpecialDiseaseRecorded(Event):
    """That the insurance recognises an outpatient chronic or special disease; `details`: kind, source."""


class SpecialDiseaseEnded(Event):
    """A recognition no longer stands; `details`: kind, ending, reason."""


class ResidentsImported(Event):
    """A unit's file of residents was taken over."""


class ResidentDied(Event):
    """The death of a resident was recorded; whatever is open for the person ends."""


class ResidentDeathRevoked(Event):
    """A death was recorded by mistake: the resident lives."""


class AccountLinked(Event):
    """An account may open a resident's record; `details`: relation, username."""


class AccountLinkEnded(Event):
    """An account may open a resident's record no more; `details`: relation, reason."""
