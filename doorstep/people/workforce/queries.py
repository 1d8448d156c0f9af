"""Reads of practitioners, posts and teams."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from allauth.mfa.models import Authenticator
from django.utils import timezone

from doorstep.kernel.access.actor import Actor
from doorstep.kernel.access.encryption import blind_index
from doorstep.kernel.access.models import User
from doorstep.kernel.access.refusals import NotFound
from doorstep.kernel.access.roles import Role
from doorstep.kernel.database.remembered import ask
from doorstep.people.organizations.queries import as_uuid
from doorstep.people.workforce.models import Post, Practitioner, Team, TeamMember
from doorstep.people.workforce.role_names import name_of, roles


@dataclass(frozen=True, slots=True)
class PostFacts:
    """What a session needs of a post: `below` holds the organisation and everything under it in the tree, `consortium_id`
    the consortium to which the organisation, or a unit above it, belongs on the day."""

    id: int
    role: str
    organization_id: int
    organization_name: str
    department_name: str
    practitioner_id: int
    practitioner_name: str
    below: tuple[int, ...]
    consortium_id: int | None


# Every request of staff asks this once: one statement, and no sealed column of the practitioner.
_POSTS = """
SELECT post.id, post.role, unit.id, unit.name, coalesce(department.name, ''), person.id, person.name,
       ARRAY(SELECT under.id FROM organizations_organization under WHERE under.path @> ARRAY[unit.id] ORDER BY under.id),
       (SELECT member.consortium_id FROM organizations_membership member
         WHERE member.organization_id = ANY (unit.path) AND member.period @> %(day)s::date
         ORDER BY member.organization_id LIMIT 1)
  FROM workforce_practitioner person
  JOIN workforce_post post ON post.practitioner_id = person.id
  JOIN organizations_organization unit ON unit.id = post.organization_id
  LEFT JOIN organizations_department department ON department.id = post.department_id
 WHERE person.user_id = %(user)s AND post.period @> %(day)s::date
 ORDER BY post.id
"""


def posts_of_user(*, user_id: int, day: date) -> list[PostFacts]:
    """The posts that a user's practitioner holds on a day, with all that an actor is made of, in one query."""
    rows = ask(_POSTS, {"user": user_id, "day": day})
    return [PostFacts(*(*row[:7], tuple(row[7]), row[8])) for row in rows]


def practitioner_of_user(*, user_id: int) -> Practitioner | None:
    """The practitioner behind an account."""
    return Practitioner.objects.filter(user_id=user_id).first()


def key_of(*, practitioner_id: int) -> UUID | None:
    """The key of a practitioner, by which a resource names the person."""
    return Practitioner.objects.filter(id=practitioner_id).values_list("key", flat=True).first()


def team_of_village(*, organization_id: int) -> Team | None:
    """The family-doctor team that serves a village clinic."""
    return Team.objects.filter(villages=organization_id).select_related("leader", "organization").order_by("id").first()


def members_of(*, team_id: int, day: date) -> list[TeamMember]:
    """The people of a team on a day, in the order in which they came; none for a team that is not kept."""
    if not team_id:
        return []
    members = TeamMember.objects.filter(team_id=team_id, period__contains=day).select_related("practitioner")
    return list(members.order_by("period", "id"))


def teams_at(*, organization_id: int) -> list[Team]:
    """The teams of a township or community centre."""
    return list(Team.objects.filter(organization_id=organization_id).select_related("leader").order_by("name"))


def staff_of(*, organization_id: int, day: date) -> list[Post]:
    """The posts held at an organisation on a day, by name."""
    found = Post.objects.filter(organization_id=organization_id, period__contains=day)
    return list(found.select_related("practitioner", "department", "organization").order_by("practitioner__name", "id"))


def roles_at(*, organization_id: int, day: date) -> set[str]:
    """The roles that somebody with an account holds at an organisation on a day."""
    held = Post.objects.filter(
        organization_id=organization_id, period__contains=day, practitioner__user_id__isnull=False
    )
    return set(held.values_list("role", flat=True))


def posts_of(*, key: UUID | str) -> list[Post]:
    """Every post that a practitioner held or holds, newest first; raises NotFound for an unknown key."""
    found = Post.objects.filter(practitioner__key=key).select_related("practitioner", "organization", "department")
    posts = list(found.order_by("-period"))
    if not posts:
        raise NotFound()
    return posts


def possible_deputies(*, actor: Actor, day: date) -> list[tuple[int, str]]:
    """Who of the own unit may do everything that the actor may, and has an account: user id, name and role.

    A deputy who may not do a task would not even see it.
    """
    able = {role.key: name_of(role.key) for role in roles() if actor.permissions <= role.permissions}
    rows = (
        Post.objects.filter(
            organization_id=actor.organization_id or 0,
            role__in=able,
            period__contains=day,
            practitioner__user_id__isnull=False,
        )
        .exclude(practitioner__user_id=actor.user_id or 0)
        .order_by("practitioner__name", "role")
        .values_list("practitioner__user_id", "practitioner__name", "role")
    )
    found: dict[int, str] = {}
    for user_id, name, role in rows:
        found.setdefault(int(user_id or 0), f"{name} · {able[role]}")
    return list(found.items())


def names_of_users(*, ids: Iterable[int]) -> dict[int, str]:
    """The names of the people behind several accounts, in one query."""
    rows = Practitioner.objects.filter(user_id__in=set(ids)).values_list("user_id", "name")
    return {int(user_id): name for user_id, name in rows if user_id is not None}


def keys_of_users(*, ids: Iterable[int]) -> dict[int, UUID]:
    """The keys of the people behind several accounts, in one query."""
    rows = Practitioner.objects.filter(user_id__in=set(ids)).values_list("user_id", "key")
    return {int(user_id): key for user_id, key in rows if user_id is not None}


def user_behind(*, key: UUID) -> int | None:
    """The account of a person; None for a key that is nobody's, or a person without an account."""
    return Practitioner.objects.filter(key=key).values_list("user_id", flat=True).first()


def users_behind(*, keys: Iterable[str]) -> list[int]:
    """The accounts of the people with these keys, in one query; people without an account are left out."""
    found = Practitioner.objects.filter(key__in=list(keys), user_id__isnull=False)
    return [int(user_id) for user_id in found.values_list("user_id", flat=True) if user_id is not None]


def all_roles() -> tuple[Role, ...]:
    """The matrix of roles, in its order."""
    return roles()


def get_practitioner(*, key: UUID | str) -> Practitioner:
    """The practitioner with this key; raises NotFound."""
    found = Practitioner.objects.filter(key=key).first()
    if found is None:
        raise NotFound()
    return found


def get_post(*, key: UUID | str) -> Post:
    """The post with this key, its holder and unit; raises NotFound."""
    found = Post.objects.select_related("practitioner", "organization").filter(key=key).first()
    if found is None:
        raise NotFound()
    return found


def by_number(national_id: str) -> Practitioner | None:
    """The practitioner with this national id, wherever the posts are: the caller shows nothing of it."""
    return Practitioner.objects.filter(national_id_index=blind_index("national-id", national_id)).first()


def by_username(username: str) -> Practitioner | None:
    """The practitioner behind an account, None when there is none."""
    return Practitioner.objects.filter(user__username=username).first()


def all_posts(*, practitioner_id: int) -> list[Post]:
    """Every post of a practitioner with its unit and department."""
    found = Post.objects.filter(practitioner_id=practitioner_id)
    return list(found.select_related("practitioner", "organization", "department").order_by("id"))


def roles_held(*, practitioner_id: int) -> tuple[str, ...]:
    """The roles of the posts that run today or later."""
    return tuple(post.role for post in _running(practitioner_id))


def standing_posts(*, practitioner_id: int) -> list[Post]:
    """The posts that run today or later; of somebody who has left, every post that there was."""
    return _running(practitioner_id) or list(Post.objects.filter(practitioner_id=practitioner_id))


@dataclass(frozen=True, slots=True)
class AccountFacts:
    """What a manager sees of an account."""

    username: str
    is_active: bool
    has_factor: bool
    temporary: bool
    last_login: datetime | None


def account_of(practitioner: Practitioner) -> AccountFacts | None:
    """The account of a practitioner, None for somebody without one."""
    user = User.objects.filter(pk=practitioner.user_id or 0).first()
    if user is None:
        return None
    factors = Authenticator.objects.filter(user=user).exclude(type=Authenticator.Type.RECOVERY_CODES)
    return AccountFacts(
        username=user.username,
        is_active=user.is_active,
        has_factor=factors.exists(),
        temporary=user.password_temporary_until is not None,
        last_login=user.last_login,
    )


def last_day_of(post: Post) -> date | None:
    """The last day of a post, None while it has none: a period ends before its upper day."""
    return post.period.upper - timedelta(days=1) if post.period.upper else None


def _running(practitioner_id: int) -> list[Post]:
    today = timezone.localdate()
    found = Post.objects.filter(practitioner_id=practitioner_id).order_by("id")
    return [post for post in found if post.period.upper is None or post.period.upper > today]


def known_keys(keys: Iterable[str]) -> set[str]:
    """Those of the keys under which there is a practitioner; what is no key is left out."""
    wanted = [found for found in map(as_uuid, keys) if found is not None]
    return (
        {str(key) for key in Practitioner.objects.filter(key__in=wanted).values_list("key", flat=True)}
        if wanted
        else set()
    )
