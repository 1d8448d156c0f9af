"""What happens to the identity of residents."""

from doorstep.kernel.events.event import Event


class ResidentsMerged(Event):
    """Two records turned out to be one person; `resident_id` is the one that stands, details name the former."""


class MergeUndone(Event):
    """Two merged records stand for themselves again."""


class ResidentIdentified(Event):
    """A resident got the right name or number: an unknown patient was named, a child got its own, a number changed."""


class MergeProposed(Event):
    """Somebody of the records office holds two records with two valid national ids for one person, and asks a second one."""


class MergeAgreed(Event):
    """The second person agreed, and the two records were merged."""


class MergeDeclined(Event):
    """The second person did not agree."""


class MergeWithdrawn(Event):
    """Whoever proposed a merge took it back."""
