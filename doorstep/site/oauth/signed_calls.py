"""The JWT with which a system calls a CDS service (cds-hooks.hl7.org/2.0, Trusting CDS Clients): signed, for this address, once."""

from datetime import UTC, datetime

from django.http import HttpRequest
from django.utils import timezone

from doorstep.coordination.hospital_systems import key_sets
from doorstep.kernel.access import actions as access
from doorstep.kernel.access import queries as access_queries
from doorstep.kernel.access.assertions import LEEWAY, NotBelieved, unverified, verified
from doorstep.kernel.fhir.door import Grant
from doorstep.kernel.fhir.outcome import FhirRefused
from doorstep.kernel.fhir.scopes import Scopes, parse
from doorstep.site.actors import of_system


def is_signed_call(token: str, request: HttpRequest) -> bool:
    """Whether this is a JWT at the address of a CDS service; tokens of the house have no dots."""
    match = request.resolver_match
    return match is not None and match.view_name == "hooks:call" and token.count(".") >= 2


def grant_of_call(token: str, request: HttpRequest, *, address: str, request_id: str) -> Grant:
    """What the caller of a CDS service may: as the system that signed. Raises FhirRefused (401) with what is wrong."""
    try:
        header, claims = unverified(token)
        issuer = claims.get("iss")
        client = access_queries.client_by_issuer(issuer) if isinstance(issuer, str) and "\0" not in issuer else None
        if client is None:
            raise NotBelieved("没有登记这个 iss / this iss is not registered")
        if "jku" in header and header["jku"] != client.jku:
            raise NotBelieved("jku 不是登记的地址 / jku is not the registered address")
        client = key_sets.current(client, header)
        said = verified(token, client=client, fixed={"iss": issuer}, addressed_to=_addresses(request))
        if _issued_at(claims) > timezone.now() + LEEWAY:
            raise NotBelieved("iat 在将来 / iat lies ahead")
        if not access.use_assertion(client=client, jti=said.jti, expires_at=said.expires_at):
            raise NotBelieved("jti 已用过 / this jti was used before")
    except NotBelieved as error:
        raise FhirRefused(401, "login", f"不接受这个 JWT：{error}") from error
    granted = tuple(one for one in parse(client.scopes).granted if one[0] == "system")
    return Grant(of_system(client, address=address, request_id=request_id), Scopes(granted))


def _issued_at(claims: dict[str, object]) -> datetime:
    issued = claims.get("iat")
    if isinstance(issued, bool) or not isinstance(issued, int | float):
        raise NotBelieved("缺少 iat / iat is missing")
    try:
        return datetime.fromtimestamp(issued, tz=UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise NotBelieved("iat 不是时间 / iat is no time") from error


def _addresses(request: HttpRequest) -> set[str]:
    """The address of the called service: behind a proxy the scheme that we see may be the inner one."""
    whole = request.build_absolute_uri(request.path).partition("://")[2]
    return {f"https://{whole}", f"http://{whole}"}
