"""Pages of the way home: proposals, one proposal for ward and receiver, and what a unit can do."""

from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, QueryDict
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from doorstep.care.referrals import actions, down_queries
from doorstep.care.referrals.forms import ServiceForm, StockForm, add_refusal
from doorstep.care.referrals.permissions import Permission
from doorstep.care.referrals.presenters import going_home
from doorstep.care.referrals.views.frame import actor_of
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.access.refusals import NotFound, Refused
from doorstep.kernel.web import workbooks
from doorstep.kernel.web.pages import page_or_part, redirect, render
from doorstep.kernel.workflow.once import once


@require_GET
def proposals(request: HttpRequest) -> HttpResponse:
    """The proposals of the actor's wards, and those that the actor's units are asked."""
    actor = actor_of(request)
    actor.check(Permission.CASE_ANSWER)
    ended = request.GET.get("ended") == "1"
    rows = down_queries.list_proposals(actor=actor, ended=ended)
    context = {
        "lines": going_home.lines_of(rows),
        "ended": ended,
        "receives": actor.may(Permission.REFERRAL_RECEIVE_BACK),
    }
    return render(request, "referrals/proposals.html", context)


@require_http_methods(["GET", "POST"])
@once
def proposal(request: HttpRequest, key: UUID) -> HttpResponse:
    """One proposal: the criteria with their values, who could take the patient, the drafted plan, and the two answers."""
    actor = actor_of(request)
    actor.check(Permission.CASE_ANSWER)
    problem, status = "", 200
    if request.method == "POST":
        try:
            with transaction.atomic():
                said = _answer(request, key, actor)
        except Refused as refused:
            if refused.status not in (409, 422):
                raise
            problem = "；".join(str(one) for one in refused.fields.values()) or str(refused.message)
            status = refused.status
        else:
            messages.success(request, said)
            return redirect(request, reverse("referrals:proposal", args=[key]))
    aim = request.POST.get("aim") or request.GET.get("aim", "")
    shown = going_home.proposal_of(down_queries.get_proposal(key=key), actor=actor, aim=aim)
    context = {**shown, "problem": problem, "posted": request.POST}
    return page_or_part(request, "referrals/proposal.html", "content", context, status=status)


@require_http_methods(["GET", "POST"])
@once
def service(request: HttpRequest) -> HttpResponse:
    """What the actor's unit can do for patients who come back, and which medicines it keeps."""
    actor = actor_of(request)
    actor.check(Permission.REFERRAL_RECEIVE_BACK)
    unit = actor.organization_id or 0
    known = down_queries.service_of(organization_id=unit)
    initial = {"accepts": True} if known is None else {
        "accepts": known.accepts, "skills": known.skills
    }  # fmt: skip
    form = ServiceForm(request.POST if request.method == "POST" else None, initial=initial)
    if form.is_bound and form.is_valid():
        try:
            with transaction.atomic():
                actions.save_service(
                    organization_id=unit, actor=actor, medicines=known.medicines if known else (), **form.cleaned_data
                )
        except Refused as refused:
            if not refused.fields:
                raise
            add_refusal(form, refused.fields, {})
        else:
            messages.success(request, _("承接能力已保存。"))
            return redirect(request, reverse("referrals:proposals"))
    return _service_page(request, unit, form=form, status=422 if form.is_bound else 200)


@require_POST
@once
def stock(request: HttpRequest) -> HttpResponse:
    """Take over the unit's count of medicines from its file."""
    actor = actor_of(request)
    actor.check(Permission.REFERRAL_RECEIVE_BACK)
    unit = actor.organization_id or 0
    form = StockForm(request.POST, request.FILES)
    if form.is_valid():
        try:
            with transaction.atomic():
                count = actions.import_stock(
                    organization_id=unit, content=form.cleaned_data["file"].read(), actor=actor
                )
        except Refused as refused:
            if not refused.fields:
                raise
            add_refusal(form, refused.fields, {})
        else:
            messages.success(request, _("已导入 %(count)s 种药品的库存。") % {"count": count})
            return redirect(request, reverse("referrals:service"))
    return _service_page(request, unit, stock_form=form, status=422)


@require_GET
def stock_file(request: HttpRequest) -> HttpResponse:
    """The unit's count as a file; without one the list of medicines, to be filled in."""
    actor = actor_of(request)
    actor.check(Permission.REFERRAL_RECEIVE_BACK)
    content = going_home.stock_file(organization_id=actor.organization_id or 0)
    return workbooks.answer(content, "stock.xlsx")


def _service_page(
    request: HttpRequest,
    unit: int,
    *,
    form: ServiceForm | None = None,
    stock_form: StockForm | None = None,
    status: int = 200,
) -> HttpResponse:
    known = down_queries.service_of(organization_id=unit)
    lines = down_queries.stock_of(organization_id=unit)
    context = {
        "form": form
        or ServiceForm(initial={"accepts": known.accepts if known else True, "skills": known.skills if known else []}),
        "stock_form": stock_form or StockForm(),
        "lines": lines,
        "counted_at": lines[0].counted_at if lines else None,
        "old": bool(lines) and timezone.now() - lines[0].counted_at > down_queries.STOCK_HOLDS,
    }
    return page_or_part(request, "referrals/service.html", "content", context, status=status)


def _answer(request: HttpRequest, key: UUID, actor: Actor) -> str:
    found, posted = down_queries.get_proposal(key=key), request.POST
    verb, code, reason = posted.get("verb", ""), posted.get("code", ""), posted.get("reason", "")
    if verb == "agree_ward":
        actions.agree_ward(
            proposal=found,
            actor=actor,
            signer=posted.get("signer", ""),
            relation=posted.get("relation", ""),
            receiver_id=_unit(posted.get("receiver", "")),
            following=_following(posted),
            aim=posted.get("aim", ""),
        )
        return _("已询问基层机构，答复后会通知您。")
    if verb == "ask_other":
        receiver = _unit(posted.get("receiver", "")) or 0
        actions.ask_other(proposal=found, receiver_id=receiver, following=_following(posted), actor=actor)
        return _("已改问其他机构，答复后会通知您。")
    if verb == "refuse_ward":
        actions.refuse_ward(proposal=found, code=code, reason=reason, actor=actor)
        return _("已记录，两天后如仍符合标准会再次提醒。")
    if verb == "agree_receiver":
        actions.agree_receiver(proposal=found, actor=actor)
        return _("已同意承接，医院将办理出院下转。")
    if verb == "refuse_receiver":
        actions.refuse_receiver(proposal=found, code=code, reason=reason, actor=actor)
        return _("已记录不能承接的原因。")
    raise NotFound()


def _unit(text: str) -> int | None:
    return int(text) if text.isdecimal() and len(text) < 19 else None


def _following(posted: QueryDict) -> list[int]:
    """Who is asked after the first, in the order of the form."""
    found = [_unit(text) for text in posted.getlist("following")]
    return [one for one in found if one is not None]
