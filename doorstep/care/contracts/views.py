"""Pages of contracts: the panel, drafting, signing, one contract, renewal and ending."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from doorstep.care.contracts import actions, presenters, queries
from doorstep.care.contracts.actions import Terms
from doorstep.care.contracts.forms import SignForm, TerminateForm, TermsForm
from doorstep.care.contracts.permissions import Permission
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.access.refusals import NotFound, Refused
from doorstep.kernel.web.pages import page_or_part, redirect, render
from doorstep.kernel.workflow import queries as workflow
from doorstep.kernel.workflow.once import once
from doorstep.people.residents import actions as residents
from doorstep.people.residents import queries as resident_queries
from doorstep.people.residents.forms import PresenceForm

FILTERS = ("live", "60", "30", "7", "draft", "ended")


@require_GET
def panel(request: HttpRequest) -> HttpResponse:
    """The contracts of the unit, those that end first on top, with filters for renewal."""
    actor = _actor(request, Permission.CONTRACT_VIEW)
    today = timezone.localdate()
    show = request.GET.get("show", "live")
    show = show if show in FILTERS else "live"
    team = request.GET.get("team", "")
    found = queries.panel(
        actor=actor, team_id=int(team) if team.isdecimal() else None, show=show, today=today, after=_after(request)
    )
    context = {
        "lines": presenters.lines(found, today=today),
        "counts": queries.panel_counts(actor=actor, today=today),
        "teams": queries.teams_for(actor=actor),
        "team": team,
        "show": show,
        "more": f"{found[-1].ends_on.isoformat()}.{found[-1].pk}" if len(found) == 50 else "",
    }
    return page_or_part(request, "contracts/panel.html", "lines", context)


@once
@require_http_methods(["GET", "POST"])
def new(request: HttpRequest, resident_key: UUID | None = None) -> HttpResponse:
    """Write down an agreement with a resident: ?resident=<key>, or the key in the address."""
    actor = _actor(request, Permission.CONTRACT_SIGN)
    resident = resident_queries.get_by_key(resident_key or _key(request.GET.get("resident", "")), actor)
    form = _terms_form(request, actor)
    if request.method == "POST" and form.is_valid():
        try:
            contract = actions.draft(resident_id=resident.pk, terms=_terms(form), actor=actor)
        except Refused as refused:
            _explain(form, refused)
        else:
            return redirect(request, reverse("contracts:detail", args=[contract.key]))
    context = {
        "form": form,
        "banner": resident_queries.banner(resident),
        "running": queries.active_contract(resident_id=resident.pk),
    }
    return page_or_part(request, "contracts/new.html", "form", context, status=422 if form.is_bound else 200)


@require_GET
def detail(request: HttpRequest, key: UUID) -> HttpResponse:
    """One contract: states, parties, fees, benefits with their reasons, and the next act."""
    actor = _actor(request, Permission.CONTRACT_VIEW)
    return _detail(request, queries.get_contract(contract_key=key, actor=actor), actor)


@once
@require_POST
def sign(request: HttpRequest, key: UUID) -> HttpResponse:
    """Sign a draft; without a fresh proof of presence the same form proves it."""
    actor = _actor(request, Permission.CONTRACT_SIGN)
    contract = queries.get_contract(contract_key=key, actor=actor)
    form = SignForm(request.POST)
    presence_id, presence = _presence(request, contract.resident_id, actor)
    if form.is_valid() and presence_id is not None:
        facts = form.cleaned_data
        try:
            actions.sign(contract=contract, actor=actor, presence_id=presence_id, **facts)
        except Refused as refused:
            _explain(form, refused)
        else:
            messages.success(request, _("签约成功，团队成员现在可以查看居民档案。"))
            return redirect(request, reverse("contracts:detail", args=[key]))
    return _detail(request, contract, actor, sign_form=form, presence_form=presence, status=422)


@once
@require_http_methods(["GET", "POST"])
def renew(request: HttpRequest, key: UUID) -> HttpResponse:
    """Follow a contract by the next one; the resident is present."""
    actor = _actor(request, Permission.CONTRACT_SIGN)
    contract = queries.get_contract(contract_key=key, actor=actor)
    initial = {
        "team": contract.team_id,
        "secondary_hospital": contract.secondary_hospital_id,
        "tertiary_hospital": contract.tertiary_hospital_id,
        "starts_on": contract.ends_on + timedelta(days=1),
        "term_years": contract.term_years,
        "package_code": contract.package_code,
    }
    form = _terms_form(request, actor, initial=initial)
    sign_form = SignForm(request.POST or None, initial={"signer_name": contract.resident.name})
    presence_id, presence = _presence(request, contract.resident_id, actor)
    if request.method == "POST" and form.is_valid() and sign_form.is_valid() and presence_id is not None:
        try:
            following = actions.renew(
                contract=contract, terms=_terms(form), actor=actor, presence_id=presence_id, **sign_form.cleaned_data
            )
        except Refused as refused:
            _explain(form, refused)
        else:
            messages.success(request, _("续约成功。"))
            return redirect(request, reverse("contracts:detail", args=[following.key]))
    context = {
        "contract": contract,
        "form": form,
        "sign_form": sign_form,
        "presence_form": presence,
    }
    return page_or_part(request, "contracts/renew.html", "form", context, status=422 if form.is_bound else 200)


@once
@require_POST
def terminate(request: HttpRequest, key: UUID) -> HttpResponse:
    """End a contract early."""
    actor = _actor(request, Permission.CONTRACT_SIGN)
    contract = queries.get_contract(contract_key=key, actor=actor)
    form = TerminateForm(request.POST)
    if not form.is_valid():
        return _detail(request, contract, actor, terminate_form=form, status=422)
    actions.terminate(contract=contract, actor=actor, **form.cleaned_data)
    messages.success(request, _("已解约，团队不再能查看居民档案。"))
    return redirect(request, reverse("contracts:panel"))


def _detail(
    request: HttpRequest,
    contract: presenters.ShownContract,
    actor: Actor,
    *,
    sign_form: SignForm | None = None,
    presence_form: PresenceForm | None = None,
    terminate_form: TerminateForm | None = None,
    status: int = 200,
) -> HttpResponse:
    day = timezone.localdate()
    verbs = {way.verb for way in workflow.allowed(contract, actor=actor)}
    fresh = queries.fresh_presence(resident_id=contract.resident_id, actor=actor) if "sign" in verbs else None
    context = {
        "contract": contract,
        "state": presenters.state_label(contract),
        "package": presenters.package_label(contract),
        "steps": presenters.steps(contract, workflow.history(contract, actor=actor)),
        "benefits": presenters.benefits(queries.decisions_of(contract, critical=True, day=day)),
        "days_left": contract.days_left(day),
        "verbs": verbs,
        "fresh": fresh,
        "sign_form": sign_form or SignForm(initial={"signer_name": contract.resident.name}),
        "presence_form": None if fresh else presence_form or PresenceForm(),
        "terminate_form": terminate_form or TerminateForm(),
        "banner": resident_queries.banner(contract.resident),
        "insurance": resident_queries.insurance_words(resident_id=contract.resident_id),
    }
    return render(request, "contracts/detail.html", context, status=status)


def _presence(request: HttpRequest, resident_id: int, actor: Actor) -> tuple[int | None, PresenceForm | None]:
    """The id of a fresh proof of this resident's presence; else the form that proves it, with what was wrong."""
    fresh = queries.fresh_presence(resident_id=resident_id, actor=actor)
    if fresh is not None:
        return fresh.pk, None
    form = PresenceForm(request.POST or None)
    if not form.is_bound or not form.is_valid():
        return None, form
    facts = form.cleaned_data
    answer = residents.prove_presence(
        number=facts["number"],
        actor=actor,
        name=facts.get("name", ""),
        phone_last_four=facts.get("last_four", ""),
        code=facts.get("code", ""),
    )
    fresh = queries.fresh_presence(resident_id=resident_id, actor=actor)
    if fresh is not None:
        return fresh.pk, None
    form.add_error(
        "number",
        _("核对失败次数过多，请稍后再试。") if answer.closed else _("身份证号与第二项核对不相符，请当面核对后重试。"),
    )
    return None, form


def _terms_form(request: HttpRequest, actor: Actor, initial: dict[str, Any] | None = None) -> TermsForm:
    teams = [
        (team.pk, _("%(team)s（%(leader)s）") % {"team": team.name, "leader": team.leader.name})
        for team in queries.teams_for(actor=actor)
    ]
    hospitals = queries.hospitals(tiers=(2, 3))
    return TermsForm(
        request.POST or None,
        teams=teams,
        secondary=[(unit.pk, unit.name) for unit in hospitals if unit.tier == 2],
        tertiary=[(unit.pk, unit.name) for unit in hospitals if unit.tier == 3],
        initial=initial or {},
    )


def _terms(form: TermsForm) -> Terms:
    facts = form.cleaned_data
    return Terms(
        team_id=facts["team"],
        secondary_hospital_id=facts["secondary_hospital"],
        tertiary_hospital_id=facts["tertiary_hospital"],
        starts_on=facts["starts_on"],
        term_years=facts["term_years"],
        package_code=facts["package_code"],
        sign_mode=facts["sign_mode"],
    )


def _explain(form: forms.Form, refused: Refused) -> None:
    if refused.status not in (409, 422):
        raise refused
    for name, sentence in refused.fields.items():
        form.add_error(name if name in form.fields else None, str(sentence))
    if not refused.fields:
        form.add_error(None, str(refused.message))


def _after(request: HttpRequest) -> tuple[date, int] | None:
    day, _dot, number = request.GET.get("after", "").partition(".")
    try:
        return date.fromisoformat(day), int(number)
    except ValueError:
        return None


def _key(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise NotFound() from error


def _actor(request: HttpRequest, permission: str) -> Actor:
    actor: Actor = request.actor  # type: ignore[attr-defined]
    actor.check(permission)
    return actor
