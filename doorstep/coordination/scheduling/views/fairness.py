"""Whether places went round fairly: figures by group, channel and unit, the bookings behind each, and the same as a file."""

from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from doorstep.coordination.scheduling import fairness_queries, precedence, spreadsheet
from doorstep.coordination.scheduling.fairness_queries import FairLine
from doorstep.coordination.scheduling.permissions import Permission
from doorstep.coordination.scheduling.views.asking import actor_with
from doorstep.coordination.scheduling.views.quotas import Period, period_of
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.access.refusals import NotFound
from doorstep.kernel.web.pages import render
from doorstep.kernel.web.workbooks import answer
from doorstep.people.residents.named import named

_BACK = 30
_FIGURES = ("", "missed", "waited")


@require_GET
def fairness(request: HttpRequest) -> HttpResponse:
    """How long each group, channel and centre waited, beside the rule of precedence."""
    actor = actor_with(request, Permission.QUOTA_MANAGE)
    period = period_of(request, back=_BACK)
    context = {
        "parts": [(by, label, lines, _addresses(by, lines, period)) for by, label, lines in _parts(period, actor)],
        "period": period,
        "days": urlencode(_days(period)),
        "rule": precedence.rule_sentence(),
        "weights": precedence.WEIGHTS,
    }
    return render(request, "scheduling/fairness.html", context)


@require_GET
def cases(request: HttpRequest) -> HttpResponse:
    """The bookings behind a figure; names only of those whom the reader may see."""
    actor = actor_with(request, Permission.QUOTA_MANAGE)
    period = period_of(request, back=_BACK)
    by = request.GET.get("by", "group")
    code, what = (request.GET.get(name, "") for name in ("code", "what"))
    if by not in ("group", "channel", "unit") or what not in _FIGURES:
        raise NotFound()
    after = request.GET.get("after", "")
    found = fairness_queries.cases(
        by=by, code=code, what=what, organization_ids=actor.reach, since=period.since, until=period.until, after=after
    )
    people = named(ids=[one.resident_id for one in found.rows]) if actor.record_reach else {}
    here = f"?{urlencode({'by': by, 'code': code, 'what': what, **_days(period)})}"
    name = next(
        (
            line.name
            for part, _label, lines in _parts(period, actor)
            if part == by
            for line in lines
            if line.code == code
        ),
        code,
    )
    context = {
        "rows": [(one, people.get(one.resident_id), one.machine.state(one.state)) for one in found.rows],
        "paged": here if after else "",
        "next": f"{here}&after={found.next}" if found.next else "",
        "named": bool(people),
        "figure": " · ".join([_(name), {"": _("预约"), "missed": _("爽约"), "waited": _("经候补")}[what]]),
        "labels": precedence.LABELS,
        "period": period,
        "days": urlencode(_days(period)),
    }
    return render(request, "scheduling/fairness_cases.html", context)


@require_GET
def file(request: HttpRequest) -> HttpResponse:
    """The report as an Excel file, a sheet for each division."""
    actor = actor_with(request, Permission.QUOTA_MANAGE)
    period = period_of(request, back=_BACK)
    return answer(
        spreadsheet.fairness([(label, lines) for _by, label, lines in _parts(period, actor)]),
        f"fairness-{period.first}-{period.last}.xlsx",
    )


def _parts(period: Period, actor: Actor) -> list[tuple[str, str, list[FairLine]]]:
    return [
        (
            by,
            label,
            fairness_queries.lines(
                by=by, organization_ids=actor.reach, since=period.since, until=period.until, actor=actor
            ),
        )
        for by, label in (("group", _("按人群")), ("channel", _("按渠道")), ("unit", _("按预约单位")))
    ]


def _addresses(by: str, lines: list[FairLine], period: Period) -> dict[str, dict[str, str]]:
    """The pages of the bookings behind each line's figures."""
    page = reverse("scheduling:fairness-cases")
    return {
        line.code: {
            what: f"{page}?{urlencode({'by': by, 'code': line.code, 'what': what, **_days(period)})}"
            for what in _FIGURES
        }
        for line in lines
    }


def _days(period: Period) -> dict[str, str]:
    return {"first": period.first.isoformat(), "last": period.last.isoformat()}
