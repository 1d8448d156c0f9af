"""Files handed in on the page of a connection, and the tables to fill in: for those who cannot reach the watched folder."""

import csv
import io
from uuid import UUID

from django.contrib import messages as notes
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from doorstep.coordination.hospital_systems import sheets
from doorstep.coordination.hospital_systems.forms import FileForm
from doorstep.coordination.hospital_systems.views import manager, shown_connection
from doorstep.kernel.access.refusals import NotFound
from doorstep.kernel.exchange import actions, queries
from doorstep.kernel.web.pages import redirect
from doorstep.kernel.workflow.once import once


@require_POST
@once
def upload(request: HttpRequest, key: UUID) -> HttpResponse:
    """Take files as the watched folder takes them; what is in them is worked in the background."""
    actor = manager(request)
    found = queries.get_connection(key=key, actor=actor)
    if found.kind != "folder":
        raise NotFound()
    form = FileForm(request.POST, request.FILES)
    if not form.is_valid():
        return shown_connection(request, found, file_form=form)
    for file in form.cleaned_data["given"]:
        taken = actions.take_file(connection=found, name=file.name, data=file.read(), actor=actor)
        if taken.whole and taken.repeated:
            notes.info(request, _("“%(file)s”以前收过，内容相同，没有再入档。") % {"file": file.name})
        elif taken.whole:
            notes.success(
                request, _("“%(file)s”已收下，%(count)s 条，正在入档。") % {"file": file.name, "count": taken.messages}
            )
        else:
            notes.warning(request, _("“%(file)s”打不开，原因见下面的错误。") % {"file": file.name})
    for file in request.FILES.getlist("given"):
        if not file.size:
            notes.warning(request, _("“%(file)s”是空的，没有收下，请重新导出。") % {"file": file.name})
    return redirect(request, reverse("exchange:connection", args=[key]))


@require_GET
def blank(request: HttpRequest, kind: str) -> HttpResponse:
    """The table of this kind with its first line alone, as Excel opens it."""
    manager(request)
    if kind not in sheets.KINDS:
        raise NotFound()
    text = io.StringIO()
    csv.writer(text).writerow([*sheets.KINDS[kind], *sheets.FURTHER[kind]])
    response = HttpResponse(text.getvalue().encode("utf-8-sig"), content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{kind}.csv"'
    return response
