"""The table of a visit: being seen, finished, or opened by mistake."""

from doorstep.coordination.visits.events import VisitFinished, VisitOpened, VisitVoided
from doorstep.coordination.visits.permissions import Permission
from doorstep.kernel.workflow.machine import Machine, State, Transition

IN_PROGRESS = "in_progress"
FINISHED = "finished"
ENTERED_IN_ERROR = "entered_in_error"

VISIT = Machine(
    name="visit",
    zh="接诊",
    en="Visit",
    states=(
        # No owner: a visit in progress lies in front of its doctor and not in a list of work.
        State(IN_PROGRESS, "接诊中", "In progress", "in-progress"),
        State(FINISHED, "已结束", "Finished", "finished"),
        State(ENTERED_IN_ERROR, "已作废", "Entered in error", "entered-in-error", final=True),
    ),
    transitions=(
        Transition("open", "接诊", "Open", (), IN_PROGRESS, "unit", VisitOpened, Permission.VISIT_OPEN),
        Transition(
            "finish",
            "结束接诊",
            "Finish",
            (IN_PROGRESS,),
            FINISHED,
            "unit",
            VisitFinished,
            Permission.VISIT_OPEN,
            style="primary",
        ),
        Transition(
            "void",
            "作废",
            "Void",
            (IN_PROGRESS, FINISHED),
            ENTERED_IN_ERROR,
            "unit",
            VisitVoided,
            Permission.VISIT_OPEN,
            reason=True,
            style="danger",
            moot=True,
        ),
    ),
)
