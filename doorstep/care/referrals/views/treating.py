"""The specialist's pages: patients, admission, discharge with the plan builder."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from doorstep.care.referrals import actions, presenters, queries, texts
from doorstep.care.referrals.forms import AdmitForm, DischargeForm, add_refusal, medicine_rows
from doorstep.care.referrals.permissions import Permission
from doorstep.care.referrals.views.frame import actor_of, work
from doorstep.kernel.access.refusals import Refused
from doorstep.kernel.web.pages import page_or_part, redirect
from doorstep.kernel.workflow.once import once

_EMPTY_ROWS = 3


@require_GET
def patients(request: HttpRequest) -> HttpResponse:
    """Arrived, in treatment, discharged; `?mine=1` shows the actor's own."""
    actor = actor_of(request)
    actor.check(Permission.REFERRAL_TREAT)
    mine = request.GET.get("mine") == "1"
    rows = queries.list_treating(actor=actor, mine=mine)
    return work(request, title=_("收治转诊患者"), rows=rows, address=reverse("referrals:treating"))


@require_http_methods(["GET", "POST"])
@once
def admit(request: HttpRequest, key: UUID) -> HttpResponse:
    """Admit to a ward."""
    actor = actor_of(request)
    actor.check(Permission.REFERRAL_TREAT)
    referral = queries.get(key=key, actor=actor)
    form = AdmitForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        actions.admit(referral=referral, actor=actor, **form.cleaned_data)
        messages.success(request, _("已收治入院。"))
        return redirect(request, reverse("referrals:detail", args=[key]))
    context = {"referral": referral, "form": form, "gender": presenters.gender_of(referral)}
    return page_or_part(request, "referrals/admit.html", "content", context, status=422 if form.is_bound else 200)


@require_http_methods(["GET", "POST"])
@once
def discharge(request: HttpRequest, key: UUID) -> HttpResponse:
    """The discharge summary with the recovery plan."""
    actor = actor_of(request)
    actor.check(Permission.REFERRAL_TREAT)
    referral = queries.get(key=key, actor=actor)
    bound = request.method == "POST"
    form = DischargeForm(request.POST if bound else None, initial=_initial(referral, actor))
    rows = medicine_rows(request.POST) if bound else []
    if bound and form.is_valid():
        try:
            actions.discharge(
                referral=referral, actor=actor, summary=_summary(form.cleaned_data), plan=_plan(form.cleaned_data, rows)
            )
        except Refused as refused:
            if not refused.fields:
                raise
            add_refusal(form, refused.fields, {})
        else:
            messages.success(request, _("出院小结和康复计划已保存，请下转给基层机构。"))
            return redirect(request, reverse("referrals:detail", args=[key]))
    context = {
        "referral": referral,
        "form": form,
        "gender": presenters.gender_of(referral),
        "rows": [*rows, *({} for _empty in range(_EMPTY_ROWS))],
        "frequencies": texts.FREQUENCIES,
        "criteria": presenters.down_criteria(referral, form, rows, actor=actor),
    }
    return page_or_part(request, "referrals/discharge.html", "content", context, status=422 if bound else 200)


def _initial(referral: Any, actor: Any) -> dict[str, Any]:
    return {
        "diagnosis": referral.impression,
        "diagnosis_code": referral.impression_code,
        "follow_up_days": [str(day) for day in texts.FOLLOW_UP_DAYS],
        "warning_signs": list(texts.WARNING_SIGNS[:4]),
        "target_systolic": 140,
        "target_diastolic": 90,
        "contact_name": actor.display_name,
        "contact_phone": referral.target.phone if referral.target else "",
    }


def _summary(data: dict[str, Any]) -> actions.Discharge:
    return actions.Discharge(
        **{name: data[name] for name in ("diagnosis", "diagnosis_code", "findings", "summary", "outcome")}
    )


def _plan(data: dict[str, Any], rows: list[dict[str, str]]) -> actions.Plan:
    names = (
        "warning_signs", "rehabilitation", "diet", "target_systolic", "target_diastolic", "contact_name", "contact_phone",
    )  # fmt: skip
    return actions.Plan(
        medicines=rows,
        follow_up_days=[int(day) for day in data["follow_up_days"]],
        **{name: data[name] for name in names},
    )
