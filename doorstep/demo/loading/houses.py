"""Rows of organisations, departments, people who work, their posts and teams."""

from collections.abc import Iterator
from datetime import date
from typing import Any

from doorstep.demo.county.county import County
from doorstep.demo.county.organizations import FIRST_VILLAGE, Organization
from doorstep.demo.loading.copying import Copied
from doorstep.demo.loading.keys import key
from doorstep.demo.loading.lines import row_lines
from doorstep.kernel.access.encryption import blind_index, seal
from doorstep.people.organizations.models import Membership
from doorstep.people.organizations.models import Organization as Unit

CONSORTIUM = 1
_OPENED = date(1998, 1, 1)
_KINDS = {
    "health_authority": Unit.Kind.AUTHORITY,
    "tertiary_hospital": Unit.Kind.HOSPITAL,
    "secondary_hospital": Unit.Kind.HOSPITAL,
    "partner_hospital": Unit.Kind.HOSPITAL,
    "township_center": Unit.Kind.TOWNSHIP_CENTER,
    "community_center": Unit.Kind.COMMUNITY_CENTER,
    "village_clinic": Unit.Kind.VILLAGE_CLINIC,
    "ecg_center": Unit.Kind.SHARED_CENTER,
    "imaging_center": Unit.Kind.SHARED_CENTER,
    "laboratory_center": Unit.Kind.SHARED_CENTER,
    "emergency_center": Unit.Kind.EMERGENCY,
    "emergency_station": Unit.Kind.EMERGENCY,
    "care_home": Unit.Kind.CARE_HOME,
}
# By the end of its code a shared centre is found.
_CODE_ENDS = {"ecg_center": "-ECG", "imaging_center": "-IMG", "laboratory_center": "-LAB"}
_TIERS = {"三": 3, "二": 2}


def houses(county: County) -> list[Copied]:
    """Organisations with their paths, the consortium with dated memberships, departments."""
    seed = county.seed
    members = [
        (number, CONSORTIUM, row.organization_id, _part(row.role), _span(row.start, row.end))
        for number, row in enumerate(county.memberships, start=1)
    ]
    rooms = [
        (row.id, key("department", seed, row.id), row.organization_id, row.code, row.name, row.name_en)
        for row in county.departments
    ]
    consortium = (
        CONSORTIUM,
        key("consortium", seed, 1),
        "HC",
        "禾川县紧密型县域医共体",
        "Hechuan County Consortium",
        "county",
    )
    return [
        Copied("organizations_organization", _ORGANIZATION, row_lines(_organizations(county))),
        Copied("organizations_consortium", ("id", "key", "code", "name", "name_en", "kind"), row_lines([consortium])),
        Copied(
            "organizations_membership", ("id", "consortium_id", "organization_id", "part", "period"), row_lines(members)
        ),
        Copied("organizations_department", _DEPARTMENT, row_lines(rooms)),
    ]


_DEPARTMENT = ("id", "key", "organization_id", "code", "name", "name_en")
_ORGANIZATION = (
    "id", "key", "code", "name", "name_en", "kind", "class_code", "level", "tier", "parent_id", "path", "credit_code",
    "division_code", "address", "phone", "latitude", "longitude", "opened_on", "closed_on",
)  # fmt: skip


def _organizations(county: County) -> Iterator[tuple[Any, ...]]:
    paths: dict[int, tuple[int, ...]] = {}
    for row in county.organizations:
        paths[row.id] = (*(paths[row.parent_id] if row.parent_id else ()), row.id)
        path = "{" + ",".join(map(str, paths[row.id])) + "}"
        yield (
            row.id, key("organization", county.seed, row.id), f"HC{row.id:03d}{_CODE_ENDS.get(row.kind, '')}", row.name,
            row.name_en, _KINDS[row.kind].value, row.class_code, row.level, _tier(row), row.parent_id, path,
            row.credit_code, row.division_code, row.address, row.phone, row.latitude, row.longitude, _OPENED, None,
        )  # fmt: skip


def _tier(row: Organization) -> int:
    if row.kind == "health_authority":
        return 0
    if _KINDS[row.kind] in (Unit.Kind.SHARED_CENTER, Unit.Kind.EMERGENCY):
        return 3 if _KINDS[row.kind] == Unit.Kind.SHARED_CENTER else 1
    return _TIERS.get(row.level[:1], 1)


def _part(role: str) -> str:
    return (Membership.Part.LEAD if role == "lead" else Membership.Part.MEMBER).value


def _span(start: date, end: date | None) -> str:
    """A range of days that includes its last one, as PostgreSQL reads it."""
    return f"[{start.isoformat()},{end.isoformat()}]" if end else f"[{start.isoformat()},)"


def staff(county: County) -> list[Copied]:
    """Practitioners with sealed numbers, their posts, teams with members and villages."""
    posts = [(person.id, post) for person in county.practitioners for post in person.posts]
    post_rows = [
        (
            number,
            key("post", county.seed, number),
            person,
            post.organization_id,
            post.department_id,
            post.role,
            _span(post.start, post.end),
        )
        for number, (person, post) in enumerate(posts, start=1)
    ]
    return [
        Copied("workforce_practitioner", _PRACTITIONER, row_lines(_practitioners(county))),
        Copied("workforce_post", _POST, row_lines(post_rows)),
        *_teams(county),
    ]


_POST = ("id", "key", "practitioner_id", "organization_id", "department_id", "role", "period")
_PRACTITIONER = (
    "id", "key", "user_id", "name", "name_pinyin", "gender", "birth_date", "national_id", "national_id_index", "phone",
    "licence_number", "licence_scope", "title", "specialty", "is_expert",
)  # fmt: skip


def _practitioners(county: County) -> Iterator[tuple[Any, ...]]:
    for one in county.practitioners:
        yield (
            one.id, key("practitioner", county.seed, one.id), None, one.name, one.pinyin, one.gender, one.birth,
            seal(one.national_id), blind_index("national-id", one.national_id), seal(one.phone), one.licence,
            one.specialty if one.licence else "", one.title, one.specialty, one.is_expert,
        )  # fmt: skip


def _teams(county: County) -> list[Copied]:
    rows = [
        (team.id, key("team", county.seed, team.id), team.organization_id, team.name, team.members[0][0])
        for team in county.teams
    ]
    began = _span(date(2022, 1, 1), None)
    members = [(team.id, person, part, began) for team in county.teams for person, part in team.members]
    villages = [
        (team.id, FIRST_VILLAGE + place)
        for team in county.teams
        for place in team.places
        if county.places[place].is_village
    ]
    return [
        Copied("workforce_team", ("id", "key", "organization_id", "name", "leader_id"), row_lines(rows)),
        Copied("workforce_teammember", ("team_id", "practitioner_id", "part", "period"), row_lines(members)),
        Copied("workforce_team_villages", ("team_id", "organization_id"), row_lines(villages)),
    ]
