"""Who signed in, as an app is told it: the issuer of the house and the person's own resource (OpenID Connect, SMART fhirUser)."""

from typing import Any
from uuid import UUID

from doorstep.kernel.access.actor import ANONYMOUS, Purpose
from doorstep.kernel.access.models import User
from doorstep.kernel.access.session import for_purpose
from doorstep.people.residents import queries as residents
from doorstep.people.workforce import queries as workforce


def issuer_of(request: Any) -> str:
    """The FHIR base by which the token's endpoint was called: an OAuthLib request carries Django's headers."""
    host = request.headers.get("HTTP_HOST") or request.headers.get("SERVER_NAME") or ""
    scheme = "https" if request.headers.get("X_DJANGO_OAUTH_TOOLKIT_SECURE") else "http"
    return f"{scheme}://{host}/fhir"


def fhir_user_of(user: User) -> str | None:
    """Patient/<key> of a resident, Practitioner/<key> of a member of staff; None for an account without either."""
    # Nobody is signed in at the token's door: the links of the account are read as at a login.
    with for_purpose(Purpose.SIGN_IN, ANONYMOUS):
        if user.kind == User.Kind.RESIDENT:
            linked = residents.linked_ids(user_id=user.pk)
            return f"Patient/{residents.get(resident_id=linked[0]).key}" if linked else None
        person = workforce.practitioner_of_user(user_id=user.pk)
    return f"Practitioner/{person.key}" if person else None


def whose(user: User, *, launched: UUID | None) -> str:
    """The name of the one resident whose record an app would see: for whom it was opened, or of the account itself; else empty."""
    if launched is not None:
        with for_purpose(Purpose.SIGN_IN, ANONYMOUS):
            found = residents.behind_keys(keys=[str(launched)])
            return next((residents.get(resident_id=one).name for one in found.values()), "")
    if user.kind != User.Kind.RESIDENT:
        return ""
    with for_purpose(Purpose.SIGN_IN, ANONYMOUS):
        linked = residents.linked_ids(user_id=user.pk)
        return residents.get(resident_id=linked[0]).name if linked else ""
