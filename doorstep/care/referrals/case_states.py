"""The tables of a question on a case, of a debt, and of a proposal to let a patient go home. Times are this house's own."""

from datetime import timedelta

from doorstep.care.referrals import case_events as events
from doorstep.care.referrals.permissions import Permission
from doorstep.kernel.workflow.machine import Clock, Escalation, Machine, State, Transition

_HOUSE = "本医共体约定"
_P = Permission

_ANSWER = Clock(
    due=timedelta(hours=24),
    warn=timedelta(hours=12),
    escalate=(Escalation("lead", timedelta(hours=12)),),
    source=_HOUSE,
    verified=False,
)
# An urgent question is answered within this time.
URGENT_QUESTION = timedelta(hours=2)


def answer_time(*, urgent: bool) -> timedelta:
    """Within which time a question is to be answered."""
    return URGENT_QUESTION if urgent else _ANSWER.due or timedelta.max


_DEBT = Clock(due=timedelta(days=30), warn=timedelta(days=23), source=_HOUSE, verified=False)
_PROPOSED = Clock(due=timedelta(hours=24), warn=timedelta(hours=12), source=_HOUSE, verified=False)
_ASKED = Clock(due=timedelta(hours=24), warn=timedelta(hours=12), source=_HOUSE, verified=False)
# A unit that has not answered by then is passed over: the next one is asked, or the ward chooses again.
SILENT_ASKED = timedelta(hours=48)

CASE_QUESTION = Machine(
    name="case-question",
    zh="病例答疑",
    en="Question on a case",
    states=(
        State(
            "asked",
            "待答复",
            "Asked",
            "in-progress",
            "answerer",
            _P.CASE_ANSWER,
            _ANSWER,
            task_zh="答复下转后的提问",
            task_en="Answer the question",
        ),
        State("answered", "已答复", "Answered", "completed", final=True),
        State("retracted", "已撤销", "Taken back", "not-done", final=True),
    ),
    transitions=(
        Transition("ask", "提问", "Ask", (), "asked", "asker", events.QuestionAsked, _P.CASE_ANSWER),
        Transition(
            "answer",
            "答复",
            "Answer",
            ("asked",),
            "answered",
            "answerer",
            events.QuestionAnswered,
            _P.CASE_ANSWER,
            style="primary",
        ),
        Transition(
            "retract",
            "撤销提问",
            "Take back",
            ("asked",),
            "retracted",
            "asker",
            events.QuestionRetracted,
            _P.CASE_ANSWER,
        ),
    ),
)

PAY_LATER = Machine(
    name="pay-later",
    zh="先诊疗后付费欠款",
    en="Treatment paid later",
    states=(
        State(
            "owing",
            "待结清",
            "Owing",
            "active",
            "creditor",
            _P.REFERRAL_TREAT,
            _DEBT,
            task_zh="催结先诊疗后付费欠款",
            task_en="Follow up the payment",
        ),
        State("paid", "已结清", "Paid", "completed", final=True),
        State("waived", "已减免", "Waived", "completed", final=True),
    ),
    transitions=(
        Transition("note", "登记欠款", "Note the debt", (), "owing", "creditor", events.DebtNoted, _P.REFERRAL_TREAT),
        Transition(
            "pay", "已结清", "Paid", ("owing",), "paid", "creditor", events.DebtPaid, _P.REFERRAL_TREAT, style="primary"
        ),
        Transition(
            "pay_part",
            "部分结清",
            "Part paid",
            ("owing",),
            "owing",
            "creditor",
            events.DebtPartPaid,
            _P.REFERRAL_TREAT,
        ),
        Transition(
            "remind",
            "提醒患者",
            "Remind the patient",
            ("owing",),
            "owing",
            "creditor",
            events.DebtReminded,
            _P.REFERRAL_TREAT,
        ),
        Transition(
            "waive",
            "减免",
            "Waive",
            ("owing",),
            "waived",
            "creditor",
            events.DebtWaived,
            _P.DEBT_WAIVE,
            reason=True,
        ),
    ),
)

DOWN_PROPOSAL = Machine(
    name="down-proposal",
    zh="下转建议",
    en="Proposal to go home",
    states=(
        State(
            "proposed",
            "待病区医师确认",
            "Proposed to the ward",
            "draft",
            "hospital",
            _P.REFERRAL_TREAT,
            _PROPOSED,
            task_zh="确认患者可以下转",
            task_en="Confirm that the patient may go home",
        ),
        State(
            "asked",
            "待基层确认承接",
            "Asked of the receiver",
            "active",
            "receiver",
            _P.REFERRAL_RECEIVE_BACK,
            _ASKED,
            task_zh="确认能否承接下转患者",
            task_en="Say whether you can take the patient",
        ),
        State("agreed", "双方同意下转", "Agreed", "completed", final=True),
        State("refused", "不下转", "Refused", "revoked", final=True),
        State("lapsed", "已失效", "Lapsed", "revoked", final=True),
    ),
    transitions=(
        Transition("propose", "建议下转", "Propose", (), "proposed", "system", events.DownProposed),
        Transition(
            "agree_ward",
            "同意下转，询问基层",
            "Agree and ask the receiver",
            ("proposed",),
            "asked",
            "hospital",
            events.WardAgreed,
            _P.REFERRAL_TREAT,
            style="primary",
        ),
        Transition(
            "refuse_ward",
            "暂不下转",
            "Not yet",
            ("proposed",),
            "refused",
            "hospital",
            events.DownRefused,
            _P.REFERRAL_TREAT,
            reason=True,
        ),
        Transition(
            "agree_receiver",
            "同意承接",
            "Take the patient",
            ("asked",),
            "agreed",
            "receiver",
            events.DownAgreed,
            _P.REFERRAL_RECEIVE_BACK,
            style="primary",
        ),
        Transition(
            "ask_next",
            "不能承接，询问下一家",
            "Cannot: ask the next",
            ("asked",),
            "asked",
            "receiver",
            events.ReceiverRefused,
            _P.REFERRAL_RECEIVE_BACK,
            reason=True,
            listed=False,
        ),
        Transition(
            "refuse_receiver",
            "不能承接，退回病区",
            "Cannot: back to the ward",
            ("asked",),
            "proposed",
            "receiver",
            events.DownReturned,
            _P.REFERRAL_RECEIVE_BACK,
            reason=True,
        ),
        Transition(
            "ask_other",
            "改问其他机构",
            "Ask another unit",
            ("asked",),
            "asked",
            "hospital",
            events.OtherAsked,
            _P.REFERRAL_TREAT,
            listed=False,
        ),
        Transition(
            "pass_on",
            "逾时未答复，询问下一家",
            "Not answered in time: ask the next",
            ("asked",),
            "asked",
            "system",
            events.ReceiverSilent,
        ),
        Transition(
            "time_out",
            "逾时未答复，退回病区",
            "Not answered in time: back to the ward",
            ("asked",),
            "proposed",
            "system",
            events.DownReturned,
        ),
        Transition("lapse", "失效", "Lapse", ("proposed", "asked"), "lapsed", "system", events.DownLapsed, moot=True),
    ),
)
