"""The village's pages: ask for an ECG, send its recording, see what became of one's orders."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from doorstep.care.diagnosis import actions, presenters, queries, states
from doorstep.care.diagnosis.forms import OrderForm, ReasonForm, RecordingForm
from doorstep.care.diagnosis.permissions import Permission
from doorstep.care.diagnosis.views.asking import actor_of, sent
from doorstep.coordination.visits import queries as visits
from doorstep.coordination.visits.complaints import is_pressing
from doorstep.kernel.access.refusals import Refused
from doorstep.kernel.record import queries as record
from doorstep.kernel.web.pages import page_or_part, redirect, render
from doorstep.kernel.web.refusing import show_refusal
from doorstep.kernel.workflow import queries as workflow
from doorstep.kernel.workflow.once import once
from doorstep.people.residents import queries as residents


@require_GET
def orders(request: HttpRequest) -> HttpResponse:
    """What the own units asked for, newest first, with where each stands."""
    actor = actor_of(request)
    actor.check(Permission.ECG_ORDER)
    found = queries.orders_of_source(actor=actor)
    lines = presenters.lines_of(found, queries.people(found), today=timezone.localdate())
    return page_or_part(request, "diagnosis/orders.html", "rows", {"lines": lines})


@require_http_methods(["GET", "POST"])
@once
def order(request: HttpRequest, visit_key: UUID) -> HttpResponse:
    """Ask for an ECG during a visit and send its file in the same step."""
    actor = actor_of(request)
    actor.check(Permission.ECG_ORDER)
    visit = visits.get_visit(visit_key, actor)
    waiting = queries.waiting_order(resident_id=visit.resident_id, source_id=visit.organization_id)
    if waiting is not None:
        return redirect(request, reverse("diagnosis:upload", args=[waiting.key]))
    form = OrderForm(sent(request), initial={"indication": visit.complaint, "urgent": is_pressing(visit.complaint)})
    if request.method == "POST" and form.is_valid():
        try:
            made = actions.order_after_look(visit=visit, actor=actor, **form.cleaned_data)
        except Refused as refused:
            if refused.status != 422:
                raise
            show_refusal(form, refused)
        else:
            return redirect(request, reverse("diagnosis:upload", args=[made.key]))
    elif form.is_bound:
        # Beside what the form itself refuses, so that nobody is sent back twice.
        facts = {name: request.POST.get(f"repeat_{name}", "") for name in ("reason", "words")}
        for name, fault in queries.repeat_faults(resident_id=visit.resident_id, **facts).items():
            if name not in form.errors:
                form.add_error(name, fault)
    hints = presenters.order_hints(visit, actor=actor)
    if request.method == "GET":
        record.note_look(resident_id=visit.resident_id, actor=actor, subject=visit.subject, action="cds.order-select")
    context = {
        "form": form,
        "visit": visit,
        "banner": residents.banner(visit.resident),
        "hints": hints,
        "stands": any(card.recognisable for card in hints),
    }
    return render(request, "diagnosis/order.html", context, 422 if form.errors else 200)


@require_POST
@once
def recognise(request: HttpRequest, visit_key: UUID) -> HttpResponse:
    """The ECG that stands is recognised: nothing is ordered."""
    actor = actor_of(request)
    actor.check(Permission.ECG_ORDER)
    visit = visits.get_visit(visit_key, actor)
    actions.recognise_result(visit=visit, actor=actor)
    messages.success(request, _("已记录：认可既往心电图，未重复检查。"))
    return redirect(request, reverse("visits:detail", args=[visit.key]))


_CONFIRMATIONS = ("confirm_missing_identity", "confirm_time")


@require_http_methods(["GET", "POST"])
@once
def upload(request: HttpRequest, key: UUID) -> HttpResponse:
    """Send the cart's file of an order."""
    actor = actor_of(request)
    actor.check(Permission.ECG_ORDER)
    found = queries.get_order(key, actor=actor)
    if found.state not in (states.REQUESTED, states.RETURNED):
        return redirect(request, reverse("diagnosis:report", args=[found.key]))
    form = RecordingForm(request.POST, request.FILES) if request.method == "POST" else RecordingForm()
    asks: list[str] = []
    if request.method == "POST" and form.is_valid():
        file = form.cleaned_data["recording"]
        try:
            actions.attach_recording(
                order=found,
                data=file.read(),
                name=file.name or "ecg",
                actor=actor,
                confirm_missing_identity=form.cleaned_data["confirm_missing_identity"],
                confirm_time=form.cleaned_data["confirm_time"],
            )
        except Refused as refused:
            if refused.status != 422:
                raise
            show_refusal(form, refused)
            ticked = [name for name in _CONFIRMATIONS if form.cleaned_data.get(name)]
            asks = [*ticked, *refused.fields] if refused.code == "confirm" else ticked
        else:
            messages.success(request, _("心电图已送达心电诊断中心，报告出来会立即提醒您。"))
            return redirect(request, reverse("diagnosis:report", args=[found.key]))
    reason = next((step.reason for step in reversed(workflow.history(found, actor=actor)) if step.reason), "")
    context = {
        "order": found,
        "form": form,
        "asks": asks,
        "reason": reason if found.state == states.RETURNED else "",
        "banner": residents.banner(found.resident),
        "cancel_form": ReasonForm(),
    }
    return page_or_part(request, "diagnosis/upload.html", "sending", context, 422 if form.errors else 200)


@require_POST
@once
def cancel(request: HttpRequest, key: UUID) -> HttpResponse:
    """Take an order back."""
    actor = actor_of(request)
    found = queries.get_order(key, actor=actor)
    actions.cancel(order=found, reason=request.POST.get("reason", ""), actor=actor)
    messages.success(request, _("申请已取消，心电诊断中心不再查看这位居民。"))
    return redirect(request, reverse("diagnosis:orders"))
