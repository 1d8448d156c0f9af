"""Pages of visits."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from doorstep.coordination.visits import actions, next_acts, pregnancy, queries, rules
from doorstep.coordination.visits.forms import OpenForm, VitalsForm, VoidForm
from doorstep.coordination.visits.permissions import Permission
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.access.refusals import NotFound
from doorstep.kernel.record import queries as record
from doorstep.kernel.web.pages import redirect, render
from doorstep.kernel.workflow import queries as workflow
from doorstep.kernel.workflow.once import once
from doorstep.people.residents import presenters
from doorstep.people.residents import queries as residents

_UNITS = {name: sign.unit for name, sign in rules.SIGNS.items()}


def _actor(request: HttpRequest) -> Actor:
    actor: Actor = request.actor  # type: ignore[attr-defined]
    return actor


@require_GET
def today(request: HttpRequest) -> HttpResponse:
    """The visits of today."""
    actor = _actor(request)
    actor.check(Permission.VISIT_OPEN)
    return render(request, "visits/work.html", {"visits": queries.visits_today(actor), "chosen": False})


@require_http_methods(["GET", "POST"])
@once
def open_visit(request: HttpRequest, resident_key: UUID) -> HttpResponse:
    """Begin to see a resident of the own panel; without a contract the way leads over the proof of presence."""
    actor = _actor(request)
    resident = residents.get_by_key(resident_key, actor)
    actor.check(Permission.VISIT_OPEN)
    if not queries.may_begin(resident_id=resident.pk, actor=actor):
        # Before a complaint is typed for nothing.
        return _prove(request)
    return _begin(request, actor, resident.pk, presence_id=None, name=resident.name)


@require_http_methods(["GET", "POST"])
@once
def begin(request: HttpRequest, presence_id: int) -> HttpResponse:
    """Begin to see a resident whose presence was proved a moment ago."""
    actor = _actor(request)
    proof = residents.get_presence(presence_id=presence_id, actor=actor)
    return _begin(request, actor, proof.resident_id, presence_id=presence_id, name="")


def _begin(request: HttpRequest, actor: Actor, resident_id: int, *, presence_id: int | None, name: str) -> HttpResponse:
    actor.check(Permission.VISIT_OPEN)
    form = OpenForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            visit = actions.open_visit(
                resident_id=resident_id, actor=actor, presence_id=presence_id, **form.cleaned_data
            )
        except NotFound:
            return _prove(request)
        return redirect(request, reverse("visits:detail", args=[visit.key]))
    return render(request, "visits/open.html", {"form": form, "name": name}, 422 if form.errors else 200)


def _prove(request: HttpRequest) -> HttpResponse:
    messages.warning(request, _("这位居民没有与本单位签约，请先核验本人到场，再开始接诊。"))
    return redirect(request, reverse("residents:presence"))


@require_GET
def detail(request: HttpRequest, key: UUID) -> HttpResponse:
    """One visit: complaint, what was measured, what comes next."""
    return _detail(request, key, None)


@require_POST
@once
def vitals(request: HttpRequest, key: UUID) -> HttpResponse:
    """Write what was measured."""
    actor = _actor(request)
    visit = queries.get_visit(key, actor)
    form = VitalsForm(request.POST, expecting=actions.is_asked_for_pregnancy(visit))
    if form.is_valid():
        # Both or neither: a pressure without the word that makes it dangerous would mislead.
        with transaction.atomic():
            if said := form.said():
                actions.record_pregnancy(visit=visit, actor=actor, **said)
            measured = (
                actions.record_vitals(visit=visit, actor=actor, **values) if (values := form.measured()) else None
            )
        if measured is None or measured.danger is None:
            messages.success(request, _("测量值已记录。") if measured else _("已保存"))
        return redirect(request, reverse("visits:detail", args=[visit.key]))
    return _detail(request, key, form, status=422)


@require_POST
@once
def finish(request: HttpRequest, key: UUID) -> HttpResponse:
    """End the visit."""
    actor = _actor(request)
    actions.finish(visit=queries.get_visit(key, actor), actor=actor)
    messages.success(request, _("接诊已结束。"))
    return redirect(request, reverse("visits:today"))


@require_POST
@once
def void(request: HttpRequest, key: UUID) -> HttpResponse:
    """Mark a visit as opened by mistake."""
    actor = _actor(request)
    visit = queries.get_visit(key, actor)
    form = VoidForm(request.POST)
    if not form.is_valid():
        return _detail(request, key, None, void_form=form, status=422)
    actions.void(visit=visit, reason=form.cleaned_data["reason"], actor=actor)
    messages.success(request, _("已作废，本单位因这次接诊打开的查阅已关闭。"))
    return redirect(request, reverse("visits:today"))


def _detail(
    request: HttpRequest,
    key: UUID,
    form: VitalsForm | None,
    *,
    void_form: VoidForm | None = None,
    status: int = 200,
) -> HttpResponse:
    actor = _actor(request)
    visit = queries.get_visit(key, actor)
    if request.method == "GET":
        record.note_look(resident_id=visit.resident_id, actor=actor, subject=visit.subject, action="visit.view")
    entries = record.of_episode(episode=visit.subject, types=("Observation",))
    units = {visit.organization_id: visit.organization.name}
    asked = actions.is_asked_for_pregnancy(visit)
    known = queries.pregnancy_known(resident_id=visit.resident_id) if asked else None
    form = form or VitalsForm(expecting=asked)
    context: dict[str, Any] = {
        "visit": visit,
        "visits": queries.visits_today(actor),
        "chosen": True,
        "banner": residents.banner(visit.resident),
        "form": form,
        "void_form": void_form or VoidForm(),
        "void_open": void_form is not None,
        "asks": form.asks,
        "units": {name: _(unit) for name, unit in _UNITS.items()},
        "lines": [presenters.line_of(entry, units=units) for entry in reversed(entries)],
        "danger": rules.danger_of_latest(presenters.pressures_of(entries[::-1]), expecting=known is not None),
        "pregnancy": (pregnancy.words_of(known), known.on) if known else None,
        "verbs": {way.verb for way in workflow.allowed(visit, actor=actor)},
        "acts": next_acts.links_of(visit, actor=actor) if visit.state == "in_progress" else [],
        "measures": visit.state == "in_progress" and actor.may(Permission.VITALS_RECORD),
    }
    return render(request, "visits/work.html", context, status)
