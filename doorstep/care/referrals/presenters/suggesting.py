"""What the form of a referral changes of itself while it is filled in: the code of a new impression, the symptoms that the words name,
how fast, which emergency centre, and which units and departments there are to choose from.

Only what the doctor has not chosen otherwise: the form carries what was suggested last, and a value that differs from it is the doctor's.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.http import QueryDict
from django.utils.translation import gettext as _

from doorstep.care.referrals import rules
from doorstep.care.referrals.coding import code_for
from doorstep.care.referrals.criteria import Judgement
from doorstep.care.referrals.models import Referral
from doorstep.care.referrals.presenters import choices
from doorstep.care.referrals.presenters.words import listed
from doorstep.coordination.visits.complaints import symptoms_in


@dataclass(frozen=True, slots=True)
class Suggested:
    """What the criteria call for, and a sentence on it: what was changed, or how the doctor's choice differs; "" for neither."""

    kind: str
    center: str
    said: str = ""
    changed: bool = False


def recoded(posted: QueryDict, referral: Referral) -> tuple[QueryDict, str]:
    """The form as it was sent with the code that its impression has now, and a sentence where the old one was let go."""
    code, impression = posted.get("impression_code", ""), posted.get("impression", "")
    # A page that does not say for which words the code was chosen: those of the draft.
    coded = posted.get("impression_coded", referral.impression)
    known = posted.get("code_known", referral.impression_code)
    now = code_for(impression=impression, code=code, coded=coded, known=known)
    data = posted.copy()
    data["impression_code"], data["impression_coded"], data["code_known"] = now, impression, now
    if now == code:
        return data, ""
    if now:
        return data, _("初步印象已改写，编码改为 %(now)s，请核对。") % {"now": now}
    return data, _("初步印象已改写，原编码 %(code)s 已清除；如仍适用请重新填写。") % {"code": code}


def suggest(
    judged: Sequence[Judgement], *, signed: bool, posted: Mapping[str, object], referral: Referral
) -> Suggested:
    """What the criteria call for; the referral in memory follows where the doctor left the last suggestion as it was."""
    kind, center = rules.kind_for(judged, signed=signed), rules.center_for(judged)
    changed = False
    for name, now in (("kind", kind), ("green_center", center)):
        before = posted.get(f"{name}_suggested")
        if before is not None and before == posted.get(name, "") != now:
            setattr(referral, name, now)
            changed = True
    words = _(str(Referral.Kind(kind).label))
    if changed and referral.kind == kind:
        return Suggested(kind, center, _("已按上转指征改为“%(kind)s”，可更改。") % {"kind": words}, changed=True)
    if kind not in (referral.kind, Referral.Kind.ORDINARY):
        return Suggested(kind, center, _("按上转指征建议：%(kind)s") % {"kind": words}, changed=changed)
    return Suggested(kind, center, changed=changed)


def named_in(words: Mapping[str, object]) -> list[str]:
    """The symptoms that the words of the form name: illness and impression."""
    return symptoms_in("；".join(str(words.get(name) or "") for name in ("present_illness", "impression")))


def tick_named(posted: QueryDict) -> str:
    """Tick the symptoms that were written since the page was shown, in `posted`; a sentence that names them, "" for none.

    One that was named before and is not ticked was unticked by the doctor and stays so.
    """
    before = posted.get("symptoms_named")
    if before is None:
        return ""
    ticked = posted.getlist("symptoms")
    new = [one for one in named_in(posted) if one not in before.split(",") and one not in ticked]
    if not new:
        return ""
    posted.setlist("symptoms", [*ticked, *new])
    return _("已按所写内容勾选：%(symptoms)s，请核对。") % {"symptoms": listed(_(rules.SYMPTOMS[one]) for one in new)}


def follow_aim(posted: QueryDict, referral: Referral) -> tuple[bool, bool]:
    """Let aim and unit in memory be those of the form; a new aim brings the unit that fits it.

    Returns whether the units, and whether departments and experts, are to be listed anew. Only in memory.
    """
    aim, named = posted.get("aim", ""), posted.get("target_id", "")
    if aim in Referral.Aim.values:
        referral.aim = aim
    offered = choices.targets_for(referral, signed=choices.signed_of(referral))
    referral.target_id = next((key for key, _name in offered if str(key) == named), referral.target_id)
    again = "listed_aim" in posted and posted["listed_aim"] != referral.aim
    if again:
        referral.target_id = choices.target_for_aim(referral)
        posted["target_id"] = str(referral.target_id or "")
    return again, again or ("listed_target" in posted and posted["listed_target"] != str(referral.target_id or ""))
