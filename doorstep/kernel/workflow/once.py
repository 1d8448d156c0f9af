"""A view that does its work once per form, however often the form arrives."""

import functools
from collections.abc import Callable
from typing import Concatenate, ParamSpec

from django.http import HttpRequest, HttpResponse

from doorstep.kernel.workflow import idempotency

P = ParamSpec("P")
FIELD = "idempotency_key"


def once(
    view: Callable[Concatenate[HttpRequest, P], HttpResponse],
) -> Callable[Concatenate[HttpRequest, P], HttpResponse]:
    """Carry out a POST the first time its key is seen and repeat the first answer's redirect afterwards.

    Forms carry the key in the hidden field `idempotency_key`, machines in the header Idempotency-Key. A form that was invalid (422)
    or refused keeps no key, so that the corrected form goes through.
    """

    @functools.wraps(view)
    def wrapped(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        key = request.POST.get(FIELD, "") or request.headers.get("Idempotency-Key", "")
        if request.method != "POST" or not key:
            return view(request, *args, **kwargs)
        actor = request.actor  # type: ignore[attr-defined]
        earlier = idempotency.claim(key=key, route=request.path, actor=actor)
        if earlier is not None:
            return _again(request, earlier)
        response = view(request, *args, **kwargs)
        location = response.headers.get("HX-Redirect") or response.headers.get("Location", "")
        if location:
            idempotency.keep(key=key, status=response.status_code, location=location, actor=actor)
        else:
            idempotency.forget(key=key, actor=actor)
        return response

    return wrapped


def _again(request: HttpRequest, earlier: idempotency.Answer) -> HttpResponse:
    if request.headers.get("HX-Request"):
        return HttpResponse(status=200, headers={"HX-Redirect": earlier.location})
    return HttpResponse(status=303, headers={"Location": earlier.location})
