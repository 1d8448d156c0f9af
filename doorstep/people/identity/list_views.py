"""Pages of hospitals' lists: upload, naming the columns, the job's progress, and the review of what it found."""

from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from doorstep.kernel.access.actor import Actor
from doorstep.kernel.access.refusals import NotFound, Refused
from doorstep.kernel.web import workbooks
from doorstep.kernel.web.pages import page_or_part, redirect, render
from doorstep.kernel.web.refusing import show_refusal
from doorstep.kernel.workflow.once import once
from doorstep.people.identity import deciding, list_queries, listing, presenters
from doorstep.people.identity.forms import ColumnsForm, ListForm
from doorstep.people.residents import spreadsheet
from doorstep.people.residents.permissions import Permission

_FAULTS = 30


def _linker(request: HttpRequest) -> Actor:
    actor: Actor = request.actor  # type: ignore[attr-defined]
    actor.check(Permission.RESIDENT_LINK)
    return actor


@require_http_methods(["GET", "POST"])
@once
def lists(request: HttpRequest) -> HttpResponse:
    """The lists of the unit, and the upload of another."""
    actor = _linker(request)
    form = ListForm(request.POST, request.FILES) if request.method == "POST" else ListForm()
    if request.method == "POST" and form.is_valid():
        file = form.cleaned_data["file"]
        try:
            made = listing.upload(name=file.name, content=file.read(), actor=actor)
        except Refused as refused:
            show_refusal(form, refused)
        else:
            return redirect(request, reverse("identity:list", args=[made.key]))
    context = {"form": form, "lists": list_queries.list_lists(actor=actor)}
    return render(request, "identity/lists.html", context, 422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
@once
def one_list(request: HttpRequest, key: UUID) -> HttpResponse:
    """One list where it stands: its columns to be named, its faults, its progress, or what was found."""
    actor = _linker(request)
    patients = list_queries.get_list(key=key, actor=actor)
    form = ColumnsForm(request.POST or None, heads=patients.heads, columns=patients.columns)
    if request.method == "POST" and form.is_valid():
        try:
            listing.name_columns(patients=patients, columns=form.columns(), actor=actor)
        except Refused as refused:
            show_refusal(form, refused)
        else:
            return redirect(request, reverse("identity:list", args=[key]))
    if request.headers.get("HX-Target") == "stage" and patients.stage != "running":
        # Whoever waited gets the whole page, with its buttons.
        return HttpResponse(headers={"HX-Refresh": "true"})
    tab = request.GET.get("show", "review")
    tab = tab if tab in list_queries.TABS else "review"
    done = patients.stage == "done"
    after = request.GET.get("after", "")
    page = list_queries.page_of(patients, tab=tab, actor=actor, after=after) if done else None
    context = {
        "patients": patients,
        "form": form,
        "preview": list(listing.preview(patients)),
        "faults": patients.faults[:_FAULTS],
        "interrupted": list_queries.is_interrupted(patients),
        "steps": presenters.steps_of(patients.step, listing.STEPS),
        "tab": tab,
        "sees_people": list_queries.sees_people(actor),
        "counts": presenters.capped(list_queries.counts_of(patients, actor=actor)) if done else {},
        "lines": [presenters.beside(one) for one in page.lines] if page else [],
        "after": after,
        "first": f"?show={tab}" if after else None,
        "next": f"?{urlencode({'show': tab, 'after': page.after})}" if page and page.after else None,
    }
    return page_or_part(request, "identity/list.html", "stage", context, status=422 if form.errors else 200)


@require_POST
@once
def start_list(request: HttpRequest, key: UUID) -> HttpResponse:
    """Have the list linked."""
    actor = _linker(request)
    patients = list_queries.get_list(key=key, actor=actor)
    try:
        listing.start(patients=patients, actor=actor)
    except Refused as refused:
        messages.error(request, str(refused.message))
    return redirect(request, reverse("identity:list", args=[key]))


@require_POST
@once
def discard_list(request: HttpRequest, key: UUID) -> HttpResponse:
    """Delete what the list said of people."""
    actor = _linker(request)
    listing.discard(patients=list_queries.get_list(key=key, actor=actor), actor=actor)
    messages.success(request, _("名单已删除；已经对上的患者号继续有效。"))
    return redirect(request, reverse("identity:lists"))


@require_POST
@once
def decide(request: HttpRequest, key: UUID, match_id: int) -> HttpResponse:
    """Say of one match that it is the same person, somebody else, later; or take a link back."""
    actor = _linker(request)
    patients = list_queries.get_list(key=key, actor=actor)
    try:
        deciding.decide(patients=patients, match_id=match_id, verb=request.POST.get("verb", ""), actor=actor)
    except NotFound:
        raise
    except Refused as refused:
        messages.error(request, str(refused.message))
    else:
        messages.success(request, _("已记录。"))
    tab, after = request.POST.get("show", "review"), request.POST.get("after", "")
    here = {"show": tab if tab in list_queries.TABS else "review", **({"after": after} if after else {})}
    return redirect(request, f"{reverse('identity:list', args=[key])}?{urlencode(here)}")


@require_GET
def list_faults(request: HttpRequest, key: UUID) -> HttpResponse:
    """The faults of a list as a table to work from."""
    patients = list_queries.get_list(key=key, actor=_linker(request))
    return workbooks.answer(spreadsheet.write_faults(patients.faults), "faults.xlsx")


@require_GET
def list_result(request: HttpRequest, key: UUID) -> HttpResponse:
    """What became of every line, as a table: numbers of the hospital, never whose record it is."""
    actor = _linker(request)
    patients = list_queries.get_list(key=key, actor=actor)
    lines = presenters.result_lines(list_queries.results_of(patients, actor=actor))
    return workbooks.answer(spreadsheet.write_sheet(lines, _("比对结果")), "linked.xlsx")
