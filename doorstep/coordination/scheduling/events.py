"""What happens to bookings and clinics."""

from doorstep.kernel.events.event import Event


class SlotsGenerated(Event):
    """A schedule's slots were laid out for some days; `details` holds the schedule's key and the days."""


class ClinicStopped(Event):
    """Slots of a schedule were stopped; everybody booked there was called off."""


class BookingMade(Event):
    """A held place was booked for a resident."""


class BookingArrived(Event):
    """The resident checked in."""


class BookingFulfilled(Event):
    """The resident was seen."""


class BookingCancelled(Event):
    """A booking was given back by the side that made it, or called off by the clinic."""


class BookingMissed(Event):
    """The resident did not come."""
