"""The specialist's pages: patients, admission, discharge with the plan builder."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from doorstep.care.referrals import actions, down_aims, down_queries, list_queries, queries, texts
from doorstep.care.referrals.actions.treating import LONGEST_PRESCRIPTION
from doorstep.care.referrals.down_rules import disease_of
from doorstep.care.referrals.forms import AdmitForm, DischargeForm, add_refusal, add_rest
from doorstep.care.referrals.permissions import Permission
from doorstep.care.referrals.plan_signs import signs_of
from doorstep.care.referrals.presenters import choices, going_home, homeward
from doorstep.care.referrals.presenters import thing as presenters
from doorstep.care.referrals.views.frame import actor_of, work
from doorstep.coordination.beds import medicines as lines
from doorstep.kernel.access.refusals import Refused
from doorstep.kernel.web.navigation import belong_to
from doorstep.kernel.web.pages import page_or_part, redirect, render_part
from doorstep.kernel.workflow import queries as workflow
from doorstep.kernel.workflow.once import once

_EMPTY_ROWS = 2
_MOST_ROWS = 30


@require_GET
def patients(request: HttpRequest) -> HttpResponse:
    """Arrived, in treatment, discharged; `?mine=1` shows the actor's own."""
    actor = actor_of(request)
    actor.check(Permission.REFERRAL_TREAT)
    mine = request.GET.get("mine") == "1"
    page = list_queries.list_treating(actor=actor, mine=mine, after=request.GET.get("after", ""))
    address = reverse("referrals:treating") + ("?mine=1" if mine else "")
    return work(request, title=_("接诊与住院"), page=page, address=address)


@require_http_methods(["GET", "POST"])
@once
def admit(request: HttpRequest, key: UUID) -> HttpResponse:
    """Admit to a ward."""
    actor = actor_of(request)
    actor.check(Permission.REFERRAL_TREAT)
    referral = queries.get(key=key, actor=actor)
    if request.method == "GET" and "admit" not in {way.verb for way in workflow.allowed(referral, actor=actor)}:
        # An old page or a kept address: nobody fills in a form that would be refused.
        messages.warning(request, _("这份转诊现在不能收治入院，请先看当前状态。"))
        return redirect(request, reverse("referrals:detail", args=[key]))
    belong_to(request, reverse("referrals:treating"))
    form = AdmitForm(
        request.POST if request.method == "POST" else None,
        beds=choices.beds_of(referral),
        initial={"bed_key": str(referral.bed_key or "")},
    )
    if form.is_bound and form.is_valid() and _admitted(form, referral, actor):
        messages.success(request, _("已收治入院。"))
        return redirect(request, reverse("referrals:detail", args=[key]))
    context = {"referral": referral, "form": form, "gender": presenters.gender_of(referral)}
    return page_or_part(request, "referrals/admit.html", "content", context, status=422 if form.is_bound else 200)


@require_http_methods(["GET", "POST"])
@once
def discharge(request: HttpRequest, key: UUID) -> HttpResponse:
    """The discharge summary with the recovery plan; for a draft that goes down, the consent and the receiver as well."""
    actor = actor_of(request)
    actor.check(Permission.REFERRAL_TREAT)
    referral = queries.get(key=key, actor=actor)
    belong_to(request, reverse("referrals:treating"))
    bound, down = request.method == "POST", referral.state == "draft"
    proposal = down_queries.agreed_proposal(referral_id=referral.pk)
    known = going_home.known_now(referral, actor=actor)
    form = DischargeForm(request.POST if bound else None, initial=_initial(referral, actor, proposal, known))
    rows = lines.rows_of(request.POST) if bound else list(proposal.plan.get("medicines", [])) if proposal else []
    # The signs of this patient's disease first, as the proposal named them.
    form.order_signs(form.initial["warning_signs"])
    going_home.fill_receivers(form, referral, rows)
    if bound and form.is_valid():
        try:
            with transaction.atomic():
                _discharged(form, referral, rows, actor=actor, down=down)
        except Refused as refused:
            if not refused.fields:
                raise
            add_refusal(form, refused.fields, {})
        else:
            messages.success(
                request, _("出院小结和康复计划已保存，请下转给基层机构。") if not down else _("患者已下转。")
            )
            return redirect(request, reverse("referrals:detail", args=[key]))
    elif bound:
        add_rest(form, actions.plan_problems(_summary(form.cleaned_data), _plan(form.cleaned_data, rows)))
    empty: dict[str, str] = {}
    context = {
        "referral": referral,
        "form": form,
        "down": down,
        "gender": presenters.gender_of(referral),
        "rows": [*rows, *(empty for _row in range(_EMPTY_ROWS))],
        "frequencies": texts.FREQUENCIES,
        "row_address": _row_address(),
        "longest": LONGEST_PRESCRIPTION if bound else None,
        "criteria": going_home.down_criteria(known, form, rows, referral=referral),
        "long_term": going_home.long_term_rows(known, rows),
        "owes": any(one.get("granted") and "先诊疗后付费" in str(one.get("title")) for one in referral.benefits),
    }
    return page_or_part(request, "referrals/discharge.html", "content", context, status=422 if bound else 200)


@require_GET
def receivers(request: HttpRequest, key: UUID) -> HttpResponse:
    """The units that may take a patient over for the aim of a form, as the choices of its field."""
    actor = actor_of(request)
    actor.check(Permission.REFERRAL_TREAT)
    referral = queries.get(key=key, actor=actor)
    # A form that is being written sends its medicines along; a dialog goes by the plan as it was kept.
    written = lines.rows_of(request.GET)[:_MOST_ROWS] if "medicine_name" in request.GET else None
    rows = homeward.receivers(referral, aim=request.GET.get("aim", ""), medicines=written)
    return render_part(request, "referrals/_receivers.html", "options", {"rows": rows})


@require_GET
def medicines(request: HttpRequest) -> HttpResponse:
    """Medicines of the terminology that fit what is typed; each adds a row to the plan."""
    actor = actor_of(request)
    actor.check(Permission.REFERRAL_TREAT)
    found = lines.find(request.GET.get("medicine", ""))
    return render_part(request, "beds/_medicines.html", "found", {"found": found, "row_address": _row_address()})


@require_GET
def medicine_row(request: HttpRequest) -> HttpResponse:
    """A row of the plan: of the medicine with this code, of each long-term medicine that the address holds, or an empty one."""
    actor = actor_of(request)
    actor.check(Permission.REFERRAL_TREAT)
    rows = lines.rows_of(request.GET)[:_MOST_ROWS] or [lines.row_of(request.GET.get("code", ""))]
    context = {"rows": rows, "frequencies": texts.FREQUENCIES, "row_address": _row_address()}
    return render_part(request, "beds/_medicines.html", "row", context)


def _row_address() -> str:
    return reverse("referrals:medicine-row")


def _admitted(form: AdmitForm, referral: Any, actor: Any) -> bool:
    try:
        with transaction.atomic():
            actions.admit(referral=referral, actor=actor, **form.cleaned_data)
    except Refused as refused:
        if not refused.fields:
            raise
        add_refusal(form, refused.fields, {})
        return False
    return True


def _discharged(form: DischargeForm, referral: Any, rows: list[dict[str, str]], *, actor: Any, down: bool) -> None:
    data = form.cleaned_data
    if down:
        actions.send_down(
            referral=referral,
            actor=actor,
            summary=_summary(data),
            plan=_plan(data, rows),
            consent=actions.Consent(signer=data["consent_signer"], relation=data["consent_relation"]),
            receiver_id=data["receiver"],
            aim=data["aim"],
        )
    else:
        actions.discharge(referral=referral, actor=actor, summary=_summary(data), plan=_plan(data, rows))


def _initial(referral: Any, actor: Any, proposal: Any, known: Any) -> dict[str, Any]:
    drafted = proposal.plan if proposal else {}
    target = going_home.target_of(known, referral) or (None, None)
    consent = drafted.get("consent", {})
    return {
        "diagnosis": referral.impression,
        "diagnosis_code": referral.impression_code,
        "follow_up_days": [str(day) for day in drafted.get("follow_up_days", texts.FOLLOW_UP_DAYS)],
        "warning_signs": drafted.get("warning_signs") or _signs_of(referral, known),
        "target_systolic": target[0],
        "target_diastolic": target[1],
        "contact_name": drafted.get("contact_name") or actor.display_name,
        "contact_phone": drafted.get("contact_phone") or (referral.target.phone if referral.target else ""),
        "aim": proposal.aim if proposal else referral.goes_to or down_aims.CLINIC,
        "receiver": proposal.receiver_id if proposal else choices.receiver_for(referral),
        "consent_signer": consent.get("signer", referral.patient_name),
        "consent_relation": consent.get("relation", "self"),
    }


def _signs_of(referral: Any, known: Any) -> list[str]:
    disease = disease_of(referral.impression_code, referral.impression)
    # Of what the record has only names are sure.
    taken = [{"name": one.name, "code": one.code} for one in known.long_term]
    return signs_of(disease, taken, groups={})


def _summary(data: dict[str, Any]) -> actions.Discharge:
    """What the form says, as far as it could be read."""
    given = {name: data.get(name, "") for name in ("diagnosis", "diagnosis_code", "findings", "summary", "outcome")}
    return actions.Discharge(**given, owed=data.get("owed"))


def _plan(data: dict[str, Any], rows: list[dict[str, str]]) -> actions.Plan:
    return actions.Plan(
        medicines=rows,
        follow_up_days=[int(day) for day in data.get("follow_up_days", ())],
        warning_signs=data.get("warning_signs", []),
        target_systolic=data.get("target_systolic"),
        target_diastolic=data.get("target_diastolic"),
        **{name: data.get(name, "") for name in ("rehabilitation", "diet", "contact_name", "contact_phone")},
    )
