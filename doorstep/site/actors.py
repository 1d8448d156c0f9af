"""Who stands behind a request: the session's user and post, or a hospital system's token."""

import hashlib
import threading
import uuid
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import get_language

from doorstep.kernel.access import queries as access
from doorstep.kernel.access.actor import ANONYMOUS, Actor, ActorKind, Purpose, system_actor
from doorstep.kernel.access.models import ApiClient, User
from doorstep.kernel.access.session import bind
from doorstep.kernel.database.calls import Call, as_json
from doorstep.kernel.database.remembered import ask
from doorstep.people.organizations import queries as organizations
from doorstep.people.residents import queries as residents
from doorstep.people.workforce import queries as workforce
from doorstep.people.workforce.queries import PostFacts
from doorstep.site.roles import CLIENT_PERMISSIONS, REGISTERING, RESIDENT_PERMISSIONS, ROLES

_CHINA = ZoneInfo("Asia/Shanghai")
_CLIENT_PERMISSIONS = "{" + ",".join(sorted(CLIENT_PERMISSIONS)) + "}"
# Rows of site_enter_client by the hash of their token, each with its own text at the end.
_systems: dict[str, tuple[Any, ...]] = {}
_lock = threading.Lock()
_MOST_SYSTEMS = 1_000
_REGISTERING = "{" + ",".join(sorted(CLIENT_PERMISSIONS | REGISTERING)) + "}"


def enter(request: HttpRequest) -> Actor:
    """The actor of a page request, anonymous before login; the database knows who acts until the transaction ends.

    Staff are found and told to the database in one statement: every page begins with it.
    """
    user = request.user
    if not isinstance(user, User) or not user.is_active:
        bind(ANONYMOUS)
        return ANONYMOUS
    address = str(request.META.get("REMOTE_ADDR", ""))
    request_id = str(request.headers.get("X-Request-Id", ""))[:40] or uuid.uuid4().hex
    session = _mark(request.session.session_key)
    if user.kind == User.Kind.RESIDENT:
        actor = replace(of_user(user, address=address, request_id=request_id), session=session)
        bind(actor)
        return actor
    found = ask(
        "SELECT * FROM site_enter_staff(%s::bigint, %s, %s::bigint, %s, %s)",
        [user.pk, datetime.now(tz=_CHINA).date(), user.current_post_id, session, _roles()],
    )
    posts = [PostFacts(*(*row[:7], tuple(row[7]), row[8])) for row in found]
    request.clocks_silent = found[0][9] if found else None  # type: ignore[attr-defined]
    return replace(_staff(user, posts, address=address, request_id=request_id), session=session)


@cache
def _roles() -> str:
    """The matrix of roles as the database's site_enter_staff reads it."""
    return as_json(
        {
            key: {
                "cascades": one.cascades,
                "sees": one.sees_records,
                "may": "{" + ",".join(sorted(one.permissions)) + "}",
            }
            for key, one in ROLES.items()
        }
    )


def _mark(session_key: str | None) -> str:
    """A session's mark: the key itself would open the session."""
    return hashlib.sha256(session_key.encode()).hexdigest() if session_key else ""


def of_user(user: User, *, address: str = "", request_id: str = "") -> Actor:
    """The actor of an account: staff by the current post, a resident by the links of the account."""
    if user.kind == User.Kind.RESIDENT:
        bind(system_actor(Purpose.SIGN_IN))
        linked = residents.linked_ids(user_id=user.pk)
        return Actor(
            kind=ActorKind.RESIDENT,
            display_name=user.first_name or user.username,
            user_id=user.pk,
            role="resident",
            role_label="居民",
            permissions=RESIDENT_PERMISSIONS,
            resident_ids=tuple(linked),
            address=address,
            request_id=request_id,
        )
    posts = workforce.posts_of_user(user_id=user.pk, day=datetime.now(tz=_CHINA).date())
    return _staff(user, posts, address=address, request_id=request_id)


def of_client(token: str, *, address: str = "", request_id: str = "") -> Actor | None:
    """The actor behind a bearer token of a hospital system, or None when it is unknown or revoked.

    One statement finds the system with its unit and consortium and tells the database who acts, as `bind` would.
    """
    arguments = _entering(token)
    with connection.cursor() as cursor:
        cursor.execute("SELECT e.*, e::text FROM site_enter_client(%s, %s, %s, %s) e", arguments)
        row = cursor.fetchone()
    if row is None:
        return None
    with _lock:
        if len(_systems) >= _MOST_SYSTEMS:
            _systems.clear()
        _systems[arguments[0]] = row
    return _system(row[:-1], address=address, request_id=request_id)


def client_again(token: str, *, address: str = "", request_id: str = "") -> tuple[Actor, Call] | None:
    """The actor that this token stood for the last time, and the call that enters as it and is false when it is another now.

    None for a token that was not asked for yet.
    """
    arguments = _entering(token)
    row = _systems.get(arguments[0])
    if row is None:
        return None
    actor = _system(row[:-1], address=address, request_id=request_id)
    return actor, Call("site_enter_again", (*arguments, row[-1]))


def _entering(token: str) -> tuple[str, date, str, str]:
    return access.token_hash(token), timezone.localdate(timezone=_CHINA), _CLIENT_PERMISSIONS, _REGISTERING


def of_connection(client_id: int) -> Actor:
    """The actor of a hospital system that connects without a token: by a wire or a folder of its own."""
    return of_system(access.client_by_id(client_id))


def of_system(client: ApiClient, *, address: str = "", request_id: str = "") -> Actor:
    """The actor of a connected hospital system."""
    day = timezone.localdate(timezone=_CHINA)
    unit = organizations.get(organization_id=client.organization_id).name
    consortium_id = organizations.consortium_of(organization_id=client.organization_id, day=day)
    row = (client.pk, client.name, client.display, client.organization_id, unit, consortium_id, client.registers)
    return _system(row, address=address, request_id=request_id)


def _system(row: tuple[Any, ...], *, address: str, request_id: str) -> Actor:
    client_id, name, display, organization_id, organization_name, consortium_id, registers = row
    return Actor(
        kind=ActorKind.CLIENT,
        display_name=display,
        # A hospital system has no user; a negative id keeps its rows apart from people's.
        user_id=-client_id,
        role="client",
        client=name,
        role_label="接入系统",
        organization_id=organization_id,
        organization_name=organization_name,
        consortium_id=consortium_id,
        permissions=CLIENT_PERMISSIONS | (REGISTERING if registers else frozenset()),
        reach=(organization_id,),
        record_reach=(organization_id,),
        address=address,
        request_id=request_id,
    )


def _staff(user: User, held: Sequence[PostFacts], *, address: str, request_id: str) -> Actor:
    posts = [post for post in held if post.role in ROLES]
    if not posts:
        # Signed in, but without a post today: nothing is reachable.
        return Actor(
            kind=ActorKind.STAFF, display_name=user.username, user_id=user.pk, address=address, request_id=request_id
        )
    post = next((held for held in posts if held.id == user.current_post_id), posts[0])
    role = ROLES[post.role]
    below = post.below if role.cascades else (post.organization_id,)
    english = (get_language() or "").startswith("en")
    return Actor(
        kind=ActorKind.STAFF,
        display_name=post.practitioner_name,
        user_id=user.pk,
        post_id=post.id,
        role=role.key,
        role_label=role.en if english else role.zh,
        organization_id=post.organization_id,
        organization_name=post.organization_name,
        consortium_id=post.consortium_id,
        practitioner_id=post.practitioner_id,
        permissions=role.permissions,
        reach=below,
        record_reach=below if role.sees_records else (),
        address=address,
        request_id=request_id,
        other_posts=tuple((held.id, f"{held.organization_name} · {ROLES[held.role].zh}") for held in posts),
    )
