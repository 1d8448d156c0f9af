"""The door for machines: a bearer token names the actor; without one the answer is 401."""

import functools
from collections.abc import Callable
from typing import Concatenate, ParamSpec

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from doorstep.kernel.access.actor import Actor
from doorstep.kernel.access.permissions import Permission
from doorstep.kernel.access.refusals import Refused
from doorstep.kernel.access.session import bind
from doorstep.kernel.fhir.outcome import FhirRefused, refusal

P = ParamSpec("P")
Authenticate = Callable[[str, HttpRequest], Actor | None]
MachineView = Callable[Concatenate[HttpRequest, P], HttpResponse]
_authenticate: list[Authenticate] = []


def install(authenticate: Authenticate) -> None:
    """Wire what knows the tokens; the last one counts."""
    _authenticate[:] = [authenticate]


def machine(view: MachineView[P]) -> MachineView[P]:
    """Let a view be called by machines: token, actor, and refusals as OperationOutcomes with nothing half saved."""

    @functools.wraps(view)
    def wrapped(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        try:
            with transaction.atomic():
                request.actor = _actor(request)  # type: ignore[attr-defined]
                bind(request.actor)  # type: ignore[attr-defined]
                return view(request, *args, **kwargs)
        except FhirRefused as error:
            return refusal(error)
        except Refused as error:
            codes = {403: "forbidden", 404: "not-found", 409: "conflict"}
            return refusal(FhirRefused(error.status, codes.get(error.status, "business-rule"), str(error.message)))

    return csrf_exempt(wrapped)


def _actor(request: HttpRequest) -> Actor:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    actor = None
    if scheme.lower() == "bearer" and token and _authenticate:
        actor = _authenticate[0](token.strip(), request)
    if actor is None:
        raise FhirRefused(
            401,
            "login",
            "请在 Authorization 头中带上有效的 Bearer 令牌 / send a valid bearer token in the Authorization header",
        )
    actor.check(Permission.FHIR_READ)
    return actor
