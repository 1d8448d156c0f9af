"""The door for machines: a bearer token names the actor and what it may; without one the answer is 401."""

import functools
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from typing import Any, Concatenate, ParamSpec

from django.db import DataError, IntegrityError, OperationalError, ProgrammingError, connection, transaction
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from doorstep.kernel.access.actor import Actor
from doorstep.kernel.access.permissions import Permission
from doorstep.kernel.access.refusals import Refused
from doorstep.kernel.access.session import bind
from doorstep.kernel.database.calls import Call
from doorstep.kernel.fhir import limits, negotiation
from doorstep.kernel.fhir.outcome import FhirRefused, beyond, beyond_each, refusal
from doorstep.kernel.fhir.scopes import Scopes, granting


@dataclass(frozen=True, slots=True)
class Grant:
    """What a token gives: who acts, and with which scopes; without scopes all that the actor may."""

    actor: Actor
    scopes: Scopes | None = None
    # Whether the database was told of the actor by the look that found it.
    bound: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """A grant as it was a moment ago, and the call by which a statement makes sure of it and enters.

    `call` answers false when the token does not stand for this very actor any more.
    """

    grant: Grant
    call: Call


P = ParamSpec("P")
Remember = Callable[[str, Mapping[str, Any]], Entry | None]
Authenticate = Callable[[str, HttpRequest], Grant | None]
MachineView = Callable[Concatenate[HttpRequest, P], HttpResponse]
Quick = Callable[Concatenate[HttpRequest, Call, P], HttpResponse | None]
_authenticate: list[Authenticate] = []
_remember: list[Remember] = []
_REFUSALS = (FhirRefused, Refused, DataError, IntegrityError, OperationalError, ProgrammingError)
_NO_ROOM = (503, "no-store", "服务器存储空间已满，没有保存任何内容 / the server has no room left, nothing was saved")
# What PostgreSQL's SQLSTATE means for a client: status, issue code, sentence.
_BY_STATE = {
    # The wall refused the write: it must sound like what is not there.
    "42501": (404, "not-found", "没有这个资源，或不在贵院可写范围 / no such resource, or not yours to write"),
    "57014": (503, "too-costly", "查询过大，请缩小范围 / too much was asked: narrow it down"),
    "53100": _NO_ROOM,
    "53200": _NO_ROOM,
    "54000": (413, "too-long", "内容过大 / too large"),
}
_BY_CLASS = {
    "22": (400, "value", "参数值无法识别 / a value cannot be read"),
    "23": (409, "conflict", "另一请求刚写入了同一资源，请重新读取 / another request was first: read it again"),
    "40": (409, "transient", "与另一请求冲突，请重试 / in the way of another request: try again"),
}

# Stands in a request's headers once it was counted; what a client sends has another beginning.
_COUNTED = "doorstep.counted"
# Seconds after which another try makes sense, by issue code.
_RETRY_AFTER = {"transient": "1", "too-costly": "1", "no-store": "60"}


def install(authenticate: Authenticate, remember: Remember | None = None) -> None:
    """Wire what knows the tokens, and what remembers whom they stood for; the last one counts."""
    _authenticate[:] = [authenticate]
    _remember[:] = [remember] if remember else []


def machine(view: MachineView[P]) -> MachineView[P]:
    """Let a view be called by machines: token, actor, and refusals as OperationOutcomes with nothing half saved."""

    @functools.wraps(view)
    def wrapped(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        try:
            with transaction.atomic():
                grant = _checked(request, _grant(request))
                _let_in(request, grant)
                if not grant.bound:
                    bind(grant.actor)
                with granting(grant.scopes):
                    response = view(request, *args, **kwargs)
        except _REFUSALS as error:
            refused = refused_by(error)
            if refused.count is not None:
                with transaction.atomic():
                    bind(request.actor)  # type: ignore[attr-defined]
                    refused.count()
            response = refusal(refused)
        return negotiation.finished(request, response)

    return csrf_exempt(wrapped)


def at_once(quick: Quick[P], otherwise: MachineView[P]) -> MachineView[P]:
    """A view for machines in front of another one: it carries a request out in a single statement that is its own transaction.

    `quick` is given the call that enters, and answers None when the request must take the ordinary way, in which nothing of it is
    done yet. It is not tried for a token that nobody remembers.
    """

    @functools.wraps(otherwise)
    def wrapped(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        # Inside a transaction, a test's for instance, no statement is a transaction of its own.
        entry = None if connection.in_atomic_block else remembered(request.META)
        if entry is None:
            return otherwise(request, *args, **kwargs)
        try:
            _let_in(request, _checked(request, entry.grant))
            with granting(entry.grant.scopes):
                response = quick(request, entry.call, *args, **kwargs)
            if response is None:
                return otherwise(request, *args, **kwargs)
        except _REFUSALS as error:
            response = refusal(refused_by(error))
        return negotiation.finished(request, response)

    return csrf_exempt(wrapped)


def _let_in(request: HttpRequest, grant: Grant) -> None:
    request.actor = grant.actor  # type: ignore[attr-defined]
    request.scopes = grant.scopes  # type: ignore[attr-defined]
    negotiation.check_accepted(request)


def refused_by(error: Exception) -> FhirRefused:
    """The refusal behind an error of the house or of the database; raises what is a fault of ours."""
    if isinstance(error, FhirRefused):
        return error
    if isinstance(error, Refused):
        codes = {403: "forbidden", 404: "not-found", 409: "conflict"}
        more = [("business-rule", str(sentence), "") for sentence in error.fields.values()]
        return FhirRefused(error.status, codes.get(error.status, "business-rule"), str(error.message), more=more)
    state = getattr(error.__cause__, "sqlstate", "") or ""
    found = _BY_STATE.get(state) or _BY_CLASS.get(state[:2])
    if found is None and not state and isinstance(error, DataError):
        # The driver refused a value before the database saw it: a text with U+0000.
        found = _BY_CLASS["22"]
    if found is None:
        raise error
    after = _RETRY_AFTER.get(found[1])
    return FhirRefused(*found, headers={"Retry-After": after} if after else None)


def allow(request: HttpRequest, type: str, verb: str) -> None:
    """Raise FhirRefused (403) when the token's scopes do not cover the verb (c, r, u, d or s) on this type."""
    scopes: Scopes | None = getattr(request, "scopes", None)
    if scopes is not None and not scopes.cover(type, verb):
        raise beyond(type, verb)


def allow_all(request: HttpRequest, wanted: Sequence[tuple[str, str]]) -> None:
    """Raise FhirRefused (403) with all that is missing when the scopes do not cover every verb on each of these (type, verbs)."""
    scopes: Scopes | None = getattr(request, "scopes", None)
    if scopes is None:
        return
    missing = [(type, verbs) for type, verbs in wanted if not all(scopes.cover(type, verb) for verb in verbs)]
    if missing:
        raise beyond_each(missing)


def _token(headers: Mapping[str, Any]) -> str:
    scheme, _, token = headers.get("HTTP_AUTHORIZATION", "").partition(" ")
    return str(token).strip() if scheme.lower() == "bearer" else ""


def remembered(headers: Mapping[str, Any]) -> Entry | None:
    """Whom the token in these headers (HttpRequest.META) stood for a moment ago; None when nobody remembers."""
    token = _token(headers)
    return _remember[0](token, headers) if token and _remember else None


def admit(headers: MutableMapping[str, Any], actor: Actor) -> None:
    """Count a request, once on whichever ways; raises when the actor may not use the door at all, or asks too often."""
    actor.check(Permission.FHIR_READ)
    if not headers.get(_COUNTED):
        limits.spend(actor.client or str(actor.user_id))
        # Only now: who was refused is refused again on another way.
        headers[_COUNTED] = True


def _grant(request: HttpRequest) -> Grant:
    token = _token(request.META)
    grant = _authenticate[0](token, request) if token and _authenticate else None
    if grant is None:
        raise FhirRefused(
            401,
            "login",
            "请在 Authorization 头中带上有效的 Bearer 令牌 / send a valid bearer token in the Authorization header",
        )
    return grant


def _checked(request: HttpRequest, grant: Grant) -> Grant:
    admit(request.META, grant.actor)
    return grant
