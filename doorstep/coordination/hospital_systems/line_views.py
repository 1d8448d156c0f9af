"""The line on which a hospital's own system is told of what happened here: opened, closed, and sent again."""

from uuid import UUID

from django.contrib import messages as notes
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from doorstep.coordination.hospital_systems import lines
from doorstep.coordination.hospital_systems.forms import AgainForm, LineForm
from doorstep.coordination.hospital_systems.views import manager, shown_connection
from doorstep.kernel.access.refusals import NotFound, Refused
from doorstep.kernel.exchange import actions, queries
from doorstep.kernel.record import doors
from doorstep.kernel.subscriptions import line_actions
from doorstep.kernel.subscriptions import queries as subscriptions
from doorstep.kernel.web.pages import redirect
from doorstep.kernel.web.refusing import show_refusal
from doorstep.kernel.workflow.once import once


@require_POST
@once
def line(request: HttpRequest, key: UUID) -> HttpResponse:
    """Open the line to a system, or change where it leads and what goes over it."""
    actor = manager(request)
    found = queries.get_connection(key=key, actor=actor)
    form = LineForm(request.POST)
    if form.is_valid():
        facts = form.cleaned_data
        speech = lines.Speech(version=facts["version"], encoding=facts["encoding"])
        address = line_actions.Address(host=facts["host"], port=facts["port"], secure=facts["secure"])
        try:
            lines.send_to(
                connection=found,
                address=address,
                kinds=facts["kinds"],
                speech=speech,
                base=doors.address(),
                actor=actor,
            )
        except Refused as refused:
            if refused.status != 422:
                raise
            show_refusal(form, refused)
        else:
            notes.success(request, _("已保存，之后发生的事会按顺序发给这个系统。"))
            return redirect(request, reverse("exchange:connection", args=[key]))
    return shown_connection(request, found, line_form=form)


@require_POST
@once
def close(request: HttpRequest, key: UUID) -> HttpResponse:
    """Send nothing more to a system."""
    actor = manager(request)
    found = queries.get_connection(key=key, actor=actor)
    standing = subscriptions.line_of(client_id=found.client_id)
    if standing is None:
        raise NotFound()
    line_actions.close_line(subscription=standing, actor=actor)
    notes.success(request, _("已停止发送；没有发出的消息保留，重新开通后继续。"))
    return redirect(request, reverse("exchange:connection", args=[key]))


@require_POST
@once
def again(request: HttpRequest, key: UUID) -> HttpResponse:
    """Send a kind of refused messages again, or replay a span of time in one direction."""
    actor = manager(request)
    found = queries.get_connection(key=key, actor=actor)
    standing = subscriptions.line_of(client_id=found.client_id)
    if "kind" in request.POST and standing is not None:
        count = line_actions.send_kind_again(subscription=standing, error_kind=request.POST["kind"], actor=actor)
        return _told(request, key, count)
    form = AgainForm(request.POST)
    if not form.is_valid():
        return shown_connection(request, found, again_form=form)
    since, until = form.span()
    if form.cleaned_data["direction"] == "in":
        return _told(request, key, actions.replay_range(connection=found, since=since, until=until, actor=actor))
    if standing is None:
        form.add_error("direction", _("这个接入没有开通发送，只能重放收到的消息。"))
        return shown_connection(request, found, again_form=form)
    count = line_actions.send_range_again(subscription=standing, since=since, until=until, actor=actor)
    return _told(request, key, count)


def _told(request: HttpRequest, key: UUID, count: int) -> HttpResponse:
    if count:
        notes.success(request, _("已重放 %(count)s 条消息。") % {"count": count})
    else:
        notes.warning(request, _("没有可以重放的消息。"))
    return redirect(request, reverse("exchange:connection", args=[key]))
