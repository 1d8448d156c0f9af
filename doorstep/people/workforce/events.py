"""What happens to the people who work here."""

from doorstep.kernel.events.event import Event


class PractitionerHired(Event):
    """Somebody has an account and a first post."""


class PractitionerChanged(Event):
    """Title, licence or phone of somebody changed."""


class PostGiven(Event):
    """Somebody holds a post from a day on."""


class PostEnded(Event):
    """Somebody's post has a last day."""


class AccountLocked(Event):
    """Somebody can no longer sign in."""


class AccountUnlocked(Event):
    """Somebody can sign in again."""


class AccountRenewed(Event):
    """Somebody has a new temporary password, and perhaps a second factor to set up anew."""
