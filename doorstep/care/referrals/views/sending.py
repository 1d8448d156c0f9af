"""The sender's pages: list, detail, the form with slots and consent, outcomes."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, QueryDict
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from doorstep.care.referrals import actions, benefits, completeness, expecting, list_queries, queries, texts
from doorstep.care.referrals.actions.sending import judge_up
from doorstep.care.referrals.dialog_forms import OutsideForm
from doorstep.care.referrals.forms import ReferralForm, add_refusal
from doorstep.care.referrals.permissions import Permission
from doorstep.care.referrals.presenters import choices, lists, suggesting
from doorstep.care.referrals.presenters import thing as presenters
from doorstep.care.referrals.presenters.words import benefit_rows, criteria_now
from doorstep.care.referrals.views.frame import actor_of, work
from doorstep.kernel.access.refusals import Refused
from doorstep.kernel.web.pages import page_or_part, redirect, render, render_part
from doorstep.kernel.workflow.once import once
from doorstep.people.residents import queries as residents
from doorstep.people.residents.rules import age_on

_NAMES = {"target": "target_id", "reviewer": "reviewer_id", "slot": "bed_requested", "signer": "consent_signer"}


@require_GET
def sent(request: HttpRequest) -> HttpResponse:
    """What was sent; the list of their own for those who send nothing."""
    actor = actor_of(request)
    actor.check(Permission.REFERRAL_VIEW)
    place = lists.sent_list() if actor.may(Permission.REFERRAL_SUBMIT) else lists.own_list(actor)
    page = place.read(actor=actor, after=request.GET.get("after", ""))
    return work(request, title=place.title, page=page, address=place.address)


@require_GET
def outcomes(request: HttpRequest) -> HttpResponse:
    """How it ended."""
    actor = actor_of(request)
    actor.check(Permission.REFERRAL_VIEW)
    page = list_queries.list_outcomes(actor=actor, after=request.GET.get("after", ""))
    context = {
        "rows": page.rows,
        "lines": presenters.lines_of(page.rows),
        "next": f"?after={page.next}" if page.next else "",
    }
    return render(request, "referrals/outcomes.html", context)


@require_GET
def detail(request: HttpRequest, key: UUID) -> HttpResponse:
    """One referral beside the list on which the actor meets it."""
    actor = actor_of(request)
    actor.check(Permission.REFERRAL_VIEW)
    referral = queries.get(key=key, actor=actor)
    place = lists.list_of(referral, actor=actor)
    return work(request, title=place.title, page=place.read(actor=actor), address=place.address, chosen=referral)


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
    sent = request.method == "POST"
    referral = queries.get_for_act(key=key, actor=actor) if sent else queries.get(key=key, actor=actor)
    if referral.state not in ("draft", "returned"):
        return redirect(request, reverse("referrals:detail", args=[key]))
    if not sent:
        return _edit_page(request, referral, _form(request, referral, _choices(referral)), status=200)
    data, told = suggesting.recoded(request.POST, referral)
    form = _form(request, referral, choices.chosen_of(referral, data), data)
    if form.is_valid():
        try:
            answer = _carry_out(request, referral, form)
        except Refused as refused:
            if not refused.fields:
                raise
            # A chosen place that is gone is said on top; where none was chosen, the request of a bed is the other way.
            add_refusal(form, refused.fields, _names(request, referral))
        else:
            if told:
                messages.info(request, told)
            return answer
    elif request.POST.get("verb") == "submit":
        _add_missing(request, referral, form)
    queries.note_look(referral=referral, actor=actor)
    _name_target(request, referral)
    form.let_choose(_choices(referral))
    return _edit_page(request, referral, form, status=422)


@require_POST
@once
def open_record(request: HttpRequest, key: UUID) -> HttpResponse:
    """Open the whole record to the receiving side after all."""
    actor = actor_of(request)
    actor.check(Permission.REFERRAL_SUBMIT)
    actions.open_record(referral=queries.get(key=key, actor=actor), actor=actor)
    messages.success(request, _("对方现在可以查阅完整档案。"))
    return redirect(request, reverse("referrals:detail", args=[key]))


@require_POST
@once
def hold(request: HttpRequest, key: UUID) -> HttpResponse:
    """Keep a place for ten minutes."""
    actor = actor_of(request)
    referral = queries.get(key=key, actor=actor)
    held = actions.hold_slot(referral=referral, slot_key=request.POST.get("slot", ""), actor=actor)
    messages.success(request, _("已为患者预留 %(who)s 的号，请在 10 分钟内提交。") % {"who": held.slot.who})
    return redirect(request, reverse("referrals:edit", args=[key]))


@require_POST
def advice(request: HttpRequest, key: UUID) -> HttpResponse:
    """Criteria, benefits and places for what the form says now; nothing is saved."""
    actor = actor_of(request)
    actor.check(Permission.REFERRAL_SUBMIT)
    referral = queries.get(key=key, actor=actor)
    data, told = suggesting.recoded(request.POST, referral)
    units, departments = suggesting.follow_aim(data, referral)
    ticked = suggesting.tick_named(data)
    form = _form(request, referral, _choices(referral), data)
    form.is_valid()
    # Only in memory: the object is thrown away with the answer.
    for name, value in form.revision().items():
        setattr(referral, name, value)
    context = _advice(request, referral, data)
    if context["suggested"].changed:
        data["kind"], data["green_center"] = referral.kind, referral.green_center
        form = _form(request, referral, _choices(referral), data)
    recoded = data["impression_code"] != request.POST.get("impression_code", "")
    return render_part(
        request,
        "referrals/edit.html",
        "advice",
        {
            **context,
            "form": form,
            "told": told,
            "along": True,
            "recoded": recoded,
            "units": units,
            "departments": departments,
            "ticked": ticked,
        },
    )


@require_POST
@once
def again(request: HttpRequest, key: UUID) -> HttpResponse:
    """A second request from an earlier one: after a decline, or to another unit while the first still waits."""
    actor = actor_of(request)
    draft = actions.draft_again(referral=queries.get(key=key, actor=actor), actor=actor)
    messages.success(request, _("已按原转诊单新建草稿，请选择转入机构。"))
    return redirect(request, reverse("referrals:edit", args=[draft.key]))


@require_http_methods(["GET", "POST"])
@once
def outside(request: HttpRequest, key: UUID) -> HttpResponse:
    """Send a draft out of the network, with destination and reason."""
    actor = actor_of(request)
    actor.check(Permission.REFERRAL_SUBMIT)
    referral = queries.get(key=key, actor=actor)
    if referral.state not in ("draft", "returned"):
        return redirect(request, reverse("referrals:detail", args=[key]))
    form = OutsideForm(request.POST if request.method == "POST" else None, initial={"impression": referral.impression})
    if form.is_bound and form.is_valid():
        try:
            with transaction.atomic():
                actions.leave_network(
                    referral=referral,
                    place=form.cleaned_data["outside_name"],
                    code=form.cleaned_data["outside_reason"],
                    impression=form.cleaned_data["impression"],
                    actor=actor,
                )
        except Refused as refused:
            if not refused.fields:
                raise
            add_refusal(form, refused.fields, {})
        else:
            messages.success(request, _("已登记转往医共体外，请在 2 周内随访结果。"))
            return redirect(request, reverse("referrals:detail", args=[key]))
    context = {"referral": referral, "form": form, "gender": presenters.gender_of(referral)}
    return page_or_part(request, "referrals/outside.html", "content", context, status=422 if form.is_bound else 200)


def _carry_out(request: HttpRequest, referral: Any, form: ReferralForm) -> HttpResponse:
    """Save what the form says; then hold the chosen place, or submit, or leave it a draft. All of it or nothing."""
    actor = actor_of(request)
    slot, verb = request.POST.get("slot", ""), request.POST.get("verb", "")
    values = form.revision()
    if "packet_sent" in request.POST:
        values |= {
            "packet": choices.ticked_of(referral, wanted=request.POST.getlist("packet")),
            "whole_record": request.POST.get("sight") != "packet",
        }
    if verb == "submit" and not slot:
        had_place = referral.hold_key is not None
        went = actions.submit(referral=referral, consent=_consent(form), actor=actor, revision=values)
        said = _("转诊已提交，对方转诊中心已收到。")
        if had_place and went.booking_id is None:
            messages.warning(request, _("预留的号已过期放回，转诊单没有带号，由对方立即安排。"))
    else:
        with transaction.atomic():
            actions.revise(referral=referral, actor=actor, values=values)
            said = _("草稿已保存。")
            if slot and verb != "save":
                held = actions.hold_slot(referral=referral, slot_key=slot, actor=actor)
                said = _("已为患者预留 %(who)s 的号，请在 10 分钟内提交。") % {"who": held.slot.who}
            if slot and verb == "submit":
                actions.submit(referral=referral, consent=_consent(form), actor=actor)
                said = _("转诊已提交，对方转诊中心已收到。")
    messages.success(request, said)
    page = "edit" if referral.state in ("draft", "returned") else "detail"
    return redirect(request, reverse(f"referrals:{page}", args=[referral.key]))


def _add_missing(request: HttpRequest, referral: Any, form: ReferralForm) -> None:
    """What else the submission lacks, beside what is wrong in the fields: all of it is said in one answer."""
    # Only in memory: nothing of it is written.
    for name, value in form.revision().items():
        setattr(referral, name, value)
    data, paper = form.cleaned_data, form.cleaned_data.get("consent_paper")
    consent = actions.Consent(
        signer=data.get("consent_signer", ""),
        relation=data.get("consent_relation", ""),
        paper=paper.read() if paper else b"",
    )
    missing = actions.missing_of(
        referral=referral, consent=consent, placed=bool(request.POST.get("slot")), actor=actor_of(request)
    )
    add_refusal(
        form,
        {name: said for name, said in missing.items() if _NAMES.get(name, name) not in form.errors},
        _names(request, referral),
    )


def _names(request: HttpRequest, referral: Any) -> dict[str, str]:
    """Beside which field a refusal of the action stands; a place that was chosen or kept, and is gone, is said on top."""
    chosen = bool(request.POST.get("slot")) or referral.hold_key is not None
    return _NAMES | {"slot": ""} if chosen else _NAMES


def _consent(form: ReferralForm) -> actions.Consent:
    data = form.cleaned_data
    paper = data.get("consent_paper")
    return actions.Consent(
        signer=data["consent_signer"],
        relation=data["consent_relation"],
        signature=data["consent_signature"],
        paper=paper.read() if paper else b"",
        paper_name=paper.name if paper else "",
    )


_FIELDS = (
    "direction", "aim", "green_center", "kind", "critical", "target_id", "department_id", "expert_id", "reviewer_id", "impression",
    "impression_code", "symptoms", "present_illness", "history", "treatment", "referrer_phone", "bed_requested", "patient_phone",
    "record_number", "patient_address", *expecting.FIELDS,
)  # fmt: skip


def _form(
    request: HttpRequest,
    referral: Any,
    offered: dict[str, list[tuple[int, str]]],
    data: QueryDict | None = None,
) -> ReferralForm:
    initial = {name: getattr(referral, name) for name in _FIELDS}
    # A child does not sign: the parent's name is asked for.
    alone = texts.signs_alone(age_on(referral.patient_birth_date, timezone.localdate()))
    initial |= {
        "consent_signer": referral.patient_name if alone else "",
        "consent_relation": "self" if alone else "parent",
    }
    posted = (data or request.POST) if request.method == "POST" else None
    return ReferralForm(posted, request.FILES if posted is not None else None, initial=initial, choices=offered)


def _name_target(request: HttpRequest, referral: Any) -> None:
    """Departments and experts are those of the unit that the form names now; only in memory."""
    named = request.POST.get("target_id", "")
    offered = choices.targets_for(referral, signed=choices.signed_of(referral))
    referral.target_id = next((one for one, _name in offered if str(one) == named), referral.target_id)


def _choices(referral: Any) -> dict[str, list[tuple[int, str]]]:
    return {
        "target_id": choices.targets_for(referral, signed=choices.signed_of(referral)),
        "reviewer_id": choices.reviewers_for(referral),
        "department_id": choices.departments_of(referral),
        "expert_id": choices.experts_of(referral),
    }


def _advice(request: HttpRequest, referral: Any, posted: Mapping[str, object] | None = None) -> dict[str, Any]:
    actor = actor_of(request)
    judged = judge_up(referral, actor=actor)
    signed = bool(choices.signed_of(referral))
    suggested = suggesting.suggest(judged, signed=signed, posted=posted or {}, referral=referral)
    decisions = benefits.benefits_of(choices.question_of(referral), actor=actor)
    return {
        "referral": referral,
        "asks_pregnancy": expecting.is_asked(referral),
        "suggested": suggested,
        "criteria": criteria_now(judged),
        "benefits": benefit_rows(benefits.as_rows(decisions)),
        "slot_chosen": request.POST.get("slot", ""),
        "named": ",".join(suggesting.named_in(vars(referral))),
        "fitting": choices.words_of(referral),
        "complete": completeness.check(referral),
        "booked": choices.booked_of(referral, actor=actor),
        **_kept(referral),
    }


def _kept(referral: Any) -> dict[str, Any]:
    """Whether a place is kept for the form, or was and has gone back; in how many seconds that will be."""
    left = (referral.held_until - timezone.now()).total_seconds() if referral.hold_key and referral.held_until else 0
    return {"kept": left > 0, "lapsed": bool(referral.hold_key) and left <= 0, "lapses_in": int(left) + 1}


def _edit_page(request: HttpRequest, referral: Any, form: ReferralForm, *, status: int) -> HttpResponse:
    actor = actor_of(request)
    context = {
        **_advice(request, referral),
        "form": form,
        "gender": presenters.gender_of(referral),
        "packet": choices.packet_for(referral, actor=actor),
        "sight": request.POST.get("sight") or ("record" if referral.whole_record else "packet"),
        "consent": texts.CONSENT,
        "consent_version": texts.CONSENT_VERSION,
        "returned": presenters.last_reason(referral, actor=actor) if referral.state == "returned" else "",
        "before": choices.declined_before(referral),
        # What was written just before it was sent has not been looked at for symptoms: the advice of the page that comes back does it.
        **({"named": request.POST["symptoms_named"]} if "symptoms_named" in request.POST else {}),
    }
    return page_or_part(request, "referrals/edit.html", "content", context, status=status)
