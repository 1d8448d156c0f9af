"""What the clocks say."""

from doorstep.kernel.events.event import Event


class TaskWarned(Event):
    """A task's owner was told that its time is running out."""


class TaskOverdue(Event):
    """A task's time has run out and nobody is next in line."""


class TaskEscalated(Event):
    """A task's time has run out and the next in line was given it."""
