"""What django-oauth-toolkit asks us: who the client is, which scopes it may have, which patient a token is for."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from django.utils import timezone
from jwcrypto.common import JWException
from jwcrypto.jwk import JWKSet
from jwcrypto.jwt import JWT
from oauth2_provider.models import Application
from oauth2_provider.oauth2_validators import OAuth2Validator

from doorstep.kernel.access import actions as access
from doorstep.kernel.access import queries as access_queries
from doorstep.kernel.access.actor import ANONYMOUS, Purpose
from doorstep.kernel.access.session import for_purpose
from doorstep.people.residents import queries as residents
from doorstep.site.oauth.scopes import INTROSPECTION, within

JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
# SMART asks for RS384 or ES384 (hl7.org/fhir/smart-app-launch/client-confidential-asymmetric.html).
ALGORITHMS = ["RS384", "ES384"]
_LIFETIME = timedelta(minutes=5)
_LEEWAY = 30
# A person's app: what a resident or a member of staff may give it.
_OF_PERSONS = "openid fhirUser profile launch launch/patient offline_access online_access patient/*.rs user/*.rs"


class Validator(OAuth2Validator):  # type: ignore[misc]
    """SMART Backend Services and apps of persons."""

    def client_authentication_required(self, request: Any, *args: Any, **kwargs: Any) -> bool:
        """A signed assertion is always checked."""
        return bool(getattr(request, "client_assertion", None)) or super().client_authentication_required(
            request, *args, **kwargs
        )

    def authenticate_client(self, request: Any, *args: Any, **kwargs: Any) -> bool:
        """By a signed assertion, or as the toolkit does."""
        if getattr(request, "client_assertion_type", None) == JWT_BEARER:
            return self._by_assertion(request)
        return bool(super().authenticate_client(request, *args, **kwargs))

    def validate_scopes(
        self, client_id: str, scopes: Any, client: Any, request: Any, *args: Any, **kwargs: Any
    ) -> bool:
        """Within what the operator gave this client; apps of persons read."""
        if client.authorization_grant_type == Application.GRANT_CLIENT_CREDENTIALS:
            system = access_queries.client_by_name(client_id)
            return system is not None and within(list(scopes), f"{system.scopes} {INTROSPECTION}")
        return within(list(scopes), _OF_PERSONS)

    def save_bearer_token(self, token: dict[str, Any], request: Any, *args: Any, **kwargs: Any) -> None:
        """The answer of a token names the resident whose account agreed."""
        super().save_bearer_token(token, request, *args, **kwargs)
        user = getattr(request, "user", None)
        if user is not None and getattr(user, "kind", "") == "resident":
            # Nobody is signed in at the token's door: the links of the account are read as at a login.
            with for_purpose(Purpose.SIGN_IN, ANONYMOUS):
                linked = residents.linked_ids(user_id=user.pk)
                if linked:
                    token["patient"] = str(residents.get(resident_id=linked[0]).key)

    def _by_assertion(self, request: Any) -> bool:
        """iss and sub are the client, aud this endpoint, signed by one of its keys, used once, short-lived."""
        assertion = str(getattr(request, "client_assertion", ""))
        name = _claimed(assertion)
        system = access_queries.client_by_name(name) if name else None
        if system is None or not system.jwks.get("keys"):
            return False
        try:
            token = JWT(
                jwt=assertion,
                key=JWKSet.from_json(json.dumps(system.jwks)),
                algs=ALGORITHMS,
                check_claims={"iss": name, "sub": name, "aud": None, "jti": None, "exp": None},
            )
            claims = json.loads(token.claims)
            if claims["aud"] not in _addresses(request):
                return False
            expires_at = datetime.fromtimestamp(int(claims["exp"]), tz=UTC)
        except (JWException, ValueError, TypeError, KeyError, OverflowError):
            return False
        if expires_at > timezone.now() + _LIFETIME + timedelta(seconds=_LEEWAY):
            return False
        client = Application.objects.filter(client_id=name).first()
        if client is None or not access.use_assertion(
            client=system, jti=str(claims["jti"])[:200], expires_at=expires_at
        ):
            return False
        request.client = client
        request.client_id = name
        return True


def _addresses(request: Any) -> set[str]:
    """The absolute addresses of the endpoint that was called: behind a proxy the scheme that we see may be the inner one."""
    host = request.headers.get("HTTP_HOST") or request.headers.get("SERVER_NAME") or ""
    path = str(request.uri).partition("?")[0]
    return {f"{scheme}://{host}{path}" for scheme in ("https", "http")}


def _claimed(assertion: str) -> str:
    """Who an assertion says it is from, not yet believed."""
    try:
        token = JWT()
        token.deserialize(assertion)
        payload = token.token.objects["payload"]
        found = json.loads(payload).get("iss", "")
    except (JWException, ValueError, TypeError, KeyError, AttributeError):
        return ""
    return found if isinstance(found, str) else ""
