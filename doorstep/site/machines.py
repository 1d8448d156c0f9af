"""Every state machine of the product."""

from doorstep.coordination.visits.states import VISIT
from doorstep.kernel.workflow.machine import Machine

MACHINES: tuple[Machine, ...] = (VISIT,)
