"""What happens to what is known of a resident's allergies."""

from doorstep.kernel.events.event import Event


class AllergyRecorded(Event):
    """An allergy was written down, or that none is known."""


class AllergyRefuted(Event):
    """What was written turned out to be none."""
