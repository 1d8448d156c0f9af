"""What happens to organisations."""

from doorstep.kernel.events.event import Event


class OrganizationFounded(Event):
    """A unit was entered."""


class OrganizationChanged(Event):
    """Facts of a unit, its place in the tree, or its departments changed."""


class OrganizationClosed(Event):
    """A unit has a last day."""


class MembershipBegan(Event):
    """A unit belongs to a consortium from a day on."""


class MembershipEnded(Event):
    """A unit's membership has a last day."""
