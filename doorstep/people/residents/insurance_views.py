"""The page of a resident's insurance: how care is paid, what stood before, and who wrote it."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from doorstep.kernel.access.refusals import Refused
from doorstep.kernel.record import queries as record
from doorstep.kernel.web.pages import redirect, render
from doorstep.kernel.web.refusing import show_refusal
from doorstep.kernel.workflow.once import once
from doorstep.people.residents import insurance as rules
from doorstep.people.residents import insuring, queries, special_queries, specializing
from doorstep.people.residents import special as diseases
from doorstep.people.residents.forms import EndInsuranceForm, EndSpecialForm, InsuranceForm, SpecialForm
from doorstep.people.residents.permissions import Permission
from doorstep.people.residents.views import actor_of


@require_http_methods(["GET", "POST"])
@once
def insurance(request: HttpRequest, key: UUID) -> HttpResponse:
    """How a resident's care is paid; POST writes it down."""
    actor = actor_of(request)
    actor.check(Permission.RESIDENT_REGISTER)
    resident = queries.get_by_key(key, actor)
    form = InsuranceForm(request.POST) if request.method == "POST" else None
    if form is not None and request.method == "POST" and form.is_valid():
        try:
            insuring.record_insurance(resident=resident, actor=actor, **form.cleaned_data)
        except Refused as refused:
            if refused.status not in (409, 422):
                raise
            show_refusal(form, refused)
        else:
            messages.success(request, _("医保已登记。"))
            return redirect(request, reverse("residents:insurance", args=[resident.key]))
    return _page(request, key, form, 422 if form is not None else 200)


@require_POST
@once
def end(request: HttpRequest, key: UUID, line_key: UUID) -> HttpResponse:
    """A line does not stand any more."""
    actor = actor_of(request)
    actor.check(Permission.RESIDENT_REGISTER)
    resident = queries.get_by_key(key, actor)
    line = queries.get_insurance(key=line_key, resident_id=resident.pk)
    form = EndInsuranceForm(request.POST)
    facts = form.cleaned_data if form.is_valid() else {"ending": "", "reason": ""}
    insuring.end_insurance(line=line, actor=actor, **facts)
    messages.success(request, _("已处理，记录保留在历史中。"))
    return redirect(request, reverse("residents:insurance", args=[resident.key]))


@require_POST
@once
def special(request: HttpRequest, key: UUID) -> HttpResponse:
    """Write down a disease that the insurance has recognised."""
    actor = actor_of(request)
    actor.check(Permission.RESIDENT_REGISTER)
    resident = queries.get_by_key(key, actor)
    form = SpecialForm(request.POST, auto_id="special_%s")
    if form.is_valid():
        try:
            specializing.record_special(resident=resident, actor=actor, **form.cleaned_data)
        except Refused as refused:
            if refused.status not in (409, 422):
                raise
            show_refusal(form, refused)
        else:
            messages.success(request, _("门诊慢特病已登记。"))
            return redirect(request, reverse("residents:insurance", args=[resident.key]))
    return _page(request, key, None, 422, special_form=form)


@require_POST
@once
def end_special(request: HttpRequest, key: UUID, line_key: UUID) -> HttpResponse:
    """A recognised disease does not stand any more."""
    actor = actor_of(request)
    actor.check(Permission.RESIDENT_REGISTER)
    resident = queries.get_by_key(key, actor)
    line = special_queries.get_special(key=line_key, resident_id=resident.pk)
    form = EndSpecialForm(request.POST, auto_id="special_%s")
    facts = form.cleaned_data if form.is_valid() else {"ending": "", "reason": ""}
    specializing.end_special(line=line, actor=actor, **facts)
    messages.success(request, _("已处理，记录保留在历史中。"))
    return redirect(request, reverse("residents:insurance", args=[resident.key]))


def _page(
    request: HttpRequest, key: UUID, form: InsuranceForm | None, status: int, special_form: SpecialForm | None = None
) -> HttpResponse:
    actor = actor_of(request)
    resident = queries.get_by_key(key, actor)
    if request.method == "GET":
        record.note_look(
            resident_id=resident.pk, actor=actor, subject=f"resident/{resident.key}", action="resident.insurance"
        )
    lines = queries.insurances_of(resident_id=resident.pk)
    specials = special_queries.specials_of(resident_id=resident.pk)
    context = {
        "resident": resident,
        "banner": queries.banner(resident),
        "standing": [line for line in lines if line.ended_at is None],
        "former": [line for line in lines if line.ended_at is not None],
        "form": form or InsuranceForm(initial={"place": special_queries.likely_place(resident, lines)}),
        "specials": [line for line in specials if line.ended_at is None],
        "former_specials": [line for line in specials if line.ended_at is not None],
        "special_form": special_form or SpecialForm(auto_id="special_%s"),
        "end_special_form": EndSpecialForm(),
        "disease_of": lambda line: diseases.words(kind=line.kind, name=line.name),
        "today": timezone.localdate(),
        "end_form": EndInsuranceForm(),
        "words_of": lambda line: rules.words(kind=line.kind, place=line.place, insurer=line.insurer),
    }
    return render(request, "residents/insurance.html", context, status)
