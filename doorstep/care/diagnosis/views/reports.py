"""The signed report: on the page, on paper, and what comes next."""

from itertools import chain
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from doorstep.care.diagnosis import actions, next_acts, presenters, printing, queries, report, states
from doorstep.care.diagnosis.forms import ReasonForm, ReportForm
from doorstep.care.diagnosis.permissions import Permission
from doorstep.care.diagnosis.views.asking import actor_of, sent
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.access.refusals import NotFound, Refused
from doorstep.kernel.record import queries as record
from doorstep.kernel.web.pages import page_or_part, redirect, render
from doorstep.kernel.web.refusing import show_refusal
from doorstep.kernel.workflow import queries as workflow
from doorstep.kernel.workflow.once import once
from doorstep.kernel.worklist import queries as worklist
from doorstep.people.organizations import queries as organizations
from doorstep.people.residents import queries as residents


@require_GET
def detail(request: HttpRequest, key: UUID) -> HttpResponse:
    """An ECG with its report, clocks, critical values and next acts; before the signature, where it stands."""
    actor = actor_of(request)
    order = queries.get_order(key, actor=actor)
    record.note_look(resident_id=order.resident_id, actor=actor, subject=order.subject, action="ecg-order.view")
    return page_or_part(request, "diagnosis/report.html", "report", _context(order, actor))


@require_GET
def pdf(request: HttpRequest, key: UUID) -> HttpResponse:
    """The newest version as a printed report with the code that proves it."""
    actor = actor_of(request)
    order = queries.get_order(key, actor=actor)
    versions = queries.versions(order=order)
    if not versions:
        raise NotFound()
    record.note_look(resident_id=order.resident_id, actor=actor, subject=order.subject, action="ecg-order.print")
    address = request.build_absolute_uri(reverse("verify-report", args=[versions[-1].key]))
    body = printing.pdf_of(order, versions[-1], address=address)
    response = HttpResponse(body, content_type="application/pdf")
    response.headers["Content-Disposition"] = f'inline; filename="ecg-{order.key}.pdf"'
    response.headers["Cache-Control"] = "private, no-store"
    return response


@require_http_methods(["GET", "POST"])
@once
def amend(request: HttpRequest, key: UUID) -> HttpResponse:
    """Replace a signed report by a newer version."""
    actor = actor_of(request)
    actor.check(Permission.ECG_SIGN)
    order = queries.get_order(key, actor=actor)
    if not actor.reaches(order.center_id) or order.state != states.SIGNED:
        raise NotFound()
    form = ReportForm(sent(request), initial=ReportForm.start(order, {}))
    reason_form = ReasonForm(sent(request))
    # Both, so that both say what is wrong.
    valid = all([form.is_valid(), reason_form.is_valid()])
    if request.method == "POST" and not valid:
        form.say_all(confirmed=True)
    elif request.method == "POST":
        try:
            actions.amend(order=order, report=form.report(), reason=reason_form.cleaned_data["reason"], actor=actor)
        except Refused as refused:
            if refused.status != 422:
                raise
            show_refusal(form, refused)
        else:
            messages.success(request, _("修订版已签发，申请单位已收到。"))
            return redirect(request, reverse("diagnosis:report", args=[order.key]))
    context = {
        "order": order,
        "form": form,
        "reason_form": reason_form,
        "measures": report.MEASURES,
        "phrases": presenters.phrases(),
        "banner": residents.banner(order.resident),
    }
    return render(request, "diagnosis/amend.html", context, 422 if form.errors or reason_form.errors else 200)


def _context(order: Any, actor: Actor) -> dict[str, Any]:
    people = queries.people([order])
    criticals = queries.criticals_of(order=order)
    tasks = list(
        chain(
            worklist.escalations_of(machine=order.machine.name, item_id=order.pk),
            *(worklist.escalations_of(machine=one.machine.name, item_id=one.pk) for one in criticals),
        )
    )
    steps = [(order.machine, step) for step in workflow.history(order, actor=actor)]
    for one in criticals:
        steps += [(one.machine, step) for step in workflow.history(one, actor=actor)]
    resident = people.get(order.resident_id)
    facts = next_acts.ReportFacts(
        origin=order.subject,
        resident_key=str(resident.key) if resident else "",
        source_id=order.source_id,
        critical=bool(order.critical_code),
        conclusion=order.conclusion_text,
    )
    signed = order.signed_at is not None
    return {
        "order": order,
        "line": presenters.lines_of([order], people, today=timezone.localdate())[0],
        "banner": residents.banner(resident) if resident else None,
        "signed": signed,
        "measurements": presenters.measurements_of(order) if signed else [],
        "critical_text": presenters.critical_text(order.critical_code) if signed else "",
        "criticals": [
            (one, presenters.label_of(one.machine, one.state), presenters.tone_of(one.state)) for one in criticals
        ],
        "versions": queries.versions(order=order) if order.version > 1 else [],
        "recording_key": queries.recording_key(order),
        "story": presenters.story(steps, tasks, organizations.names(ids={task.organization_id for task in tasks})),
        "acts": next_acts.acts_for(facts, actor=actor) if signed and resident else [],
        "verbs": {way.verb for way in workflow.allowed(order, actor=actor)},
        "reason_form": ReasonForm(),
        "reads": actor.may(Permission.ECG_READ) and actor.reaches(order.center_id),
    }
