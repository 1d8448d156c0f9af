"""The page of a resident's death: recording it, and taking a mistaken record back."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from doorstep.kernel.access.refusals import Refused
from doorstep.kernel.web.pages import redirect, render
from doorstep.kernel.web.refusing import show_refusal
from doorstep.kernel.workflow.once import once
from doorstep.people.residents import deaths, queries
from doorstep.people.residents.forms import DeathForm, RevokeDeathForm
from doorstep.people.residents.permissions import Permission
from doorstep.people.residents.views import actor_of


@require_http_methods(["GET", "POST"])
@once
def death(request: HttpRequest, key: UUID) -> HttpResponse:
    """Record that a resident has died, or see the record that stands."""
    actor = actor_of(request)
    actor.check(Permission.DEATH_RECORD)
    resident = queries.get_by_key(key, actor)
    form = DeathForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            deaths.record_death(resident=resident, actor=actor, **form.cleaned_data)
        except Refused as refused:
            if refused.status != 422:
                raise
            show_refusal(form, refused)
        else:
            messages.success(request, _("已登记死亡，提醒和未完成的业务随即停止。"))
            return redirect(request, reverse("residents:detail", args=[key]))
    return _page(request, key, form=form, revoke_form=RevokeDeathForm(), status=422 if form.errors else 200)


@require_POST
@once
def revoke(request: HttpRequest, key: UUID) -> HttpResponse:
    """Take a mistaken death back, with the reason."""
    actor = actor_of(request)
    actor.check(Permission.DEATH_RECORD)
    form = RevokeDeathForm(request.POST)
    if form.is_valid():
        resident = queries.get_by_key(key, actor)
        try:
            deaths.revoke_death(resident=resident, reason=form.cleaned_data["reason"], actor=actor)
        except Refused as refused:
            if refused.status != 422:
                raise
            show_refusal(form, refused)
        else:
            messages.success(request, _("已撤销死亡登记。已结束的签约、预约和转诊不会自动恢复，请与居民重新办理。"))
            return redirect(request, reverse("residents:detail", args=[key]))
    return _page(request, key, form=DeathForm(), revoke_form=form, status=422)


def _page(
    request: HttpRequest, key: UUID, *, form: DeathForm, revoke_form: RevokeDeathForm, status: int
) -> HttpResponse:
    resident = queries.get_by_key(key, actor_of(request))
    context = {
        "resident": resident,
        "banner": queries.banner(resident),
        "death": queries.death_of(resident),
        "revoked": queries.revoked_deaths_of(resident),
        "form": form,
        "revoke_form": revoke_form,
    }
    return render(request, "residents/death.html", context, status)
