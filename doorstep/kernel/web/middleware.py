"""Security headers and the reader's language."""

from collections.abc import Callable, Iterable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import translation

from doorstep.kernel.web.shell import live_origin

Handler = Callable[[HttpRequest], HttpResponse]

PERMISSIONS_POLICY = (
    "camera=(self), microphone=(self), geolocation=(self), payment=(), usb=(), "
    "browsing-topics=(), publickey-credentials-get=(self), publickey-credentials-create=(self)"
)


class SecurityHeadersMiddleware:
    """Sets the content security policy without any inline script or style, and its companions."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        headers = response.headers
        headers.setdefault("Content-Security-Policy", policy(request))
        # For browsers that do not know frame-ancestors.
        headers.setdefault("X-Frame-Options", "DENY")
        headers.setdefault("Referrer-Policy", "same-origin")
        headers.setdefault("Permissions-Policy", PERMISSIONS_POLICY)
        headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
        headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        # Pages carry residents' data: no copy stays in the browser or in a proxy after log-out.
        headers.setdefault("Cache-Control", "no-store")
        return response


class LanguageMiddleware:
    """Activates the person's language: the cookie that the switch set, otherwise Chinese.

    The browser's wish is not asked, because the shared computer of a village clinic is often set to English.
    """

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        known = dict(settings.LANGUAGES)
        wished = request.GET.get("lang", "")
        chosen = wished if wished in known else request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, "")
        language = chosen if chosen in known else settings.LANGUAGE_CODE
        with translation.override(language):
            request.LANGUAGE_CODE = language
            response = self.get_response(request)
            response.headers.setdefault("Content-Language", language)
        if wished in known:
            response.set_cookie(
                settings.LANGUAGE_COOKIE_NAME,
                wished,
                max_age=365 * 24 * 3600,
                samesite="Lax",
                secure=request.is_secure(),
                httponly=True,
            )
        return response


def policy(request: HttpRequest, *, forms_lead_to: Iterable[str] = ()) -> str:
    """What a page may load and where its forms may lead: this house, and the origins in `forms_lead_to`."""
    connect = " ".join(["'self'", live_origin(request)]).strip()
    return "; ".join(
        [
            "default-src 'self'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self' data: blob:",
            f"connect-src {connect}",
            "font-src 'self'",
            "frame-ancestors 'none'",
            "base-uri 'none'",
            " ".join(["form-action 'self'", *forms_lead_to]),
            "object-src 'none'",
        ]
    )
