"""The page of a resident's allergies."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from doorstep.coordination.allergies import actions, queries
from doorstep.coordination.allergies.forms import AllergyForm, RefuteForm
from doorstep.coordination.allergies.permissions import Permission
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.access.permissions import Permission as Access
from doorstep.kernel.access.refusals import Refused
from doorstep.kernel.record import queries as record
from doorstep.kernel.web.pages import redirect, render
from doorstep.kernel.web.refusing import show_refusal
from doorstep.kernel.workflow.once import once
from doorstep.people.organizations import queries as organizations
from doorstep.people.residents import queries as residents


def _actor(request: HttpRequest) -> Actor:
    actor: Actor = request.actor  # type: ignore[attr-defined]
    actor.check(Access.RECORD_VIEW)
    return actor


@require_http_methods(["GET", "POST"])
@once
def resident(request: HttpRequest, key: UUID) -> HttpResponse:
    """What is known of a resident's allergies; POST writes one down."""
    actor = _actor(request)
    found = residents.get_by_key(key, actor)
    form = AllergyForm(request.POST or None, substances=queries.substances())
    if request.method == "POST" and form.is_valid():
        try:
            actions.record_allergy(resident=found, actor=actor, **form.cleaned_data)
        except Refused as refused:
            if refused.status not in (409, 422):
                raise
            show_refusal(form, refused)
        else:
            messages.success(request, _("过敏史已登记。"))
            return redirect(request, reverse("allergies:resident", args=[key]))
    return _page(request, key, form, RefuteForm(), 422 if form.errors else 200)


@require_POST
@once
def none(request: HttpRequest, key: UUID) -> HttpResponse:
    """The resident was asked: no allergy is known."""
    actor = _actor(request)
    actions.state_none(resident=residents.get_by_key(key, actor), actor=actor)
    messages.success(request, _("已登记“无已知过敏”。"))
    return redirect(request, reverse("allergies:resident", args=[key]))


@require_POST
@once
def refute(request: HttpRequest, key: UUID, allergy_key: UUID) -> HttpResponse:
    """A line turned out to be none."""
    actor = _actor(request)
    found = residents.get_by_key(key, actor)
    line = queries.get_allergy(key=allergy_key, resident_id=found.pk)
    actions.refute(line=line, reason=request.POST.get("reason", ""), actor=actor)
    messages.success(request, _("已否定，记录保留在历史中。"))
    return redirect(request, reverse("allergies:resident", args=[key]))


def _page(request: HttpRequest, key: UUID, form: AllergyForm, refute_form: RefuteForm, status: int) -> HttpResponse:
    actor = _actor(request)
    found = residents.get_by_key(key, actor)
    if request.method == "GET":
        record.note_look(resident_id=found.pk, actor=actor, subject=f"resident/{found.key}", action="allergy.view")
    lines = queries.lines_of(resident_id=found.pk)
    sent = queries.sent_of(resident_id=found.pk)
    standing = [line for line in lines if line.state == "active"]
    context = {
        "resident": found,
        "banner": residents.banner(found),
        "on_allergies": True,
        "standing": standing,
        "former": [line for line in lines if line.state != "active"],
        "sent": sent,
        "units": organizations.names(ids=[one.organization_id for one in sent]),
        "form": form,
        "refute_form": refute_form,
        "may_record": actor.may(Permission.ALLERGY_RECORD),
        "may_state_none": not standing and not sent,
        "text_of": queries.text_of,
    }
    return render(request, "allergies/resident.html", context, status)
