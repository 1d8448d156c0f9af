"""Pages of the import: upload, preview, take over."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from doorstep.kernel.access.actor import Actor
from doorstep.kernel.access.refusals import Refused
from doorstep.kernel.web import workbooks
from doorstep.kernel.web.pages import redirect, render
from doorstep.kernel.web.refusing import show_refusal
from doorstep.kernel.workflow.once import once
from doorstep.people.residents import importing, queries, spreadsheet
from doorstep.people.residents.forms import ImportForm
from doorstep.people.residents.permissions import Permission

_SHOWN = 100


def _registrar(request: HttpRequest) -> Actor:
    actor: Actor = request.actor  # type: ignore[attr-defined]
    actor.check(Permission.RESIDENT_IMPORT)
    return actor


@require_http_methods(["GET", "POST"])
@once
def imports(request: HttpRequest) -> HttpResponse:
    """The files of the unit, and the upload of another."""
    actor = _registrar(request)
    form = ImportForm(request.POST, request.FILES) if request.method == "POST" else ImportForm()
    if request.method == "POST" and form.is_valid():
        file = form.cleaned_data["file"]
        try:
            batch = importing.check_file(name=file.name, content=file.read(), actor=actor)
        except Refused as refused:
            show_refusal(form, refused)
        else:
            return redirect(request, reverse("residents:import_batch", args=[batch.key]))
    context = {"form": form, "batches": queries.list_batches(actor=actor)}
    return render(request, "residents/imports.html", context, 422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
@once
def import_batch(request: HttpRequest, key: UUID) -> HttpResponse:
    """One file: what was found in it; POST takes it over or gives it up."""
    actor = _registrar(request)
    batch = queries.get_batch(key, actor)
    if request.method == "POST":
        verb = request.POST.get("verb", "")
        if verb == "discard":
            importing.discard(batch=batch, actor=actor)
            return redirect(request, reverse("residents:imports"))
        done = importing.take_over(batch=batch, only_right=verb == "right", actor=actor)
        messages.success(request, _("已导入 %(count)s 人。") % {"count": done.taken})
        return redirect(request, reverse("residents:import_batch", args=[key]))
    context = {"batch": batch, "faults": batch.faults[:_SHOWN], "preview": queries.preview(batch)}
    return render(request, "residents/import_batch.html", context)


@require_GET
def import_faults(request: HttpRequest, key: UUID) -> HttpResponse:
    """The faults of a file as a table to work from."""
    batch = queries.get_batch(key, _registrar(request))
    return workbooks.answer(spreadsheet.write_faults(batch.faults), "faults.xlsx")


@require_GET
def import_template(request: HttpRequest) -> HttpResponse:
    """An empty file with the right columns."""
    _registrar(request)
    return workbooks.answer(spreadsheet.write_template(), "residents.xlsx")
