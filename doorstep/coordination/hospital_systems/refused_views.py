"""What registered senders were refused: the list, one of them, and taking it after all."""

from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages as notes
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from doorstep.coordination.hospital_systems import presenters
from doorstep.coordination.hospital_systems.forms import RefusedForm
from doorstep.coordination.hospital_systems.views import manager
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.access.refusals import NotFound, Refused
from doorstep.kernel.audit import actions as audit
from doorstep.kernel.exchange import queries, refused
from doorstep.kernel.exchange.permissions import Permission
from doorstep.kernel.exchange.refused import Sought
from doorstep.kernel.web.pages import page_or_part, redirect, render
from doorstep.kernel.workflow.once import once


@require_GET
def refusals(request: HttpRequest) -> HttpResponse:
    """Refused messages by sender, reason and control id, newest first; those that are settled only when asked."""
    actor: Actor = request.actor  # type: ignore[attr-defined]
    actor.check(Permission.EXCHANGE_VIEW)
    form = RefusedForm(request.GET or None)
    sought, chosen = Sought(), None
    if form.is_bound and form.is_valid():
        facts = form.cleaned_data
        chosen = queries.get_connection(key=facts["connection"], actor=actor) if facts["connection"] else None
        sought = Sought(
            connection_id=chosen.pk if chosen else None,
            reason=facts["reason"],
            control_id=facts["control_id"].strip(),
            open_only=not facts["all"],
            before=facts["before"],
        )
    found = refused.find(sought, actor=actor)
    rows, more = found[: refused.LISTED], found[refused.LISTED :]
    asked = {name: value for name, value in request.GET.items() if name != "before"}
    context = {
        "form": form,
        "connection": chosen,
        "rows": [(one, presenters.refusal_of(one)) for one in rows],
        "next": f"{request.path}?{urlencode({**asked, 'before': rows[-1].pk})}" if more else None,
    }
    return page_or_part(request, "hospital_systems/refused.html", "found", context, 422 if form.errors else 200)


@require_GET
def refusal(request: HttpRequest, key: UUID) -> HttpResponse:
    """One refused message: why, what to do, and its segments with the person veiled."""
    actor: Actor = request.actor  # type: ignore[attr-defined]
    found = refused.get(key=key, actor=actor)
    audit.record(action="exchange.view-refused", actor=actor, subject=f"refusal/{found.key}")
    context = {
        "refusal": found,
        "said": presenters.refusal_of(found),
        "segments": presenters.refused_segments(found),
        "may_manage": actor.may(Permission.EXCHANGE_MANAGE),
    }
    return render(request, "hospital_systems/refusal.html", context)


@require_POST
@once
def take(request: HttpRequest, key: UUID) -> HttpResponse:
    """Judge a refused message again; one that is refused once more says why."""
    actor = manager(request)
    found = refused.get(key=key, actor=actor)
    if not found.whole:
        raise Refused(_("这条消息只留下了开头，不能重放，请让发送方重发。"))
    verdict = refused.take(found, actor=actor)
    if verdict.code == "A":
        notes.success(request, _("已接收，正在处理。"))
        taken = refused.get(key=key, actor=actor).message
        if taken is not None:
            return redirect(request, reverse("exchange:message", args=[taken.key]))
    else:
        notes.warning(request, _("仍然不能接收，原因没有变，请先按说明处理。"))
    return redirect(request, reverse("exchange:refusal", args=[key]))


@require_POST
@once
def settle(request: HttpRequest, key: UUID) -> HttpResponse:
    """Put a refusal aside."""
    actor = manager(request)
    found = refused.get(key=key, actor=actor)
    refused.settle(connection=found.connection, reason=found.reason, key=key, actor=actor)
    notes.success(request, _("已移出待办。"))
    return redirect(request, f"{reverse('exchange:refused')}?connection={found.connection.key}")


@require_POST
@once
def act(request: HttpRequest, key: UUID, verb: str) -> HttpResponse:
    """Take all of one reason after all, or put them aside."""
    actor = manager(request)
    connection = queries.get_connection(key=key, actor=actor)
    reason = request.POST.get("reason", "")
    if verb == "take":
        taken, left = refused.take_all(connection=connection, reason=reason, actor=actor)
        if taken:
            notes.success(request, _("已接收 %(count)s 条消息，正在处理。") % {"count": taken})
        if left or not taken:
            notes.warning(request, _("%(count)s 条仍然不能接收，请先按说明处理。") % {"count": left})
    elif verb == "settle":
        count = refused.settle(connection=connection, reason=reason, key=None, actor=actor)
        notes.success(request, _("已把 %(count)s 条移出待办。") % {"count": count})
    else:
        raise NotFound()
    return redirect(request, reverse("exchange:connection", args=[key]))
