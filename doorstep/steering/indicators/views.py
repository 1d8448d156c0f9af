"""Pages of the indicators."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from doorstep.kernel.access.actor import Actor
from doorstep.kernel.access.refusals import NotFound
from doorstep.kernel.web.pages import page_or_part, render
from doorstep.kernel.workflow import catalogue
from doorstep.steering.indicators import queries
from doorstep.steering.indicators import recognition as shares


@require_GET
def stages(request: HttpRequest) -> HttpResponse:
    """Every stage with its times and its share inside the clock."""
    period = _period(request)
    lines = queries.list_stages(actor=_actor(request), period=period)
    clocked = sum(line.clocked for line in lines)
    context = {
        "period": period,
        "lines": lines,
        "closed": sum(line.closed for line in lines),
        "share": (clocked - sum(line.late for line in lines)) / clocked if clocked else None,
        "overdue": sum(line.overdue_now for line in lines),
        "open_now": sum(line.open_now for line in lines),
    }
    return page_or_part(request, "indicators/stages.html", "figures", context)


@require_GET
def cases(request: HttpRequest, kind: str) -> HttpResponse:
    """The cases behind one stage's figure."""
    stage = catalogue.stage(kind)
    if stage is None:
        raise NotFound()
    period, late = _period(request), request.GET.get("late") == "1"
    lines = queries.list_cases(actor=_actor(request), kind=kind, period=period, late=late)
    return render(
        request, "indicators/cases.html", {"stage": stage, "kind": kind, "period": period, "late": late, "lines": lines}
    )


@require_GET
def case(request: HttpRequest, key: UUID) -> HttpResponse:
    """What happened to one case, without the resident."""
    return render(request, "indicators/case.html", {"steps": queries.list_case_steps(actor=_actor(request), key=key)})


@require_GET
def recognition(request: HttpRequest) -> HttpResponse:
    """The share of recognised results by unit and month."""
    span = _span(request)
    context = {"span": span, "found": shares.list_shares(actor=_actor(request), span=span)}
    return page_or_part(request, "indicators/recognition.html", "figures", context)


@require_GET
def decisions(request: HttpRequest) -> HttpResponse:
    """The decisions behind a share."""
    span = _span(request)
    unit, verdict, reason = (request.GET.get(name, "") for name in ("unit", "verdict", "reason"))
    lines = shares.list_decisions(actor=_actor(request), span=span, unit=unit, verdict=verdict, reason=reason)
    return render(request, "indicators/decisions.html", {"span": span, "lines": lines})


def _span(request: HttpRequest) -> str:
    span = request.GET.get("span", "month")
    return span if span in shares.SPANS else "month"


def _period(request: HttpRequest) -> str:
    period = request.GET.get("period", "week")
    return period if period in queries.PERIODS else "week"


def _actor(request: HttpRequest) -> Actor:
    actor: Actor = request.actor  # type: ignore[attr-defined]
    return actor
