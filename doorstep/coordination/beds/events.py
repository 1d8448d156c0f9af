"""What happens to beds and to those who wait for one. `details` carry ward, bed and reference."""

from doorstep.kernel.events.event import Event


class BedSetUp(Event):
    """A bed was added to a ward."""


class BedHeld(Event):
    """A bed was kept for somebody until a moment."""


class BedReleased(Event):
    """A kept bed became free again, given back or run out."""


class BedOccupied(Event):
    """A patient lies in a bed."""


class BedVacated(Event):
    """A patient left a bed; it is being cleaned."""


class BedReady(Event):
    """A bed is clean and free."""


class BedClosed(Event):
    """A bed cannot be used for a time."""


class BedReopened(Event):
    """A closed bed can be used again."""


class BedAsked(Event):
    """A resident waits for a bed."""


class BedGiven(Event):
    """Somebody who waited has a bed."""


class BedNoLongerAsked(Event):
    """A resident no longer waits for a bed."""
