"""Pages of the division: shares and the release rule in words, what became of every share, next month's proposal."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods

from doorstep.coordination.scheduling import (
    queries,
    quota_actions,
    quota_case_queries,
    quota_queries,
    sinking,
    spreadsheet,
)
from doorstep.coordination.scheduling.forms import SinkForm
from doorstep.coordination.scheduling.permissions import Permission
from doorstep.coordination.scheduling.quota_case_queries import FIGURES, Figure
from doorstep.coordination.scheduling.rules import QUOTA_ZH, quota_name
from doorstep.coordination.scheduling.sharing import SHARED
from doorstep.coordination.scheduling.views.asking import actor_with, day_of, midnight, try_act
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.access.refusals import NotFound, Refused
from doorstep.kernel.web.pages import redirect, render
from doorstep.kernel.web.workbooks import answer
from doorstep.kernel.workflow.once import once
from doorstep.people.residents.named import named

_FIGURE_ZH = {
    "given": gettext_lazy("分得"),
    "used": gettext_lazy("自用"),
    "released": gettext_lazy("放出"),
    "used_after": gettext_lazy("放出后约满"),
    "missed": gettext_lazy("爽约"),
    "wasted": gettext_lazy("浪费"),
}


@dataclass(frozen=True, slots=True)
class Period:
    """The days that a report looks at."""

    first: date
    last: date

    @property
    def since(self) -> datetime:
        return midnight(self.first)

    @property
    def until(self) -> datetime:
        return midnight(self.last, 1)


@once
@require_http_methods(["GET", "POST"])
def quotas(request: HttpRequest) -> HttpResponse:
    """The division of the unit's places: shares, the release rule as sentences, and what became of the last weeks."""
    actor = actor_with(request, Permission.QUOTA_MANAGE)
    unit = actor.organization_id or 0
    steps, is_default = quota_queries.rule_of(organization_id=unit)
    form = SinkForm(request.POST or None, steps=steps)
    if request.method == "POST" and form.is_valid():
        chosen = [] if request.POST.get("act") == "default" else form.steps()
        if try_act(form, lambda: quota_actions.set_sink_rule(organization_id=unit, steps=chosen, actor=actor)):
            messages.success(request, _("已保存"))
            return redirect(request, reverse("scheduling:quotas"))
    period = period_of(request, back=28)
    context = {
        "shares": quota_queries.shares(organization_id=unit, day=timezone.localdate()),
        "departments": queries.departments_with_schedules(organization_id=unit),
        "sentences": sinking.rule_sentences(steps),
        "is_default": is_default,
        "form": form,
        "lines": [(line, _addresses(line, period)) for line in _weeks(period, actor)],
        "over": _over(),
        "period": period,
        "labels": QUOTA_ZH,
        "decisions": quota_queries.decisions(organization_ids=[unit]),
        "shared": SHARED,
    }
    return render(request, "scheduling/quotas.html", context, status=422 if form.is_bound else 200)


@once
@require_http_methods(["GET", "POST"])
def division(request: HttpRequest, key: UUID, quota: str) -> HttpResponse:
    """One department's shares of a quota: the proposal from last month with its reasons, to be taken or changed."""
    actor = actor_with(request, Permission.QUOTA_MANAGE)
    department = queries.get_department(key=key, actor=actor)
    if quota not in SHARED:
        raise NotFound()
    period = _over_by_now(period_of(request, back=30))
    proposed = quota_queries.proposal(
        department=department, quota=quota, since=period.since, until=period.until, actor=actor
    )
    units = quota_queries.units_to_share(actor=actor)
    begins = day_of(request.POST.get("since", "")) if request.method == "POST" else _next_month()
    errors: list[str] = []
    if request.method == "POST":
        errors = _decide(request, proposed, {unit.pk: unit.name for unit in units}, begins, actor)
        if not errors:
            return redirect(request, reverse("scheduling:quotas"))
    by_unit = {line.unit: line for line in proposed.lines}
    context = {
        "department": department,
        "quota": quota,
        "label": quota_name(quota),
        "rows": [(unit, by_unit.get(unit.pk)) for unit in sorted(units, key=lambda one: one.pk not in by_unit)],
        "proposes": bool(proposed.lines),
        "shared": not proposed.names,
        "given": request.POST,
        "given_units": [str(unit.pk) for unit in units if request.POST.get(f"weight-{unit.pk}", "").strip()],
        "period": period,
        "begins": begins,
        "decided": quota_queries.decided_ahead(department=department, quota=quota, today=timezone.localdate()),
        "earliest": timezone.localdate() + timedelta(days=1),
        "errors": errors,
    }
    return render(request, "scheduling/division.html", context, status=422 if errors else 200)


@require_GET
def cases(request: HttpRequest) -> HttpResponse:
    """The places behind a figure of the weeks; names only of those whom the reader may see."""
    actor = actor_with(request, Permission.QUOTA_MANAGE)
    period, asked = period_of(request, back=28), request.GET
    week, what, unit = day_of(asked.get("week", "")), asked.get("what", "given"), asked.get("unit", "")
    quota = asked.get("quota", "community")
    if quota not in QUOTA_ZH or what not in FIGURES or not (unit == "" or (unit.isdecimal() and len(unit) < 19)):
        raise NotFound()
    figure = Figure(
        quota=quota,
        unit_id=int(unit) if unit else None,
        since=max(midnight(week), period.since),
        until=min(midnight(week, 7), period.until),
        what=what,
    )
    page = quota_case_queries.cases(
        figure,
        organization_ids=[actor.organization_id or 0],
        now=timezone.now(),
        actor=actor,
        after=asked.get("after", ""),
    )
    sitting = [one.booking.resident_id for one in page.rows if one.booking]
    people = named(ids=sitting) if actor.record_reach else {}
    here = f"?{urlencode({'week': week, 'quota': figure.quota, 'unit': unit, 'what': what, **_days(period)})}"
    units = {one.pk: one.name for one in quota_queries.units_to_share(actor=actor)}
    context = {
        "rows": [(one, people.get(one.booking.resident_id) if one.booking else None) for one in page.rows],
        "named": bool(people),
        "figure": f"{quota_name(quota)} · {units.get(figure.unit_id or 0) or _('不分机构')} · {_FIGURE_ZH[what]}",
        "week": week,
        "labels": QUOTA_ZH,
        "days": urlencode(_days(period)),
        "paged": here if asked.get("after") else "",
        "next": f"{here}&after={page.next}" if page.next else "",
    }
    return render(request, "scheduling/quota_cases.html", context)


@require_GET
def quotas_file(request: HttpRequest) -> HttpResponse:
    """The weeks of the division as an Excel file."""
    actor = actor_with(request, Permission.QUOTA_MANAGE)
    period = period_of(request, back=28)
    return answer(spreadsheet.weeks(_weeks(period, actor), over=_over()), f"quota-{period.first}-{period.last}.xlsx")


@require_GET
def decisions_file(request: HttpRequest) -> HttpResponse:
    """What was decided on the proposals, unit by unit, as an Excel file."""
    actor = actor_with(request, Permission.QUOTA_MANAGE)
    found = quota_queries.decisions(organization_ids=[actor.organization_id or 0], limit=1_000)
    return answer(spreadsheet.decisions(found), "quota-decisions.xlsx")


def _weeks(period: Period, actor: Actor) -> list[quota_queries.WeekLine]:
    return quota_queries.weeks(
        organization_ids=[actor.organization_id or 0],
        since=period.since,
        until=period.until,
        now=timezone.now(),
        actor=actor,
        department_id=None,
    )


def _decide(
    request: HttpRequest, proposed: quota_queries.Proposal, names: dict[int, str], begins: date, actor: Actor
) -> list[str]:
    """Take the proposal, a change of it, or refuse it; returns what was wrong with what was sent."""
    refuses = request.POST.get("act") == "refuse"
    try:
        quota_actions.decide(
            department_id=proposed.department.pk,
            quota=proposed.quota,
            weights=None if refuses else _weights(request, list(names)),
            proposal=_lines(proposed, names),
            since=begins,
            reason=request.POST.get("reason", ""),
            actor=actor,
        )
    except Refused as refused:
        if refused.status != 422:
            raise
        return [str(text) for text in refused.fields.values()] or [str(refused.message)]
    messages.success(
        request,
        _("已记录不采纳及其原因，现行分配不变。")
        if refuses
        else _("新的分配从 %(day)s 起生效：以后放的号按新份额，已放而无人预约的号随之调整，已有预约的不变。")
        % {"day": begins.isoformat()},
    )
    return []


def _lines(proposed: quota_queries.Proposal, names: dict[int, str]) -> list[quota_actions.ProposedLine]:
    """The proposal as it stood on the page, a line for every unit that may have a share."""
    by_unit = {line.unit: line for line in proposed.lines}
    return [
        quota_actions.ProposedLine(unit, name, line.given, line.need, line.places, line.reason)
        if (line := by_unit.get(unit))
        else quota_actions.ProposedLine(unit, name, 0, 0.0, 0, "")
        for unit, name in names.items()
    ]


def _addresses(line: quota_queries.WeekLine, period: Period) -> dict[str, str]:
    """The pages of the places behind a line's figures."""
    share = {"week": line.week.isoformat(), "quota": line.quota, "unit": line.unit_id or "", **_days(period)}
    page = reverse("scheduling:quota-cases")
    return {what: f"{page}?{urlencode({**share, 'what': what})}" for what in FIGURES}


def _days(period: Period) -> dict[str, str]:
    return {"first": period.first.isoformat(), "last": period.last.isoformat()}


def period_of(request: HttpRequest, *, back: int) -> Period:
    """The days of the address, else the last weeks and the one to come."""
    today = timezone.localdate()
    first = day_of(request.GET.get("first", "")) if request.GET.get("first") else today - timedelta(days=back)
    last = day_of(request.GET.get("last", "")) if request.GET.get("last") else today + timedelta(days=7)
    return Period(min(first, last), max(first, last))


def _over_by_now(period: Period) -> Period:
    """The days of a period that are over: what nobody has booked of a day to come is not unused yet."""
    last = min(period.last, timezone.localdate() - timedelta(days=1))
    return Period(min(period.first, last), last)


def _over() -> date:
    """The last Monday whose week is over."""
    return timezone.localdate() - timedelta(days=7)


def _next_month() -> date:
    today = timezone.localdate()
    return (today.replace(day=1) + timedelta(days=32)).replace(day=1)


def _weights(request: HttpRequest, units: list[int]) -> dict[int, int]:
    weights: dict[int, int] = {}
    for unit in units:
        text = request.POST.get(f"weight-{unit}", "").strip()
        if text and text != "0":
            weights[unit] = int(text) if text.isdecimal() and len(text) < 6 else 0
    return weights
