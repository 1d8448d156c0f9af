"""The board of flows: figures, charts, the cases behind each figure, and their file."""

from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_GET

from doorstep.care.referrals import actions, flow_case_queries, flow_queries
from doorstep.care.referrals.permissions import Permission
from doorstep.care.referrals.presenters import flow as presenters
from doorstep.care.referrals.presenters import flow_charts as charts
from doorstep.care.referrals.presenters import flow_files
from doorstep.care.referrals.views.frame import actor_of
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.audit import actions as audit
from doorstep.kernel.web import workbooks
from doorstep.kernel.web.pages import page_or_part, render


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
    refused, code = _refusals(what)
    if refused:
        found = flow_case_queries.refused_down(
            actor=actor, since=since, code=code, after=after, limit=flow_case_queries.CASES + 1
        )
        on_page, last = _page_of(found)
        lines = presenters.refusal_lines(on_page)
        return _list(request, actor, period, what, lines, further=_further(period, what, last))
    rows = flow_case_queries.cases(actor=actor, since=since, what=what, after=after, limit=flow_case_queries.CASES + 1)
    shown = rows[: flow_case_queries.CASES]
    lines = presenters.case_lines(shown, what=what)
    last = shown[-1].place if len(rows) > len(shown) else ""
    return _list(request, actor, period, what, lines, further=_further(period, what, last))


def _refusals(what: str) -> tuple[bool, str]:
    """Whether a list is of refused proposals, and the code it asks for."""
    kind, _colon, code = what.partition(":")
    return kind == "down-refused", code


def _page_of(found: list[flow_case_queries.RefusedDown]) -> tuple[list[flow_case_queries.RefusedDown], str]:
    """The refusals of a page, never half a proposal, and from where the next page goes on ("" after the last)."""
    proposals = list(dict.fromkeys(one.proposal.pk for one in found))
    if len(proposals) <= flow_case_queries.CASES:
        return found, ""
    shown = [one for one in found if one.proposal.pk != proposals[-1]]
    return shown, shown[-1].place


def _further(period: str, what: str, last: str) -> str:
    return f"?{urlencode({'period': period, 'what': what, 'after': last})}" if last else ""


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
    audit.record(action="referral.flow.export", actor=actor, subject=f"flow/{period}/{what}"[:80])
    refused, code = _refusals(what)
    if refused:
        found = flow_case_queries.refused_down(actor=actor, since=since, code=code, limit=flow_case_queries.EXPORTED)
        book = flow_files.refusals(found)
    else:
        rows = flow_case_queries.cases(actor=actor, since=since, what=what, limit=flow_case_queries.EXPORTED)
        book = flow_files.workbook(rows, what=what)
    return workbooks.answer(book, "referrals.xlsx")


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
