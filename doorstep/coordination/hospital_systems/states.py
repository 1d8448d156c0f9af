"""The table of a reported merge."""

from datetime import timedelta

from doorstep.coordination.hospital_systems.events import MergeConfirmed, MergeDismissed, MergeReported
from doorstep.kernel.access.permissions import Permission as Access
from doorstep.kernel.workflow.machine import Clock, Machine, State, Transition
from doorstep.people.residents.permissions import Permission as Residents

REPORTED, CONFIRMED, DISMISSED = "reported", "confirmed", "dismissed"

MERGE_NOTICE = Machine(
    name="merge-notice",
    zh="合并提示",
    en="Merge notice",
    states=(
        State(
            REPORTED,
            "待核对",
            "To be checked",
            "requested",
            owner="unit",
            permission=Residents.RESIDENT_MERGE,
            clock=Clock(
                due=timedelta(days=7),
                warn=timedelta(days=5),
                source="本平台约定：院内系统提示的患者合并",
                verified=False,
            ),
            task_zh="核对院内合并的两份档案",
            task_en="Check two records merged in the hospital",
        ),
        State(CONFIRMED, "已合并", "Merged", "completed", final=True),
        State(DISMISSED, "不是同一人", "Not one person", "rejected", final=True),
    ),
    transitions=(
        Transition("report", "提示合并", "Report", (), REPORTED, "unit", MergeReported, Access.FHIR_WRITE),
        # Follows the merge itself, which the records office makes with both records side by side.
        Transition("confirm", "已合并", "Merged", (REPORTED,), CONFIRMED, "system", MergeConfirmed),
        Transition(
            "dismiss",
            "不是同一人",
            "Dismiss",
            (REPORTED,),
            DISMISSED,
            "unit",
            MergeDismissed,
            Residents.RESIDENT_MERGE,
            reason=True,
            style="danger",
        ),
    ),
)
