"""Pages of slots: the office's board, schedules, the picker of other forms, a booking."""

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from doorstep.coordination.scheduling import actions, clinic_actions, presenters, queries
from doorstep.coordination.scheduling.forms import RangeForm, ScheduleForm, SessionForm, StopForm
from doorstep.coordination.scheduling.permissions import Permission
from doorstep.coordination.scheduling.rules import QUOTA_ZH
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.access.refusals import NotFound, Refused
from doorstep.kernel.web.pages import page_or_part, redirect, render, render_part
from doorstep.kernel.workflow import queries as workflow
from doorstep.kernel.workflow.once import once

PICKER_DAYS = 14


@require_GET
def board(request: HttpRequest) -> HttpResponse:
    """A week of the unit's slots with every quota: free, held and booked."""
    actor = _actor(request, Permission.SLOT_VIEW)
    days = presenters.week_of(_day(request.GET.get("week", "")))
    slots = queries.slots_between(
        organization_id=actor.organization_id or 0, since=_midnight(days[0]), until=_midnight(days[0], 7)
    )
    rows = presenters.board(slots, days=days, now=timezone.now())
    context = {
        "days": days,
        "rows": rows,
        "totals": presenters.totals(rows),
        "today": timezone.localdate(),
        "previous": days[0] - timedelta(days=7),
        "following": days[0] + timedelta(days=7),
        "may_manage": actor.may(Permission.SCHEDULE_MANAGE),
        "quotas": [(label, presenters.TONES[quota]) for quota, label in QUOTA_ZH.items()],
    }
    return page_or_part(request, "scheduling/board.html", "board", context)


@require_GET
def picker(request: HttpRequest) -> HttpResponse:
    """The part that other forms include: a radio per free slot.

    Query: organization (key or id, may be repeated), specialty, origin, since (day), slot (chosen), name (of the radio).
    """
    actor = _actor(request, Permission.SLOT_VIEW)
    origin = request.GET.get("origin", "open")
    if origin not in QUOTA_ZH:
        raise Refused(_("号源类别不存在。"))
    found = queries.free_slots(
        organization_ids=queries.organization_ids(request.GET.getlist("organization")),
        origin=origin,
        since=_since(request),
        until=_since(request) + timedelta(days=PICKER_DAYS),
        specialty=request.GET.get("specialty", ""),
        actor=actor,
    )
    context = {
        "slots": found,
        "chosen": request.GET.get("slot", ""),
        "name": request.GET.get("name", "slot"),
        "days": PICKER_DAYS,
    }
    return render_part(request, "scheduling/_slot_picker.html", "slot_picker", context)


@once
@require_http_methods(["GET", "POST"])
def schedules(request: HttpRequest) -> HttpResponse:
    """The unit's schedules, and a form for a new one."""
    actor = _actor(request, Permission.SCHEDULE_MANAGE)
    organization_id = actor.organization_id or 0
    form = ScheduleForm(
        request.POST or None,
        departments=queries.department_choices(organization_id=organization_id),
        practitioners=queries.expert_choices(organization_id=organization_id),
    )
    if request.method == "POST" and form.is_valid():
        facts = form.cleaned_data

        def create() -> None:
            clinic_actions.create_schedule(
                organization_id=organization_id,
                department_id=facts["department"],
                practitioner_id=facts["practitioner"],
                service=facts["service"],
                actor=actor,
            )

        if _try(form, create):
            return redirect(request, reverse("scheduling:schedules"))
    context = {"schedules": queries.schedules(organization_ids=[organization_id]), "form": form}
    return page_or_part(request, "scheduling/schedules.html", "form", context, status=422 if form.is_bound else 200)


@once
@require_http_methods(["GET", "POST"])
def schedule(request: HttpRequest, key: UUID) -> HttpResponse:
    """One schedule: its weekly sessions, laying out slots, stopping the clinic."""
    actor = _actor(request, Permission.SCHEDULE_MANAGE)
    found = queries.get_schedule(schedule_key=key, actor=actor)
    act = request.POST.get("act", "")
    today = timezone.localdate()
    session_form = SessionForm(request.POST if act == "session" else None)
    range_form = RangeForm(
        request.POST if act == "generate" else None, initial={"first": today, "last": today + timedelta(days=27)}
    )
    stop_form = StopForm(request.POST if act == "stop" else None, initial={"first": today, "last": today})
    bound = {"session": session_form, "generate": range_form, "stop": stop_form}.get(act)
    if bound is not None and bound.is_valid() and _try(bound, lambda: _act_on(request, found, act, bound, actor)):
        return redirect(request, reverse("scheduling:schedule", args=[key]))
    context = {
        "schedule": found,
        "sessions": queries.sessions_of(schedule_id=found.pk),
        "weekdays": dict(session_form.fields["weekday"].choices),  # type: ignore[attr-defined]
        "session_form": session_form,
        "range_form": range_form,
        "stop_form": stop_form,
    }
    return render(request, "scheduling/schedule.html", context, status=422 if bound is not None else 200)


@require_GET
def booking(request: HttpRequest, key: UUID) -> HttpResponse:
    """One booking with its history and the acts of this person's side."""
    actor = _actor(request, Permission.SLOT_VIEW)
    found = queries.get_booking(booking_key=key, actor=actor)
    context = {
        "booking": found,
        "state": found.machine.state(found.state),
        "history": workflow.history(found, actor=actor),
        "ways": workflow.allowed(found, actor=actor),
    }
    return render(request, "scheduling/booking.html", context)


@require_POST
@once
def act(request: HttpRequest, key: UUID, verb: str) -> HttpResponse:
    """Check in, finish or give back a booking."""
    actor = _actor(request, Permission.SLOT_VIEW)
    if verb == "arrive":
        actions.arrive(booking_key=key, actor=actor)
    elif verb == "fulfil":
        actions.fulfil(booking_key=key, actor=actor)
    elif verb in ("cancel", "call-off"):
        actions.cancel(booking_key=key, actor=actor, reason=request.POST.get("reason", ""))
    else:
        raise NotFound()
    messages.success(request, _("已保存"))
    return redirect(request, reverse("scheduling:booking", args=[key]))


def _act_on(request: HttpRequest, found: presenters.ShownSchedule, act: str, form: forms.Form, actor: Actor) -> None:
    facts = form.cleaned_data
    if isinstance(form, SessionForm):
        clinic_actions.add_session(
            schedule=found,
            weekday=facts["weekday"],
            starts=facts["starts"],
            ends=facts["ends"],
            minutes=facts["minutes"],
            places=form.places(),
            actor=actor,
        )
        messages.success(request, _("已添加出诊时段，请生成号源后开放预约。"))
    elif act == "generate":
        made = clinic_actions.generate_slots(schedule=found, first=facts["first"], last=facts["last"], actor=actor)
        messages.success(request, _("已生成 %(count)s 个时段的号源。") % {"count": made})
    else:
        booked = clinic_actions.stop_clinic(
            schedule=found,
            since=_midnight(facts["first"]),
            until=_midnight(facts["last"], 1),
            reason=facts["reason"],
            actor=actor,
        )
        messages.success(request, _("已停诊，%(count)s 个预约正在取消并通知转出机构。") % {"count": booked})


def _try(form: forms.Form, run: Callable[[], None]) -> bool:
    """Run an act; a refusal becomes the form's own errors."""
    try:
        run()
    except Refused as refused:
        if refused.status not in (409, 422):
            raise
        for name, sentence in refused.fields.items():
            form.add_error(name if name in form.fields else None, str(sentence))
        if not refused.fields:
            form.add_error(None, str(refused.message))
        return False
    return True


def _since(request: HttpRequest) -> datetime:
    now = timezone.now()
    day = _day(request.GET.get("since", ""))
    return max(now, _midnight(day))


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return timezone.localdate()


def _midnight(day: date, plus: int = 0) -> datetime:
    return timezone.make_aware(datetime.combine(day + timedelta(days=plus), time()))


def _actor(request: HttpRequest, permission: str) -> Actor:
    actor: Actor = request.actor  # type: ignore[attr-defined]
    actor.check(permission)
    return actor
