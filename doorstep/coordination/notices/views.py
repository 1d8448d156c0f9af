"""Pages and parts of notices."""

from datetime import datetime
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.dateparse import parse_datetime
from django.views.decorators.http import require_GET, require_POST

from doorstep.coordination.notices import actions, presenters, queries
from doorstep.coordination.notices.permissions import Permission
from doorstep.kernel.access.actor import Actor, ActorKind
from doorstep.kernel.access.refusals import NotFound
from doorstep.kernel.web.pages import page_or_part, redirect, render_part

PAGE = 50


@require_GET
def inbox(request: HttpRequest) -> HttpResponse:
    """Every notice of the person and the unit, newest first, fifty a page."""
    actor = _actor(request)
    found = queries.latest(actor=actor, limit=PAGE, before=_before(request))
    context = {
        "lines": presenters.lines(found, queries.concerned(found, actor=actor)),
        "unseen": queries.count_unseen(actor=actor),
        "older": found[-1].created_at.isoformat() if len(found) == PAGE else "",
    }
    # A resident reads them in the frame of the own phone.
    page = "notices/own.html" if actor.kind is ActorKind.RESIDENT else "notices/inbox.html"
    return page_or_part(request, page, "lines", context)


@require_GET
def bell(request: HttpRequest) -> HttpResponse:
    """The bell of the page's frame: how many wait, and the latest ten."""
    actor = _actor(request)
    found = queries.latest(actor=actor, limit=10)
    context = {
        "lines": presenters.lines(found, queries.concerned(found, actor=actor)),
        "unseen": queries.count_unseen(actor=actor),
    }
    return render_part(request, "notices/_parts.html", "bell", context)


@require_GET
def live(request: HttpRequest) -> HttpResponse:
    """What an urgent push is about: the sentence and the button that leads there; empty when it was seen already."""
    actor = _actor(request)
    notice = queries.urgent_notice(reference=request.GET.get("id", ""), actor=actor)
    found = [notice] if notice else []
    context = {"line": next(iter(presenters.lines(found, queries.concerned(found, actor=actor))), None)}
    return render_part(request, "notices/_parts.html", "live", context)


@require_POST
def open_notice(request: HttpRequest, key: UUID) -> HttpResponse:
    """Note that the notice was seen and go to the thing."""
    actor = _actor(request)
    notice = queries.get_notice(notice_key=key, actor=actor)
    actions.mark_seen(notice_key=key, actor=actor)
    return redirect(request, presenters.target(notice) or reverse("notices:inbox"))


@require_POST
def seen(request: HttpRequest) -> HttpResponse:
    """Note that everything was seen, but for what must be acknowledged."""
    actions.mark_all_seen(actor=_actor(request))
    return redirect(request, reverse("notices:inbox"))


def _before(request: HttpRequest) -> datetime | None:
    try:
        return parse_datetime(request.GET.get("before", "").replace(" ", "+"))
    except ValueError:
        return None


def _actor(request: HttpRequest) -> Actor:
    actor: Actor = request.actor  # type: ignore[attr-defined]
    if actor.kind is ActorKind.ANONYMOUS:
        raise NotFound()
    if actor.is_staff and actor.organization_id is not None:
        # A machine in the hall has a post too, and no business with what the unit is told.
        actor.check(Permission.NOTICE_VIEW)
    return actor
