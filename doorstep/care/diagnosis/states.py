"""The tables of an ECG order and of a critical value."""

from datetime import timedelta

from doorstep.care.diagnosis import events
from doorstep.care.diagnosis.permissions import Permission
from doorstep.kernel.workflow.machine import Clock, Escalation, Machine, State, Transition

REQUESTED = "requested"
QUEUED = "queued"
READING = "reading"
SIGNED = "signed"
RETURNED = "returned"
CANCELLED = "cancelled"

TOLD = "told"
ACKNOWLEDGED = "acknowledged"
CLOSED = "closed"
WITHDRAWN = "withdrawn"

REPORT_WITHIN = timedelta(minutes=10)
LEASE = timedelta(minutes=3)

# Runs from the arrival of the recording and goes on while a reader holds the case.
REPORT_CLOCK = Clock(
    due=REPORT_WITHIN,
    warn=timedelta(minutes=6),
    escalate=(Escalation("lead", timedelta(minutes=10)),),
    source="日照市莒县心电诊断中心：心电图报告 10 分钟内出具",
)
# The rule asks for prompt reporting and gives no minutes: the figures are the consortium's own agreement.
TOLD_CLOCK = Clock(
    due=timedelta(minutes=5),
    warn=timedelta(minutes=2),
    escalate=(Escalation("parent", timedelta(minutes=5)), Escalation("lead", timedelta(minutes=5))),
    source="国卫医发〔2018〕8号 医疗质量安全核心制度要点 危急值报告制度；分钟数为医共体约定",
    verified=False,
)
ACTED_CLOCK = Clock(
    due=timedelta(minutes=30),
    warn=timedelta(minutes=20),
    escalate=(Escalation("parent", timedelta(minutes=15)), Escalation("lead", timedelta(minutes=15))),
    source="国卫医发〔2018〕8号 医疗质量安全核心制度要点 危急值报告制度；分钟数为医共体约定",
    verified=False,
)

ECG_ORDER = Machine(
    name="ecg-order",
    zh="心电检查",
    en="ECG order",
    states=(
        State(
            REQUESTED,
            "待上传",
            "Awaiting recording",
            "active",
            "source",
            Permission.ECG_ORDER,
            task_zh="上传心电图",
            task_en="Upload the ECG",
        ),
        State(
            QUEUED,
            "待判读",
            "Waiting for a reader",
            "active",
            "center",
            Permission.ECG_QUEUE_VIEW,
            clock=REPORT_CLOCK,
            task_zh="判读心电图",
            task_en="Read the ECG",
        ),
        State(
            READING,
            "判读中",
            "Being read",
            "active",
            "center",
            Permission.ECG_QUEUE_VIEW,
            clock=REPORT_CLOCK,
            task_zh="签发心电报告",
            task_en="Sign the ECG report",
        ),
        State(SIGNED, "已签发", "Signed", "completed"),
        State(
            RETURNED,
            "已退回",
            "Returned",
            "on-hold",
            "source",
            Permission.ECG_ORDER,
            task_zh="重新采集并上传心电图",
            task_en="Record and upload the ECG again",
        ),
        State(CANCELLED, "已取消", "Cancelled", "revoked", final=True),
    ),
    transitions=(
        Transition(
            "order", "申请心电图", "Order ECG", (), REQUESTED, "source", events.EcgOrdered, Permission.ECG_ORDER
        ),
        Transition(
            "submit",
            "上传心电图",
            "Upload recording",
            (REQUESTED, RETURNED),
            QUEUED,
            "source",
            events.EcgReceived,
            Permission.ECG_ORDER,
            style="primary",
            listed=False,
        ),
        Transition(
            "claim",
            "领取判读",
            "Claim",
            (QUEUED,),
            READING,
            "center",
            events.EcgClaimed,
            Permission.ECG_READ,
            style="primary",
        ),
        Transition(
            "release", "放回队列", "Release", (READING,), QUEUED, "center", events.EcgReleased, Permission.ECG_READ
        ),
        Transition("lapse", "租约到期", "Lease lapsed", (READING,), QUEUED, "system", events.EcgLeaseLapsed),
        Transition(
            "sign",
            "签发报告",
            "Sign",
            (READING,),
            SIGNED,
            "center",
            events.EcgReported,
            Permission.ECG_SIGN,
            style="primary",
            listed=False,
        ),
        Transition(
            "return",
            "退回重采",
            "Return",
            (READING,),
            RETURNED,
            "center",
            events.EcgReturned,
            Permission.ECG_READ,
            reason=True,
            style="danger",
        ),
        Transition(
            "amend",
            "修订报告",
            "Amend",
            (SIGNED,),
            SIGNED,
            "center",
            events.EcgAmended,
            Permission.ECG_SIGN,
            reason=True,
            listed=False,
        ),
        Transition(
            "cancel",
            "取消申请",
            "Cancel",
            (REQUESTED, RETURNED, QUEUED),
            CANCELLED,
            "source",
            events.EcgCancelled,
            Permission.ECG_ORDER,
            reason=True,
            style="danger",
            moot=True,
        ),
    ),
)

CRITICAL_VALUE = Machine(
    name="critical-value",
    zh="心电危急值",
    en="Critical ECG value",
    states=(
        State(
            TOLD,
            "待确认",
            "To be acknowledged",
            "in-progress",
            "source",
            Permission.CRITICAL_ACKNOWLEDGE,
            clock=TOLD_CLOCK,
            task_zh="确认危急值",
            task_en="Acknowledge the critical value",
        ),
        State(
            ACKNOWLEDGED,
            "处置中",
            "Being acted on",
            "in-progress",
            "holder",
            Permission.CRITICAL_ACKNOWLEDGE,
            clock=ACTED_CLOCK,
            task_zh="登记危急值处置",
            task_en="Write down what was done",
        ),
        State(CLOSED, "已处置", "Closed", "completed", final=True),
        State(WITHDRAWN, "已撤销", "Withdrawn", "entered-in-error", final=True),
    ),
    transitions=(
        Transition("raise", "报告危急值", "Raise", (), TOLD, "center", events.CriticalValueRaised, Permission.ECG_SIGN),
        Transition(
            "acknowledge",
            "确认收到",
            "Acknowledge",
            (TOLD,),
            ACKNOWLEDGED,
            "holder",
            events.CriticalValueAcknowledged,
            Permission.CRITICAL_ACKNOWLEDGE,
            style="primary",
        ),
        Transition(
            "close",
            "登记处置",
            "Close",
            (ACKNOWLEDGED,),
            CLOSED,
            "holder",
            events.CriticalValueClosed,
            Permission.CRITICAL_ACKNOWLEDGE,
            style="primary",
            listed=False,
        ),
        Transition(
            "refer",
            "已上转，自动登记处置",
            "Referred",
            (ACKNOWLEDGED,),
            CLOSED,
            "system",
            events.CriticalValueClosed,
            listed=False,
        ),
        Transition(
            "withdraw",
            "撤销危急值",
            "Withdraw",
            (TOLD, ACKNOWLEDGED),
            WITHDRAWN,
            "center",
            events.CriticalValueWithdrawn,
            Permission.ECG_SIGN,
            reason=True,
            listed=False,
            moot=True,
        ),
    ),
)
