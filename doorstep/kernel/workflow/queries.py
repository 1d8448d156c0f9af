"""What may be done with a thing now, and what was done with it."""

from doorstep.kernel.access.actor import Actor
from doorstep.kernel.workflow.actions import may
from doorstep.kernel.workflow.machine import Transition
from doorstep.kernel.workflow.models import Step, WorkItem


def allowed(item: WorkItem, *, actor: Actor) -> list[Transition]:
    """The ways out of the present state that this actor may go: the buttons of a page come from here."""
    ways = item.machine.verbs(item.state, item.variant())
    return [way for way in ways if way.side != "system" and may(item, way, actor)]


def history(item: WorkItem, *, actor: Actor) -> list[Step]:
    """Every transition of the thing, oldest first, as far as the actor may see it."""
    return steps_of(machine=item.machine.name, item_id=item.pk)


def steps_of(*, machine: str, item_id: int) -> list[Step]:
    """The same for a thing known by its machine and row id."""
    return list(Step.objects.filter(machine=machine, item_id=item_id).order_by("at", "id"))
