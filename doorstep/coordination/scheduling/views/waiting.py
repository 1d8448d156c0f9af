"""Pages of waiting lists: the clinic's list with its rule, those whom a unit sent, one entry with its acts, joining."""

from datetime import timedelta
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from doorstep.coordination.scheduling import (
    calling_actions,
    own_queries,
    precedence,
    queries,
    reaching_actions,
    spreadsheet,
    waiting_actions,
    waiting_queries,
)
from doorstep.coordination.scheduling.forms import WaitForm
from doorstep.coordination.scheduling.permissions import Permission
from doorstep.coordination.scheduling.views.asking import actor_with, day_of, try_act
from doorstep.coordination.scheduling.waiting_actions import Want
from doorstep.kernel.access.refusals import NotFound
from doorstep.kernel.web.pages import redirect, render
from doorstep.kernel.web.workbooks import answer
from doorstep.kernel.workflow import queries as workflow
from doorstep.kernel.workflow.once import once
from doorstep.people.residents import queries as residents


@require_GET
def waiting(request: HttpRequest) -> HttpResponse:
    """The waiting list: of the own clinics, or of those whom this unit put on others' lists."""
    actor = actor_with(request, Permission.SLOT_VIEW)
    sent = request.GET.get("show", "") == "sent" or not actor.may(Permission.QUEUE_CALL)
    text = request.GET.get("q", "").strip()[:40]
    context = {
        "entries": waiting_queries.list_of(organization_ids=actor.reach, sent=sent, text=text),
        "sent": sent,
        "text": text,
        "rule": precedence.rule_sentence(),
        "labels": precedence.LABELS,
    }
    return render(request, "scheduling/waiting.html", context)


@require_GET
def waiting_file(request: HttpRequest) -> HttpResponse:
    """The list of the page, as it was searched, as an Excel file; who took it along stands in the trail."""
    actor = actor_with(request, Permission.SLOT_VIEW)
    sent = request.GET.get("show", "") == "sent" or not actor.may(Permission.QUEUE_CALL)
    text = request.GET.get("q", "").strip()[:40]
    entries = waiting_queries.list_of(organization_ids=actor.reach, sent=sent, text=text)
    calling_actions.note_export(what="waiting", resident_ids=[one.resident_id for one in entries], actor=actor)
    return answer(spreadsheet.waiting(entries), f"waiting-{timezone.localdate()}.xlsx")


@require_GET
def wait(request: HttpRequest, key: UUID) -> HttpResponse:
    """One entry: what it waits for, what the rule decided, an offer to answer."""
    actor = actor_with(request, Permission.SLOT_VIEW)
    entry = waiting_queries.get_entry(key=key, actor=actor)
    context = {
        "entry": entry,
        "state": entry.machine.state(entry.state),
        "ways": workflow.allowed(entry, actor=actor),
        "history": workflow.history(entry, actor=actor),
        "ahead": waiting_queries.ahead_of(entry, actor=actor),
        "groups": [_(precedence.LABELS[code]) for code in entry.groups],
        "rule": precedence.rule_sentence(),
    }
    return render(request, "scheduling/wait.html", context)


@require_POST
@once
def wait_act(request: HttpRequest, key: UUID, verb: str) -> HttpResponse:
    """Take the offer, pass it by, or leave the list."""
    actor = actor_with(request, Permission.SLOT_BOOK)
    if verb == "accept":
        booking = waiting_actions.accept(entry_key=key, actor=actor)
        return redirect(request, reverse("scheduling:booking", args=[booking.key]))
    if verb == "pass":
        waiting_actions.pass_by(entry_key=key, actor=actor)
    elif verb == "leave":
        waiting_actions.leave(entry_key=key, actor=actor)
    elif verb == "missed":
        reaching_actions.miss_wait(key=key, actor=actor)
    else:
        raise NotFound()
    messages.success(request, _("已记录未接通。") if verb == "missed" else _("已保存"))
    return redirect(request, reverse("scheduling:wait", args=[key]))


@once
@require_http_methods(["GET", "POST"])
def join_department(request: HttpRequest, key: UUID, resident_key: UUID) -> HttpResponse:
    """Put a resident on a department's waiting list; the address carries what was asked of the slot picker."""
    actor = actor_with(request, Permission.SLOT_BOOK)
    person = residents.get_by_key(resident_key, actor)
    department = own_queries.department(key=key)
    today = timezone.localdate()
    first = max(today, day_of(request.GET.get("first", "")))
    last = min(max(first, day_of(request.GET.get("last", ""))), today + waiting_actions.LONGEST_WAIT)
    origin = request.GET.get("origin", "community")
    form = WaitForm(request.POST or None, initial={"first_day": first, "last_day": last})
    made = []
    if request.method == "POST" and form.is_valid():
        want = Want(
            department_id=department.pk,
            origin=origin if origin in queries.ORIGINS else "community",
            **form.cleaned_data,
        )
        if try_act(form, lambda: made.append(waiting_actions.join(resident_id=person.pk, want=want, actor=actor))):
            return redirect(request, reverse("scheduling:wait", args=[made[0].key]))
    asked = {"organization_name": department.organization.name, "department_name": department.name}
    context = {"person": person, "slot": asked, "form": form, "rule": precedence.rule_sentence()}
    return render(request, "scheduling/join.html", context, status=422 if form.is_bound else 200)


@once
@require_http_methods(["GET", "POST"])
def join(request: HttpRequest, slot: UUID, resident_key: UUID) -> HttpResponse:
    """Put a resident on the waiting list of a slot's department."""
    actor = actor_with(request, Permission.SLOT_BOOK)
    person = residents.get_by_key(resident_key, actor)
    wished = queries.slot_detail(slot_key=slot, actor=actor)
    today = timezone.localdate()
    form = WaitForm(request.POST or None, initial={"first_day": today, "last_day": today + timedelta(days=14)})
    made = []
    if request.method == "POST" and form.is_valid():
        want = Want(
            department_id=wished.department_id,
            origin="community",
            first_day=form.cleaned_data["first_day"],
            last_day=form.cleaned_data["last_day"],
        )
        if try_act(form, lambda: made.append(waiting_actions.join(resident_id=person.pk, want=want, actor=actor))):
            return redirect(request, reverse("scheduling:wait", args=[made[0].key]))
    context = {"person": person, "slot": wished, "form": form, "rule": precedence.rule_sentence()}
    return render(request, "scheduling/join.html", context, status=422 if form.is_bound else 200)
