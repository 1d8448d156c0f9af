"""The table of a follow-up: who has it now, for how long, and which ways lead on. Times are this house's own."""

from datetime import timedelta

from doorstep.care.referrals import events
from doorstep.care.referrals.permissions import Permission
from doorstep.kernel.workflow.machine import Clock, Escalation, Machine, State, Transition

_HOUSE = "本医共体约定"
_P = Permission

_DUE = Clock(
    due=timedelta(days=3),
    warn=timedelta(days=1),
    escalate=(Escalation("parent", timedelta(days=2)),),
    source=_HOUSE,
    verified=False,
)
_MISSED = Clock(due=timedelta(days=2), source=_HOUSE, verified=False)
_PLANNED = Clock(due=timedelta(days=30), source=_HOUSE, verified=False)
# A follow-up that is not done so long after its day counts as missed.
FOLLOW_UP_WINDOW = timedelta(days=7)

FOLLOW_UP = Machine(
    name="follow-up",
    zh="出院随访",
    en="Follow-up",
    states=(
        State(
            "planned",
            "已计划",
            "Planned",
            "active",
            "unit",
            _P.FOLLOW_UP_DO,
            _PLANNED,
            task_zh="到期随访",
            task_en="Follow up when due",
        ),
        State(
            "due", "待随访", "Due", "active", "unit", _P.FOLLOW_UP_DO, _DUE, task_zh="今日随访", task_en="Follow up now"
        ),
        State(
            "missed",
            "逾期未访",
            "Missed",
            "on-hold",
            "unit",
            _P.FOLLOW_UP_DO,
            _MISSED,
            task_zh="改期或补访",
            task_en="Put on another day or make up",
        ),
        State("done", "已完成", "Done", "completed", final=True),
        State("escalated", "需再转诊", "Needs the hospital", "completed", final=True),
        State("cancelled", "已取消", "Cancelled", "revoked", final=True),
    ),
    transitions=(
        Transition("plan", "计划随访", "Plan", (), "planned", "unit", events.FollowUpPlanned, _P.REFERRAL_RECEIVE_BACK),
        Transition("fall_due", "到期", "Fall due", ("planned",), "due", "system", events.FollowUpFellDue),
        Transition(
            "complete",
            "完成随访",
            "Complete",
            ("planned", "due", "missed"),
            "done",
            "unit",
            events.FollowUpDone,
            _P.FOLLOW_UP_DO,
            style="primary",
            listed=False,
        ),
        Transition(
            "escalate",
            "病情变化，再次转诊",
            "Escalate",
            ("planned", "due", "missed"),
            "escalated",
            "unit",
            events.FollowUpEscalated,
            _P.FOLLOW_UP_DO,
            listed=False,
        ),
        Transition("miss", "逾期", "Miss", ("due",), "missed", "system", events.FollowUpMissed),
        Transition(
            "reschedule",
            "改期",
            "Reschedule",
            ("planned", "due", "missed"),
            "planned",
            "unit",
            events.FollowUpRescheduled,
            _P.FOLLOW_UP_DO,
            reason=True,
            listed=False,
        ),
        Transition(
            "cancel",
            "取消",
            "Cancel",
            ("planned", "due", "missed"),
            "cancelled",
            "unit",
            events.FollowUpCancelled,
            _P.FOLLOW_UP_DO,
            reason=True,
            listed=False,
            moot=True,
        ),
    ),
)
