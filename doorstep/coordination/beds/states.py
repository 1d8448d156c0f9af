"""The tables of a bed and of a place on the waiting list. Times are this house's own."""

from datetime import timedelta

from doorstep.coordination.beds import events
from doorstep.coordination.beds.permissions import Permission
from doorstep.kernel.workflow.machine import Clock, Machine, State, Transition

_HOUSE = "本医共体约定"
_MANAGE = Permission.BED_MANAGE

_HELD = Clock(due=timedelta(hours=24), source=_HOUSE, verified=False)
_CLEANING = Clock(due=timedelta(hours=2), warn=timedelta(hours=1), source=_HOUSE, verified=False)
_WAITING = Clock(due=timedelta(hours=24), warn=timedelta(hours=16), source=_HOUSE, verified=False)

BED = Machine(
    name="bed",
    zh="床位",
    en="Bed",
    states=(
        State("free", "空床", "Free", "active"),
        State(
            "held",
            "预留",
            "Held",
            "active",
            "unit",
            _MANAGE,
            _HELD,
            task_zh="等候预留床位的患者",
            task_en="Expect the patient of the held bed",
        ),
        State("occupied", "占用", "Occupied", "active"),
        State(
            "cleaning",
            "终末消毒",
            "Being cleaned",
            "suspended",
            "unit",
            _MANAGE,
            _CLEANING,
            task_zh="完成床单元终末消毒",
            task_en="Clean the bed",
        ),
        State("closed", "停用", "Closed", "inactive"),
    ),
    transitions=(
        Transition("set_up", "增设床位", "Add", (), "free", "unit", events.BedSetUp, _MANAGE),
        Transition("hold", "预留", "Hold", ("free",), "held", "unit", events.BedHeld, _MANAGE, listed=False),
        Transition("release", "取消预留", "Release", ("held",), "free", "unit", events.BedReleased, _MANAGE),
        Transition("run_out", "预留到期", "Run out", ("held",), "free", "system", events.BedReleased),
        Transition(
            "occupy", "入住", "Occupy", ("free", "held"), "occupied", "unit", events.BedOccupied, _MANAGE, listed=False
        ),
        Transition("vacate", "腾床", "Vacate", ("occupied",), "cleaning", "unit", events.BedVacated, _MANAGE),
        Transition(
            "ready", "消毒完成", "Clean", ("cleaning",), "free", "unit", events.BedReady, _MANAGE, style="primary"
        ),
        Transition(
            "close", "停用", "Close", ("free", "cleaning"), "closed", "unit", events.BedClosed, _MANAGE, reason=True
        ),
        Transition("reopen", "恢复使用", "Reopen", ("closed",), "free", "unit", events.BedReopened, _MANAGE),
    ),
)

BED_REQUEST = Machine(
    name="bed-request",
    zh="候床",
    en="Waiting for a bed",
    states=(
        State(
            "waiting",
            "候床中",
            "Waiting",
            "active",
            "unit",
            _MANAGE,
            _WAITING,
            task_zh="安排床位",
            task_en="Find a bed",
        ),
        State("given", "已安排", "Bed given", "completed", final=True),
        State("ended", "已取消", "No longer waiting", "revoked", final=True),
    ),
    transitions=(
        Transition("ask", "登记候床", "Ask", (), "waiting", "system", events.BedAsked),
        Transition(
            "give", "安排床位", "Give a bed", ("waiting",), "given", "unit", events.BedGiven, _MANAGE, listed=False
        ),
        Transition(
            "end", "取消候床", "End", ("waiting",), "ended", "unit", events.BedNoLongerAsked, _MANAGE, reason=True
        ),
    ),
)
