"""The page on which a person lets an app in, and what the addresses of machines take."""

import functools
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.http.multipartparser import MultiPartParserError
from django.views.decorators.csrf import csrf_exempt
from oauth2_provider.views import AuthorizationView, TokenView


class AuthorizePage(AuthorizationView):  # type: ignore[misc]
    """The toolkit's page; its form may lead on to the app, and to the app alone."""

    def render_to_response(self, context: dict[str, Any], **kwargs: Any) -> HttpResponseBase:
        """Let the browser follow the redirect to the app's own address, which the form's policy would stop."""
        response: HttpResponseBase = super().render_to_response(context, **kwargs)
        application = context.get("application")
        targets = {
            f"{parts.scheme}://{parts.netloc}"
            for parts in map(urlsplit, str(getattr(application, "redirect_uris", "")).split())
            if parts.netloc
        }
        response.headers["Content-Security-Policy"] = (
            "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; object-src 'none'; "
            + " ".join(("form-action 'self'", *sorted(targets)))
        )
        return response


_FORM = "application/x-www-form-urlencoded"


def form_only(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Let a view of OAuth read forms alone; what is none is refused by the standard's own error (RFC 6749, 5.2)."""

    @functools.wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            sent = request.POST
        except (MultiPartParserError, SuspiciousOperation):
            return _refused(f"send {_FORM}")
        if any("\0" in value for part in (request.GET, sent) for _, values in part.lists() for value in values):
            return _refused("a parameter holds the character U+0000")
        return view(request, *args, **kwargs)

    return csrf_exempt(wrapped)


def token(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
    """The toolkit's token address without the ways to a token that this house does not offer."""
    way = request.POST.get("grant_type", "")
    if way and way not in GRANTS:
        return _refused("ask with " + ", ".join(GRANTS), error="unsupported_grant_type")
    return _token(request, *args, **kwargs)


def _refused(words: str, *, error: str = "invalid_request") -> JsonResponse:
    said = {"error": error, "error_description": words}
    return JsonResponse(said, status=400, headers={"Cache-Control": "no-store", "Pragma": "no-cache"})


GRANTS = ("authorization_code", "client_credentials", "refresh_token")
_token: Callable[..., HttpResponseBase] = TokenView.as_view()
