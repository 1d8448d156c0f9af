"""The sender's pages: list, detail, the form with slots and consent, outcomes."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from doorstep.care.referrals import actions, benefits, presenters, queries, texts
from doorstep.care.referrals.actions.sending import judge_up
from doorstep.care.referrals.forms import ReferralForm, add_refusal
from doorstep.care.referrals.permissions import Permission
from doorstep.care.referrals.views.frame import actor_of, work
from doorstep.kernel.access.refusals import Refused
from doorstep.kernel.web.pages import page_or_part, redirect, render
from doorstep.kernel.workflow.once import once
from doorstep.people.residents import queries as residents

_NAMES = {"target": "target_id", "reviewer": "reviewer_id", "slot": "bed_requested"}


@require_GET
def sent(request: HttpRequest) -> HttpResponse:
    """The list that belongs to the actor's role."""
    actor = actor_of(request)
    actor.check(Permission.REFERRAL_VIEW)
    title, rows, address = presenters.home_list(actor)
    return work(request, title=title, rows=rows, address=address)


@require_GET
def outcomes(request: HttpRequest) -> HttpResponse:
    """How it ended."""
    actor = actor_of(request)
    actor.check(Permission.REFERRAL_VIEW)
    rows = queries.list_outcomes(actor=actor)
    context = {"rows": rows, "lines": presenters.lines_of(rows)}
    return render(request, "referrals/outcomes.html", context)


@require_GET
def detail(request: HttpRequest, key: UUID) -> HttpResponse:
    """One referral beside the list of the actor's role."""
    actor = actor_of(request)
    actor.check(Permission.REFERRAL_VIEW)
    referral = queries.get(key=key, actor=actor)
    title, rows, address = presenters.home_list(actor)
    return work(request, title=title, rows=rows, address=address, chosen=referral)


@require_http_methods(["GET", "POST"])
@once
def new(request: HttpRequest, resident_key: UUID) -> HttpResponse:
    """Begin a referral: one click makes the draft with everything known and opens its form."""
    actor = actor_of(request)
    actor.check(Permission.REFERRAL_SUBMIT)
    resident = residents.get_by_key(resident_key, actor)
    if request.method == "POST":
        referral = actions.draft_from_record(
            resident=resident,
            actor=actor,
            origin_reference=_given(request, "origin_reference"),
            origin_subject=_given(request, "origin_subject"),
        )
        return redirect(request, reverse("referrals:edit", args=[referral.key]))
    context = {
        "resident": resident,
        "origin_reference": _given(request, "origin_reference"),
        "origin_subject": _given(request, "origin_subject"),
    }
    return render(request, "referrals/new.html", context)


def _given(request: HttpRequest, name: str) -> str:
    """From the form of this page, or from the address that another page's button posts to."""
    return request.POST.get(name) or request.GET.get(name, "")


@require_http_methods(["GET", "POST"])
@once
def edit(request: HttpRequest, key: UUID) -> HttpResponse:
    """The form of a draft: fields, criteria, benefits, slots, consent; saved or submitted."""
    actor = actor_of(request)
    actor.check(Permission.REFERRAL_SUBMIT)
    referral = queries.get(key=key, actor=actor)
    if referral.state not in ("draft", "returned"):
        return redirect(request, reverse("referrals:detail", args=[key]))
    form = _form(request, referral, actor)
    if request.method == "POST" and form.is_valid():
        try:
            return _carry_out(request, referral, form)
        except Refused as refused:
            if not refused.fields:
                raise
            add_refusal(form, refused.fields, _NAMES)
    return _edit_page(request, referral, form, status=422 if form.is_bound else 200)


@require_POST
@once
def hold(request: HttpRequest, key: UUID) -> HttpResponse:
    """Keep a place for ten minutes."""
    actor = actor_of(request)
    referral = queries.get(key=key, actor=actor)
    held = actions.hold_slot(referral=referral, slot_key=request.POST.get("slot", ""), actor=actor)
    messages.success(request, _("已为患者预留 %(who)s 的号，请在 10 分钟内提交。") % {"who": held.slot.who})
    return redirect(request, reverse("referrals:edit", args=[key]))


def _carry_out(request: HttpRequest, referral: Any, form: ReferralForm) -> HttpResponse:
    """Save what the form says; then hold the chosen slot, or submit, or leave it a draft. All of it or nothing."""
    actor = actor_of(request)
    slot = request.POST.get("slot", "")
    with transaction.atomic():
        actions.revise(referral=referral, actor=actor, values=form.revision())
        if slot:
            held = actions.hold_slot(referral=referral, slot_key=slot, actor=actor)
            said = _("已为患者预留 %(who)s 的号，请在 10 分钟内提交。") % {"who": held.slot.who}
        elif request.POST.get("verb") == "submit":
            actions.submit(referral=referral, consent=_consent(form), actor=actor)
            said = _("转诊已提交，对方转诊中心已收到。")
        else:
            said = _("草稿已保存。")
    messages.success(request, said)
    page = "edit" if referral.state in ("draft", "returned") else "detail"
    return redirect(request, reverse(f"referrals:{page}", args=[referral.key]))


def _consent(form: ReferralForm) -> actions.Consent:
    data = form.cleaned_data
    return actions.Consent(
        signer=data["consent_signer"], relation=data["consent_relation"], signature=data["consent_signature"]
    )


def _form(request: HttpRequest, referral: Any, actor: Any) -> ReferralForm:
    fields = (
        "kind", "critical", "target_id", "reviewer_id", "impression", "impression_code", "symptoms", "present_illness",
        "history", "treatment", "referrer_phone", "bed_requested",
    )  # fmt: skip
    initial = {name: getattr(referral, name) for name in fields}
    initial |= {"consent_signer": referral.patient_name, "consent_relation": "self"}
    return ReferralForm(
        request.POST if request.method == "POST" else None,
        initial=initial,
        targets=presenters.targets_for(referral),
        reviewers=presenters.reviewers_for(referral),
    )


def _edit_page(request: HttpRequest, referral: Any, form: ReferralForm, *, status: int) -> HttpResponse:
    actor = actor_of(request)
    decisions = benefits.benefits_of(presenters.question_of(referral), actor=actor)
    context = {
        "referral": referral,
        "form": form,
        "gender": presenters.gender_of(referral),
        "criteria": presenters.criteria_now(judge_up(referral, actor=actor)),
        "benefits": benefits.as_rows(decisions),
        "slots": presenters.slots_for(referral, actor=actor),
        "consent": texts.CONSENT,
        "consent_version": texts.CONSENT_VERSION,
        "returned": presenters.last_reason(referral, actor=actor) if referral.state == "returned" else "",
    }
    return page_or_part(request, "referrals/edit.html", "content", context, status=status)
