"""The acts that a page of a referral offers, and what one of them would take with it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from django import forms
from django.urls import reverse
from django.utils.translation import gettext as _

from doorstep.care.referrals.models import FollowUp
from doorstep.care.referrals.presenters.words import listed
from doorstep.coordination.scheduling.queries import SlotChoice


@dataclass(frozen=True, slots=True)
class Button:
    """One act that this person may do now."""

    verb: str
    text: str
    kind: str
    page: str
    dialog: bool
    rare: bool = False
    form: forms.Form | None = None
    open: bool = False
    # The free places among which its dialog lets choose.
    slots: Sequence[SlotChoice] = ()
    # What the act takes with it, said before it is done.
    warning: str = ""


def with_open(buttons: list[Button], left: Sequence[FollowUp]) -> list[Button]:
    """The buttons of a case with open follow-ups: the next one comes first, and closing says what it would cancel."""
    close = next((one for one in buttons if one.verb == "close"), None)
    if close is None or not left:
        return buttons
    days = listed(str(one.day) for one in left)
    facts = {"count": len(left), "days": days}
    warning = (
        _("还有 %(count)s 次随访未完成（第 %(days)s 天）。现在办结会取消这些随访；完成最后一次随访后会自动办结。")
        % facts
    )
    if close.form is not None:
        close.form.fields["outcome"].required = True
        # A form that was sent has made its bound fields by now: they keep a label of their own.
        close.form["outcome"].label = _("不再随访的原因")
    page = reverse("referrals:follow-up", args=[left[0].key])
    following = Button("follow_up", _("第 %(day)s 天随访") % {"day": left[0].day}, "primary", page, False)
    others = [one for one in buttons if one is not close]
    return [following, replace(close, kind="secondary", warning=warning), *others]
