"""Pages of beds: the board, a ward's set-up, a stay with its daily round."""

from datetime import timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from doorstep.coordination.beds import actions, cases, medicines, presenters, queries, spreadsheet
from doorstep.coordination.beds.forms import RoundForm, WardForm
from doorstep.coordination.beds.permissions import Permission
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.access.refusals import NotFound, Refused
from doorstep.kernel.audit import actions as audit
from doorstep.kernel.record import queries as record
from doorstep.kernel.web import workbooks
from doorstep.kernel.web.pages import page_or_part, redirect, render_part
from doorstep.kernel.workflow.once import once

# Rows for medicines that the round adds.
_EMPTY_ROWS = 2


@require_GET
def board(request: HttpRequest) -> HttpResponse:
    """Every ward of the actor's units with its beds, and who waits for one; `?q=` finds a patient by name."""
    actor = _actor(request)
    looked = _looked(actor, text=request.GET.get("q", "")[:40].strip())
    context = {
        **presenters.page_of(looked),
        "may_manage": actor.may(Permission.BED_MANAGE),
        "here": reverse("beds:board") + (f"?{urlencode({'q': looked.text})}" if looked.text else ""),
    }
    return page_or_part(request, "beds/board.html", "board", context)


@require_GET
def export(request: HttpRequest) -> HttpResponse:
    """The board and the whole waiting list as an Excel file; names for those alone who see records."""
    actor = _actor(request)
    looked = _looked(actor)
    people = presenters.people_on(looked)
    audit.record_list(action="beds.export", actor=actor, subject=f"beds/{timezone.localdate()}", resident_ids=people)
    return workbooks.answer(spreadsheet.board(looked, at=timezone.now()), f"beds-{timezone.localdate()}.xlsx")


@require_http_methods(["GET", "POST"])
@once
def ward(request: HttpRequest) -> HttpResponse:
    """Open a ward with its beds."""
    actor = _actor(request)
    actor.check(Permission.BED_MANAGE)
    form = WardForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        try:
            actions.open_ward(
                organization_id=actor.organization_id or 0,
                name=form.cleaned_data["name"],
                kind=form.cleaned_data["kind"],
                beds=form.cleaned_data["numbers"],
                actor=actor,
            )
        except Refused as refused:
            for name, sentence in refused.fields.items():
                form.add_error(name if name in form.fields else None, str(sentence))
        else:
            messages.success(request, _("病区已开放。"))
            return redirect(request, reverse("beds:board"))
    return page_or_part(request, "beds/ward.html", "content", {"form": form}, status=422 if form.is_bound else 200)


@require_POST
@once
def act(request: HttpRequest, key: UUID, verb: str) -> HttpResponse:
    """Release, clean, close or reopen a bed."""
    actor = _actor(request)
    actor.check(Permission.BED_MANAGE)
    actions.move_bed(bed_key=key, verb=verb, reason=request.POST.get("reason", ""), actor=actor)
    messages.success(request, _("床位状态已更新。"))
    return redirect(request, reverse("beds:board"))


@require_http_methods(["GET", "POST"])
@once
def stay(request: HttpRequest, key: UUID) -> HttpResponse:
    """One stay: today's round, the predicted day of leaving."""
    actor = _actor(request)
    actor.check(Permission.BED_MANAGE)
    found = queries.stay_of(key=key)
    if not actor.reaches(found.organization_id):
        raise NotFound()
    if request.method == "GET":
        # Diagnosis, medicines and what the ward says of the patient: a look at the record like any other.
        record.note_look(resident_id=found.resident_id, actor=actor, subject=f"stay/{found.key}", action="stay.view")
    initial = {**found.rounds, "predicted_on": found.predicted_on}
    initial |= {name: str(value).lower() for name, value in found.rounds.items() if isinstance(value, bool)}
    form = RoundForm(request.POST if request.method == "POST" else None, initial=initial)
    rows = medicines.rows_of(request.POST) if form.is_bound else list(found.medicines)
    if form.is_bound and form.is_valid():
        try:
            actions.write_round(
                stay=found,
                said=form.said(),
                predicted_on=form.cleaned_data["predicted_on"],
                # A page that did not ask for the medicines leaves them as they are.
                medicines=rows if "medicine_name" in request.POST else None,
                actor=actor,
            )
        except Refused as refused:
            for name, sentence in refused.fields.items():
                form.add_error(name if name in form.fields else None, str(sentence))
        else:
            messages.success(request, _("查房记录已保存。"))
            return redirect(request, reverse("beds:board"))
    context = {
        "stay": found,
        "form": form,
        "rows": [*rows, *({} for _row in range(_EMPTY_ROWS))],
        "frequencies": medicines.FREQUENCIES,
        "row_address": reverse("beds:medicine-row"),
        **presenters.facts_of(found),
    }
    return page_or_part(request, "beds/stay.html", "content", context, status=422 if form.is_bound else 200)


@require_GET
def medicine_rows(request: HttpRequest) -> HttpResponse:
    """A row of the round's medicines: of the medicine with this code, or an empty one."""
    actor = _actor(request)
    actor.check(Permission.BED_MANAGE)
    return _part(request, "row", rows=[medicines.row_of(request.GET.get("code", ""))])


@require_GET
def found_medicines(request: HttpRequest) -> HttpResponse:
    """Medicines of the house's list that fit what is typed; each adds a row."""
    actor = _actor(request)
    actor.check(Permission.BED_MANAGE)
    return _part(request, "found", found=medicines.find(request.GET.get("medicine", "")))


def _part(request: HttpRequest, part: str, **more: Any) -> HttpResponse:
    context = {"frequencies": medicines.FREQUENCIES, "row_address": reverse("beds:medicine-row"), **more}
    return render_part(request, "beds/_medicines.html", part, context)


@require_POST
@once
def leave(request: HttpRequest, key: UUID) -> HttpResponse:
    """The patient leaves the bed."""
    actor = _actor(request)
    actor.check(Permission.BED_MANAGE)
    found = queries.stay_of(key=key)
    if not actor.reaches(found.organization_id):
        raise NotFound()
    actions.leave(stay=found, actor=actor)
    messages.success(request, _("已腾床，等待终末消毒。"))
    return redirect(request, reverse("beds:board"))


def _looked(actor: Actor, *, text: str = "") -> presenters.Looked:
    actor.check(Permission.BED_VIEW)
    if not queries.sees_all(actor):
        # Figures of units whose records the actor does not see.
        audit.record(action="beds.counted", actor=actor, subject="beds/board")
    wards = queries.board(actor=actor, leaving_by=timezone.localdate() + timedelta(days=1))
    names = bool(actor.record_reach)
    return presenters.Looked(
        wards=wards,
        requests=queries.waiting(actor=actor, limit=presenters.READ),
        counts=queries.waiting_counts(actor=actor),
        text=text,
        names=names,
        kept=cases.persons_of(bed.held_for for line in wards for bed, _stay in line.beds) if names else {},
    )


def _actor(request: HttpRequest) -> Actor:
    actor: Actor = request.actor  # type: ignore[attr-defined]
    return actor
