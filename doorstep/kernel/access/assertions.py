"""Signed assertions of connected systems (RFC 7523): who says it, to whom, until when, by which of the registered keys.

The private_key_jwt of SMART Backend Services and the client's JWT of CDS Hooks are both judged here.
"""

import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.utils import timezone
from jwcrypto.common import JWException
from jwcrypto.jwk import JWKSet
from jwcrypto.jwt import JWT

from doorstep.kernel.access.models import ApiClient

# SMART and CDS Hooks both name RS384 and ES384 (hl7.org/fhir/smart-app-launch/client-confidential-asymmetric.html).
ALGORITHMS = ["RS384", "ES384"]
LIFETIME = timedelta(minutes=5)
LEEWAY = timedelta(seconds=30)
# Longer ones are no assertion; a hundred times a usual one.
_LONGEST = 64 * 1024


@dataclass(frozen=True, slots=True)
class Said:
    """A good assertion: its number, its end, and every claim."""

    jti: str
    expires_at: datetime
    claims: dict[str, Any]


class NotBelieved(Exception):
    """An assertion that is not believed; the text says in a few words which part, for the engineer at the other end."""


def unverified(assertion: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims as they stand, not believed yet; raises NotBelieved for what is no JWT."""
    if len(assertion) > _LONGEST:
        raise NotBelieved("JWT 过长 / the JWT is too long")
    try:
        token = JWT()
        token.deserialize(assertion)
        header, claims = token.token.jose_header, json.loads(token.token.objects["payload"])
    except (JWException, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise NotBelieved("不是合法的 JWT / not a JWT") from error
    if not isinstance(header, dict) or not isinstance(claims, dict):
        raise NotBelieved("不是合法的 JWT / not a JWT")
    return header, claims


def verified(assertion: str, *, client: ApiClient, fixed: dict[str, str | None], addressed_to: Collection[str]) -> Said:
    """The claims of an assertion that one of the client's keys signed; raises NotBelieved.

    `fixed` are claims that must be there, with this value unless None; `addressed_to` are the addresses of which `aud` must
    name one. Whether the number was used before is for the caller to note (actions.use_assertion).
    """
    if not client.jwks.get("keys"):
        raise NotBelieved("该系统没有登记公钥 / no public key is registered for this system")
    wanted: dict[str, str | None] = {**fixed, "aud": None, "jti": None, "exp": None}
    try:
        keys = JWKSet.from_json(json.dumps(client.jwks))
        token = JWT(jwt=assertion, key=keys, algs=ALGORITHMS, check_claims=wanted)
        claims = json.loads(token.claims)
        expires_at = datetime.fromtimestamp(int(claims["exp"]), tz=UTC)
    except (JWException, ValueError, TypeError, KeyError, OverflowError, OSError, RecursionError) as error:
        raise NotBelieved("签名、期限或必要声明不对 / the signature, the term or a needed claim is wrong") from error
    named = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
    if not any(isinstance(one, str) and one in addressed_to for one in named):
        raise NotBelieved("aud 不是本地址 / aud is not this address")
    if expires_at > timezone.now() + LIFETIME + LEEWAY:
        raise NotBelieved("exp 超过 5 分钟 / exp is more than five minutes ahead")
    number = claims["jti"]
    if not isinstance(number, str) or not 0 < len(number) <= 200 or "\0" in number:
        raise NotBelieved("jti 应为 1 至 200 个字符 / jti must have 1 to 200 characters")
    return Said(number, expires_at, claims)
