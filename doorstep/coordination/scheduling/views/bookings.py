"""Pages of bookings: one booking with its acts, changing it, adding a place, and what stopped clinics left to rebook."""

from collections.abc import Sequence
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

from doorstep.coordination.scheduling import (
    actions,
    attending_actions,
    booking_queries,
    calling_actions,
    precedence,
    presenters,
    queries,
    queue_actions,
    reaching_actions,
    rebooking_actions,
    spreadsheet,
    standing,
)
from doorstep.coordination.scheduling.outcomes import SAME_HALF_DAY, NoPlaceLeft
from doorstep.coordination.scheduling.permissions import Permission
from doorstep.coordination.scheduling.rules import quota_name
from doorstep.coordination.scheduling.views.asking import actor_with
from doorstep.kernel.access.actor import Actor, Purpose
from doorstep.kernel.access.permissions import Permission as Access
from doorstep.kernel.access.refusals import NotFound, Refused
from doorstep.kernel.access.session import for_purpose
from doorstep.kernel.web.formats import moment_short
from doorstep.kernel.web.pages import redirect, render
from doorstep.kernel.web.workbooks import answer
from doorstep.kernel.workflow import queries as workflow
from doorstep.kernel.workflow.once import once
from doorstep.people.residents import finding
from doorstep.people.residents import queries as residents
from doorstep.people.residents.named import named
from doorstep.people.residents.permissions import Permission as Residents
from doorstep.people.residents.rules import RELATIONS

_DAYS_AHEAD = 92
# How far ahead somebody waits who found no other time; the form lets it be changed.
_WAIT_DAYS = 30


@require_GET
def booking(request: HttpRequest, key: UUID) -> HttpResponse:
    """One booking with its history and the acts of this person's side."""
    actor = actor_with(request, Permission.SLOT_VIEW)
    found = queries.get_booking(booking_key=key, actor=actor)
    day = actions.check_in_is(found)
    context = {
        "booking": found,
        "person": named(ids=[found.resident_id]).get(found.resident_id) if found.resident_id else None,
        "record_key": found.resident_key if actor.may(Access.RECORD_VIEW) else None,
        "today": timezone.localdate(),
        "serves": actor.may(Permission.QUEUE_CALL),
        "state": found.machine.state(found.state),
        "history": workflow.history(found, actor=actor),
        "ways": [one for one in workflow.allowed(found, actor=actor) if one.verb != "arrive" or day == "open"],
        "early": found.state == "booked" and day == "early",
        "groups": [_(precedence.LABELS[code]) for code in found.groups],
        "quota": quota_name(found.quota),
        "rule": precedence.rule_sentence(),
        "may_change": found.state == "booked" and actor.may(Permission.SLOT_BOOK),
    }
    return render(request, "scheduling/booking.html", context)


@require_POST
@once
def act(request: HttpRequest, key: UUID, verb: str) -> HttpResponse:
    """Check in or take that back, finish, note who left, or give back a booking."""
    actor = actor_with(request, Permission.SLOT_VIEW)
    if verb == "arrive":
        actions.arrive(booking_key=key, actor=actor)
    elif verb == "fulfil":
        actions.fulfil(booking_key=key, actor=actor)
    elif verb == "undo-arrive":
        attending_actions.take_back_arrival(booking_key=key, actor=actor, reason=request.POST.get("reason", ""))
    elif verb == "leave":
        attending_actions.leave(booking_key=key, actor=actor, reason=request.POST.get("reason", ""))
    elif verb == "excuse":
        actions.excuse(booking_key=key, actor=actor, reason=request.POST.get("reason", ""))
    elif verb in ("cancel", "call-off"):
        actions.cancel(booking_key=key, actor=actor, reason=request.POST.get("reason", ""))
    else:
        raise NotFound()
    messages.success(request, _("已报到取号。") if verb == "arrive" else _("已保存"))
    if request.POST.get("back") == "day":
        # Who checks one person in after the other stays at the list.
        schedule = request.POST.get("schedule", "")
        return redirect(
            request, reverse("scheduling:day") + (f"?{urlencode({'schedule': schedule})}" if schedule else "")
        )
    return redirect(request, reverse("scheduling:booking", args=[key]))


@once
@require_http_methods(["GET", "POST"])
def change(request: HttpRequest, key: UUID) -> HttpResponse:
    """Move a booking to another time of the same department: both or neither."""
    actor = actor_with(request, Permission.SLOT_BOOK)
    found = queries.get_booking(booking_key=key, actor=actor)
    error = ""
    if request.method == "POST":
        try:
            # What is refused keeps no place and leaves the old booking as it was.
            new = actions.move(booking_key=key, slot_key=request.POST.get("slot", ""), origin=found.quota, actor=actor)
        except Refused as refused:
            if refused.status not in (409, 422):
                raise
            error = str(refused.message)
        else:
            messages.success(request, _("已改约，原号已退回。"))
            return redirect(request, reverse("scheduling:booking", args=[new.key]))
    slots = queries.free_slots(
        organization_ids=[found.organization_id],
        department_id=found.slot.schedule.department_id,
        origin=found.quota,
        actor=actor,
    )
    context = {"booking": found, "slots": slots, "error": error, **_picker_of(found, slots)}
    return render(request, "scheduling/change.html", context, status=422 if error else 200)


@once
@require_http_methods(["GET", "POST"])
def extra(request: HttpRequest, key: UUID) -> HttpResponse:
    """Add a place to a slot for one person, who is found by name or card, with a reason."""
    actor = actor_with(request, Permission.SLOT_OVERBOOK)
    slot = queries.slot_detail(slot_key=key, actor=actor)
    if not actor.reaches(slot.organization_id):
        raise NotFound()
    errors: dict[str, str] = {}
    twice = bool(request.POST.get("again"))
    found: list[finding.Found] = []
    if request.method == "POST":
        person, found = _whom(request, actor)
        if person is None:
            errors["who"] = (
                _("请核对后选择就诊人，再按“加号”。")
                if found
                else _("没有找到这位居民，或贵院与其没有诊疗关系。请核对姓名或刷身份证；首次来院的，先核验到场。")
            )
        else:
            try:
                made = queue_actions.overbook(
                    slot_key=key,
                    resident_id=person.pk,
                    reason=request.POST.get("reason", ""),
                    actor=actor,
                    again=bool(request.POST.get("again")),
                )
            except Refused as refused:
                if refused.status not in (409, 422):
                    raise
                errors = {name: str(text) for name, text in refused.fields.items()} or {"": str(refused.message)}
                twice = twice or refused.code == SAME_HALF_DAY
            else:
                messages.success(request, _("已加号。"))
                return redirect(request, reverse("scheduling:booking", args=[made.key]))
    context = {"slot": slot, "errors": errors, "given": request.POST, "twice": twice, "found": found}
    return render(request, "scheduling/extra.html", context, status=422 if errors else 200)


def _whom(request: HttpRequest, actor: Actor) -> tuple[Any, list[finding.Found]]:
    """The person of a form: chosen from a list, or meant by a card's whole number. A name is only looked up: its people are to choose from."""
    chosen, text = request.POST.get("resident", ""), request.POST.get("who", "").strip()[:40]
    found = finding.search_panel(text, actor)
    if chosen and (not text or any(str(one.key) == chosen for one in found)):
        return residents.get_by_key(queries.as_key(chosen), actor), found
    person = residents.find_by_number(text, actor)
    return person, found if person is None else []


@require_GET
def rebookings(request: HttpRequest) -> HttpResponse:
    """What stopped clinics left to rebook for those whom this unit had booked."""
    if request.GET.get("side") == "here":
        return _rebookings_here(request)
    actor = actor_with(request, Permission.SLOT_BOOK)
    text = request.GET.get("q", "").strip()[:40]
    found = booking_queries.open_rebookings(organization_ids=actor.reach, text=text)
    waiting = booking_queries.who_wait(resident_ids=[task.resident_id for task in found])
    context = {
        "tasks": found,
        "waiting": waiting,
        "text": text,
        "clocks": booking_queries.rebooking_clocks(found),
        "may_see_here": actor.may(Permission.QUEUE_CALL),
    }
    return render(request, "scheduling/rebookings.html", context)


def _rebookings_here(request: HttpRequest) -> HttpResponse:
    """How far it has come with those whom this unit's own stops called off: who finds the new time, and until when."""
    actor = actor_with(request, Permission.QUEUE_CALL)
    found = booking_queries.rebookings_here(organization_id=actor.organization_id or 0)
    with for_purpose(Purpose.HANDLER, actor):
        # The clocks of others' tasks, of which nothing but their time is said.
        clocks = booking_queries.rebooking_clocks(found)
    context = {
        "tasks": found,
        "people": named(ids=[one.resident_id for one in found]),
        "clocks": clocks,
        "reach": actor.reach if actor.may(Permission.SLOT_BOOK) else (),
        "may_see_own": actor.may(Permission.SLOT_BOOK),
    }
    return render(request, "scheduling/rebookings_here.html", context)


@require_GET
def rebookings_file(request: HttpRequest) -> HttpResponse:
    """The list of the page, as it was searched, as an Excel file; who took it along stands in the trail."""
    actor = actor_with(request, Permission.SLOT_BOOK)
    found = booking_queries.open_rebookings(organization_ids=actor.reach, text=request.GET.get("q", "").strip()[:40])
    calling_actions.note_export(what="rebookings", resident_ids=[one.resident_id for one in found], actor=actor)
    clocks = booking_queries.rebooking_clocks(found)
    return answer(spreadsheet.rebookings(found, clocks), f"rebookings-{timezone.localdate()}.xlsx")


@once
@require_http_methods(["GET", "POST"])
def rebooking(request: HttpRequest, key: UUID) -> HttpResponse:
    """Find a new time for one person, or say why none is needed."""
    actor = actor_with(request, Permission.SLOT_BOOK)
    task = booking_queries.get_rebooking(key=key, actor=actor)
    old, error, following = task.booking, "", ""
    if request.method == "POST":
        try:
            if request.POST.get("act") == "drop":
                rebooking_actions.drop(key=key, reason=request.POST.get("reason", ""), actor=actor)
            else:
                made = rebooking_actions.rebook(
                    key=key, slot_key=request.POST.get("slot", ""), origin=old.quota, actor=actor
                )
                messages.success(request, _arranged(made, task.resident))
        except Refused as refused:
            if refused.status not in (409, 422):
                raise
            error = str(refused.message)
            next_slot = refused.next_slot if isinstance(refused, NoPlaceLeft) else None
            following = str(next_slot.key) if next_slot else ""
        else:
            if request.POST.get("act") == "drop":
                messages.success(request, _("已记录，不再改约。"))
            return redirect(request, reverse("scheduling:rebookings"))
    slots = queries.free_slots(
        organization_ids=[old.organization_id],
        department_id=old.slot.schedule.department_id,
        origin=old.quota,
        actor=actor,
    )
    context = {
        "task": task,
        "state": task.machine.state(task.state),
        "booking": old,
        "slots": slots,
        "on_list": bool(booking_queries.who_wait(resident_ids=[task.resident_id])) and task.state == "open",
        "standing": precedence.standing_sentence(
            standing.standing_of(task.resident, day=timezone.localdate(), referred="referral" in old.groups)
        ),
        "error": error,
        "contact_relation": _(RELATIONS.get(task.resident.contact_relation, "")),
        "may_register": actor.may(Residents.RESIDENT_REGISTER),
        **_picker_of(old, slots),
        "chosen": following,
    }
    return render(request, "scheduling/rebooking.html", context, status=422 if error else 200)


@require_POST
@once
def rebooking_missed(request: HttpRequest, key: UUID) -> HttpResponse:
    """The person did not answer the telephone."""
    actor = actor_with(request, Permission.SLOT_BOOK)
    reaching_actions.miss_rebooking(key=key, actor=actor)
    messages.success(request, _("已记录未接通。"))
    return redirect(request, reverse("scheduling:rebooking", args=[key]))


def _arranged(booking: presenters.ShownBooking, resident: Any) -> str:
    """What was arranged, and how the person comes to know of it."""
    facts = {"name": resident.name, "time": moment_short(booking.slot.starts_at)}
    if resident.phone:
        return _("已为%(name)s改约到 %(time)s，并已通知。") % facts
    return _("已为%(name)s改约到 %(time)s。没有登记手机，请当面告知或请家人转告。") % facts


def _picker_of(booking: presenters.ShownBooking, slots: Sequence[queries.SlotChoice]) -> dict[str, object]:
    """What the slot picker needs for another time of a booking: where nothing is free it leads into the department's waiting list."""
    today = timezone.localdate()
    return {
        "name": "slot",
        "chosen": "",
        "days": _DAYS_AHEAD,
        "cure": _("可登记候补，有号时按次序通知；急需就诊的请致电该科室加号。"),
        "waits": [] if slots else [booking.slot.schedule.department],
        "resident": booking.resident_key,
        "origin": booking.quota,
        "first": today.isoformat(),
        "last": (today + timedelta(days=_WAIT_DAYS)).isoformat(),
    }
