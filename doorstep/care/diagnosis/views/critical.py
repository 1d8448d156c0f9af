"""Critical values: the list, the one, taking it on, writing what was done."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from doorstep.care.diagnosis import actions, next_acts, presenters, queries, states
from doorstep.care.diagnosis.forms import CloseForm
from doorstep.care.diagnosis.permissions import Permission
from doorstep.care.diagnosis.views.asking import actor_of
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.access.refusals import Refused
from doorstep.kernel.record import queries as record
from doorstep.kernel.web.pages import page_or_part, redirect, render
from doorstep.kernel.web.refusing import show_refusal
from doorstep.kernel.workflow import queries as workflow
from doorstep.kernel.workflow.once import once
from doorstep.kernel.worklist import queries as worklist
from doorstep.people.organizations import queries as organizations
from doorstep.people.residents import queries as residents


@require_GET
def criticals(request: HttpRequest) -> HttpResponse:
    """The critical values of the actor's units, open ones first."""
    actor = actor_of(request)
    _check(actor)
    return page_or_part(request, "diagnosis/critical.html", "list", _list(actor) | {"chosen": False, "critical": None})


@require_GET
def detail(request: HttpRequest, key: UUID) -> HttpResponse:
    """One critical value: what it is, who has it, what was done."""
    actor = actor_of(request)
    critical = queries.get_critical(key, actor=actor)
    record.note_look(resident_id=critical.resident_id, actor=actor, subject=critical.subject, action="critical.view")
    return _page(request, critical, actor, None)


@require_POST
@once
def acknowledge(request: HttpRequest, key: UUID) -> HttpResponse:
    """Take it on."""
    actor = actor_of(request)
    actions.acknowledge(critical=queries.get_critical(key, actor=actor), actor=actor)
    messages.success(request, _("已确认收到。请立即处置，并在 30 分钟内登记处置情况。"))
    return redirect(request, reverse("diagnosis:critical", args=[key]))


@require_POST
@once
def close(request: HttpRequest, key: UUID) -> HttpResponse:
    """Write what was done."""
    actor = actor_of(request)
    critical = queries.get_critical(key, actor=actor)
    form = CloseForm(request.POST)
    if form.is_valid():
        try:
            actions.close_critical(critical=critical, actor=actor, **form.cleaned_data)
        except Refused as refused:
            if refused.status != 422:
                raise
            show_refusal(form, refused)
        else:
            messages.success(request, _("处置已登记，危急值流程结束。"))
            return redirect(request, reverse("diagnosis:critical", args=[key]))
    return _page(request, critical, actor, form, status=422)


def _check(actor: Actor) -> None:
    if not actor.may(Permission.ECG_READ):
        actor.check(Permission.CRITICAL_ACKNOWLEDGE)


def _list(actor: Actor) -> dict[str, Any]:
    found = queries.criticals(actor=actor)
    tasks = worklist.tasks_of_items(machine=states.CRITICAL_VALUE.name, item_ids=[one.pk for one in found])
    lines = presenters.critical_lines(found, queries.people(found), tasks)
    return {"lines": lines, "waiting": sum(line.open for line in lines)}


def _page(
    request: HttpRequest, critical: Any, actor: Actor, form: CloseForm | None, *, status: int = 200
) -> HttpResponse:
    people = queries.people([critical])
    resident = people.get(critical.resident_id)
    tasks = worklist.escalations_of(machine=critical.machine.name, item_id=critical.pk)
    steps = [(critical.machine, step) for step in workflow.history(critical, actor=actor)]
    may_act = actor.may(Permission.CRITICAL_ACKNOWLEDGE) and queries.holder_for(critical=critical, actor=actor)
    task = worklist.task_of(machine=critical.machine.name, item_id=critical.pk)
    facts = next_acts.ReportFacts(
        origin=f"ecg-order/{critical.order_key}",
        resident_key=str(resident.key) if resident else "",
        source_id=critical.source_id,
        critical=True,
        conclusion=critical.conclusion_text,
    )
    open_now = critical.state in (states.TOLD, states.ACKNOWLEDGED)
    # A referral that went out is what was done: the register is filled in and one click confirms it.
    sent = next_acts.sent_for(facts.origin, actor=actor) if may_act and open_now else ""
    context = _list(actor) | {
        "chosen": True,
        "sent": sent,
        "acts": next_acts.acts_for(facts, actor=actor) if resident and may_act and open_now and not sent else [],
        "critical": critical,
        "text": presenters.critical_text(critical.code),
        "state": presenters.label_of(critical.machine, critical.state),
        "tone": presenters.tone_of(critical.state),
        "banner": residents.banner(resident) if resident else None,
        "resident": resident,
        "task": task,
        "may_acknowledge": bool(may_act) and critical.state == states.TOLD,
        "may_close": bool(may_act) and critical.state == states.ACKNOWLEDGED,
        "form": form or CloseForm(initial=CloseForm.referred(sent)),
        "story": presenters.story(steps, tasks, organizations.names(ids={one.organization_id for one in tasks})),
    }
    return render(request, "diagnosis/critical.html", context, status)
