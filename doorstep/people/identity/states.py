"""The table of a proposed merge: one person of the records office proposes, a second agrees."""

from datetime import timedelta

from doorstep.kernel.workflow.machine import Clock, Machine, State, Transition
from doorstep.people.identity.events import MergeAgreed, MergeDeclined, MergeProposed, MergeWithdrawn
from doorstep.people.residents.permissions import Permission

PROPOSED, AGREED, DECLINED, WITHDRAWN = "proposed", "agreed", "declined", "withdrawn"
_MERGE = Permission.RESIDENT_MERGE

MERGE_PROPOSAL = Machine(
    name="merge-proposal",
    zh="合并复核",
    en="Proposed merge",
    states=(
        State(
            PROPOSED,
            "待复核",
            "To be agreed",
            "requested",
            owner="unit",
            permission=_MERGE,
            clock=Clock(
                due=timedelta(days=7),
                warn=timedelta(days=5),
                source="本平台约定：两个有效身份证号的合并由第二人复核",
                verified=False,
            ),
            task_zh="复核两份档案的合并",
            task_en="Check a proposed merge of two records",
        ),
        State(AGREED, "已合并", "Merged", "completed", final=True),
        State(DECLINED, "不同意", "Declined", "rejected", final=True),
        State(WITHDRAWN, "已撤回", "Withdrawn", "cancelled", final=True),
    ),
    transitions=(
        Transition("propose", "提请复核", "Propose", (), PROPOSED, "unit", MergeProposed, _MERGE),
        Transition("agree", "同意合并", "Agree", (PROPOSED,), AGREED, "unit", MergeAgreed, _MERGE),
        Transition(
            "decline",
            "不同意",
            "Decline",
            (PROPOSED,),
            DECLINED,
            "unit",
            MergeDeclined,
            _MERGE,
            reason=True,
            style="danger",
        ),
        Transition("withdraw", "撤回", "Withdraw", (PROPOSED,), WITHDRAWN, "unit", MergeWithdrawn, _MERGE),
    ),
)
