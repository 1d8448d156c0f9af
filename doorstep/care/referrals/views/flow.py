"""The board of flows: figures, charts, the cases behind each figure, and their file."""

from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_GET

from doorstep.care.referrals import actions, flow_case_queries, flow_queries
from doorstep.care.referrals.permissions import Permission
from doorstep.care.referrals.presenters import flow as presenters
from doorstep.care.referrals.presenters import flow_charts as charts
from doorstep.care.referrals.views.frame import actor_of
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.audit import actions as audit
from doorstep.kernel.web.pages import page_or_part, render

_EXCEL = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@require_GET
def board(request: HttpRequest) -> HttpResponse:
    """Stages, waits, flows, reasons, leakage and what nobody looks after."""
    actor, period = _asked(request)
    audit.record(action="referral.flow", actor=actor, subject=f"flow/{period}")
    found, counted_at = actions.board_now(actor=actor, period=period)
    context = {"period": period, "counted_at": counted_at, **presenters.board_of(found)}
    return page_or_part(request, "referrals/flow.html", "figures", context)


@require_GET
def cases(request: HttpRequest) -> HttpResponse:
    """The cases behind a figure."""
    actor, period = _asked(request)
    what = request.GET.get("what", "")
    since, after = flow_queries.since_of(period), request.GET.get("after", "")
    kind, _colon, code = what.partition(":")
    if kind == "down-refused":
        refused = flow_case_queries.refused_proposals(actor=actor, since=since, code=code)
        return _list(request, actor, period, what, presenters.proposal_lines(refused, actor=actor), further="")
    rows = flow_case_queries.cases(actor=actor, since=since, what=what, after=after, limit=flow_case_queries.CASES + 1)
    shown = rows[: flow_case_queries.CASES]
    more = {"period": period, "what": what, "after": shown[-1].place} if shown else {}
    lines = presenters.case_lines(shown, actor=actor, what=what)
    return _list(request, actor, period, what, lines, further=f"?{urlencode(more)}" if len(rows) > len(shown) else "")


def _list(
    request: HttpRequest, actor: Actor, period: str, what: str, lines: list[dict[str, Any]], *, further: str
) -> HttpResponse:
    kind = what.partition(":")[0]
    context = {
        "lines": lines,
        "period": period,
        "what": what,
        "figure": presenters.figure_of(what),
        "named": bool(actor.record_reach),
        "clocked": kind == "overdue",
        "waited": kind in ("first-wait", "second-wait"),
        "proposals": kind == "down-refused",
        "next": further,
    }
    return render(request, "referrals/flow_cases.html", context)


@require_GET
def export(request: HttpRequest) -> HttpResponse:
    """The same cases as an Excel file."""
    actor, period = _asked(request)
    since, what = flow_queries.since_of(period), request.GET.get("what", "")
    rows = flow_case_queries.cases(actor=actor, since=since, what=what, limit=flow_case_queries.EXPORTED)
    response = HttpResponse(presenters.workbook(rows, actor=actor), content_type=_EXCEL)
    response["Content-Disposition"] = 'attachment; filename="referrals.xlsx"'
    return response


@require_GET
def sankey(request: HttpRequest) -> HttpResponse:
    """The flows as a chart."""
    actor, period = _asked(request)
    return JsonResponse(charts.sankey(actions.board_now(actor=actor, period=period)[0].flows, period=period))


@require_GET
def map_of_flows(request: HttpRequest) -> HttpResponse:
    """The flows on a map."""
    actor, period = _asked(request)
    return JsonResponse(charts.flow_map(actions.board_now(actor=actor, period=period)[0].flows, period=period))


def _asked(request: HttpRequest) -> tuple[Actor, str]:
    actor = actor_of(request)
    actor.check(Permission.FLOW_VIEW)
    period = request.GET.get("period", "month")
    return actor, period if period in flow_queries.PERIODS else "month"
