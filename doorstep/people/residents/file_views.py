"""A file that an entry of the record names, for those who read it in a browser."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from doorstep.kernel.access.permissions import Permission as Access
from doorstep.kernel.access.refusals import NotFound
from doorstep.kernel.record import binaries
from doorstep.people.residents.views import actor_of


@require_GET
def file(request: HttpRequest, key: str) -> HttpResponse:
    """What `Binary/<key>` holds: shown when nothing in it can run, else handed over; the look is audited."""
    actor = actor_of(request)
    actor.check(Access.RECORD_VIEW)
    shown = binaries.page_of(key, actor=actor, site=request.build_absolute_uri("/"))
    if shown is None:
        raise NotFound()
    return shown
