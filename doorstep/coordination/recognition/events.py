"""What happens when a result stands for what is about to be ordered."""

from doorstep.kernel.events.event import Event


class ResultRecognised(Event):
    """A doctor recognised a result and did not order again; `details`: kind, report, age in days."""


class ExaminationRepeated(Event):
    """A doctor ordered again although a result stood; `details`: kind, report, age in days, reason."""
