"""Which event is followed by which handlers. Each runs as a job of its own, once, after the commit of its cause."""

from collections.abc import Callable, Sequence

from doorstep.coordination.scheduling import events as scheduling_events
from doorstep.coordination.scheduling import handlers as scheduling
from doorstep.kernel.events.event import Event

SUBSCRIPTIONS: dict[type[Event], Sequence[Callable[[Event], None]]] = {
    scheduling_events.SlotsGenerated: (scheduling.publish_slots,),
    scheduling_events.ClinicStopped: (scheduling.call_off_bookings, scheduling.publish_slots),
    scheduling_events.BookingMade: (scheduling.publish_slots,),
    scheduling_events.BookingCancelled: (scheduling.publish_slots,),
}
