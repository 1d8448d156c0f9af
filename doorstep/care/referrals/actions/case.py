"""Questions on a case while the ward is reachable, and what a patient who paid later still owes."""

from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from doorstep.care.referrals import case_states, states
from doorstep.care.referrals.actions.details import details_of
from doorstep.care.referrals.models import CaseQuestion, PayLater, Referral
from doorstep.care.referrals.permissions import Permission
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.access.refusals import Conflict, NotFound, Refused
from doorstep.kernel.workflow import actions as workflow
from doorstep.people.residents import queries as residents

_AFTER_REMINDER = timedelta(days=7)
_DEBT_TERM = timedelta(days=30)  # the consortium's own; shown as 口径待核


def ask_question(*, referral: Referral, text: str, actor: Actor, urgent: bool = False) -> CaseQuestion:
    """Ask the other side of a case; the target's doctors stay reachable until 30 days after the case was closed.

    Raises Refused without words, Conflict when nobody is on the other side yet or the 30 days have passed.
    """
    actor.check(Permission.CASE_ANSWER)
    if len(text.strip()) < 4:
        raise Refused(_("请写明问题。"), fields={"text": _("请写明患者目前的情况和要问的问题。")})
    asker, answerer = _ends(referral, actor)
    if referral.closed_at is not None and timezone.now() > referral.closed_at + states.REACHABLE:
        raise Conflict(_("病例办结已超过 30 天，请重新发起转诊或会诊。"))
    question = CaseQuestion(
        referral=referral,
        resident_id=referral.resident_id,
        resident_key=referral.resident_key,
        asker_id=asker,
        answerer_id=answerer,
        urgent=urgent,
        text=text.strip(),
        asked_by_id=actor.practitioner_id,
    )
    due_at = timezone.now() + case_states.URGENT_QUESTION if urgent else None
    return workflow.begin(question, "ask", actor=actor, details=_facts(question), due_at=due_at)


def answer_question(*, question: CaseQuestion, text: str, actor: Actor) -> CaseQuestion:
    """Answer a question; raises Refused without words."""
    if len(text.strip()) < 2:
        raise Refused(_("请写明答复。"), fields={"answer": _("请写明处理意见。")})
    return workflow.apply(
        question,
        "answer",
        actor=actor,
        values={"answer": text.strip(), "answered_at": timezone.now(), "answered_by_id": actor.practitioner_id},
        details=_facts(question),
    )


def retract_question(*, question: CaseQuestion, actor: Actor) -> CaseQuestion:
    """Take a question back that needs no answer any more."""
    return workflow.apply(question, "retract", actor=actor, details=_facts(question))


def note_debt(*, referral: Referral, amount: Decimal, actor: Actor) -> PayLater:
    """Note what a patient treated before paying owes, in yuan; due in 30 days.

    Raises Refused where the benefit was not granted or the amount is not above zero.
    """
    granted = [one for one in referral.benefits if one.get("granted") and "先诊疗后付费" in str(one.get("title", ""))]
    if not granted:
        raise Refused(_("该患者没有先诊疗后付费待遇。"), fields={"owed": _("未享受先诊疗后付费待遇，请按常规结算。")})
    if amount <= 0:
        raise Refused(_("欠款金额应大于 0。"), fields={"owed": _("欠款金额应大于 0；没有欠款请留空。")})
    debt = PayLater(
        referral=referral,
        resident_id=referral.resident_id,
        resident_key=referral.resident_key,
        creditor_id=referral.target_id or referral.source_id,
        amount=amount,
        due_on=timezone.localdate() + _DEBT_TERM,
    )
    return workflow.begin(
        debt,
        "note",
        actor=actor,
        details={**details_of(referral), "amount": str(amount), "due_on": debt.due_on.isoformat()},
    )


@transaction.atomic
def settle_debt(*, debt: PayLater, verb: str, reason: str, actor: Actor, amount: Decimal | None = None) -> PayLater:
    """Note that a debt was paid, in part (`amount`, yuan), or waived with a reason, or that the patient was reminded; raises NotFound for another verb.

    A reminder, and a part that comes in, gives the hospital's clock seven days where the day has passed; the last part settles the debt.
    Raises Refused for a part that is none, Conflict for a second reminder of the same day.
    """
    now, today = timezone.now(), timezone.localdate()
    # As it is now: somebody at another window may have taken a part since this page was opened.
    debt = workflow.lock(debt)
    if verb == "pay_part":
        part = _part_of(debt, amount)
        if part == debt.rest():
            verb = "pay"
    ways: dict[str, dict[str, Any]] = {
        "pay": {"paid_at": now, "paid": debt.amount},
        "pay_part": {"paid": debt.paid + (amount or 0)},
        "waive": {"note": reason.strip()[:200]},
        "remind": {"reminders": debt.reminders + 1, "reminded_at": now},
    }
    if verb not in ways:
        raise NotFound()
    due_at = None
    if verb == "remind" and residents.is_deceased(resident_id=debt.resident_id):
        raise Conflict(_("患者已去世，不再提醒。请与家属协商，或由总值班减免。"))
    if verb in ("remind", "pay_part"):
        if verb == "remind" and debt.reminded_at is not None and timezone.localdate(debt.reminded_at) == today:
            raise Conflict(_("今天已提醒过患者，请明天再提醒。"))
        looked = max(debt.due_on, today + _AFTER_REMINDER)
        due_at = datetime.combine(looked, time(17), tzinfo=timezone.get_current_timezone())
    rest = debt.amount - ways[verb].get("paid", debt.paid)
    return workflow.apply(
        debt,
        verb,
        actor=actor,
        reason=reason,
        values=ways[verb],
        details={**details_of(debt.referral), "amount": str(debt.amount), "rest": str(rest)},
        due_at=due_at,
    )


def _part_of(debt: PayLater, amount: Decimal | None) -> Decimal:
    if amount is None or amount <= 0 or amount != round(amount, 2):
        raise Refused(_("收款金额不对。"), fields={"amount": _("请填写大于 0 的收款金额，精确到分。")})
    if amount > debt.rest():
        sentence = _("收款金额超过尚欠的 %(rest)s 元，请核对。") % {"rest": debt.rest()}
        raise Refused(_("收款金额不对。"), fields={"amount": sentence})
    return amount


def _ends(referral: Referral, actor: Actor) -> tuple[int, int]:
    """Who asks and who answers: the home side (receiver, a unit below it that follows up, else the sender) and the target face each other."""
    home, target = referral.receiver_id or referral.source_id, referral.target_id
    if target is None or (referral.accepted_at is None and referral.handed_back_at is None) or home == target:
        raise Conflict(_("对方受理后才能提问。"))
    if actor.reaches(target):
        return target, home
    for side in (home, *referral.followers, referral.source_id):
        if actor.reaches(side):
            return side, target
    raise NotFound()


def _facts(question: CaseQuestion) -> dict[str, object]:
    facts = details_of(question.referral)
    return {
        **facts,
        "asker": question.asker_id,
        "answerer": question.answerer_id,
        "referral": question.referral.subject,
    }
