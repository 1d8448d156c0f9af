"""The reader's pages: the queue, the case, the loop from claim to signature."""

import gzip
from typing import Any
from uuid import UUID

import orjson
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from doorstep.care.diagnosis import actions, presenters, queries, report, states
from doorstep.care.diagnosis.ecg.reading import read_recording
from doorstep.care.diagnosis.ecg.wire import to_wire
from doorstep.care.diagnosis.forms import ReasonForm, ReportForm
from doorstep.care.diagnosis.permissions import Permission
from doorstep.care.diagnosis.views.asking import actor_of, key_of
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.access.refusals import Refused
from doorstep.kernel.web.pages import page_or_part, redirect, render
from doorstep.kernel.web.refusing import show_refusal
from doorstep.kernel.workflow import queries as workflow
from doorstep.kernel.workflow.once import once


@require_GET
def queue(request: HttpRequest) -> HttpResponse:
    """The centre's open cases, most urgent first; asks nothing of a record until a case is opened."""
    actor = actor_of(request)
    actor.check(Permission.ECG_QUEUE_VIEW)
    return page_or_part(request, "diagnosis/work.html", "list", _list(actor) | {"chosen": False, "order": None})


@require_GET
def work(request: HttpRequest, key: UUID) -> HttpResponse:
    """Where a task about an ECG leads: the reader to the case, the village to its upload, everybody else to the report."""
    actor = actor_of(request)
    order = queries.get_order(key, actor=actor)
    if order.state in (states.QUEUED, states.READING) and actor.reaches(order.center_id):
        actor.check(Permission.ECG_QUEUE_VIEW)
        return _case(request, order, actor)
    if order.state in (states.REQUESTED, states.RETURNED) and actor.reaches(order.source_id):
        return redirect(request, reverse("diagnosis:upload", args=[order.key]))
    return redirect(request, reverse("diagnosis:report", args=[order.key]))


@require_GET
def preread(request: HttpRequest, key: UUID) -> HttpResponse:
    """What the machine measured and suspects: asked for again by an open case until it is there."""
    actor = actor_of(request)
    actor.check(Permission.ECG_QUEUE_VIEW)
    return render(request, "diagnosis/_preread.html", _preread(queries.get_order(key, actor=actor)))


@require_POST
@once
def claim(request: HttpRequest, key: UUID) -> HttpResponse:
    """Take a case."""
    actor = actor_of(request)
    order = actions.claim(order=queries.get_order(key, actor=actor), actor=actor)
    return redirect(request, reverse("diagnosis:work", args=[order.key]))


@require_POST
@once
def take_next(request: HttpRequest) -> HttpResponse:
    """Take the most urgent case that nobody holds; one that is still in hand comes first."""
    actor = actor_of(request)
    actor.check(Permission.ECG_READ)
    held = queries.held_by(actor=actor)
    following = held or queries.next_case(actor=actor)
    if following is None:
        messages.info(request, _("队列里没有等待判读的心电图。"))
        return redirect(request, reverse("diagnosis:queue"))
    actions.claim(order=following, actor=actor)
    return redirect(request, reverse("diagnosis:work", args=[following.key]))


@require_POST
def renew(request: HttpRequest, key: UUID) -> HttpResponse:
    """Keep a case: the page says that its reader is still there."""
    actor = actor_of(request)
    actions.renew_lease(order=queries.get_order(key, actor=actor), actor=actor)
    return HttpResponse(status=204)


@require_POST
def draft(request: HttpRequest, key: UUID) -> HttpResponse:
    """Keep what was written so far."""
    actor = actor_of(request)
    form = ReportForm(request.POST)
    if not form.is_valid():
        raise Refused(
            " ".join(f"{form[name].label}：{' '.join(map(str, texts))}" for name, texts in form.errors.items())
        )
    actions.save_draft(order=queries.get_order(key, actor=actor), report=form.report(), actor=actor)
    return HttpResponse(status=204)


@require_POST
@once
def sign(request: HttpRequest, key: UUID) -> HttpResponse:
    """Sign the report and go on to the next case of the queue."""
    actor = actor_of(request)
    order = queries.get_order(key, actor=actor)
    form = ReportForm(request.POST)
    if form.is_valid():
        try:
            actions.sign(
                order=order,
                report=form.report(),
                measurements_confirmed=form.cleaned_data["measurements_confirmed"],
                actor=actor,
            )
        except Refused as refused:
            if refused.status != 422:
                raise
            show_refusal(form, refused)
        else:
            messages.success(request, _("报告已签发，申请单位已收到。"))
            return redirect(request, reverse("diagnosis:report", args=[order.key]))
    else:
        form.say_all(confirmed=form.cleaned_data["measurements_confirmed"])
    return _case(request, order, actor, form=form, status=422)


@require_POST
@once
def release(request: HttpRequest, key: UUID) -> HttpResponse:
    """Give a case back."""
    actor = actor_of(request)
    actions.release(order=queries.get_order(key, actor=actor), actor=actor)
    return redirect(request, reverse("diagnosis:queue"))


@require_POST
@once
def send_back(request: HttpRequest, key: UUID) -> HttpResponse:
    """Send a recording back that cannot be read."""
    actor = actor_of(request)
    order = queries.get_order(key, actor=actor)
    form = ReasonForm(request.POST)
    if not form.is_valid():
        return _case(request, order, actor, reason_form=form, status=422)
    actions.return_recording(order=order, reason=form.cleaned_data["reason"], actor=actor)
    messages.success(request, _("已退回申请单位重新采集。"))
    return redirect(request, reverse("diagnosis:queue"))


@require_GET
def wave(request: HttpRequest, key: UUID) -> HttpResponse:
    """A recording for the viewer, compressed; the look is audited."""
    file = queries.recording_file(key, actor=actor_of(request))
    body = gzip.compress(orjson.dumps(to_wire(read_recording(bytes(file.content)))), compresslevel=5, mtime=0)
    response = HttpResponse(body, content_type="application/json")
    response.headers["Content-Encoding"] = "gzip"
    response.headers["Cache-Control"] = "private, no-store"
    return response


@require_GET
def file(request: HttpRequest, key: UUID) -> HttpResponse:
    """A recording as it was sent; the look is audited."""
    found = queries.recording_file(key, actor=actor_of(request))
    response = HttpResponse(bytes(found.content), content_type=found.media_type)
    response.headers["Content-Disposition"] = f'attachment; filename="{found.key}"'
    response.headers["Cache-Control"] = "private, no-store"
    return response


@require_GET
def outcomes(request: HttpRequest) -> HttpResponse:
    """What this reader signed and how it ended."""
    actor = actor_of(request)
    actor.check(Permission.ECG_OUTCOME_VIEW)
    signed = queries.signed_by(actor=actor)
    lines = presenters.lines_of(signed, queries.people(signed), today=timezone.localdate())
    new = actions.see_outcomes(orders=signed, actor=actor)
    return render(request, "diagnosis/outcomes.html", {"lines": lines, "new": new})


def _list(actor: Actor) -> dict[str, Any]:
    orders = queries.queue(actor=actor)
    lines = presenters.lines_of(orders, queries.people(orders), today=timezone.localdate())
    return {"lines": lines, "waiting": sum(line.order.state == states.QUEUED for line in lines)}


def _preread(order: Any) -> dict[str, Any]:
    return {
        "order": order,
        "suspicions": presenters.suspicions_of(order),
        "suggestions": report.suggested(order.preread),
    }


def _case(
    request: HttpRequest,
    order: Any,
    actor: Actor,
    *,
    form: ReportForm | None = None,
    reason_form: ReasonForm | None = None,
    status: int = 200,
) -> HttpResponse:
    shown = _list(actor)
    earlier = queries.earlier_recordings(order=order)
    wanted = key_of(request.GET.get("compare", ""))
    beside = next((one for one in earlier if one.key == wanted), earlier[0] if earlier else None)
    mine = order.state == states.READING and order.reader_user_id == actor.user_id
    machine = _preread(order)
    context = (
        shown
        | machine
        | {
            "chosen": True,
            "line": next((line for line in shown["lines"] if line.order.pk == order.pk), None)
            or presenters.lines_of([order], queries.people([order]), today=timezone.localdate())[0],
            "mine": mine,
            "form": form or ReportForm(initial=ReportForm.start(order, machine["suggestions"])),
            "reason_form": reason_form or ReasonForm(),
            "reason_open": reason_form is not None,
            "recording_key": queries.recording_key(order),
            "earlier": earlier,
            "beside": None if request.GET.get("compare") == "none" else beside,
            "measures": report.MEASURES,
            "phrases": presenters.phrases(),
            "verbs": {way.verb for way in workflow.allowed(order, actor=actor)},
            "other_draft": order.drafted_by if mine and order.drafted_by not in ("", actor.display_name) else "",
        }
    )
    return render(request, "diagnosis/work.html", context, status)
