"""What a hospital offers a referred resident: agreed to, or turned down, from the own phone."""

from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from doorstep.care.referrals import actions, debt_queries, queries
from doorstep.care.referrals.dialog_forms import RefuseOfferForm
from doorstep.care.referrals.models import Referral
from doorstep.care.referrals.presenters.choices import days_of, slots_of
from doorstep.care.referrals.presenters.homeward import expected_text
from doorstep.care.referrals.presenters.words import benefit_rows
from doorstep.care.referrals.texts import FREQUENCIES
from doorstep.kernel.access.refusals import NotFound
from doorstep.kernel.web.pages import redirect, render
from doorstep.kernel.workflow.actions import TransitionRefused
from doorstep.kernel.workflow.once import once
from doorstep.site.portal.sent import words_of
from doorstep.site.portal.views import frame_of, owner_of

# States in which the desk of the hospital reads the code of the referral.
_EXPECTED = ("accepted", "on_the_way", "not_arrived")
# As many as fit a phone's page.
_PLACES = 6


@require_GET
def offers(request: HttpRequest) -> HttpResponse:
    """Places and beds that wait for this resident's answer, and what was agreed."""
    actor = owner_of(request)
    frame = frame_of(request, actor)
    rows = queries.list_of_resident(resident_id=frame["chosen_id"], actor=actor)
    context = {
        **frame,
        "offered": [
            (one, RefuseOfferForm(auto_id=f"{one.key}_%s"), queries.booked_before(one))
            for one in rows
            if one.state == "offered"
        ],
        "expected": [one for one in rows if one.state in ("accepted", "on_the_way")],
    }
    return render(request, "portal/offers.html", context)


@require_GET
def referral(request: HttpRequest, key: UUID) -> HttpResponse:
    """One referral for its patient: how far it has come, where and when to go with what, and what the hospital answered."""
    return _page(request, key)


def _page(request: HttpRequest, key: UUID, *, late: bool = False) -> HttpResponse:
    actor = owner_of(request)
    found = queries.get(key=key, actor=actor)
    if found.resident_id not in actor.resident_ids or (found.submitted_at is None and found.direction == "up"):
        raise NotFound()
    context = {
        **frame_of(request, actor),
        "one": found,
        "booked": queries.booked_before(found),
        "words": words_of(found),
        "late": late,
        "form": RefuseOfferForm(auto_id=f"{found.key}_%s") if found.state == "offered" else None,
        "plan": queries.plan_of(referral=found) if found.handed_back_at else None,
        "frequencies": FREQUENCIES,
        "arrival": expected_text(found),
        "slots": days_of(slots_of(found, actor=actor), most=_PLACES) if queries.may_choose_day(found) else (),
        "moved": queries.place_of(found) if found.state == "accepted" else None,
        # What was granted when it was sent; what was refused is the office's matter.
        "benefits": [one for one in benefit_rows(found.benefits) if one["granted"]],
        "debt": debt_queries.debt_of(referral_id=found.pk) if found.discharged_at else None,
        "center": _(str(Referral.GreenCenter(found.green_center).label)) if found.green_center else "",
        "token": queries.qr_token(referral=found) if found.state in _EXPECTED else "",
    }
    return render(request, "portal/referral.html", context, status=409 if late else 200)


@require_POST
@once
def answer(request: HttpRequest, key: UUID, word: str) -> HttpResponse:
    """Agree, turn the offer down, or choose another day; who answers too late sees where the referral stands now."""
    try:
        with transaction.atomic():
            return _answered(request, key, word)
    except TransitionRefused:
        return _page(request, key, late=True)


def _answered(request: HttpRequest, key: UUID, word: str) -> HttpResponse:
    actor = owner_of(request)
    referral = queries.get(key=key, actor=actor)
    if referral.resident_id not in actor.resident_ids:
        raise NotFound()
    if word == "agree":
        actions.confirm(referral=referral, actor=actor, by_resident=True)
        messages.success(request, _("已确认，请按时到院，带好身份证和医保凭证。"))
    elif word == "another-day":
        actions.agree_day(referral=referral, actor=actor, slot_key=request.POST.get("slot") or None, by_resident=True)
        messages.success(request, _("已改约，请按新的时间到院。"))
    elif word == "decline":
        reason, code = request.POST.get("reason", "").strip(), request.POST.get("code", "") or "other"
        if code == "other" and not reason:
            reason = _("患者在手机上未接受安排")
        actions.refuse_offer(referral=referral, code=code, reason=reason, actor=actor, by_resident=True)
        messages.success(request, _("已告知医院另行安排，您的转诊仍然有效。"))
        if code == "worse":
            messages.warning(request, _("病情加重时请不要等待：立即拨打 120，或联系您的家庭医生。"))
    else:
        raise Http404
    return redirect(request, reverse("portal:referral", args=[key]))
