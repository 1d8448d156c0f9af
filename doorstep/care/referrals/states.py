"""The tables of a referral and of a follow-up: who has it now, for how long, and which ways lead on.

Times: the usual promises of county platforms (emergency answer within 10 min, ordinary within 24 h, hand-back within 48 h after
discharge); the 15 minutes of the green channel and the others are this house's own. What has no verified source says so.
"""

from datetime import timedelta

from doorstep.care.referrals.permissions import Permission
from doorstep.care.referrals.referral_ways import WAYS
from doorstep.kernel.workflow.machine import Clock, Escalation, Machine, State

_HOUSE = "本医共体约定"
_SERVICE_LEVEL = "双向转诊服务时限（县域平台通行约定）"

_DRAFT = Clock(due=timedelta(hours=24), warn=timedelta(hours=8), source=_HOUSE, verified=False)
_ANSWER = Clock(
    due=timedelta(hours=24),
    warn=timedelta(hours=16),
    escalate=(Escalation("lead", timedelta(hours=4)),),
    source=_SERVICE_LEVEL,
    verified=False,
)
# The green channel is more than an answer: a team, a bed and a way are made ready, for which the house takes its 15 minutes.
_ANSWER_GREEN = Clock(
    due=timedelta(minutes=15),
    warn=timedelta(minutes=8),
    escalate=(Escalation("lead", timedelta(minutes=10)),),
    source=_HOUSE,
    verified=False,
)
_ARRIVAL = Clock(due=timedelta(hours=24), source=_HOUSE, verified=False)
_FIRST_LOOK = Clock(due=timedelta(hours=2), warn=timedelta(hours=1), source=_HOUSE, verified=False)
_TREATMENT = Clock(due=timedelta(days=14), warn=timedelta(days=10), source=_HOUSE, verified=False)
_HAND_BACK = Clock(
    due=timedelta(hours=48),
    warn=timedelta(hours=24),
    escalate=(Escalation("lead", timedelta(hours=24)),),
    source=_SERVICE_LEVEL,
    verified=False,
)
_RECEIVE = Clock(
    due=timedelta(hours=24),
    warn=timedelta(hours=12),
    escalate=(Escalation("lead", timedelta(hours=24)),),
    source=_SERVICE_LEVEL,
    verified=False,
)
_EXPECTED_BACK = Clock(
    due=timedelta(hours=48),
    escalate=(Escalation("lead", timedelta(hours=24)),),
    source=_HOUSE,
    verified=False,
)
_FOLLOWING = Clock(due=timedelta(days=37), warn=timedelta(days=31), source=_HOUSE, verified=False)
_CONFIRM = Clock(due=timedelta(hours=4), warn=timedelta(hours=2), source=_HOUSE, verified=False)
_ON_THE_WAY = Clock(due=timedelta(hours=4), source=_HOUSE, verified=False)
_OUTSIDE = Clock(
    due=timedelta(days=14),
    warn=timedelta(days=10),
    source="国家基本公共卫生服务规范（第三版）：2 周内随访转诊结果",
    verified=False,
)

# An urgent, not green, referral is answered within this time: an emergency as well (双向转诊服务时限).
URGENT_ANSWER = timedelta(minutes=10)
# How long after the expected arrival a patient counts as not arrived.
ARRIVAL_GRACE = timedelta(hours=2)
# A target that has not answered by then, escalation included, is passed over: the referral goes to the next unit.
SILENT_AFTER = {"submitted": timedelta(hours=36), "submitted_green": timedelta(minutes=30)}
URGENT_SILENT_AFTER = timedelta(minutes=30)
# A receiver that has not answered by then gives the patient back to the hospital, which chooses another.
SILENT_RECEIVER = timedelta(hours=72)
# How long an offered place or bed is kept for the resident's answer, by kind.
OFFER_STANDS = {"green": timedelta(minutes=30), "urgent": timedelta(hours=2), "ordinary": timedelta(hours=24)}
# How long the target's doctors stay reachable, with sight of the record, after the loop was closed.
REACHABLE = timedelta(days=30)

_P = Permission

REFERRAL = Machine(
    name="referral",
    zh="双向转诊",
    en="Referral",
    states=(
        State(
            "draft",
            "草稿",
            "Draft",
            "draft",
            "source",
            _P.REFERRAL_SUBMIT,
            _DRAFT,
            task_zh="完善并提交转诊单",
            task_en="Complete and submit",
        ),
        State(
            "submitted",
            "待受理",
            "Awaiting answer",
            "active",
            "target",
            _P.REFERRAL_ACCEPT,
            _ANSWER,
            task_zh="受理转诊",
            task_en="Answer the referral",
        ),
        State(
            "submitted_green",
            "绿色通道待受理",
            "Green channel: awaiting answer",
            "active",
            "target",
            _P.REFERRAL_ACCEPT,
            _ANSWER_GREEN,
            task_zh="立即受理绿色通道转诊",
            task_en="Answer the green channel now",
        ),
        State(
            "returned",
            "退回补充",
            "Returned for information",
            "on-hold",
            "source",
            _P.REFERRAL_SUBMIT,
            _DRAFT,
            task_zh="补充资料后再次提交",
            task_en="Add what is missing and submit again",
        ),
        State(
            "offered",
            "已安排待确认",
            "Place offered",
            "active",
            "source",
            _P.REFERRAL_SUBMIT,
            _CONFIRM,
            task_zh="与患者确认号源或床位",
            task_en="Confirm the place with the patient",
        ),
        State(
            "accepted",
            "已受理待到院",
            "Accepted, arrival expected",
            "active",
            "target",
            _P.REFERRAL_ACCEPT,
            _ARRIVAL,
            task_zh="等候患者报到",
            task_en="Expect the patient",
        ),
        State(
            "on_the_way",
            "转运途中",
            "On the way",
            "active",
            "target",
            _P.REFERRAL_ACCEPT,
            _ON_THE_WAY,
            task_zh="做好接诊准备",
            task_en="Prepare for the patient",
        ),
        State(
            "not_arrived",
            "未到院",
            "Not arrived",
            "on-hold",
            "source",
            _P.REFERRAL_SUBMIT,
            _DRAFT,
            task_zh="联系患者，问明去向",
            task_en="Find out where the patient is",
        ),
        State(
            "arrived",
            "已到院",
            "Arrived",
            "active",
            "target",
            _P.REFERRAL_TREAT,
            _FIRST_LOOK,
            task_zh="专科接诊",
            task_en="See the patient",
        ),
        State(
            "in_treatment",
            "诊疗中",
            "In treatment",
            "active",
            "target",
            _P.REFERRAL_TREAT,
            _TREATMENT,
            task_zh="诊疗，完成后写小结",
            task_en="Treat and write the summary",
        ),
        State(
            "admitted",
            "住院中",
            "Admitted",
            "active",
            "target",
            _P.REFERRAL_TREAT,
            _TREATMENT,
            task_zh="住院诊疗，出院时写小结和康复计划",
            task_en="Treat; at discharge write summary and plan",
        ),
        State(
            "discharged",
            "已出院待下转",
            "Discharged",
            "active",
            "target",
            _P.REFERRAL_TREAT,
            _HAND_BACK,
            task_zh="下转给基层机构",
            task_en="Hand back to primary care",
        ),
        State(
            "handed_back",
            "下转待承接",
            "Handed back",
            "active",
            "receiver",
            _P.REFERRAL_RECEIVE_BACK,
            _RECEIVE,
            task_zh="承接下转患者",
            task_en="Receive the patient back",
        ),
        State(
            "expected_back",
            "已承接待到达",
            "Taken over, expected",
            "active",
            "receiver",
            _P.REFERRAL_RECEIVE_BACK,
            _EXPECTED_BACK,
            task_zh="等候下转患者到达",
            task_en="Expect the patient who comes back",
        ),
        State(
            "received_back",
            "随访中",
            "In follow-up",
            "active",
            "receiver",
            _P.FOLLOW_UP_DO,
            _FOLLOWING,
            task_zh="按计划随访，完成后办结",
            task_en="Follow up as planned, then close",
        ),
        State(
            "outside",
            "已转医共体外",
            "Sent out of the network",
            "active",
            "source",
            _P.REFERRAL_SUBMIT,
            _OUTSIDE,
            task_zh="随访院外诊疗结果",
            task_en="Find out what came of it",
        ),
        State("closed", "已办结", "Closed", "completed", final=True),
        State("advised", "已答复建议", "Answered by advice", "completed", final=True),
        State("outside_closed", "外转已办结", "Result from outside known", "completed", final=True),
        State("elsewhere", "已在他处就诊", "Seen elsewhere", "revoked", final=True),
        State("declined", "未接收", "Declined", "revoked", final=True),
        State("withdrawn", "已撤回", "Withdrawn", "revoked", final=True),
        State("died", "患者死亡", "Patient died", "revoked", final=True),
    ),
    transitions=WAYS,
)

# States in which a referral is open at its target: a second one of the same resident to the same unit is refused.
OPEN_AT_TARGET = (
    "submitted",
    "submitted_green",
    "returned",
    "offered",
    "accepted",
    "on_the_way",
    "not_arrived",
    "arrived",
    "in_treatment",
    "admitted",
)
# States before the patient has arrived: what ends when the patient turns up elsewhere.
BEFORE_ARRIVAL = ("submitted", "submitted_green", "returned", "offered", "accepted", "on_the_way", "not_arrived")
# From which a second request may grow: while the first waits, or after it came to nothing.
MAY_BE_ASKED_AGAIN = (*BEFORE_ARRIVAL, "declined", "withdrawn", "elsewhere", "advised")
ENDED = ("closed", "advised", "outside_closed", "elsewhere", "declined", "withdrawn", "died")
BEFORE_SUBMIT = ("draft", "withdrawn", "died", "outside", "outside_closed", "elsewhere")
AFTER_DISCHARGE = ("discharged", "handed_back", "expected_back", "received_back", "closed")
# With the unit near home: asked, expecting the patient, following up.
AT_RECEIVER = ("handed_back", "expected_back", "received_back")
