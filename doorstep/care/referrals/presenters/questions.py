"""Questions on a case as pages show them: whether one may still be asked, and how each stands against its clock."""

from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone
from django.utils.translation import gettext as _

from doorstep.care.referrals import case_states, down_queries, states
from doorstep.care.referrals.models import CaseQuestion, Referral
from doorstep.care.referrals.permissions import Permission
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.worklist import queries as worklist


@dataclass(frozen=True, slots=True)
class Line:
    """One question; `due_at` and `warn_at` while it waits for its answer, `late` when that came after its time."""

    row: CaseQuestion
    due_at: datetime | None
    warn_at: datetime | None
    late: bool


def lines_of(referral: Referral) -> list[Line]:
    """The questions of a case in two queries; none before the patient has left the hospital."""
    if not referral.discharged_at:
        return []
    found = down_queries.questions_of(referral_id=referral.pk)
    waiting = [one.pk for one in found if one.state == "asked"]
    clocks = worklist.clocks_of(kinds={"case-question.asked"}, item_ids=waiting)
    return [Line(one, *clocks.get(one.pk, (None, None)), late=came_late(one)) for one in found]


def came_late(question: CaseQuestion) -> bool:
    """Whether the answer came after the time that the question gave."""
    if question.answered_at is None:
        return False
    return question.answered_at - question.created_at > case_states.answer_time(urgent=question.urgent)


def may_ask(referral: Referral, actor: Actor) -> bool:
    """Whether this actor may ask the other side of the case now."""
    return actor.may(Permission.CASE_ANSWER) and not why_not(referral)


def why_not(referral: Referral) -> str:
    """Why nobody can ask on this case now, with what to do instead; "" where one can."""
    if referral.state == "died":
        return _("患者已死亡登记，病例不再提问。")
    if referral.discharged_at is None:
        return _("患者还没有出院或诊毕，对方还没有可答疑的小结。现在有事请直接联系对方转诊中心。")
    if referral.closed_at is not None and timezone.now() > referral.closed_at + states.REACHABLE:
        return _("病例办结已超过 30 天，请重新发起转诊或会诊。")
    return ""
