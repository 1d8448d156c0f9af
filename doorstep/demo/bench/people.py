"""Who measures: sessions of demo accounts, made without a login, and actors of their posts."""

from dataclasses import dataclass
from datetime import date
from importlib import import_module
from types import ModuleType
from uuid import UUID

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY

from doorstep.care.diagnosis.permissions import Permission as Diagnosis
from doorstep.coordination.scheduling.permissions import Permission as Scheduling
from doorstep.coordination.visits.permissions import Permission as Visits
from doorstep.demo.loading.houses import CONSORTIUM
from doorstep.demo.loading.systems import CLIENT
from doorstep.kernel.access import actions as access
from doorstep.kernel.access.actor import Actor, ActorKind, Purpose, system_actor
from doorstep.kernel.access.models import CareRelationship, User
from doorstep.kernel.access.permissions import Permission as Access
from doorstep.kernel.access.queries import client_by_name
from doorstep.kernel.access.session import acting
from doorstep.people.organizations import queries as organizations
from doorstep.people.residents.models import Resident
from doorstep.people.workforce import queries as workforce

# Any 32 letters: what stands in the cookie must stand in the header.
CSRF = "benchmarkbenchmarkbenchmarkbench"
_PERMISSIONS = frozenset(str(one) for part in (Visits, Diagnosis, Scheduling, Access) for one in part)


@dataclass(frozen=True, slots=True)
class Person:
    """A resident as the measures need one."""

    id: int
    key: UUID
    name: str
    initials: str
    phone: str
    number: str


def cookie(username: str) -> str:
    """The value of a Cookie header that is logged in: a session as the login makes it, with a second factor on record."""
    user = User.objects.get(username=username)
    engine: ModuleType = import_module(settings.SESSION_ENGINE)
    session = engine.SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[-1]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.create()
    return f"{settings.SESSION_COOKIE_NAME}={session.session_key}; {settings.CSRF_COOKIE_NAME}={CSRF}"


def staff_actor(username: str, *, day: date) -> Actor:
    """The actor of an account's first post, with what is below it in the tree; for acts that are measured in process."""
    user = User.objects.get(username=username)
    with acting(system_actor(Purpose.SIGN_IN)):
        post = workforce.posts_of_user(user_id=user.pk, day=day)[0]
        reach = organizations.below(organization_id=post.organization_id)
    return Actor(
        kind=ActorKind.STAFF,
        display_name=post.practitioner_name,
        user_id=user.pk,
        post_id=post.id,
        role=post.role,
        organization_id=post.organization_id,
        organization_name=post.organization_name,
        consortium_id=CONSORTIUM,
        practitioner_id=post.practitioner_id,
        permissions=_PERMISSIONS,
        reach=reach,
        record_reach=reach,
        address="127.0.0.1",
        request_id="bench",
    )


def own_people(actor: Actor, *, limit: int) -> list[Person]:
    """Living residents with a number under a contract with the actor's units, spread over all of them."""
    with acting(system_actor(Purpose.INDICATORS)):
        contracted = CareRelationship.objects.filter(
            organization_id__in=actor.record_reach, reason=CareRelationship.Reason.CONTRACT
        ).values_list("resident_id", flat=True)
        ids = sorted(set(contracted))
        wanted = ids[:: max(1, len(ids) // (limit * 2))]
        rows = Resident.objects.filter(id__in=wanted, deceased_on__isnull=True).order_by("id")
        people = [
            Person(row.id, row.key, row.name, row.name_initials, row.phone, row.national_id)
            for row in rows
            if row.national_id
        ]
    return people[:limit]


def client_token(*, see: list[Person]) -> str:
    """A new token of the demo hospital system; the hospital comes to see these residents, as after referrals."""
    with acting(system_actor(Purpose.IMPORT, consortium_id=CONSORTIUM)) as actor:
        house = organizations.for_client(name=CLIENT, code="")
        if house is None:
            raise LookupError("The county has no hospital system.")
        for person in see:
            access.open_relationship(
                resident_id=person.id,
                organization_id=house.pk,
                reason=CareRelationship.Reason.REFERRAL,
                actor=actor,
                basis="benchmark",
            )
        return access.issue_token(name=CLIENT, display=house.name, organization_id=house.pk, actor=actor)


def hospital() -> Actor:
    """The hospital system as it acts in process."""
    client = client_by_name(CLIENT)
    if client is None:
        raise LookupError("The county has no hospital system.")
    unit = client.organization_id
    return Actor(
        kind=ActorKind.CLIENT,
        display_name=client.display,
        user_id=-client.pk,
        role="client",
        client=client.name,
        organization_id=unit,
        consortium_id=CONSORTIUM,
        permissions=frozenset(map(str, Access)),
        reach=(unit,),
        record_reach=(unit,),
    )
