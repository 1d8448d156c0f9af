"""Pages of a clinic's day: who is expected, check-in with a number, calling, and the screen on the wall."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from doorstep.coordination.scheduling import (
    booking_queries,
    calling_actions,
    precedence,
    presenters,
    queries,
    queue_actions,
    queue_queries,
    spreadsheet,
)
from doorstep.coordination.scheduling.permissions import Permission
from doorstep.coordination.scheduling.rules import QUOTA_ZH
from doorstep.coordination.scheduling.views.asking import actor_with, day_of, midnight
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.access.permissions import Permission as Access
from doorstep.kernel.access.refusals import NotFound
from doorstep.kernel.web.pages import page_or_part, redirect, render, render_part, wants_part
from doorstep.kernel.web.workbooks import answer
from doorstep.kernel.workflow.once import once
from doorstep.people.residents import terminals
from doorstep.people.residents.permissions import Permission as Residents
from doorstep.people.workforce import queries as workforce

_ROOM = "scheduling_room"


@require_GET
def day(request: HttpRequest) -> HttpResponse:
    """The unit's day: expected, waiting, called; calling the next of a schedule."""
    actor = actor_with(request, Permission.QUEUE_CALL)
    unit = actor.organization_id or 0
    wanted = day_of(request.GET.get("day", ""))
    schedules = [one for one in queries.schedules(organization_ids=[unit]) if one.is_active]
    current = _chosen(request.GET.get("schedule"), schedules, actor=actor)
    boards = queue_queries.boards(organization_id=unit, day=wanted)
    shown = [one for one in boards if current is None or one.schedule_id == current.pk]
    room = request.session.get(_ROOM, "") or (current.facility.name if current and current.facility else "")
    text = request.GET.get("q", "").strip()[:40]
    expected = booking_queries.expected(organization_id=unit, day=wanted, schedule_id=current.pk if current else None)
    context = {
        "day": wanted,
        "today": timezone.localdate(),
        "schedules": schedules,
        "current": current,
        "expected": booking_queries.meant(expected, text),
        "boards": shown,
        "inside": queue_queries.called_into(shown, room=room) if current else None,
        "reads": actor.may(Access.RECORD_VIEW),
        "precedences": precedence.LABELS,
        "times": presenters.times_of(
            queries.slots_between(
                organization_id=unit, since=midnight(wanted), until=midnight(wanted, 1), schedule_id=current.pk
            ),
            now=timezone.now(),
        )
        if current
        else [],
        "labels": QUOTA_ZH,
        "may_add": actor.may(Permission.SLOT_OVERBOOK),
        "previous": wanted - timedelta(days=1),
        "following": wanted + timedelta(days=1),
        "text": text,
        "room": room,
        "rule": precedence.rule_sentence(),
        "behind": precedence.behind_sentence(),
        "closed_kiosks": _closed_kiosks(actor),
    }
    return page_or_part(request, "scheduling/day.html", "day", context)


def _chosen(key: str | None, schedules: Sequence[Any], *, actor: Actor) -> Any:
    """The schedule that is named; where nothing is said the doctor's own, so that calling needs no choice first. None for all."""
    if key is None:
        own = (one for one in schedules if one.practitioner_id is not None)
        return next((one for one in own if one.practitioner_id == actor.practitioner_id), None)
    return next((one for one in schedules if str(one.key) == key), None)


def _closed_kiosks(actor: Actor) -> list[tuple[terminals.ClosedTerminal, str]]:
    closed = terminals.closed_at(actor=actor)
    names = workforce.names_of_users(ids=[one.user_id for one in closed]) if closed else {}
    return [(one, names.get(one.user_id, "")) for one in closed]


@require_POST
@once
def open_kiosk(request: HttpRequest, user_id: int) -> HttpResponse:
    """Somebody of the unit looked at the machine and lets people use it again."""
    actor = actor_with(request, Residents.TERMINAL_OPEN)
    if terminals.open_again(user_id=user_id, actor=actor):
        messages.success(request, _("自助机已恢复使用。"))
    return redirect(request, reverse("scheduling:day"))


@require_GET
def day_file(request: HttpRequest) -> HttpResponse:
    """The day's list of the page, as it was searched, as an Excel file; who took it along stands in the trail."""
    actor = actor_with(request, Permission.QUEUE_CALL)
    wanted, unit = day_of(request.GET.get("day", "")), actor.organization_id or 0
    chosen = request.GET.get("schedule", "")
    current = next((one for one in queries.schedules(organization_ids=[unit]) if str(one.key) == chosen), None)
    found = booking_queries.meant(
        booking_queries.expected(organization_id=unit, day=wanted, schedule_id=current.pk if current else None),
        request.GET.get("q", "").strip()[:40],
    )
    calling_actions.note_export(what="day", resident_ids=[one.resident_id for one in found], actor=actor)
    return answer(spreadsheet.day(found), f"clinic-{wanted}.xlsx")


@require_POST
@once
def call(request: HttpRequest, key: UUID) -> HttpResponse:
    """Call the next of a schedule into a room; `how` says what became of `ticket`, who was called before: seen, or passed over."""
    actor = actor_with(request, Permission.QUEUE_CALL)
    room = request.POST.get("room", "").strip()[:40]
    request.session[_ROOM] = room
    before, how = request.POST.get("ticket", ""), request.POST.get("how", "")
    if before and how == "see":
        queue_actions.see(ticket_key=before, actor=actor)
    elif before and how == "pass":
        queue_actions.pass_over(ticket_key=before, actor=actor)
    ticket = queue_actions.call_next(schedule_key=key, place_name=room, actor=actor)
    if ticket is None:
        messages.info(request, _("没有候诊的号。"))
    else:
        messages.success(
            request, _("已叫 %(number)s 号 %(name)s。") % {"number": ticket.number, "name": ticket.shown_name}
        )
    return redirect(request, f"{reverse('scheduling:day')}?schedule={key}")


@require_POST
@once
def ticket(request: HttpRequest, key: UUID, verb: str) -> HttpResponse:
    """Call again, pass over, line up again, note as seen or as gone."""
    actor = actor_with(request, Permission.QUEUE_CALL)
    if verb == "again":
        queue_actions.call_again(ticket_key=key, actor=actor)
    elif verb == "pass":
        queue_actions.pass_over(ticket_key=key, actor=actor)
    elif verb == "line-up":
        queue_actions.line_up(ticket_key=key, actor=actor)
    elif verb == "leave":
        queue_actions.leave(ticket_key=key, actor=actor)
    elif verb == "see":
        queue_actions.see(ticket_key=key, actor=actor)
    else:
        raise NotFound()
    back = request.POST.get("schedule", "")
    return redirect(request, reverse("scheduling:day") + (f"?schedule={back}" if back else ""))


@require_GET
def screen(request: HttpRequest) -> HttpResponse:
    """The calling screen for a wall: numbers and masked names, no more; renews itself every three seconds."""
    actor = actor_with(request, Permission.QUEUE_CALL)
    department = request.GET.get("department", "")
    boards = queue_queries.boards(
        organization_id=actor.organization_id or 0,
        day=timezone.localdate(),
        department_id=int(department) if department.isdecimal() and len(department) < 19 else None,
    )
    context = {"boards": boards, "house": actor.organization_name, "now": timezone.now()}
    if wants_part(request):
        return render_part(request, "scheduling/screen.html", "screen", context)
    return render(request, "scheduling/screen.html", context)
