"""The people who work in the county: about 1,400 practitioners with dated posts, 149 family-doctor teams (3+1+N)."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from doorstep.demo.county import heroes
from doorstep.demo.county.departments import KINDS, Department
from doorstep.demo.county.geography import Place
from doorstep.demo.county.identifiers import (
    PRACTITIONER_FIRST_RANK,
    licence_number,
    national_id,
    practitioner_phone,
)
from doorstep.demo.county.names import draw_names, draw_surnames, spell
from doorstep.demo.county.organizations import (
    ECG_CENTER,
    EMERGENCY_CENTER,
    FIRST_PRIMARY,
    FIRST_SECONDARY,
    FIRST_VILLAGE,
    IMAGING_CENTER,
    LABORATORY_CENTER,
    PARTNER_HOSPITAL,
    Organization,
)

TEAMS = 149
EXPERTS = 232
ROLES = (
    "village_doctor", "family_doctor", "township_duty", "nurse", "ecg_reader", "specialist", "referral_officer",
    "lead_duty", "manager", "auditor", "engineer", "registrar",
    "records_officer", "supervisor", "clinic_desk", "clinic_manager", "kiosk", "care_home_nurse",
)  # fmt: skip
_EXPERT_TITLES = ("主任医师", "副主任医师", "副主任医师", "主治医师")
_EXPERT_DEPARTMENTS = (
    "cardiology", "neurology", "endocrinology", "respiratory", "gastroenterology", "nephrology", "general_surgery",
    "orthopaedics", "urology", "obstetrics", "gynaecology", "paediatrics", "ophthalmology", "psychiatry",
    "rehabilitation", "chinese_medicine", "intensive_care",
)  # fmt: skip
_SECONDARY_DEPARTMENTS = (
    "internal_medicine",
    "surgery",
    "obstetrics",
    "paediatrics",
    "rehabilitation",
    "chinese_medicine",
)


@dataclass(frozen=True, slots=True)
class Post:
    """A dated post; `department_id` is None in a house without departments, `end` is the last day or None."""

    organization_id: int
    department_id: int | None
    role: str
    start: date
    end: date | None


@dataclass(frozen=True, slots=True)
class Practitioner:
    """A person who works. `is_expert` marks the 232 experts who are shared by the consortium."""

    id: int
    name: str
    pinyin: str
    initials: str
    gender: str
    birth: date
    national_id: str
    phone: str
    licence: str
    title: str
    specialty: str
    is_expert: bool
    posts: tuple[Post, ...]


@dataclass(frozen=True, slots=True)
class Team:
    """A family-doctor team: `members` are (practitioner id, role in the team), the first is responsible; `places` are
    the indexes of the villages and neighbourhoods of its panel (several teams of a street share a neighbourhood)."""

    id: int
    organization_id: int
    name: str
    members: tuple[tuple[int, str], ...]
    places: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Position:
    """A position to be filled by an invented person."""

    organization_id: int
    department: str
    role: str
    title: str
    specialty: str
    is_expert: bool = False


def teams_per_unit(places: tuple[Place, ...]) -> tuple[int, ...]:
    """149 teams over 33 units: four each, one more for the most populous."""
    weights = np.bincount([place.unit for place in places], weights=[place.weight for place in places])
    more = set(np.argsort(-weights, kind="stable")[: TEAMS - 4 * len(weights)].tolist())
    return tuple(4 + (unit in more) for unit in range(len(weights)))


def positions(rng: np.random.Generator, places: tuple[Place, ...]) -> Iterator[Position]:
    """Every position that no hero holds, in the order of the ids that follow the heroes."""
    counts = teams_per_unit(places)
    yield from _village_positions(rng, places)
    for unit, count in enumerate(counts):
        yield from _primary_positions(FIRST_PRIMARY + unit, count)
    yield from _expert_positions()
    for organization_id in range(FIRST_SECONDARY, FIRST_PRIMARY):
        yield from _hospital_positions(organization_id, nurses=5, tertiary=False)
    for organization_id in (2, 3):
        yield from _hospital_positions(organization_id, nurses=22, tertiary=True)
    yield from _center_positions()


def practitioners(
    rng: np.random.Generator,
    places: tuple[Place, ...],
    departments: tuple[Department, ...],
) -> tuple[Practitioner, ...]:
    """Heroes first (ids 1–21), then everybody else."""
    rooms = {(row.organization_id, row.key): row.id for row in departments}
    people = [_hero(row, rooms) for row in heroes.hero_practitioners()]
    born = Counter((one.birth, one.gender) for one in people)
    wanted = list(positions(rng, places))
    count = len(wanted)
    males = np.array(
        [rng.random() < (0.08 if row.role == "nurse" else 0.58) for row in wanted],
        dtype=np.int64,
    )
    births = np.datetime64("1966-01-01", "D") + rng.integers(0, 365 * 28, count)
    names, pinyin, initials = draw_names(rng, draw_surnames(rng, count), males, births)
    ages = rng.integers(24, 29, count)
    for index, position in enumerate(wanted):
        number = len(people) + 1
        birth: date = births[index].item()
        posts = _posts(rng, position, birth + timedelta(days=366 * int(ages[index])), rooms)
        male = bool(males[index])
        gender = "male" if male else "female"
        # Rank within the people of one day and sex, from which the number in the id is made.
        rank = PRACTITIONER_FIRST_RANK + born[birth, gender]
        born[birth, gender] += 1
        people.append(
            Practitioner(
                number, names[index], pinyin[index], initials[index], gender, birth,
                national_id(birth, male=male, rank=rank), practitioner_phone(number), _licence(number, position.role),
                position.title, _spoken(position.specialty), position.is_expert, posts,
            )
        )  # fmt: skip
    return tuple(people)


def teams(
    places: tuple[Place, ...],
    organizations: tuple[Organization, ...],
    people: tuple[Practitioner, ...],
) -> tuple[Team, ...]:
    """The 149 teams, numbered by unit; team 1 is the heroine's."""
    staff: dict[tuple[int, str], list[Practitioner]] = {}
    for person in people:
        staff.setdefault((person.posts[0].organization_id, _team_role(person)), []).append(person)
    rows: list[Team] = []
    for unit, count in enumerate(teams_per_unit(places)):
        organization_id = FIRST_PRIMARY + unit
        own = [place for place in places if place.unit == unit]
        for number in range(count):
            panel = own[number::count] or [own[number % len(own)]]
            members = [
                (staff[(organization_id, role)][number].id, role)
                for role in ("family_doctor", "nurse", "public_health_doctor")
            ]
            village = [place for place in panel if place.is_village]
            if village:
                clinic = FIRST_VILLAGE + village[0].index
                members.append((staff[(clinic, "village_doctor")][0].id, "village_doctor"))
            else:
                members.append(
                    (
                        staff[(organization_id, "chinese_medicine_doctor")][0].id,
                        "chinese_medicine_doctor",
                    )
                )
            name = f"{organizations[organization_id - 1].name}第{number + 1}家庭医生团队"
            rows.append(
                Team(
                    len(rows) + 1,
                    organization_id,
                    name,
                    tuple(members),
                    tuple(p.index for p in panel),
                )
            )
    first = rows[0]
    rows[0] = Team(
        first.id,
        first.organization_id,
        first.name,
        (*first.members, (8, "specialist")),
        first.places,
    )
    return tuple(rows)


def _team_role(person: Practitioner) -> str:
    post = person.posts[0]
    if person.specialty == "公共卫生":
        return "public_health_doctor"
    if person.specialty == "中医" and post.role == "family_doctor":
        return "chinese_medicine_doctor"
    return post.role


def _village_positions(rng: np.random.Generator, places: tuple[Place, ...]) -> Iterator[Position]:
    for place in places:
        if not place.is_village:
            continue
        clinic = FIRST_VILLAGE + place.index
        wanted = 1 + int(rng.random() < 0.4)
        present = 1 if clinic in (heroes.HOME_CLINIC, heroes.STRANGER_CLINIC) else 0
        for _ in range(wanted - present):
            title = "执业助理医师" if rng.random() < 0.3 else "乡村医生"
            yield Position(clinic, "", "village_doctor", title, "全科")


def _primary_positions(unit: int, team_count: int) -> Iterator[Position]:
    for number in range(team_count):
        if unit == heroes.HOME_UNIT and number == 0:
            continue
        title = ("主治医师", "医师", "副主任医师")[number % 3]
        yield Position(unit, "general_practice", "family_doctor", title, "全科")
        yield Position(unit, "nursing", "nurse", ("护师", "主管护师")[number % 2], "护理")
        yield Position(unit, "public_health", "family_doctor", "公卫医师", "公共卫生")
    yield Position(unit, "chinese_medicine", "family_doctor", "中医主治医师", "中医")
    yield Position(unit, "general_practice", "township_duty", "主治医师", "全科")
    yield Position(unit, "general_practice", "township_duty", "医师", "全科")
    yield Position(unit, "referral", "referral_officer", "护师", "转诊协调")


def _expert_positions() -> Iterator[Position]:
    """231 experts beside the hero: 40 at each lead, 11 at each secondary hospital, the rest at the partner."""
    left = EXPERTS - 1
    for organization_id in (
        2,
        3,
        *range(FIRST_SECONDARY, FIRST_PRIMARY),
        PARTNER_HOSPITAL,
    ):
        secondary = FIRST_SECONDARY <= organization_id < FIRST_PRIMARY
        departments = _SECONDARY_DEPARTMENTS if secondary else _EXPERT_DEPARTMENTS
        count = 11 if secondary else 40 if organization_id != PARTNER_HOSPITAL else left
        left -= count
        for number in range(count):
            key = departments[number % len(departments)]
            title = _EXPERT_TITLES[(number // len(departments) + number) % 4]
            yield Position(organization_id, key, "specialist", title, key, is_expert=True)


def _hospital_positions(organization_id: int, *, nurses: int, tertiary: bool) -> Iterator[Position]:
    for number in range(nurses):
        yield Position(
            organization_id,
            "nursing",
            "nurse",
            ("护师", "主管护师", "副主任护师")[number % 3],
            "护理",
        )
    for key in _EXPERT_DEPARTMENTS if tertiary else _SECONDARY_DEPARTMENTS:
        yield Position(organization_id, key, "specialist", "主治医师", key)
    for role, key, title, count in (
        ("referral_officer", "referral", "主管护师", 3 if tertiary else 1),
        ("lead_duty", "emergency", "主治医师", 5 if tertiary else 2),
        ("registrar", "registration", "护师", 4 if tertiary else 1),
        ("manager", "administration", "副主任医师", 2 if tertiary else 1),
        ("engineer", "information", "工程师", 2 if tertiary else 0),
        ("ecg_reader", "ecg", "医师", 1),
    ):
        for _ in range(count):
            yield Position(organization_id, key, role, title, key)


def _center_positions() -> Iterator[Position]:
    for _ in range(6):
        yield Position(ECG_CENTER, "ecg", "ecg_reader", "主治医师", "心电诊断")
    for organization_id, key in (
        (IMAGING_CENTER, "imaging"),
        (LABORATORY_CENTER, "laboratory"),
    ):
        for _ in range(6):
            yield Position(organization_id, key, "specialist", "主治医师", key)
    for _ in range(8):
        yield Position(EMERGENCY_CENTER, "dispatch", "lead_duty", "主治医师", "急诊医学")
    yield Position(1, "supervision", "supervisor", "科员", "卫生监督")
    yield Position(1, "administration", "manager", "主任科员", "卫生管理")


def _posts(
    rng: np.random.Generator,
    position: Position,
    earliest: date,
    rooms: dict[tuple[int, str], int],
) -> tuple[Post, ...]:
    """The present post, for one in eight of the primary units after an earlier one elsewhere; all begin before 2022."""
    last = date(2021, 12, 1)
    start = min(last, earliest + timedelta(days=int(rng.integers(0, 2000))))
    room = rooms.get((position.organization_id, position.department))
    present = Post(position.organization_id, room, position.role, start, None)
    is_primary = FIRST_PRIMARY <= position.organization_id < FIRST_VILLAGE
    if not is_primary or rng.random() > 0.125 or (last - start).days < 700:
        return (present,)
    other = FIRST_PRIMARY + (position.organization_id - FIRST_PRIMARY + 7) % 33
    moved = start + timedelta(days=600)
    earlier = Post(
        other,
        rooms.get((other, position.department)),
        position.role,
        start,
        moved - timedelta(days=1),
    )
    return (Post(present.organization_id, room, position.role, moved, None), earlier)


def _hero(row: heroes.HeroPractitioner, rooms: dict[tuple[int, str], int]) -> Practitioner:
    pinyin, initials = spell(row.name)
    posts = tuple(Post(where, rooms.get((where, key)), role, start, None) for where, key, role, start in row.posts)
    rank = PRACTITIONER_FIRST_RANK + 45
    return Practitioner(
        row.id, row.name, pinyin, initials, "male" if row.male else "female", row.birth,
        national_id(row.birth, male=row.male, rank=rank), practitioner_phone(row.id),
        _licence(row.id, posts[0].role), row.title, row.specialty, row.id == heroes.CARDIOLOGY_EXPERT, posts,
    )  # fmt: skip


def _spoken(specialty: str) -> str:
    """The speciality in words: hospitals name it after the department."""
    return KINDS[specialty][1] if specialty in KINDS else specialty


def _licence(number: int, role: str) -> str:
    """Empty for the people whose work needs no licence."""
    if role in (
        "manager", "auditor", "engineer", "registrar", "records_officer", "supervisor", "clinic_desk", "clinic_manager",
        "kiosk",
    ):  # fmt: skip
        return ""
    return licence_number(
        number,
        kind={"nurse": 2, "referral_officer": 2, "care_home_nurse": 2, "village_doctor": 3}.get(role, 1),
    )
