""".well-known/smart-configuration (hl7.org/fhir/smart-app-launch/conformance.html) and openid-configuration."""

from django.http import HttpRequest, JsonResponse
from django.urls import reverse
from django.views.decorators.http import require_GET

from doorstep.kernel.access.assertions import ALGORITHMS
from doorstep.site.oauth.views import BASE, GRANTS


@require_GET
def openid_configuration(request: HttpRequest) -> JsonResponse:
    """OpenID Connect Discovery 1.0 of the same house: by which key a person's token is signed, and what it says."""
    address = request.build_absolute_uri
    return JsonResponse(
        {
            "issuer": address(BASE),
            "authorization_endpoint": address(reverse("oauth:authorize")),
            "token_endpoint": address(reverse("oauth:token")),
            "userinfo_endpoint": address(reverse("oauth:userinfo")),
            "jwks_uri": address(reverse("jwks")),
            "scopes_supported": ["openid", "fhirUser", "launch", "launch/patient", "offline_access"],
            "response_types_supported": ["code"],
            "grant_types_supported": ["authorization_code", "refresh_token"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "token_endpoint_auth_methods_supported": ["none", "private_key_jwt", "client_secret_basic"],
            "token_endpoint_auth_signing_alg_values_supported": ALGORITHMS,
            "code_challenge_methods_supported": ["S256"],
            "claims_supported": ["iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "at_hash", "fhirUser"],
        },
        headers={"Access-Control-Allow-Origin": "*"},
    )


@require_GET
def smart_configuration(request: HttpRequest) -> JsonResponse:
    """Where tokens come from and what can be asked for; open to all."""
    address = request.build_absolute_uri
    return JsonResponse(
        {
            "issuer": address(BASE),
            "jwks_uri": address(reverse("jwks")),
            "authorization_endpoint": address(reverse("oauth:authorize")),
            "token_endpoint": address(reverse("oauth:token")),
            "introspection_endpoint": address(reverse("oauth:introspect")),
            "revocation_endpoint": address(reverse("oauth:revoke-token")),
            "token_endpoint_auth_methods_supported": ["private_key_jwt", "client_secret_basic"],
            "token_endpoint_auth_signing_alg_values_supported": ALGORITHMS,
            "grant_types_supported": list(GRANTS),
            "response_types_supported": ["code"],
            "code_challenge_methods_supported": ["S256"],
            "scopes_supported": [
                "openid",
                "fhirUser",
                "launch",
                "launch/patient",
                "offline_access",
                "patient/*.rs",
                "user/*.rs",
                "system/*.cruds",
            ],
            "capabilities": [
                "launch-ehr",
                "launch-standalone",
                "client-public",
                "client-confidential-asymmetric",
                "context-ehr-patient",
                "context-ehr-encounter",
                "context-standalone-patient",
                "context-banner",
                "sso-openid-connect",
                "permission-patient",
                "permission-user",
                "permission-offline",
                "permission-v1",
                "permission-v2",
            ],
        },
        headers={"Access-Control-Allow-Origin": "*"},
    )
