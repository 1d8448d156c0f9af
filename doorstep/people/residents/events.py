"""What happens to the index of residents."""

from doorstep.kernel.events.event import Event


class ResidentRegistered(Event):
    """A person is in the index for the first time."""


class ResidentChanged(Event):
    """Phone, address or groups of a resident changed."""


class ResidentsImported(Event):
    """A unit's file of residents was taken over."""
