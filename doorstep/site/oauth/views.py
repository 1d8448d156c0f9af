"""The page on which a person lets an app in."""

from typing import Any
from urllib.parse import urlsplit

from django.http import HttpResponseBase
from oauth2_provider.views import AuthorizationView


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
