"""Reactions: what the clocks say becomes notices to those who may act, in the unit that owns the task and in the next in line."""

from doorstep.coordination.notices import actions
from doorstep.coordination.notices.audience import audience_of
from doorstep.kernel.access.actor import Purpose, system_actor
from doorstep.kernel.events.event import Event

# The roles that stand in for a unit at any hour.
DUTY = frozenset({"township_duty", "lead_duty"})


def warn_owner(event: Event) -> None:
    """The owner's time is running out."""
    _tell(event, "task-warned", to=event.details.get("to"))


def tell_overdue(event: Event) -> None:
    """Time has run out and nobody is next in line: the owner is told once more."""
    _tell(event, "task-overdue", to=event.details.get("to"))


def tell_escalated(event: Event) -> None:
    """The next in line has the task now; the one who let it run out is told that it went on."""
    _tell(event, "task-escalated", to=event.details.get("to"), urgent=True)
    _tell(event, "task-taken-away", to=event.details.get("from"))


def _tell(event: Event, kind: str, *, to: int | None, urgent: bool = False) -> None:
    if to is None:
        return
    actions.tell(
        kind=kind,
        organization_id=int(to),
        among=audience_of(
            organization_id=int(to),
            permission=str(event.details.get("permission", "")),
            duty=DUTY if urgent else frozenset(),
        ),
        link=event.subject,
        about=event.resident_id,
        params={"task": event.details.get("kind", "")},
        urgent=urgent,
        actor=system_actor(Purpose.HANDLER, consortium_id=event.consortium_id),
    )
