"""What happens to messages of hospital systems."""

from doorstep.kernel.events.event import Event


class MessageApplied(Event):
    """A message of a hospital system changed the record."""


class MergeReported(Event):
    """A hospital said that two residents are one person."""


class MergeConfirmed(Event):
    """The two were found to be one person, and merged."""


class MergeDismissed(Event):
    """The two were found to be different people."""
