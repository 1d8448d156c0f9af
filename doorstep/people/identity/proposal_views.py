"""The page of a proposed merge, for the second person of the records office."""

from uuid import UUID

from django.contrib import messages
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from doorstep.kernel.access.refusals import Refused
from doorstep.kernel.web.pages import redirect, render
from doorstep.kernel.web.refusing import show_refusal
from doorstep.kernel.workflow import queries as workflow
from doorstep.kernel.workflow.once import once
from doorstep.people.identity import differences, presenters, proposing, queries
from doorstep.people.identity.forms import DeclineForm
from doorstep.people.identity.states import PROPOSED
from doorstep.people.identity.views import actor_of


@require_GET
def proposal(request: HttpRequest, key: UUID) -> HttpResponse:
    """Both records side by side with what was chosen, confirmed and written by whoever proposed."""
    return _page(request, key, DeclineForm())


@require_POST
@once
def agree(request: HttpRequest, key: UUID) -> HttpResponse:
    """The second person agrees: the two are merged as proposed."""
    actor, form = actor_of(request), Form({})
    try:
        made = proposing.agree(proposal=proposing.get_proposal(key=key), actor=actor)
    except Refused as refused:
        show_refusal(form, refused)
        return _page(request, key, DeclineForm(), refused=form)
    messages.success(request, _("已合并。发现有误可随时撤销。"))
    return redirect(request, reverse("identity:merge", args=[made.key]))


@require_POST
@once
def decline(request: HttpRequest, key: UUID) -> HttpResponse:
    """The second person does not agree."""
    actor, form = actor_of(request), DeclineForm(request.POST)
    if not form.is_valid():
        return _page(request, key, form)
    proposing.decline(proposal=proposing.get_proposal(key=key), reason=form.cleaned_data["reason"], actor=actor)
    messages.success(request, _("已记为不同意，两份档案保持不变。"))
    return redirect(request, reverse("identity:proposal", args=[key]))


@require_POST
@once
def withdraw(request: HttpRequest, key: UUID) -> HttpResponse:
    """Whoever proposed it takes it back."""
    proposing.withdraw(proposal=proposing.get_proposal(key=key), actor=actor_of(request))
    messages.success(request, _("已撤回，两份档案保持不变。"))
    return redirect(request, reverse("identity:office"))


def _page(request: HttpRequest, key: UUID, form: DeclineForm, *, refused: Form | None = None) -> HttpResponse:
    actor = actor_of(request)
    found = proposing.get_proposal(key=key)
    pair = queries.compare(standing=found.resident, former_key=found.former.key, actor=actor)
    context = {
        "proposal": found,
        "state": found.machine.state(found.state),
        "open": found.state == PROPOSED,
        "own": found.proposed_by_id == actor.user_id,
        "pair": pair,
        "lines": presenters.lines_of(pair),
        "against": differences.differences(pair.standing, pair.former),
        "standing_rows": presenters.counted(pair.standing_counts),
        "former_rows": presenters.counted(pair.former_counts),
        "history": workflow.history(found, actor=actor),
        "form": form,
        "refused": refused,
    }
    return render(request, "identity/proposal.html", context, 422 if form.errors or refused else 200)
