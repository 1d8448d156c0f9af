"""What happens during a visit."""

from doorstep.kernel.events.event import Event


class VisitOpened(Event):
    """A resident is being seen."""


class VisitFinished(Event):
    """The visit ended."""


class VisitVoided(Event):
    """The visit was opened by mistake."""


class VitalsRecorded(Event):
    """Vital signs were measured; details hold each value by its name."""


class PregnancySaid(Event):
    """Somebody said during a visit whether she is pregnant or nurses; details hold `status` and `since`."""
