"""What happens to bookings and clinics."""

from doorstep.kernel.events.event import Event


class SlotsGenerated(Event):
    """A schedule's slots were laid out for some days; `details` holds the schedule's key and the days."""


class ClinicStopped(Event):
    """Slots of a schedule were stopped; everybody booked there was called off."""


class ClinicResumed(Event):
    """Slots of a stopped clinic take place after all; who has no new time yet is given the old one back."""


class BookingMade(Event):
    """A held place was booked for a resident."""


class BookingArrived(Event):
    """The resident checked in."""


class BookingArrivalTakenBack(Event):
    """A check-in was taken back: it was somebody else, or a wrong button."""


class BookingLeft(Event):
    """The resident checked in and was not seen; it counts as no missed appointment."""


class BookingFulfilled(Event):
    """The resident was seen."""


class BookingCancelled(Event):
    """A booking was given back by the side that made it, or called off by the clinic."""


class BookingMissed(Event):
    """The resident did not come."""


class BookingExcused(Event):
    """A missed appointment was corrected with its reason, and counts no more against booking alone."""


class PlacesSunk(Event):
    """Places that nobody took were released upward by the rule; `details` counts them by quota."""


class WaitingJoined(Event):
    """Somebody was put on a waiting list."""


class WaitingOffered(Event):
    """A freed place was offered to the first in line."""


class WaitingPassed(Event):
    """An offer was passed by, or ran out; the next in line is asked."""


class WaitingServed(Event):
    """An offered place was taken."""


class WaitingLeft(Event):
    """Somebody left the waiting list."""


class WaitingLapsed(Event):
    """A wait ended without a place: its days are over, or offers were not answered."""


class RebookingOpened(Event):
    """A stopped clinic left somebody without a time."""


class RebookingDone(Event):
    """A new time was found after a stopped clinic."""


class RebookingDropped(Event):
    """No new time is needed or wanted after a stopped clinic."""


class DivisionChanged(Event):
    """The division of a department's places among units was changed."""
