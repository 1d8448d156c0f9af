"""One request, one actor, one transaction."""

import logging
import re
from collections.abc import Callable

from django.db import DataError, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseNotAllowed
from django.urls import Resolver404, resolve

from doorstep.kernel.access.actor import ANONYMOUS
from doorstep.kernel.access.refusals import Refused
from doorstep.kernel.record import interactions
from doorstep.kernel.web.errors import error_page
from doorstep.site.actors import enter

log = logging.getLogger("doorstep.site")
# Answered without a person: no session, no transaction.
_OPEN = ("/static/", "/healthz", "/readyz", "/favicon")
_MACHINES = "/fhir"
# A type, or one resource of it: what machines ask most often. Of these two Django would try thirty patterns, a tenth of a read's work.
# The trail is no part of the record (site/auditing/fhir_urls.py), and a Binary is asked for in more ways.
PLAIN = re.compile(r"/fhir/((?!(?:AuditEvent|Binary)\b)[A-Z][A-Za-z]{1,63})(?:/([A-Za-z0-9.-]{1,64}))?")


class MachineMiddleware:
    """Lets what machines ask for pass by the middleware of pages: they bring a token, no session, no form, no second factor."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer a machine by its view alone; anything else, and what is nowhere, goes the way of pages."""
        if not request.path.startswith(_MACHINES):
            return self._get_response(request)
        # The door of the interface reads the token and opens the one transaction of the request itself.
        plain = PLAIN.fullmatch(request.path_info)
        if plain is not None:
            request.actor = ANONYMOUS  # type: ignore[attr-defined]
            type, fhir_id = plain.groups()
            if fhir_id is None:
                return interactions.type_level(request, type=type)
            return interactions.instance(request, type=type, fhir_id=fhir_id)
        try:
            match = resolve(request.path_info)
        except Resolver404:
            return self._get_response(request)
        request.resolver_match = match
        request.actor = ANONYMOUS  # type: ignore[attr-defined]
        answer: HttpResponseBase = match.func(request, *match.args, **match.kwargs)
        return answer


class ActorMiddleware:
    """Finds out who acts, tells the database, and keeps the request's reads, writes and audit in one transaction.

    An act that is refused or that fails leaves nothing behind.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer a request inside the actor's transaction."""
        request.actor = ANONYMOUS  # type: ignore[attr-defined]
        if request.path.startswith(_OPEN):
            return self._get_response(request)
        with transaction.atomic():
            request.actor = enter(request)  # type: ignore[attr-defined]
            response = self._get_response(request)
            if isinstance(response, HttpResponseNotAllowed) and not response.content:
                response = _not_allowed(request, response)
            if response.status_code >= 500 or getattr(request, "refused", False):
                transaction.set_rollback(True)
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Turn a refusal into a page with its sentence; everything else goes the way of a fault.

        A value that the database cannot hold (a text with U+0000, a number beyond its type) was not typed into our forms.
        """
        if not isinstance(exception, Refused | DataError):
            return None
        request.refused = True  # type: ignore[attr-defined]
        if isinstance(exception, DataError):
            log.warning("value refused by the database, %s", request.path, exc_info=exception)
            return error_page(request, 400)
        return error_page(request, exception.status, happened=str(exception.message))


def _not_allowed(request: HttpRequest, blank: HttpResponseNotAllowed) -> HttpResponse:
    """The page in place of the framework's blank one; it still says which ways are open."""
    page = error_page(request, blank.status_code)
    page.headers["Allow"] = blank.headers["Allow"]
    return page
