"""The county's self check: looks for anything in the generated people that contradicts something else.

It reads the rows as a consumer would, without knowing how they were drawn.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from doorstep.demo.county.columns import Columns
from doorstep.demo.county.county import County
from doorstep.demo.county.identifiers import is_national_id
from doorstep.demo.county.records import MEDICINES, STATIN
from doorstep.demo.county.residents import ResidentBatch, ResidentRow

CHINA = ZoneInfo("Asia/Shanghai")
_MEDICINE_NAMES = {row[2] for row in MEDICINES} | {STATIN[0]}
_EARLIEST_AGE = {"I10": 18, "E11.900": 18, "I25.100": 30, "I69.300": 30, "J44.900": 35, "F20.900": 14, "Z34.900": 18}
_MEN_ONLY, _WOMEN_ONLY = ("N40",), ("N39.000", "N76.000", "N92.600", "O80.900", "Z34.900")


@dataclass(slots=True)
class _Seen:
    """What is remembered across batches."""

    people: dict[int, ResidentRow] = field(default_factory=dict)
    national_ids: set[str] = field(default_factory=set)
    conditions: dict[tuple[int, str], date] = field(default_factory=dict)
    stays: dict[int, list[tuple[date, date]]] = field(default_factory=dict)
    visits: dict[int, tuple[int, datetime]] = field(default_factory=dict)
    visit_days: set[tuple[int, date]] = field(default_factory=set)
    homes: set[tuple[str, int, int]] = field(default_factory=set)


def check_county(county: County, batches: Iterable[ResidentBatch]) -> list[str]:
    """Every contradiction as a sentence; empty when everything agrees. Holds all residents in memory."""
    seen = _Seen()
    found: list[str] = []
    for batch in batches:
        for check in _CHECKS:
            found += check(county, batch, seen)
    return found


def check_staff(county: County) -> list[str]:
    """Contradictions among institutions, people who work and teams."""
    found: list[str] = []
    houses = {row.id: row for row in county.organizations}
    rooms = {row.id: row.organization_id for row in county.departments}
    for person in county.practitioners:
        if not is_national_id(person.national_id):
            found.append(f"practitioner {person.id}: national id {person.national_id} is not valid")
        for post in person.posts:
            if post.organization_id not in houses:
                found.append(f"practitioner {person.id}: post at unknown organisation {post.organization_id}")
            if post.department_id is not None and rooms[post.department_id] != post.organization_id:
                found.append(f"practitioner {person.id}: department {post.department_id} belongs elsewhere")
            if post.start < person.birth + timedelta(days=18 * 365) or (post.end and post.end < post.start):
                found.append(f"practitioner {person.id}: impossible dates of a post")
    for house in county.organizations:
        if house.parent_id is not None and house.parent_id >= house.id and house.parent_id not in houses:
            found.append(f"organisation {house.id}: unknown parent")
    return found


def _rows(part: Columns) -> Iterator[dict[str, Any]]:
    return (dict(zip(part.names, row, strict=True)) for row in part.rows())


def _check_residents(county: County, batch: ResidentBatch, seen: _Seen) -> Iterator[str]:
    for values in batch.residents.rows():
        person = ResidentRow(*values)
        seen.people[person.id] = person
        if person.birth_date >= county.today:
            yield f"resident {person.id}: born on or after today"
        if person.deceased_on and not person.birth_date < person.deceased_on < county.today:
            yield f"resident {person.id}: died before birth or in the future"
        if person.national_id is None:
            if person.birth_date < county.today - timedelta(days=370):
                yield f"resident {person.id}: no national id though not an infant"
            continue
        if not is_national_id(person.national_id) or person.national_id in seen.national_ids:
            yield f"resident {person.id}: national id invalid or used twice"
        seen.national_ids.add(person.national_id)
        if person.national_id[6:14] != f"{person.birth_date:%Y%m%d}":
            yield f"resident {person.id}: national id names another birth date"
        if (int(person.national_id[16]) % 2 == 1) != (person.gender == "male"):
            yield f"resident {person.id}: national id names another sex"


def _check_households(county: County, batch: ResidentBatch, seen: _Seen) -> Iterator[str]:
    members: dict[int, list[ResidentRow]] = {}
    for values in batch.residents.rows():
        members.setdefault(values[1], []).append(ResidentRow(*values))
    for row in _rows(batch.households):
        house = members[row["id"]]
        home = (row["place_code"], row["group_number"], row["house_number"])
        if home in seen.homes:
            yield f"household {row['id']}: somebody else lives there"
        seen.homes.add(home)
        if len(house) != row["size"] or sum(one.relation == "head" for one in house) != 1:
            yield f"household {row['id']}: size or head is wrong"
        head = seen.people[row["head_resident_id"]]
        if head.relation != "head":
            yield f"household {row['id']}: the head is somebody else"
        for one in house:
            yield from _check_member(head, one, house)


def _check_member(head: ResidentRow, one: ResidentRow, house: list[ResidentRow]) -> Iterator[str]:
    years = (one.birth_date - head.birth_date).days / 365.2425
    if one.relation == "child" and years < 15:
        yield f"resident {one.id}: only {years:.0f} years younger than the head of which they are a child"
    if one.relation == "parent" and years > -15:
        yield f"resident {one.id}: too young for a parent of the head"
    if one.relation == "spouse" and one.gender == head.gender:
        yield f"resident {one.id}: married to a person of the same sex"
    father = next((x for x in house if x.relation in ("head", "spouse") and x.gender == "male"), None)
    if one.relation == "child" and father and one.name[0] != father.name[0]:
        yield f"resident {one.id}: does not bear the father's surname"


def _check_conditions(county: County, batch: ResidentBatch, seen: _Seen) -> Iterator[str]:
    for row in _rows(batch.conditions):
        person = seen.people[row["resident_id"]]
        seen.conditions[(person.id, row["code"])] = row["onset_on"]
        age = (row["onset_on"] - person.birth_date).days / 365.2425
        if age < _EARLIEST_AGE[row["code"]]:
            yield f"resident {person.id}: {row['code']} at the age of {age:.1f}"
        yield from _check_day(county, person, row["onset_on"], f"condition {row['id']}")
        yield from _check_sex(person, row["code"])
    for row in _rows(batch.medications):
        person = seen.people[row["resident_id"]]
        onset = seen.conditions.get((person.id, row["condition_code"]))
        if onset is None or row["start_on"] < onset or row["medicine"] not in _MEDICINE_NAMES:
            yield f"medication {row['id']}: no such condition on the day it was begun"
        if row["end_on"] != person.deceased_on:
            yield f"medication {row['id']}: goes on after death or ends before"


def _check_stays(county: County, batch: ResidentBatch, seen: _Seen) -> Iterator[str]:
    for row in _rows(batch.admissions):
        person = seen.people[row["resident_id"]]
        stay = (row["admitted_on"], row["discharged_on"])
        if stay[1] < stay[0]:
            yield f"admission {row['id']}: ends before it begins"
        if any(stay[0] <= other[1] and other[0] <= stay[1] for other in seen.stays.get(person.id, [])):
            yield f"admission {row['id']}: overlaps another one"
        seen.stays.setdefault(person.id, []).append(stay)
        for day in stay:
            yield from _check_day(county, person, day, f"admission {row['id']}")
        yield from _check_sex(person, row["code"])


def _check_visits(county: County, batch: ResidentBatch, seen: _Seen) -> Iterator[str]:
    posts = {person.id: person.posts for person in county.practitioners}
    for row in _rows(batch.visits):
        person = seen.people[row["resident_id"]]
        day = row["started_at"].astimezone(CHINA).date()
        seen.visits[row["id"]] = (person.id, row["started_at"])
        yield from _check_day(county, person, day, f"visit {row['id']}")
        yield from _check_sex(person, row["code"])
        if (person.id, day) in seen.visit_days:
            yield f"visit {row['id']}: a second one on the same day"
        seen.visit_days.add((person.id, day))
        if any(first <= day <= last for first, last in seen.stays.get(person.id, [])):
            yield f"visit {row['id']}: while in hospital"
        if not any(
            post.organization_id == row["organization_id"]
            and post.start <= day
            and (post.end is None or day <= post.end)
            for post in posts[row["practitioner_id"]]
        ):
            yield f"visit {row['id']}: practitioner {row['practitioner_id']} did not work there"


def _check_observations(county: County, batch: ResidentBatch, seen: _Seen) -> Iterator[str]:
    systolic: dict[int, float] = {}
    for row in _rows(batch.observations):
        resident, start = seen.visits[row["visit_id"]]
        if resident != row["resident_id"] or not start <= row["effective_at"] <= start + timedelta(hours=1):
            yield f"observation {row['id']}: does not belong to its visit"
        day = row["effective_at"].astimezone(CHINA).date()
        if row["code"] == "8480-6":
            systolic[row["visit_id"]] = row["value"]
            if row["value"] >= 140 and not _sick(seen, resident, "I10", day):
                yield f"observation {row['id']}: high blood pressure without the diagnosis"
        if row["code"] == "8462-4" and row["value"] >= systolic.get(row["visit_id"], 999):
            yield f"observation {row['id']}: diastolic not below systolic"
        if row["code"] == "14771-0" and row["value"] >= 7.0 and not _sick(seen, resident, "E11.900", day):
            yield f"observation {row['id']}: high glucose without the diagnosis"


def _check_follow_ups(county: County, batch: ResidentBatch, seen: _Seen) -> Iterator[str]:
    for row in _rows(batch.follow_ups):
        resident, start = seen.visits[row["visit_id"]]
        day = start.astimezone(CHINA).date()
        if resident != row["resident_id"] or day != row["followed_on"]:
            yield f"follow-up {row['id']}: does not belong to its visit"
        if not _sick(seen, resident, row["condition_code"], day):
            yield f"follow-up {row['id']}: before the diagnosis"


def _check_contracts(county: County, batch: ResidentBatch, seen: _Seen) -> Iterator[str]:
    teams = {team.id: team for team in county.teams}
    for row in _rows(batch.contracts):
        person = seen.people[row["resident_id"]]
        yield from _check_day(county, person, row["start_on"], f"contract {row['id']}")
        if row["team_id"] != person.team_id or teams[person.team_id].organization_id != row["primary_organization_id"]:
            yield f"contract {row['id']}: team and centre do not belong together"
        length = (row["end_on"] - row["start_on"]).days + 1
        if abs(length - 365.2425 * row["term_years"]) > 2:
            yield f"contract {row['id']}: {length} days are not {row['term_years']} years"
        died = person.deceased_on is not None and person.deceased_on <= row["end_on"]
        expected = "terminated" if died else "expired" if row["end_on"] < county.today else "active"
        if row["status"] != expected:
            yield f"contract {row['id']}: is {row['status']}, should be {expected}"


def _check_day(county: County, person: ResidentRow, day: date, what: str) -> Iterator[str]:
    if day < person.birth_date or day >= county.today or (person.deceased_on and day > person.deceased_on):
        yield f"{what}: resident {person.id} was not alive on {day}, or it is in the future"


def _check_sex(person: ResidentRow, code: str) -> Iterator[str]:
    if code in (_WOMEN_ONLY if person.gender == "male" else _MEN_ONLY):
        yield f"resident {person.id}: {code} does not occur in a {person.gender} person"


def _sick(seen: _Seen, resident: int, code: str, day: date) -> bool:
    onset = seen.conditions.get((resident, code))
    return onset is not None and onset <= day


_CHECKS: tuple[Callable[[County, ResidentBatch, _Seen], Iterator[str]], ...] = (
    _check_residents, _check_households, _check_conditions, _check_stays, _check_visits, _check_observations,
    _check_follow_ups, _check_contracts,
)  # fmt: skip
