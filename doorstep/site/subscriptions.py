"""Which event is followed by which handlers. Each runs as a job of its own, once, after the commit of its cause."""

from collections.abc import Callable, Sequence

from doorstep.care.contracts import events as contract_events
from doorstep.care.contracts import handlers as contracts
from doorstep.coordination.notices import handlers as notices
from doorstep.coordination.scheduling import events as scheduling_events
from doorstep.coordination.scheduling import handlers as scheduling
from doorstep.kernel.events.event import Event
from doorstep.kernel.worklist.events import TaskEscalated, TaskOverdue, TaskWarned

SUBSCRIPTIONS: dict[type[Event], Sequence[Callable[[Event], None]]] = {
    scheduling_events.SlotsGenerated: (scheduling.publish_slots,),
    scheduling_events.ClinicStopped: (scheduling.call_off_bookings, scheduling.publish_slots),
    scheduling_events.BookingMade: (scheduling.publish_slots,),
    scheduling_events.BookingCancelled: (scheduling.publish_slots,),
    contract_events.ContractSigned: (contracts.open_to_team,),
    TaskWarned: (notices.warn_owner,),
    TaskOverdue: (notices.tell_overdue,),
    TaskEscalated: (notices.tell_escalated,),
}
