"""Where a resident's referral stands, in a sentence for the resident: one line for one referral, not what its papers are called."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.urls import reverse
from django.utils.translation import get_language, gettext_noop
from django.utils.translation import gettext as _

from doorstep.care.referrals.models import Referral
from doorstep.care.referrals.states import AT_RECEIVER
from doorstep.kernel.record.queries import Entry
from doorstep.kernel.web.formats import moment_short

# By state; every other open state is told by its own name.
_WORDS = {
    "submitted": gettext_noop("资料已送到，等候对方答复"),
    "submitted_green": gettext_noop("绿色通道，医院正在安排接诊"),
    "returned": gettext_noop("对方请您的医生补充资料，医生补充后再送"),
    "offered": gettext_noop("医院已安排就诊，请您确认"),
    "accepted": gettext_noop("对方已受理，请按时到院"),
    "on_the_way": gettext_noop("正在前往，医院已准备接诊"),
    "not_arrived": gettext_noop("还没有到院，如不能前往请告诉您的医生"),
    "arrived": gettext_noop("已到院，等候医生接诊"),
    "discharged": gettext_noop("医院诊疗已结束，正在联系家门口的医生"),
    "handed_back": gettext_noop("医院诊疗已结束，等候家门口的医生接手"),
    "expected_back": gettext_noop("家门口已安排好，请按约定时间到达或在家等候"),
    "received_back": gettext_noop("家门口的医生正在随访"),
    "in_treatment": gettext_noop("医生正在诊治"),
    "declined": gettext_noop("医院未能接收，请看替代安排并联系您的医生"),
    "advised": gettext_noop("专科医生已答复建议，不必到院"),
    "withdrawn": gettext_noop("转诊已撤回"),
    "closed": gettext_noop("转诊已办结"),
    "died": gettext_noop("转诊已结束"),
    "outside": gettext_noop("已转往医共体外，医生会询问诊疗结果"),
}
# What a referral publishes of itself under its own key, besides what was planned or done.
_PAPERS = frozenset({"ServiceRequest", "Task"})


@dataclass(frozen=True, slots=True)
class Going:
    """One referral that is under way."""

    at: datetime
    title: str
    detail: str
    who: str
    href: str
    icon: str = "arrows-exchange"


def going_of(sent: Iterable[Referral]) -> list[Going]:
    """The referrals that are under way, newest first; a draft has not been sent and is nobody's news."""
    return [_line(one) for one in sent if one.state != "draft" and not one.machine.state(one.state).final]


def besides(entries: Sequence[Entry], sent: Iterable[Referral]) -> list[Entry]:
    """The entries without the papers of these referrals, which are told in words, and without those of a draft."""
    keys = {str(one.key) for one in sent}
    return [one for one in entries if one.type not in _PAPERS or not (one.fhir_id in keys or _unsent(one))]


def _unsent(paper: Entry) -> bool:
    """Whether a paper is still a doctor's draft, which has gone to nobody."""
    return paper.content.get("status") == "draft"


def words_of(one: Referral) -> str:
    """Where it stands, for the patient."""
    if one.state in _WORDS:
        return _(_WORDS[one.state])
    state = one.machine.state(one.state)
    return state.en if (get_language() or "").startswith("en") else state.zh


def page_of(one: Referral) -> str:
    """The page of it on the own phone."""
    return reverse("portal:referral", args=[one.key])


def _line(one: Referral) -> Going:
    words = words_of(one)
    home = one.direction == Referral.Direction.DOWN or one.state in AT_RECEIVER
    unit = one.receiver if home else one.target
    place = unit.name if unit else one.outside_name
    department = f" {one.department.name}" if one.department and not home else ""
    expected = one.back_expected_at if one.state == "expected_back" else one.expected_at
    if one.state in ("accepted", "on_the_way", "expected_back") and expected is not None:
        words = f"{words} · {moment_short(expected)}"
    return Going(
        one.state_since, _("转往%(target)s") % {"target": f"{place}{department}"}, words, one.source.name, page_of(one)
    )
