"""The page of a reported merge, for the records office."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from doorstep.coordination.hospital_systems import merging
from doorstep.coordination.hospital_systems.forms import DismissForm
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.access.refusals import NotFound
from doorstep.kernel.web.pages import redirect, render
from doorstep.kernel.workflow import queries as workflow
from doorstep.kernel.workflow.once import once
from doorstep.people.residents import queries as residents
from doorstep.people.residents.permissions import Permission


def _actor(request: HttpRequest) -> Actor:
    actor: Actor = request.actor  # type: ignore[attr-defined]
    actor.check(Permission.RESIDENT_MERGE)
    return actor


@require_GET
def notice(request: HttpRequest, key: UUID) -> HttpResponse:
    """Which two patients a hospital made one, and the way to look at both records."""
    return _page(request, key, DismissForm())


@require_POST
@once
def dismiss(request: HttpRequest, key: UUID) -> HttpResponse:
    """The two are different people."""
    actor = _actor(request)
    form = DismissForm(request.POST)
    if not form.is_valid():
        return _page(request, key, form)
    merging.dismiss(notice=merging.get_notice(key, actor), reason=form.cleaned_data["reason"], actor=actor)
    messages.success(request, _("已记录：不是同一人。请通知医院在其系统中拆分。"))
    return redirect(request, reverse("exchange:merge-notice", args=[key]))


def _page(request: HttpRequest, key: UUID, form: DismissForm) -> HttpResponse:
    actor = _actor(request)
    found = merging.get_notice(key, actor)
    people = residents.brief(ids=[found.resident_id, found.prior_id])
    if len(people) < 2:
        # A record that the office may not see: nothing is told of the other either.
        raise NotFound()
    context = {
        "notice": found,
        "state": found.machine.state(found.state),
        "standing": residents.banner(people[found.resident_id]),
        "prior": residents.banner(people[found.prior_id]),
        "history": workflow.history(found, actor=actor),
        "form": form,
        "open": found.state == "reported",
    }
    return render(request, "hospital_systems/notice.html", context, 422 if form.errors else 200)
