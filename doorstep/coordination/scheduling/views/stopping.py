"""Pages of stopping and resuming: everything of a department, a doctor, a room or a machine for some days, and what stands still now."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from doorstep.coordination.scheduling import (
    clinic_queries,
    resting,
    resuming_actions,
    stopped_queries,
    stopping_actions,
    stopping_queries,
)
from doorstep.coordination.scheduling.hours import named
from doorstep.coordination.scheduling.permissions import Permission
from doorstep.coordination.scheduling.rules import QUOTA_ZH
from doorstep.coordination.scheduling.stopping_forms import ResumeForm, ScopeStopForm
from doorstep.coordination.scheduling.views.asking import actor_with, day_of, midnight, try_act
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.web.pages import redirect, render
from doorstep.kernel.workflow.once import once


@once
@require_http_methods(["GET", "POST"])
def stop(request: HttpRequest) -> HttpResponse:
    """Stop everything of a department, a doctor, a room or a machine for some days, or let it take place after all.

    Whoever stops sees first how many are booked and who; `seen` carries that number along, and when it has changed it is shown again.
    """
    actor = actor_with(request, Permission.SCHEDULE_MANAGE)
    unit, today = actor.organization_id or 0, timezone.localdate()
    resuming = request.POST.get("act") == "resume"
    scopes = clinic_queries.stop_choices(organization_id=unit)
    scopes += _one_schedule(request.POST.get("scope", "") or request.GET.get("scope", ""), actor)
    stopped = stopped_queries.stopped(organization_id=unit)
    rests = resting.resting_of(organization_id=unit)
    form = ScopeStopForm(
        request.POST if request.method == "POST" and not resuming else None,
        scopes=scopes,
        initial={
            "first": day_of(request.GET.get("first", "")),
            "last": day_of(request.GET.get("last", "")),
            "scope": request.GET.get("scope", ""),
            "reason": request.GET.get("reason", "")[:200],
        },
    )
    resume_form = ResumeForm(
        request.POST if resuming else None,
        scopes=[*scopes, *_schedule_scopes(stopped, rests)],
        initial={"first": today, "last": today},
    )
    bound: ScopeStopForm | ResumeForm = resume_form if resuming else form
    ready = request.method == "POST" and bound.is_valid()
    outlook = _outlook(form, actor) if ready and not resuming else None
    looks = outlook is not None and (
        request.POST.get("act") != "stop" or request.POST.get("seen", "") != str(outlook.booked)
    )
    if ready and not looks and try_act(bound, lambda: _run(request, bound, actor)):
        return redirect(request, reverse("scheduling:stop") if resuming else reverse("scheduling:board"))
    context = {
        "form": form,
        "resume_form": resume_form,
        "stopped": stopped,
        "rests": rests,
        "hours_named": named,
        "outlook": outlook if looks else None,
        "asked": _asked(form, scopes) if looks else {},
        "changed": looks and request.POST.get("act") == "stop",
        "labels": QUOTA_ZH,
        "names": actor.may(Permission.QUEUE_CALL),
    }
    return render(request, "scheduling/stop.html", context, status=422 if bound.is_bound and not looks else 200)


def _asked(form: ScopeStopForm, scopes: list[tuple[str, str]]) -> dict[str, object]:
    """What was asked, in words for whoever confirms it."""
    facts = form.cleaned_data
    return {**facts, "scope": dict(scopes)[facts["scope"]], "hours": named(form.hours())}


def _outlook(form: ScopeStopForm, actor: Actor) -> stopping_queries.Outlook:
    facts = form.cleaned_data
    return stopping_queries.outlook(
        scope=facts["scope"],
        since=midnight(facts["first"]),
        until=midnight(facts["last"], 1),
        actor=actor,
        hours=form.hours(),
    )


def _one_schedule(scope: str, actor: Actor) -> list[tuple[str, str]]:
    """A schedule as a scope, where its own page asks for it."""
    found = clinic_queries.schedules_of(scope=scope, actor=actor) if scope.startswith("schedule:") else []
    return [(scope, f"{_('排班')} · {one.department.name} {one.who}".strip()) for one in found]


def say_resumed(request: HttpRequest, done: resuming_actions.Resumed) -> None:
    """What came of resuming, in one sentence."""
    said = _("已恢复 %(slots)s 个时段，重新开放预约。") % {"slots": done.slots} if done.slots else ""
    if done.days:
        said += _("%(days)s 个尚未放号的日子恢复按排班出诊。") % {"days": done.days}
    if done.laid:
        said += _("其中放号时间已过的，已补放 %(slots)s 个时段。") % {"slots": done.laid}
    if done.people:
        said += _("尚未改约的 %(people)s 人正在恢复原预约，并逐人通知；已改约的保持不变。") % {"people": done.people}
    messages.success(request, said)


def _run(request: HttpRequest, form: ScopeStopForm | ResumeForm, actor: Actor) -> None:
    facts = form.cleaned_data
    span = {"since": midnight(facts["first"]), "until": midnight(facts["last"], 1)}
    hours = form.hours()
    if isinstance(form, ResumeForm):
        say_resumed(request, resuming_actions.resume_scope(scope=facts["scope"], actor=actor, hours=hours, **span))
        return
    booked = stopping_actions.stop_scope(scope=facts["scope"], reason=facts["reason"], actor=actor, hours=hours, **span)
    done = _("已停诊，%(count)s 个预约正在取消，每人已生成改约任务。") % {"count": booked}
    messages.success(request, done if booked else _("已停诊，没有需要取消的预约。"))


def _schedule_scopes(stopped: list[stopped_queries.Stopped], rests: list[resting.Rest]) -> list[tuple[str, str]]:
    """One line of the tables as a scope: its button sends the schedule and its days."""
    found = {f"schedule:{one.schedule_id}": f"{_('排班')} · {one.department} {one.who}".strip() for one in stopped}
    for one in rests:
        named_so = f"{_('排班')} · {one.schedule.department.name} {one.schedule.who}".strip()
        found.setdefault(f"schedule:{one.schedule.pk}", named_so)
    return sorted(found.items(), key=lambda one: one[1])
