"""The page of the national calendar: a year's days off and worked weekends with their source, and entering the next year's notice."""

from datetime import date

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from doorstep.coordination.scheduling import calendar_actions, calendar_queries, days
from doorstep.coordination.scheduling.forms import CalendarForm
from doorstep.coordination.scheduling.permissions import Permission
from doorstep.coordination.scheduling.views.asking import actor_with, try_act
from doorstep.kernel.access.refusals import NotFound
from doorstep.kernel.web.pages import redirect, render
from doorstep.kernel.workflow.once import once

_AHEAD = 2


@once
@require_http_methods(["GET", "POST"])
def calendar(request: HttpRequest) -> HttpResponse:
    """A year of the calendar; without a year in the address this one."""
    actor = actor_with(request, Permission.SCHEDULE_MANAGE, Permission.CALENDAR_MANAGE)
    this = timezone.localdate().year
    years = list(range(this - 1, this + _AHEAD + 1))
    asked = request.GET.get("year", "")
    year = int(asked) if asked.isdecimal() and len(asked) == 4 and int(asked) in years else this
    act = request.POST.get("act", "")
    form = CalendarForm(request.POST if act == "announce" else None)
    if act == "announce" and form.is_valid():
        if try_act(form, lambda: calendar_actions.announce(actor=actor, **form.cleaned_data)):
            messages.success(request, _("已保存"))
            return redirect(request, f"{reverse('scheduling:calendar')}?year={form.cleaned_data['first'].year}")
    elif act == "withdraw":
        gone = _day(request.POST.get("day", ""))
        calendar_actions.withdraw(day=gone, actor=actor)
        messages.success(request, _("已移除"))
        return redirect(request, f"{reverse('scheduling:calendar')}?year={gone.year}")
    shown = calendar_queries.year_of(year=year, organization_id=actor.organization_id or 0)
    context = {
        "year": year,
        "years": years,
        "days": shown,
        "published": days.is_published(year),
        "by_hand": any(one.entered for one in shown),
        "hit": [one for one in shown if one.slots and one.day >= timezone.localdate()],
        "form": form,
        "may_enter": actor.may(Permission.CALENDAR_MANAGE),
        "may_stop": actor.may(Permission.SCHEDULE_MANAGE),
    }
    return render(request, "scheduling/calendar.html", context, status=422 if form.is_bound else 200)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise NotFound() from error
