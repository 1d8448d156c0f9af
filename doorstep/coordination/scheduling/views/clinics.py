"""Pages of templates: the office's board, schedules, rooms, kinds of visit, preview, laying out, stopping."""

from datetime import date, datetime, time, timedelta
from urllib.parse import urlencode
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from doorstep.coordination.scheduling import (
    clinic_actions,
    clinic_queries,
    days,
    laying_actions,
    presenters,
    queries,
    resting,
    resuming_actions,
    spreadsheet,
    stopped_queries,
    waiting_queries,
)
from doorstep.coordination.scheduling.clinic_actions import ReleaseRule
from doorstep.coordination.scheduling.forms import (
    WEEKDAYS,
    ExceptionForm,
    RangeForm,
    RuleForm,
    ScheduleForm,
    SessionForm,
)
from doorstep.coordination.scheduling.hours import WHOLE_DAY, Hours, named
from doorstep.coordination.scheduling.permissions import Permission
from doorstep.coordination.scheduling.rules import QUOTA_ZH, quota_name
from doorstep.coordination.scheduling.stopping_forms import StopForm
from doorstep.coordination.scheduling.views import stopping
from doorstep.coordination.scheduling.views.asking import actor_with, day_of, midnight, try_act
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.access.refusals import NotFound, Refused
from doorstep.kernel.web.pages import page_or_part, redirect, render, render_part
from doorstep.kernel.web.workbooks import answer
from doorstep.kernel.workflow.once import once

PICKER_DAYS = 14
PREVIEW_WEEKS = 4


@require_GET
def board(request: HttpRequest) -> HttpResponse:
    """A week of the unit's slots with every quota: free, held and booked. Without a week in the address the one with the next clinic."""
    actor = actor_with(request, Permission.SLOT_VIEW)
    unit, today, moved_to = actor.organization_id or 0, timezone.localdate(), None
    days = presenters.week_of(day_of(request.GET.get("week", "")))
    if "week" not in request.GET and (start := queries.next_start(organization_id=unit, since=midnight(today))):
        upcoming = presenters.week_of(timezone.localdate(start))
        # On a Sunday evening this week is over, and the board would stand empty.
        days, moved_to = (days, None) if upcoming == days else (upcoming, timezone.localdate(start))
    slots = queries.slots_between(organization_id=unit, since=midnight(days[0]), until=midnight(days[0], 7))
    text = request.GET.get("q", "").strip()[:40]
    rows = presenters.board(clinic_queries.fitting(slots, text), days=days, now=timezone.now())
    context = {
        "days": days,
        "rows": rows,
        "totals": presenters.totals(rows),
        "today": today,
        "moved_to": moved_to,
        "previous": days[0] - timedelta(days=7),
        "following": days[0] + timedelta(days=7),
        "may_manage": actor.may(Permission.SCHEDULE_MANAGE),
        "labels": QUOTA_ZH,
        "may_see_day": actor.may(Permission.QUEUE_CALL),
        "text": text,
        "quotas": [(quota_name(quota), presenters.TONES[quota]) for quota in QUOTA_ZH],
    }
    return page_or_part(request, "scheduling/board.html", "board", context)


@require_GET
def picker(request: HttpRequest) -> HttpResponse:
    """The part that other forms include: a radio per free slot.

    Query: organization (key or id, may be repeated), specialty, fits (a part of the department's or the expert's name that comes first, may be repeated), origin, since (day), slot (chosen), name (of the radio), resident (key of who is to wait where nothing is free).
    """
    actor = actor_with(request, Permission.SLOT_VIEW)
    origin = request.GET.get("origin", "open")
    if origin not in QUOTA_ZH:
        raise Refused(_("号源类别不存在。"))
    houses = queries.organization_ids(request.GET.getlist("organization"))
    since, specialty = _since(request), request.GET.get("specialty", "")
    fitting = [word[:40] for word in request.GET.getlist("fits")[:6] if word.strip()]
    found = queries.free_slots(
        organization_ids=houses,
        origin=origin,
        since=since,
        until=since + timedelta(days=PICKER_DAYS),
        specialty=specialty,
        actor=actor,
        fitting=fitting,
    )
    # What was asked for is carried into the waiting list: nobody types it again.
    first = max(timezone.localdate(since), timezone.localdate())
    context = {
        "waits": [] if found else waiting_queries.departments_to_wait_for(organization_ids=houses, specialty=specialty),
        "resident": request.GET.get("resident", ""),
        "origin": origin,
        "first": first.isoformat(),
        "last": (first + timedelta(days=PICKER_DAYS)).isoformat(),
        "slots": found,
        "fits_first": bool(found) and found[0].is_called(fitting),
        "chosen": request.GET.get("slot", ""),
        "name": request.GET.get("name", "slot"),
        "days": PICKER_DAYS,
    }
    return render_part(request, "scheduling/_slot_picker.html", "slot_picker", context)


@once
@require_http_methods(["GET", "POST"])
def schedules(request: HttpRequest) -> HttpResponse:
    """The unit's schedules, and a form for a new one."""
    actor = actor_with(request, Permission.SCHEDULE_MANAGE)
    organization_id = actor.organization_id or 0
    form = ScheduleForm(
        request.POST or None,
        departments=clinic_queries.department_choices(organization_id=organization_id),
        practitioners=clinic_queries.expert_choices(organization_id=organization_id),
        facilities=[
            (one.pk, f"{one.department.name} · {one.name}")
            for one in clinic_queries.facilities(organization_id=organization_id)
        ],
    )
    if request.method == "POST" and form.is_valid():
        facts = form.cleaned_data

        made: list[UUID] = []

        def create() -> None:
            opened = clinic_actions.create_schedule(
                organization_id=organization_id,
                department_id=facts["department"],
                practitioner_id=facts["practitioner"],
                facility_id=facts["facility"],
                service=facts["service"],
                actor=actor,
            )
            made.append(opened.key)

        if try_act(form, create):
            messages.success(request, _("已建立排班，请添加出诊时段。"))
            return redirect(request, reverse("scheduling:schedule", args=[made[0]]))
    text = request.GET.get("q", "").strip()[:40]
    found = [one for one in queries.schedules(organization_ids=[organization_id]) if clinic_queries.named_so(one, text)]
    context = {"schedules": found, "form": form, "text": text}
    return page_or_part(request, "scheduling/schedules.html", "form", context, status=422 if form.is_bound else 200)


@require_GET
def schedules_file(request: HttpRequest) -> HttpResponse:
    """The schedules of the page, as they were searched, as an Excel file."""
    actor = actor_with(request, Permission.SCHEDULE_MANAGE)
    text = request.GET.get("q", "").strip()[:40]
    found = queries.schedules(organization_ids=[actor.organization_id or 0])
    return answer(spreadsheet.schedules([one for one in found if clinic_queries.named_so(one, text)]), "schedules.xlsx")


@once
@require_http_methods(["GET", "POST"])
def schedule(request: HttpRequest, key: UUID) -> HttpResponse:
    """One schedule: its template with a preview, its exceptions and rules, laying out slots, stopping the clinic."""
    actor = actor_with(request, Permission.SCHEDULE_MANAGE)
    found = queries.get_schedule(schedule_key=key, actor=actor)
    act = request.POST.get("act", "")
    bound, shown = _forms(request, found, act)
    if bound is not None and bound.is_valid() and try_act(bound, lambda: _act_on(request, found, act, bound, actor)):
        return redirect(request, _led_on(request, found, act, bound) or reverse("scheduling:schedule", args=[key]))
    if act in ("remove", "forget", "resume"):
        _undo(request, found, act, actor)
        return redirect(request, reverse("scheduling:schedule", args=[key]))
    sessions = queries.sessions_of(schedule_id=found.pk)
    departures = clinic_queries.departures_of(schedule_id=found.pk)
    context = {
        "schedule": found,
        "sessions": sessions,
        "exceptions": resting.entered(departures.exceptions),
        "rests": resting.stretches(departures.exceptions, departures.hours, schedule=found),
        "hours_named": named,
        "weekdays": dict(WEEKDAYS),
        "quotas": QUOTA_ZH,
        "tones": presenters.TONES,
        "weeks": _weeks(found, rows=sessions, departures=departures),
        "stopped": stopped_queries.stopped(organization_id=found.organization_id, schedule_id=found.pk),
        "trying": False,
        **shown,
    }
    return render(request, "scheduling/schedule.html", context, status=422 if bound is not None else 200)


@require_GET
def preview(request: HttpRequest, key: UUID) -> HttpResponse:
    """The slots that the template would make in four weeks, with the session that is being typed."""
    actor = actor_with(request, Permission.SCHEDULE_MANAGE)
    found = queries.get_schedule(schedule_key=key, actor=actor)
    form = SessionForm(request.GET, kinds=_kinds(found))
    more = []
    if form.is_valid():
        facts = form.cleaned_data
        kind = next((one for one in _visit_kinds(found) if one.pk == facts["kind"]), None)
        more = [
            days.Session(
                id=0,
                weekday=facts["weekday"],
                starts=facts["starts"],
                ends=facts["ends"],
                minutes=kind.minutes if kind else facts["minutes"],
                before=kind.before_minutes if kind else 0,
                after=kind.after_minutes if kind else 0,
                only_on=facts["only_on"],
                since=facts["since"],
                until=facts["until"],
                places=form.places(),
            )
        ]
    context = {"schedule": found, "weeks": _weeks(found, more), "trying": bool(more), "weekdays": dict(WEEKDAYS)}
    return render_part(request, "scheduling/_preview.html", "preview", context)


def _forms(
    request: HttpRequest, found: presenters.ShownSchedule, act: str
) -> tuple[forms.Form | None, dict[str, forms.Form]]:
    """The forms of the page, and the one that was sent."""
    today = timezone.localdate()
    rule = {
        name: getattr(found, name)
        for name in ("release_days", "release_at", "holidays", "makeup_as", "priority_hours", "is_active")
    }
    shown: dict[str, forms.Form] = {
        "session_form": SessionForm(_sent(request, act, "session"), kinds=_kinds(found)),
        "rule_form": RuleForm(_sent(request, act, "rule"), initial=rule),
        "exception_form": ExceptionForm(_sent(request, act, "exception")),
        "range_form": RangeForm(
            _sent(request, act, "generate"), initial={"first": today, "last": today + timedelta(days=27)}
        ),
        "stop_form": StopForm(initial={"first": today, "last": today}),
    }
    names = {"session": "session_form", "rule": "rule_form", "exception": "exception_form"}
    names |= {"generate": "range_form"}
    return (shown[names[act]] if act in names else None), shown


def _sent(request: HttpRequest, act: str, name: str) -> QueryDict | None:
    return request.POST if act == name else None


def _act_on(request: HttpRequest, found: presenters.ShownSchedule, act: str, form: forms.Form, actor: Actor) -> None:
    facts = form.cleaned_data
    if isinstance(form, SessionForm):
        _add_session(found, form, actor)
        messages.success(request, _("已添加出诊时段，请生成号源后开放预约。"))
    elif act == "rule":
        clinic_actions.set_rule(schedule=found, rule=ReleaseRule(**facts), actor=actor)
        messages.success(request, _("已保存"))
    elif act == "exception":
        clinic_actions.except_day(schedule=found, actor=actor, **facts)
        messages.success(request, _("已保存"))
    else:
        made = laying_actions.generate_slots(schedule=found, first=facts["first"], last=facts["last"], actor=actor)
        messages.success(request, _("已生成 %(count)s 个时段的号源。") % {"count": made})


def _led_on(request: HttpRequest, found: presenters.ShownSchedule, act: str, form: forms.Form) -> str:
    """A day off that is laid out already leads to the stop of it, with what was said; "" for anything else."""
    facts = form.cleaned_data
    if act != "exception" or facts["follows"] is not None:
        return ""
    day: date = facts["day"]
    (planned,) = clinic_queries.preview(found, first=day, last=day)
    if not planned.made or day < timezone.localdate():
        return ""
    said = _("%(day)s 已放 %(count)s 段号源仍可预约。不出诊的，请在这里查看影响并停诊。")
    messages.warning(request, said % {"day": day.isoformat(), "count": planned.made})
    asked = {"scope": f"schedule:{found.pk}", "first": day.isoformat(), "last": day.isoformat()}
    return f"{reverse('scheduling:stop')}?{urlencode({**asked, 'reason': facts['reason']})}"


def _add_session(found: presenters.ShownSchedule, form: SessionForm, actor: Actor) -> None:
    facts = form.cleaned_data
    kind = next((one for one in _visit_kinds(found) if one.pk == facts["kind"]), None)
    clinic_actions.add_session(
        schedule=found,
        weekday=facts["weekday"],
        starts=facts["starts"],
        ends=facts["ends"],
        minutes=kind.minutes if kind else facts["minutes"],
        before=kind.before_minutes if kind else 0,
        after=kind.after_minutes if kind else 0,
        kind_id=kind.pk if kind else None,
        only_on=facts["only_on"],
        since=facts["since"],
        until=facts["until"],
        places=form.places(),
        actor=actor,
    )


def _undo(request: HttpRequest, found: presenters.ShownSchedule, act: str, actor: Actor) -> None:
    value = request.POST.get("what", "")
    if act == "resume":
        stopping.say_resumed(
            request,
            resuming_actions.resume_clinic(
                schedule=found,
                since=midnight(day_of(value)),
                until=midnight(day_of(request.POST.get("until") or value), 1),
                actor=actor,
                hours=_hours_of(request),
            ),
        )
        return
    if act == "remove":
        if not (value.isascii() and value.isdecimal() and len(value) < 19):
            raise NotFound()
        clinic_actions.remove_session(schedule=found, session_id=int(value), actor=actor)
    else:
        clinic_actions.forget_exception(schedule=found, day=day_of(value), actor=actor)
    messages.success(request, _("已保存"))


def _hours_of(request: HttpRequest) -> Hours | None:
    """The hours that the button of a line sends; None for its whole days."""
    sent = [_time_of(request.POST.get(name, "")) for name in ("starts", "ends")]
    starts, ends = sent[0] or WHOLE_DAY.starts, sent[1] or WHOLE_DAY.ends
    return None if sent == [None, None] else Hours(starts, ends)


def _time_of(text: str) -> time | None:
    try:
        return time.fromisoformat(text)
    except ValueError:
        return None


def _visit_kinds(found: presenters.ShownSchedule) -> list[presenters.ShownKind]:
    return clinic_queries.visit_kinds(organization_id=found.organization_id, department_id=found.department_id)


def _kinds(found: presenters.ShownSchedule) -> list[tuple[int, str]]:
    return [
        (one.pk, _("%(name)s（%(minutes)s 分钟）") % {"name": one.name, "minutes": one.minutes})
        for one in _visit_kinds(found)
    ]


def _weeks(
    found: presenters.ShownSchedule,
    more: list[days.Session] | None = None,
    rows: list[presenters.ShownSession] | None = None,
    departures: clinic_queries.Departures | None = None,
) -> list[list[clinic_queries.PlannedDay]]:
    first = presenters.week_of(timezone.localdate())[0]
    planned = clinic_queries.preview(
        found,
        first=first,
        last=first + timedelta(days=7 * PREVIEW_WEEKS - 1),
        more=more or (),
        rows=rows,
        departures=departures,
    )
    return [planned[number : number + 7] for number in range(0, len(planned), 7)]


def _since(request: HttpRequest) -> datetime:
    return max(timezone.now(), midnight(day_of(request.GET.get("since", ""))))
