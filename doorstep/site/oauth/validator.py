"""What django-oauth-toolkit asks us: who the client is, which scopes it may have, which patient a token is for."""

import hashlib
import uuid
from typing import Any, ClassVar

from django.utils import timezone
from oauth2_provider.models import AccessToken, Application, Grant, RefreshToken
from oauth2_provider.oauth2_validators import OAuth2Validator
from oauthlib.oauth2.rfc6749.errors import InvalidGrantError, InvalidRequestError

from doorstep.coordination.hospital_systems import key_sets
from doorstep.kernel.access import actions as access
from doorstep.kernel.access import agreements
from doorstep.kernel.access import queries as access_queries
from doorstep.kernel.access.actor import ANONYMOUS, Purpose
from doorstep.kernel.access.assertions import NotBelieved, unverified, verified
from doorstep.kernel.access.models import AppAgreement, Launch, User
from doorstep.kernel.access.session import for_purpose
from doorstep.kernel.audit import actions as audit
from doorstep.site.oauth import doubts
from doorstep.site.oauth.identity import agreed_patient, fhir_user_of, issuer_of
from doorstep.site.oauth.scopes import INTROSPECTION, within

JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
# A person's app: what a resident or a member of staff may give it.
_RENEWING = {"offline_access", "online_access"}
# Names the family of tokens that one authorization code begins.
_CODES = uuid.UUID("5f0f6f0e-9d0a-4f0c-8a51-0d6c3b5a7e21")
_OF_PERSONS = "openid fhirUser profile launch launch/patient offline_access online_access patient/*.rs user/*.rs"


class Validator(OAuth2Validator):  # type: ignore[misc]
    """SMART Backend Services and apps of persons."""

    oidc_claim_scope: ClassVar[dict[str, str]] = {"sub": "openid", "fhirUser": "fhirUser"}

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
        if "launch" in scopes and _launch_of(request) and not _may_wait(request, client_id):
            raise InvalidRequestError(description="launch was used, is late, or is not this app's", request=request)
        return within(list(scopes), _OF_PERSONS)

    def _create_authorization_code(self, request: Any, code: dict[str, Any], expires: Any = None) -> Any:
        """A code that carries on for whom the app was opened; the launch parameter is used up by it."""
        grant = super()._create_authorization_code(request, code, expires)
        if "launch" in request.scopes and not access.use_launch(
            token=_launch_of(request), app=request.client.client_id, user_id=request.user.pk, code_id=grant.pk
        ):
            grant.delete()
            raise InvalidRequestError(description="launch is missing, was used, or is another's", request=request)
        if request.user.kind == User.Kind.RESIDENT:
            self._agree(request, grant)
        return grant

    def _agree(self, request: Any, grant: Grant) -> None:
        """Tie a code to the person whom the resident chose, and write into the trail that the app was let in."""
        chosen = getattr(request, "agreed_for", None)
        if chosen is None:
            grant.delete()
            raise InvalidRequestError(description="nobody said whose record this is for", request=request)
        name = request.client.client_id
        agreements.agree(user_id=request.user.pk, client=name, resident_id=chosen, code_id=grant.pk)
        audit.record(
            action="app.agree",
            actor=request.agreed_by,
            subject=f"app/{name}",
            resident_id=chosen,
            details={"app": request.client.name, "scope": " ".join(request.scopes)[:400]},
        )

    def validate_code(self, client_id: str, code: str, client: Any, request: Any, *args: Any, **kwargs: Any) -> bool:
        """A code is good once; who sends it again may be a thief, and then so may the one before (RFC 6749, 4.1.2)."""
        if super().validate_code(client_id, code, client, request, *args, **kwargs):
            return _still_agreed(request)
        RefreshToken.revoke_family(_family_of(code))
        return False

    def validate_refresh_token(self, refresh_token: str, client: Any, request: Any, *args: Any, **kwargs: Any) -> bool:
        """As the toolkit says, and while the account still acts for the person who was agreed to."""
        return super().validate_refresh_token(refresh_token, client, request, *args, **kwargs) and _still_agreed(
            request
        )

    def invalidate_authorization_code(self, client_id: str, code: str, request: Any, *args: Any, **kwargs: Any) -> None:
        """Use a code up; of two that come with it at the same moment the tokens of both end."""
        try:
            super().invalidate_authorization_code(client_id, code, request, *args, **kwargs)
        except InvalidGrantError:
            RefreshToken.revoke_family(_family_of(code))
            raise

    def _create_refresh_token(self, request: Any, code: str, access_token: Any, previous: Any) -> Any:
        """A token for renewing; the first one of a family is found again by the authorization code."""
        made = super()._create_refresh_token(request, code, access_token, previous)
        if previous is None and request.grant_type == "authorization_code":
            made.token_family = _family_of(request.code)
            made.save(update_fields=["token_family"])
        return made

    def save_bearer_token(self, token: dict[str, Any], request: Any, *args: Any, **kwargs: Any) -> None:
        """The answer of a token names the resident whose account agreed, or for whom the app was opened."""
        launch, agreement = _launch_behind(request), _agreement_behind(request)
        super().save_bearer_token(token, request, *args, **kwargs)
        if request.grant_type == "authorization_code" and not _RENEWING & set(request.scopes):
            # Nobody agreed to renewing. The row stays, void: by its family a code that is used twice ends what it gave.
            token.pop("refresh_token", None)
            RefreshToken.objects.filter(token_family=_family_of(request.code)).update(revoked=timezone.now())
        if launch is not None:
            _carry(launch, token)
            return
        if agreement is not None:
            _carry_agreement(agreement, token, request.user)

    def get_additional_claims(self, request: Any) -> dict[str, Any]:
        """Which FHIR resource the signed-in person is, for whoever asked for `fhirUser`."""
        reference = fhir_user_of(request.user)
        return {"fhirUser": f"{issuer_of(request)}/{reference}"} if reference else {}

    def get_oidc_issuer_endpoint(self, request: Any) -> str:
        """The FHIR base: an app that was launched knows it as `iss` already."""
        return issuer_of(request)

    def finalize_id_token(self, id_token: Any, token: Any, token_handler: Any, request: Any) -> str:
        """Every app's tokens are signed by the house's one key, whatever was registered."""
        request.client.algorithm = Application.RS256_ALGORITHM
        return str(super().finalize_id_token(id_token, token, token_handler, request))

    def _get_client_by_audience(self, audience: Any) -> Any:
        """The app that a token is for, as one that is signed to by the house's key."""
        found = super()._get_client_by_audience(audience)
        if found is not None:
            found.algorithm = Application.RS256_ALGORITHM
        return found

    def _by_assertion(self, request: Any) -> bool:
        """iss and sub are the client, aud this endpoint, signed by one of its keys, used once, short-lived."""
        assertion = str(getattr(request, "client_assertion", ""))
        try:
            header, claims = unverified(assertion)
            name = claims.get("iss")
            system = access_queries.client_by_name(name) if isinstance(name, str) else None
            if system is None:
                raise NotBelieved("没有登记这个 iss / this iss is not registered")
            system = key_sets.current(system, header)
            said = verified(
                assertion, client=system, fixed={"iss": name, "sub": name}, addressed_to=_addresses(request)
            )
            client = Application.objects.filter(client_id=name).first()
            if client is None:
                raise NotBelieved("没有登记这个 iss / this iss is not registered")
            if not access.use_assertion(client=system, jti=said.jti, expires_at=said.expires_at):
                raise NotBelieved("jti 已用过 / this jti was used before")
        except NotBelieved as error:
            doubts.note(str(error))
            return False
        request.client = client
        request.client_id = name
        return True


def _family_of(code: str) -> uuid.UUID:
    return uuid.uuid5(_CODES, code)


def _launch_of(request: Any) -> str:
    return str(getattr(request, "launch", None) or "")


def _may_wait(request: Any, client_id: str) -> bool:
    """Whether the launch parameter is good; once a code was made of it, the token's request does not bring it again."""
    return access_queries.launch_waiting(token=_launch_of(request), app=client_id)


def _launch_behind(request: Any) -> Launch | None:
    """The opening that a token comes of: by its code, or by the family of the refresh token."""
    # Nobody is signed in at the token's door.
    with for_purpose(Purpose.SIGN_IN, ANONYMOUS):
        if request.grant_type == "authorization_code":
            grant = Grant.objects.filter(code=request.code, application=request.client).first()
            return None if grant is None else access_queries.launch_behind(code_id=grant.pk)
        refresh = getattr(request, "refresh_token_instance", None)
        family = getattr(refresh, "token_family", None)
        return access_queries.launch_behind(family=family) if family else None


def _agreement_behind(request: Any) -> AppAgreement | None:
    """The choice of a person that a token comes of: by its code, or by the family of the refresh token."""
    with for_purpose(Purpose.SIGN_IN, ANONYMOUS):
        if request.grant_type == "authorization_code":
            grant = Grant.objects.filter(code=request.code, application=request.client).first()
            return None if grant is None else agreements.behind(code_id=grant.pk)
        refresh = getattr(request, "refresh_token_instance", None)
        return agreements.behind(family=getattr(refresh, "token_family", None))


def _still_agreed(request: Any) -> bool:
    """Whether a resident's account still acts for the person whom it let an app see; of staff nothing is asked."""
    user = getattr(request, "user", None)
    if user is None or user.kind != User.Kind.RESIDENT:
        return True
    return agreed_patient(user, _agreement_behind(request)) is not None


def _carry_agreement(agreement: AppAgreement, token: dict[str, Any], user: User) -> None:
    """Tell the app whose record it reads, and let the next token know it too."""
    agreed = agreed_patient(user, agreement)
    if agreed is not None:
        token["patient"] = agreed[1]
    made, family = _made(token)
    with for_purpose(Purpose.SIGN_IN, ANONYMOUS):
        agreements.carry(agreement, access_id=made.pk, family=family)


def _made(token: dict[str, Any]) -> tuple[AccessToken, uuid.UUID | None]:
    made = AccessToken.objects.get(token_checksum=hashlib.sha256(token["access_token"].encode()).hexdigest())
    renewal = RefreshToken.objects.filter(access_token=made).first()
    return made, renewal.token_family if renewal else None


def _carry(launch: Launch, token: dict[str, Any]) -> None:
    """Tell the app for whom it was opened, and let the next token know it too."""
    token["patient"] = str(launch.patient)
    token["need_patient_banner"] = True
    if launch.encounter is not None:
        token["encounter"] = str(launch.encounter)
    made, family = _made(token)
    with for_purpose(Purpose.SIGN_IN, ANONYMOUS):
        access.carry_launch(launch, access_id=made.pk, family=family)


def _addresses(request: Any) -> set[str]:
    """The absolute addresses of the endpoint that was called: behind a proxy the scheme that we see may be the inner one."""
    host = request.headers.get("HTTP_HOST") or request.headers.get("SERVER_NAME") or ""
    path = str(request.uri).partition("?")[0]
    return {f"{scheme}://{host}{path}" for scheme in ("https", "http")}
