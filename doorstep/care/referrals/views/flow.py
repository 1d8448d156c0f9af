"""The board of flows: figures, charts, the cases behind each figure, and their file."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_GET

from doorstep.care.referrals import flow_queries
from doorstep.care.referrals.permissions import Permission
from doorstep.care.referrals.presenters import flow as presenters
from doorstep.care.referrals.views.frame import actor_of
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.web.pages import page_or_part, render

_EXCEL = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@require_GET
def board(request: HttpRequest) -> HttpResponse:
    """Stages, waits, flows, reasons, leakage and what nobody looks after."""
    actor, period = _asked(request)
    context = {"period": period, **presenters.board_of(flow_queries.board(actor=actor, period=period))}
    return page_or_part(request, "referrals/flow.html", "figures", context)


@require_GET
def cases(request: HttpRequest) -> HttpResponse:
    """The cases behind a figure."""
    actor, period = _asked(request)
    what = request.GET.get("what", "")
    rows = flow_queries.cases(actor=actor, period=period, what=what)
    context = {
        "lines": presenters.case_lines(rows, actor=actor),
        "period": period,
        "what": what,
        "full": len(rows) == flow_queries.CASES,
    }
    return render(request, "referrals/flow_cases.html", context)


@require_GET
def export(request: HttpRequest) -> HttpResponse:
    """The same cases as an Excel file."""
    actor, period = _asked(request)
    rows = flow_queries.cases(actor=actor, period=period, what=request.GET.get("what", ""), limit=flow_queries.EXPORTED)
    response = HttpResponse(presenters.workbook(rows, actor=actor), content_type=_EXCEL)
    response["Content-Disposition"] = 'attachment; filename="referrals.xlsx"'
    return response


@require_GET
def sankey(request: HttpRequest) -> HttpResponse:
    """The flows as a chart."""
    actor, period = _asked(request)
    return JsonResponse(presenters.sankey(flow_queries.flows(actor=actor, period=period)))


@require_GET
def map_of_flows(request: HttpRequest) -> HttpResponse:
    """The flows on a map."""
    actor, period = _asked(request)
    return JsonResponse(presenters.flow_map(flow_queries.flows(actor=actor, period=period)))


def _asked(request: HttpRequest) -> tuple[Actor, str]:
    actor = actor_of(request)
    actor.check(Permission.FLOW_VIEW)
    period = request.GET.get("period", "month")
    return actor, period if period in flow_queries.PERIODS else "month"
