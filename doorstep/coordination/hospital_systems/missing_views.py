"""The list that a sender's engineer is given: what did not come, and what came so that it could not be worked."""

from collections.abc import Sequence
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from doorstep.coordination.hospital_systems import presenters
from doorstep.coordination.hospital_systems.forms import SpanForm
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.audit import actions as audit
from doorstep.kernel.exchange import missing as gaps
from doorstep.kernel.exchange import queries
from doorstep.kernel.web import workbooks
from doorstep.kernel.web.pages import render
from doorstep.kernel.web.workbooks import Sheet, workbook


@require_GET
def missing(request: HttpRequest, key: UUID) -> HttpResponse:
    """Gaps in the numbering and messages put aside, of a span of at most a week; as an Excel file when it is asked for."""
    actor: Actor = request.actor  # type: ignore[attr-defined]
    found = queries.get_connection(key=key, actor=actor)
    span = presenters.last_day(timezone.now())
    form = SpanForm(request.GET if "since" in request.GET else span)
    listed = None
    if form.is_valid():
        since, until = form.span()
        listed = gaps.missing(connection=found, since=since, until=until, actor=actor)
        if request.GET.get("file"):
            rows = presenters.asked_again(listed)
            audit.record(
                action="exchange.missing", actor=actor, subject=f"connection/{found.key}", details={"rows": len(rows)}
            )
            return _file(rows, f"resend-{found.code}.xlsx")
    context = {
        "connection": found,
        "form": form,
        "missing": listed,
        "failed": [(one, presenters.error_of(one)) for one in listed.failed] if listed else [],
        "file_query": f"?since={form['since'].value()}&until={form['until'].value()}&file=1",
    }
    return render(request, "hospital_systems/missing.html", context, 422 if form.errors else 200)


def _file(rows: Sequence[Sequence[object]], name: str) -> HttpResponse:
    heads = [_("消息控制号"), _("至"), _("条数"), _("消息类型"), _("时间"), _("原因与改法")]
    return workbooks.answer(workbook(Sheet(_("请补发"), heads, rows, 24)), name)
