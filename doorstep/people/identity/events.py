"""What happens to the identity of residents."""

from doorstep.kernel.events.event import Event


class ResidentsMerged(Event):
    """Two records turned out to be one person; `resident_id` is the one that stands, details name the former."""


class MergeUndone(Event):
    """Two merged records stand for themselves again."""


class ResidentIdentified(Event):
    """A resident got the right name or number: an unknown patient was named, a child got its own, a number changed."""
