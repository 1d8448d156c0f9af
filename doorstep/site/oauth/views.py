"""The page on which a person lets an app in, and what the addresses of machines take."""

import functools
import json
import re
from collections.abc import Callable
from typing import Any, cast
from urllib.parse import urlsplit
from uuid import UUID

from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest, HttpResponseBase, JsonResponse, QueryDict
from django.http.multipartparser import MultiPartParserError
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from oauth2_provider.exceptions import OAuthToolkitError
from oauth2_provider.views import AuthorizationView, IntrospectTokenView, TokenView
from oauthlib.oauth2.rfc6749.errors import InvalidRequestError

from doorstep.kernel.access import queries as access_queries
from doorstep.kernel.access.actor import ANONYMOUS, Purpose
from doorstep.kernel.access.refusals import NotFound
from doorstep.kernel.access.session import for_purpose
from doorstep.kernel.web.middleware import policy
from doorstep.site.oauth import doubts
from doorstep.site.oauth.identity import Person, launched_name, people_of
from doorstep.site.oauth.scopes import choices, kept
from doorstep.site.oauth.tokens import grant_of, patient_of

# The FHIR base, of which apps ask for a token.
BASE = "/fhir"
# RFC 7636, 4.1 and 4.2: what an app makes up, and what S256 makes of it.
_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")


class AuthorizePage(AuthorizationView):  # type: ignore[misc]
    """The toolkit's page; its form may lead on to the app, and to the app alone."""

    def validate_authorization_request(self, request: HttpRequest) -> tuple[list[str], dict[str, Any]]:
        """What the toolkit asks for, and what SMART asks for besides: a challenge by S256, `state`, and `aud` of this house.

        An app that was led to a false server must not get a code of ours for it (SMART App Launch 2.0, Obtain authorization code).
        """
        scopes, credentials = super().validate_authorization_request(request)
        if credentials.get("code_challenge_method") != "S256":
            raise _back("code_challenge_method must be S256", credentials)
        if not _CHALLENGE.fullmatch(credentials.get("code_challenge") or ""):
            raise _back(
                "code_challenge must be BASE64URL(SHA256(code_verifier)), 43 characters without padding", credentials
            )
        if not request.GET.get("state"):
            # Without it an app can be handed somebody else's code (SMART App Launch 2.0: required).
            raise _back("state is required", credentials)
        aud = request.GET.get("aud", "").rstrip("/")
        if aud and aud.partition("://")[2] != request.build_absolute_uri(BASE).partition("://")[2]:
            raise _back("aud is not this server", credentials)
        return scopes, credentials

    def get_form(self, form_class: Any = None) -> Any:
        """The toolkit's form; on the person's word it asks for what the person left ticked, and for nothing more."""
        form = super().get_form(form_class)
        if form.is_bound and form.data.get("chosen") and form.is_valid():
            left = kept(form.cleaned_data.get("scope", ""), form.data.getlist("line"))
            form.cleaned_data["scope"] = left
            # Who leaves nothing has not agreed: the app hears so, instead of getting a token that opens nothing.
            form.cleaned_data["allow"] = bool(left) and form.cleaned_data.get("allow")
        return form

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """The page; of a resident it is asked every time, since an app cannot know for whom it is let in today."""
        if self._people():
            asked = request.GET.copy()
            asked["approval_prompt"] = "force"
            request.GET = cast("Any", asked)
        answered: HttpResponseBase = super().get(request, *args, **kwargs)
        return answered

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """The person's word. Who acts for several says for whom; nobody is taken for granted."""
        if request.POST.get("allow") and len(self._people()) > 1 and not request.POST.get("person"):
            self.extra_context = {"unchosen": True}
            # The page is asked for again as at first: the toolkit would read what the form sent as a second request.
            request.method, request.POST = "GET", cast("Any", QueryDict())
            page = self.get(request, *args, **kwargs)
            page.status_code = 422 if page.status_code == 200 else page.status_code
            return page
        answered: HttpResponseBase = super().post(request, *args, **kwargs)
        return answered

    def create_authorization_response(
        self, request: HttpRequest, scopes: str, credentials: dict[str, Any], allow: bool
    ) -> Any:
        """The toolkit's answer to the app; the code carries on whom a resident chose."""
        if allow and self._people():
            credentials |= {"agreed_for": self._chosen().resident_id, "agreed_by": self.request.actor}
        return super().create_authorization_response(request, scopes, credentials, allow)

    def _people(self) -> list[Person]:
        """Whom the signed-in resident may let an app see; empty for staff and before the login."""
        if not hasattr(self, "_known"):
            self._known = people_of(self.request.actor)
        return self._known

    def _chosen(self) -> Person:
        """Whom the resident chose; the only one need not be chosen. Raises NotFound for somebody else's key."""
        people = self._people()
        wanted = self.request.POST.get("person", "") or (people[0].key if len(people) == 1 else "")
        chosen = next((one for one in people if one.key == wanted), None)
        if chosen is None:
            raise NotFound()
        return chosen

    def render_to_response(self, context: dict[str, Any], **kwargs: Any) -> HttpResponseBase:
        """Let the browser follow the redirect to the app's own address, which the form's policy would stop."""
        application = context.get("application")
        if application is not None:
            context.setdefault("unchosen", False)
            context["choices"] = choices(context["scopes"])
            context["host"] = urlsplit(str(context["redirect_uri"])).netloc
            launched = self._launched(application, context["scopes"])
            people = context["people"] = self._people()
            only = people[0].name if len(people) == 1 else ""
            context["whose"] = launched_name(launched, self.request.actor) if launched else only
        else:
            context["said"] = _fault(str(getattr(context.get("error"), "description", "")))
        response: HttpResponseBase = super().render_to_response(context, **kwargs)
        targets = {
            f"{parts.scheme}://{parts.netloc}"
            for parts in map(urlsplit, str(getattr(application, "redirect_uris", "")).split())
            if parts.netloc
        }
        response.headers["Content-Security-Policy"] = policy(self.request, forms_lead_to=sorted(targets))
        return response

    def _launched(self, application: Any, scopes: list[str]) -> UUID | None:
        """For whom an app was opened that asks for this resident alone."""
        if any(scope.startswith("user/") for scope in scopes):
            return None
        return access_queries.launched_for(token=self.request.GET.get("launch", ""), app=application.client_id)


class Introspection(IntrospectTokenView):  # type: ignore[misc]
    """The toolkit's introspection; a token behind which nobody stands any more is not active, whatever its time."""

    @staticmethod
    def get_token_response(token_value: str | None = None) -> JsonResponse:
        """What a token is (RFC 7662); one of a person without a post or of a stopped system is none."""
        if token_value:
            with for_purpose(Purpose.SIGN_IN, ANONYMOUS):
                grant = grant_of(token_value, address="", request_id="")
            if grant is None:
                return JsonResponse({"active": False})
        answered: JsonResponse = IntrospectTokenView.get_token_response(token_value)
        patient = patient_of(token_value) if token_value else ""
        if not patient:
            return answered
        # SMART App Launch 2.0, Token Introspection: what the token's answer said besides is said again.
        return JsonResponse({**json.loads(answered.content), "patient": patient})


def _back(words: str, credentials: dict[str, Any]) -> OAuthToolkitError:
    """A refusal that the app is told at its own address."""
    error = InvalidRequestError(description=words, state=credentials.get("state"))
    return OAuthToolkitError(error=error, redirect_uri=credentials["redirect_uri"])


def _fault(words: str) -> str:
    """What a person reads when the request of an app cannot even be sent back to it."""
    if "client_id" in words:
        return _("这个应用没有在本系统登记，请勿继续。如需使用，请联系本单位信息工程师登记。")
    if "redirect" in words.lower():
        return _("应用要求把授权送到一个没有登记的地址，已拦下。请关闭页面，并告知本单位信息工程师。")
    return _("请回到应用重新打开；仍然不行，请把下面的原文告知应用的开发者。")


_FORM = "application/x-www-form-urlencoded"


def form_only(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Let a view of OAuth read forms alone; what is none is refused by the standard's own error (RFC 6749, 5.2)."""

    @functools.wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            sent = request.POST
        except (MultiPartParserError, SuspiciousOperation):
            return _refused(f"send {_FORM}")
        if any("\0" in value for part in (request.GET, sent) for _name, values in part.lists() for value in values):
            return _refused("a parameter holds the character U+0000")
        return view(request, *args, **kwargs)

    return csrf_exempt(wrapped)


def token(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
    """The toolkit's token address without the ways to a token that this house does not offer."""
    way = request.POST.get("grant_type", "")
    if way and way not in GRANTS:
        return _refused("ask with " + ", ".join(GRANTS), error="unsupported_grant_type")
    verifier = request.POST.get("code_verifier")
    if verifier is not None and not _VERIFIER.fullmatch(verifier):
        return _refused("code_verifier must have 43 to 128 characters of A-Z a-z 0-9 - . _ ~ (RFC 7636)")
    doubts.taken()
    answered = _token(request, *args, **kwargs)
    doubt = doubts.taken()
    if answered.status_code == 401 and doubt:
        # The engineer at the other end must know which part of the assertion is wrong.
        return _refused(doubt, error="invalid_client", status=401)
    return answered


def _refused(words: str, *, error: str = "invalid_request", status: int = 400) -> JsonResponse:
    said = {"error": error, "error_description": words}
    return JsonResponse(said, status=status, headers={"Cache-Control": "no-store", "Pragma": "no-cache"})


GRANTS = ("authorization_code", "client_credentials", "refresh_token")
_token: Callable[..., HttpResponseBase] = TokenView.as_view()
