"""Reads of practitioners, posts and teams."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from django.db import connection

from doorstep.kernel.access.refusals import NotFound
from doorstep.people.workforce.models import Post, Practitioner, Team


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
    with connection.cursor() as cursor:
        cursor.execute(_POSTS, {"user": user_id, "day": day})
        return [PostFacts(*(*row[:7], tuple(row[7]), row[8])) for row in cursor.fetchall()]


def practitioner_of_user(*, user_id: int) -> Practitioner | None:
    """The practitioner behind an account."""
    return Practitioner.objects.filter(user_id=user_id).first()


def team_of_village(*, organization_id: int) -> Team | None:
    """The family-doctor team that serves a village clinic."""
    return Team.objects.filter(villages=organization_id).select_related("leader", "organization").order_by("id").first()


def teams_at(*, organization_id: int) -> list[Team]:
    """The teams of a township or community centre."""
    return list(Team.objects.filter(organization_id=organization_id).select_related("leader").order_by("name"))


def staff_of(*, organization_id: int, day: date) -> list[Post]:
    """The posts held at an organisation on a day, by name."""
    found = Post.objects.filter(organization_id=organization_id, period__contains=day)
    return list(found.select_related("practitioner", "department", "organization").order_by("practitioner__name", "id"))


def posts_of(*, key: UUID | str) -> list[Post]:
    """Every post that a practitioner held or holds, newest first; raises NotFound for an unknown key."""
    found = Post.objects.filter(practitioner__key=key).select_related("practitioner", "organization", "department")
    posts = list(found.order_by("-period"))
    if not posts:
        raise NotFound()
    return posts


def colleagues(*, organization_id: int, day: date, but: int | None) -> list[tuple[int, str]]:
    """Who else works at an organisation on a day and has an account: user id and name."""
    rows = Post.objects.filter(
        organization_id=organization_id, period__contains=day, practitioner__user_id__isnull=False
    ).exclude(practitioner__user_id=but or 0)
    pairs = rows.order_by("practitioner__name").values_list("practitioner__user_id", "practitioner__name").distinct()
    return [(int(user_id), name) for user_id, name in pairs if user_id is not None]


def names_of_users(*, ids: Iterable[int]) -> dict[int, str]:
    """The names of the people behind several accounts, in one query."""
    rows = Practitioner.objects.filter(user_id__in=set(ids)).values_list("user_id", "name")
    return {int(user_id): name for user_id, name in rows if user_id is not None}
