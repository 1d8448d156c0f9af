"""Reads and searches of hospital systems, the commonest requests of all, past what Django does around every request.

Signals, a connection taken for the whole request, the reader's language, a response with its dozen headers set one by one: two thirds
of such a request's work in Python are none of its own. Here the statement that checks the token, reads behind the wall and writes the
looks in the trail (interactions.reading, search_views.at_once) is sent at once, and its answer written out. Whatever is not plainly a
success goes the ordinary way and is answered there, faults of ours with it: before the framework nobody would turn them into an answer
that a machine can read. Nothing of it is done by then but the count against the client's limit; only of a fault after the statement was
carried out the look stands in the trail already, and once more when the ordinary way succeeds.
"""

import logging
from collections.abc import Callable, Iterable
from functools import lru_cache
from http import HTTPStatus
from io import BytesIO
from typing import Any

from django.core.exceptions import SuspiciousOperation
from django.core.handlers.wsgi import WSGIRequest
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse
from django.middleware.security import SecurityMiddleware

from doorstep.kernel.access.refusals import Refused
from doorstep.kernel.fhir import door, negotiation
from doorstep.kernel.fhir.definitions import resource_types
from doorstep.kernel.fhir.outcome import FhirRefused, answer
from doorstep.kernel.record import asking, interactions, search_views
from doorstep.kernel.record.stored import Stored
from doorstep.kernel.web.middleware import LanguageMiddleware, SecurityHeadersMiddleware
from doorstep.site.middleware import PLAIN

log = logging.getLogger("doorstep.site")
Environ = dict[str, Any]
Headers = tuple[tuple[str, str], ...]
Application = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]
# What makes a read another than a plain one: conditions, a person's session or language.
_UNUSUAL = ("HTTP_IF_NONE_MATCH", "HTTP_IF_MODIFIED_SINCE", "HTTP_COOKIE")
# What a proxy says of the way to it, besides the host; the headers of an answer depend on these alone.
_WAY = ("wsgi.url_scheme", "HTTP_X_FORWARDED_PROTO", "HTTP_HOST", "SERVER_NAME", "SERVER_PORT")
_HOSTS = 64


class QuickReads:
    """A WSGI application in front of Django's own."""

    def __init__(self, application: Application) -> None:
        self._application = application

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer a plain read; everything else is the application's."""
        try:
            found = _answered(environ)
        except Exception as error:
            # Whoever is the last before the server: it would say 500 in bare words, without the sentence and the log of the house.
            log.error("quick read failed, %s", environ.get("PATH_INFO", ""), exc_info=error)
            found = None
        if found is None:
            return self._application(environ, start_response)
        headers, content = found
        start_response("200 OK", headers)
        return [content]


def _answered(environ: Environ) -> tuple[list[tuple[str, str]], bytes] | None:
    place = _place(environ)
    always = place and _always(*(environ.get(name) for name in _WAY))
    if not place or not always or connection.in_atomic_block:
        return None
    entry = door.remembered(environ)
    if entry is None or entry.grant.scopes is not None:
        return None
    type, fhir_id = place
    try:
        door.admit(environ, entry.grant.actor)
        found = _searched(environ, entry, type) if fhir_id is None else _read(entry, type, fhir_id)
    except (FhirRefused, Refused, DatabaseError, SuspiciousOperation):
        return None
    if found is None:
        return None
    own, content = found
    headers = [*always, *own]
    packed = negotiation.compressed(environ.get("HTTP_ACCEPT_ENCODING", ""), content)
    if packed is not None:
        headers.append(("Content-Encoding", "gzip"))
        content = packed
    headers.append(("Content-Length", str(len(content))))
    return headers, content


def _read(entry: door.Entry, type: str, fhir_id: str) -> tuple[Headers, bytes] | None:
    call = interactions.reading(type, fhir_id)
    entered, row = asking.row_of(call, entry.grant.actor, entering=entry.call)
    found = Stored(*row) if entered and row is not None else None
    if found is None or found.deleted:
        return None
    known_by = negotiation.version_headers(version=found.version, updated_at=found.updated_at)
    return tuple(known_by.items()), found.text.encode()


def _searched(environ: Environ, entry: door.Entry, type: str) -> tuple[Headers, bytes] | None:
    request: Any = WSGIRequest(environ)
    request.actor, request.scopes = entry.grant.actor, None
    negotiation.check_accepted(request)
    response = search_views.at_once(request, type, entry.call)
    return None if response is None else ((), response.content)


def _place(environ: Environ) -> tuple[str, str | None] | None:
    """Type and id of a plain read; no id for a search."""
    if environ["REQUEST_METHOD"] != "GET" or environ.get("SCRIPT_NAME"):
        return None
    plain = PLAIN.fullmatch(environ.get("PATH_INFO", ""))
    if plain is None or plain[1] not in resource_types():
        return None
    query = environ.get("QUERY_STRING", "")
    # Who belongs to a Group is asked in other statements; a language goes into a cookie.
    if (query or plain[1] == "Group") if plain[2] else "lang=" in query:
        return None
    if any(name in environ for name in _UNUSUAL) or not negotiation.takes_json(environ.get("HTTP_ACCEPT") or "*/*"):
        return None
    return plain[1], plain[2]


@lru_cache(maxsize=_HOSTS)
def _always(*way: str | None) -> Headers | None:
    """The headers that the ordinary way gives to every answer that came by this way; None where it would not answer, but redirect."""
    given = {name: value for name, value in zip(_WAY, way, strict=True) if value is not None}
    request = WSGIRequest({"REQUEST_METHOD": "GET", "PATH_INFO": "/fhir", "wsgi.input": BytesIO(), **given})
    try:
        ordinary: Any = SecurityMiddleware(SecurityHeadersMiddleware(LanguageMiddleware(_blank)))
        response: HttpResponse = ordinary(request)
    except SuspiciousOperation:
        # A host that is none of ours.
        return None
    if response.status_code != HTTPStatus.OK:
        return None
    return tuple(pair for pair in response.items() if pair[0] != "Content-Length")


def _blank(request: HttpRequest) -> HttpResponse:
    """An answer with content: one without is of no kind."""
    return negotiation.finished(request, answer("{}"))
