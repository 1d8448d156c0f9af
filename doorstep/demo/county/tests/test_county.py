"""The fixed part of the county and the agreement of everything that is drawn."""

from collections import Counter
from datetime import UTC, date, datetime

import numpy as np
import pytest

from doorstep.demo.county import heroes
from doorstep.demo.county.check import check_county, check_staff
from doorstep.demo.county.county import build_county
from doorstep.demo.county.geography import CIRCLE_KM, distance_km
from doorstep.demo.county.residents import RESIDENT_COLUMNS, STREAMS, ResidentRow, generate
from doorstep.demo.county.workforce import ROLES

TODAY = date(2026, 7, 1)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_check_county_finds_no_contradiction(seed: int) -> None:
    county = build_county(seed, TODAY)
    assert check_county(county, generate(county, residents=3000)) == []
    assert check_staff(county) == []


@pytest.mark.slow
def test_check_county_finds_no_contradiction_in_three_years_of_a_leap_day() -> None:
    county = build_county(5, date(2028, 2, 29))
    assert check_county(county, generate(county, residents=3000, years=3)) == []


def test_build_county_has_the_shape_of_the_model() -> None:
    county = build_county(1, TODAY)
    kinds = Counter(row.kind for row in county.organizations)
    assert kinds["tertiary_hospital"] == 2
    assert kinds["secondary_hospital"] == 12
    assert kinds["township_center"] + kinds["community_center"] == 33
    assert kinds["village_clinic"] == 213
    assert kinds["emergency_station"] == 2 + 6
    assert sum(row.is_area_centre for row in county.organizations) == 6
    assert len(county.teams) == 149
    assert sum(person.is_expert for person in county.practitioners) == 232
    assert len({person.posts[0].organization_id for person in county.practitioners if person.is_expert}) == 15
    assert 1300 <= len(county.practitioners) <= 1500
    assert {post.role for person in county.practitioners for post in person.posts} == set(ROLES)


def test_build_county_numbers_everything_from_one() -> None:
    county = build_county(1, TODAY)
    for rows in (county.organizations, county.departments, county.practitioners, county.teams):
        assert [row.id for row in rows] == list(range(1, len(rows) + 1))
    assert len({row.code for row in county.places}) == len(county.places)
    assert len({row.credit_code for row in county.organizations}) == len(county.organizations)
    assert len({person.national_id for person in county.practitioners}) == len(county.practitioners)


def test_build_county_puts_every_village_inside_the_circle_of_the_nearest_centre() -> None:
    county = build_county(2, TODAY)
    for place in county.places[:213]:
        distances = [
            distance_km((area.latitude, area.longitude), (place.latitude, place.longitude)) for area in county.areas
        ]
        assert min(distances) == distances[place.unit] <= CIRCLE_KM


def test_build_county_has_one_house_that_left_and_came_back_and_one_of_mid_year() -> None:
    county = build_county(1, TODAY)
    spans = Counter(row.organization_id for row in county.memberships)
    assert [number for number, count in spans.items() if count == 2] == [15]
    assert any((row.start.month, row.start.day) == (7, 1) for row in county.memberships)


def test_teams_are_three_and_one_and_more() -> None:
    county = build_county(1, TODAY)
    for team in county.teams:
        roles = [role for _, role in team.members]
        assert roles[:3] == ["family_doctor", "nurse", "public_health_doctor"]
        assert roles[3] in ("village_doctor", "chinese_medicine_doctor")


@pytest.mark.parametrize(("seed", "residents"), [(1, 12), (1, 500), (9, 700)])
def test_heroes_are_the_same_in_every_county(seed: int, residents: int) -> None:
    county = build_county(seed, TODAY)
    first = next(iter(generate(county, residents=residents)))
    people = [ResidentRow(*row) for row in first.residents.rows()]
    assert len(people) == 12
    heroine = people[heroes.HEROINE - 1]
    assert (heroine.name, heroine.initials, heroine.national_id) == ("周桂兰", "zgl", "439981196303128806")
    assert heroine.address == "禾川县清溪镇石桥村3组2号"
    assert (heroine.clinic_id, heroine.unit_id, heroine.team_id) == (
        heroes.HOME_CLINIC, heroes.HOME_UNIT, heroes.TEAM,
    )  # fmt: skip
    contract = dict(zip(first.contracts.names, next(first.contracts.rows()), strict=True))
    assert contract["resident_id"] == heroes.HEROINE
    assert contract["status"] == "active"
    assert contract["secondary_organization_id"] == heroes.SECONDARY_HOSPITAL
    assert contract["tertiary_organization_id"] == heroes.TERTIARY_HOSPITAL


def test_heroes_work_where_the_demonstration_says() -> None:
    county = build_county(3, TODAY)
    people = county.practitioners
    assert people[heroes.VILLAGE_DOCTOR - 1].name == "李长河"
    assert county.organizations[heroes.HOME_CLINIC - 1].name == "石桥村卫生室"
    assert county.organizations[heroes.STRANGER_CLINIC - 1].parent_id != heroes.HOME_UNIT
    assert people[heroes.STRANGER_VILLAGE_DOCTOR - 1].posts[0].organization_id == heroes.STRANGER_CLINIC
    members = [person for person, _ in county.teams[heroes.TEAM - 1].members]
    assert members[:4] == [heroes.FAMILY_DOCTOR, heroes.TEAM_NURSE, heroes.PUBLIC_HEALTH_DOCTOR, heroes.VILLAGE_DOCTOR]


def test_generate_gives_as_many_residents_as_asked_with_ids_from_one() -> None:
    county = build_county(4, TODAY)
    ids: dict[str, list[int]] = {stream: [] for stream in STREAMS}
    for batch in generate(county, residents=21_000):
        for stream in STREAMS:
            ids[stream] += getattr(batch, stream).column("id").tolist()
    assert len(ids["residents"]) == 21_000
    for numbers in ids.values():
        assert numbers == list(range(1, len(numbers) + 1))


def test_generate_is_deterministic() -> None:
    def draw(seed: int) -> list[tuple[object, ...]]:
        county = build_county(seed, TODAY)
        return [
            row for batch in generate(county, residents=300) for part in STREAMS for row in getattr(batch, part).rows()
        ]

    assert draw(7) == draw(7)
    assert draw(7) != draw(8)


def test_generate_has_the_ages_and_the_signing_rate_of_a_rural_county() -> None:
    county = build_county(1, TODAY)
    batches = list(generate(county, residents=10_000))
    people = [ResidentRow(*row) for batch in batches for row in batch.residents.rows()]
    elderly = sum((TODAY - person.birth_date).days >= 65 * 365.2425 for person in people) / len(people)
    signed = sum((batch.contracts.column("status") == "active").sum() for batch in batches) / len(people)
    assert 0.20 <= elderly <= 0.24
    assert 0.60 <= signed <= 0.70
    assert ResidentRow._fields == RESIDENT_COLUMNS == batches[0].residents.names


@pytest.mark.parametrize(("residents", "years"), [(11, 1), (100, 0), (100, 5)])
def test_generate_refuses_too_few_residents_and_odd_years(residents: int, years: int) -> None:
    with pytest.raises(ValueError, match="at least 12 residents"):
        next(iter(generate(build_county(1, TODAY), residents=residents, years=years)))


def test_rows_give_instants_in_utc_and_dates() -> None:
    county = build_county(1, TODAY)
    batch = next(iter(generate(county, residents=12)))
    row = dict(zip(batch.visits.names, next(batch.visits.rows()), strict=True))
    assert isinstance(row["started_at"], datetime)
    assert row["started_at"].tzinfo is UTC
    assert 8 <= (row["started_at"].hour + 8) % 24 < 18
    assert type(next(batch.conditions.rows())[3]) is date


def test_generate_spreads_births_so_that_a_million_residents_have_room() -> None:
    county = build_county(1, TODAY)
    births = np.concatenate([batch.residents.column("birth_date") for batch in generate(county, residents=60_000)])
    # one birthday has 450 ids a sex: a million people need a busiest day of less than 54 of both in 60,000
    assert np.unique(births, return_counts=True)[1].max() < 20
