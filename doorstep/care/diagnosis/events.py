"""What happens to an ECG order and to a critical value."""

from doorstep.kernel.events.event import Event


class EcgOrdered(Event):
    """An ECG was asked for; the recording is still to come."""


class EcgReceived(Event):
    """A recording arrived at the centre; its clock began."""


class EcgPreread(Event):
    """The machine measured the recording and gave it its place in the queue."""


class EcgClaimed(Event):
    """A reader took the case."""


class EcgReleased(Event):
    """The reader gave the case back to the queue."""


class EcgLeaseLapsed(Event):
    """The reader went silent and the case went back to the queue."""


class EcgReturned(Event):
    """The recording cannot be read and must be taken again."""


class EcgReported(Event):
    """The report was signed."""


class EcgAmended(Event):
    """A signed report was replaced by a newer version."""


class EcgCancelled(Event):
    """The order was withdrawn."""


class EcgOutcomeLearned(Event):
    """How the case ended came back to the reader and to the village."""


class CriticalValueRaised(Event):
    """A signed report holds a critical value; the unit that ordered it was told."""


class CriticalValueAcknowledged(Event):
    """Somebody on the line of duty took the critical value on."""


class CriticalValueClosed(Event):
    """What was done for the patient was written down."""


class CriticalValueWithdrawn(Event):
    """An amended report no longer holds the critical value."""
