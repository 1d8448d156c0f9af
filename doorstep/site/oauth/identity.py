"""Who signed in, as an app is told it: the issuer of the house and the person's own resource (OpenID Connect, SMART fhirUser)."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from doorstep.kernel.access import queries as access
from doorstep.kernel.access.actor import ANONYMOUS, Actor, ActorKind, Purpose
from doorstep.kernel.access.models import AppAgreement, User
from doorstep.kernel.access.session import for_purpose
from doorstep.people.residents import queries as residents
from doorstep.people.residents.rules import RELATIONS
from doorstep.people.workforce import queries as workforce


def issuer_of(request: Any) -> str:
    """The FHIR base by which the token's endpoint was called: an OAuthLib request carries Django's headers."""
    host = request.headers.get("HTTP_HOST") or request.headers.get("SERVER_NAME") or ""
    scheme = "https" if request.headers.get("X_DJANGO_OAUTH_TOOLKIT_SECURE") else "http"
    return f"{scheme}://{host}/fhir"


def fhir_user_of(user: User) -> str | None:
    """Patient/<key> of a resident, Practitioner/<key> of a member of staff; None for an account without either.

    It is who signed in: for the account of a mother it is she, whichever child she lets an app see.
    """
    # Nobody is signed in at the token's door: the links of the account are read as at a login.
    with for_purpose(Purpose.SIGN_IN, ANONYMOUS):
        if user.kind == User.Kind.RESIDENT:
            own = next((one.resident for one in residents.family_of(user_id=user.pk) if one.relation == "self"), None)
            return f"Patient/{own.key}" if own else None
        person = workforce.practitioner_of_user(user_id=user.pk)
    return f"Practitioner/{person.key}" if person else None


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody whose record a resident may let an app see; `relation` in words, "" for the account's own person."""

    resident_id: int
    key: str
    name: str
    relation: str


def people_of(actor: Actor) -> list[Person]:
    """Whom a resident's account acts for today, the own person first; of staff nobody."""
    if actor.kind is not ActorKind.RESIDENT:
        return []
    links = sorted(residents.family_of(user_id=actor.user_id or 0), key=lambda one: one.relation != "self")
    return [Person(one.resident_id, str(one.resident.key), one.resident.name, _relation(one.relation)) for one in links]


def _relation(code: str) -> str:
    return _(RELATIONS[code]) if code in RELATIONS else ""


def launched_name(key: UUID, actor: Actor) -> str:
    """The name of the resident for whom an app was opened."""
    with for_purpose(Purpose.SIGN_IN, actor):
        found = residents.behind_keys(keys=[str(key)])
        return next((residents.get(resident_id=one).name for one in found.values()), "")


def chosen_of(agreement: AppAgreement | None, acts_for: Iterable[int]) -> int | None:
    """The resident whom an agreement means today, followed over merges; None when the account no longer acts for that person."""
    if agreement is None:
        return None
    standing = access.standing_of(resident_id=agreement.resident_id)
    return standing if standing in acts_for else None


def agreed_patient(user: User, agreement: AppAgreement | None) -> tuple[int, str] | None:
    """The chosen resident's id and key, asked at the token's door, where nobody is signed in; None as in `chosen_of`."""
    with for_purpose(Purpose.SIGN_IN, ANONYMOUS):
        chosen = chosen_of(agreement, residents.linked_ids(user_id=user.pk))
        return None if chosen is None else (chosen, str(residents.get(resident_id=chosen).key))
