"""The machine of a family-doctor contract: draft, signed, due for renewal, then renewed, expired or terminated."""

from datetime import timedelta
from enum import StrEnum

from doorstep.care.contracts import events
from doorstep.care.contracts.permissions import Permission
from doorstep.kernel.workflow.machine import Clock, Machine, State, Transition


class ContractState(StrEnum):
    """The states of a contract."""

    DRAFT = "draft"
    ACTIVE = "active"
    RENEW_DUE = "renew-due"
    RENEWED = "renewed"
    EXPIRED = "expired"
    TERMINATED = "terminated"


S = ContractState

# A person has at most one contract in these states.
LIVE = (S.ACTIVE, S.RENEW_DUE)
# A contract in these states counts on the days of its term: a renewed one until the day its successor begins.
COUNTING = (S.ACTIVE, S.RENEW_DUE, S.RENEWED)

CONTRACT = Machine(
    name="contract",
    zh="家庭医生签约",
    en="Family-doctor contract",
    states=(
        State(
            S.DRAFT,
            "待签字",
            "Draft",
            fhir="offered",
            owner="team",
            permission=Permission.CONTRACT_SIGN,
            clock=Clock(due=timedelta(days=7), warn=timedelta(days=5), source="平台默认", verified=False),
            task_zh="请居民签字完成签约",
            task_en="Complete the signature",
        ),
        State(S.ACTIVE, "履约中", "Active", fhir="executed"),
        State(
            S.RENEW_DUE,
            "待续约",
            "Due for renewal",
            fhir="executed",
            owner="team",
            permission=Permission.CONTRACT_SIGN,
            clock=Clock(due=timedelta(days=60), warn=timedelta(days=30), source="平台默认", verified=False),
            task_zh="联系居民续约",
            task_en="Ask the resident to renew",
        ),
        State(S.RENEWED, "已续约", "Renewed", fhir="renewed", final=True),
        State(S.EXPIRED, "已到期", "Expired", fhir="terminated", final=True),
        State(S.TERMINATED, "已解约", "Terminated", fhir="terminated", final=True),
    ),
    transitions=(
        Transition(
            "draft",
            "起草",
            "Draft",
            (),
            S.DRAFT,
            "team",
            events.ContractDrafted,
            Permission.CONTRACT_SIGN,
            listed=False,
        ),
        Transition(
            "sign",
            "签约",
            "Sign",
            (S.DRAFT,),
            S.ACTIVE,
            "team",
            events.ContractSigned,
            Permission.CONTRACT_SIGN,
            style="primary",
            listed=False,
        ),
        Transition("fall-due", "进入续约期", "Fall due", (S.ACTIVE,), S.RENEW_DUE, "system", events.ContractFellDue),
        Transition(
            "renew",
            "续约",
            "Renew",
            (S.ACTIVE, S.RENEW_DUE),
            S.RENEWED,
            "team",
            events.ContractRenewed,
            Permission.CONTRACT_SIGN,
            style="primary",
            listed=False,
        ),
        Transition(
            "terminate",
            "解约",
            "Terminate",
            (S.DRAFT, S.ACTIVE, S.RENEW_DUE),
            S.TERMINATED,
            "team",
            events.ContractTerminated,
            Permission.CONTRACT_SIGN,
            reason=True,
            style="danger",
            listed=False,
        ),
        Transition("expire", "到期", "Expire", (S.ACTIVE, S.RENEW_DUE), S.EXPIRED, "system", events.ContractExpired),
    ),
)
