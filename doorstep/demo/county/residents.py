"""The residents of the county with their history, as a stream of batches.

Ids of residents, households and of every kind of row are contiguous from 1 over the whole stream. The same seed, day,
number and years give the same rows; batches must be taken in order, because ids and national ids are dealt in order.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import date
from typing import NamedTuple

import numpy as np

from doorstep.demo.county import measurements, records
from doorstep.demo.county.addresses import AddressBook, Homes
from doorstep.demo.county.cohort import Cohort, draw_cohort, hero_cohort
from doorstep.demo.county.columns import Array, Columns, columns, instants, texts
from doorstep.demo.county.county import County
from doorstep.demo.county.households import RELATIONS
from doorstep.demo.county.identifiers import NationalIdRegister, organization_phone
from doorstep.demo.county.visits import (
    ADMISSION_DEPARTMENTS,
    ILLNESS,
    ILLNESS_CODES,
    KINDS,
    Admissions,
    Visits,
    draw_admissions,
    draw_visits,
)

BATCH_RESIDENTS = 20_000
HEROES = 12


class ResidentRow(NamedTuple):
    """One resident as a row for COPY.

    `key_groups` has bit n set for `diseases.KEY_GROUPS[n]`; `national_id` is None for some infants; `deceased_on` is
    None for the living; `clinic_id` is the village clinic, or the centre itself in a street; phones may be shared.
    """

    id: int
    household_id: int
    relation: str
    name: str
    pinyin: str
    initials: str
    gender: str
    birth_date: date
    national_id: str | None
    phone: str
    place_code: str
    group_number: int
    house_number: int
    address: str
    grid_code: str
    clinic_id: int
    unit_id: int
    team_id: int
    key_groups: int
    deceased_on: date | None


RESIDENT_COLUMNS = ResidentRow._fields


@dataclass(frozen=True, slots=True)
class ResidentBatch:
    """Residents and everything on file about them; see the functions that build each part for the columns."""

    residents: Columns
    households: Columns
    conditions: Columns
    medications: Columns
    contracts: Columns
    visits: Columns
    observations: Columns
    admissions: Columns
    follow_ups: Columns


STREAMS = tuple(field.name for field in fields(ResidentBatch))


@dataclass(slots=True)
class _Counters:
    """The next free id of every stream."""

    residents: int = 1
    households: int = 1
    conditions: int = 1
    medications: int = 1
    contracts: int = 1
    visits: int = 1
    observations: int = 1
    admissions: int = 1
    follow_ups: int = 1

    def advance(self, batch: ResidentBatch) -> None:
        """Moves past the ids of a batch."""
        for stream in STREAMS:
            setattr(self, stream, getattr(self, stream) + len(getattr(batch, stream)))


@dataclass(frozen=True, slots=True)
class _Run:
    """What a whole run carries from batch to batch."""

    county: County
    years: int
    register: NationalIdRegister
    book: AddressBook
    counters: _Counters


def generate(county: County, *, residents: int, years: int = 1) -> Iterator[ResidentBatch]:
    """Batches of residents with `years` years of history before `county.today`.

    The first batch holds the twelve heroes, the same in every county; the others up to 20,000 invented residents each.
    ValueError for fewer residents than heroes, or for fewer than one or more than four years.
    """
    if residents < HEROES or not 1 <= years <= 4:
        raise ValueError(f"{residents} residents and {years} years: at least {HEROES} residents, 1 to 4 years")
    run = _Run(county, years, NationalIdRegister(), AddressBook(county), _Counters())
    yield _batch(np.random.default_rng([439981, 0]), run, hero_cohort(county.today, years), run.book.heroes())
    left, number = residents - HEROES, 0
    while left > 0:
        number += 1
        rng = np.random.default_rng([county.seed, 439981, number])
        cohort = draw_cohort(rng, np.datetime64(county.today, "D"), min(left, BATCH_RESIDENTS), years)
        left -= len(cohort.ages)
        yield _batch(rng, run, cohort, run.book.draw(rng, cohort.households))


def _batch(rng: np.random.Generator, run: _Run, cohort: Cohort, homes: Homes) -> ResidentBatch:
    county, counters, today = run.county, run.counters, np.datetime64(run.county.today, "D")
    household = cohort.members.household
    place, team = homes.place[household], homes.team[household]
    health, ages, males, first = cohort.health, cohort.ages, cohort.members.males, counters.residents
    stays = draw_admissions(rng, health, ages, today, run.years)
    visits = draw_visits(
        rng, county.tables, health, stays, ages=ages, males=males, place=place, years=run.years, today=today
    )
    readings = measurements.draw_readings(rng, health, ages, visits)
    batch = ResidentBatch(
        residents=_residents(rng, run, cohort, homes),
        households=_households(county, cohort, homes, counters),
        conditions=records.conditions(county, health, place, first_resident=first, first_id=counters.conditions),
        medications=records.medications(
            rng, county, health, place=place, team=team, first_resident=first, first_id=counters.medications
        ),
        contracts=records.contracts(
            rng, county, health, births=cohort.members.births, place=place, team=team, key_groups=cohort.key_groups,
            always=HEROES if cohort.is_heroes else 0, first_resident=first, first_id=counters.contracts,
        ),
        visits=_visits(county, visits, counters),
        observations=measurements.draw_observations(
            rng, health, visits, readings, ages=ages, body=measurements.draw_body(rng, ages, males),
            first_resident=first, first_visit=counters.visits, first_id=counters.observations,
        ),
        admissions=_admissions(county, stays, place, counters),
        follow_ups=records.follow_ups(
            health, visits, readings, ages=ages, team=team,
            first_resident=first, first_visit=counters.visits, first_id=counters.follow_ups,
        ),
    )  # fmt: skip
    counters.advance(batch)
    return batch


def _residents(rng: np.random.Generator, run: _Run, cohort: Cohort, homes: Homes) -> Columns:
    county, counters = run.county, run.counters
    members, household = cohort.members, cohort.members.household
    ids = counters.residents + np.arange(len(household))
    names, pinyin, initials = cohort.names
    place = homes.place[household]
    national_ids = cohort.national_ids if cohort.is_heroes else run.register.issue(members.births, members.males)
    national_ids[(cohort.ages < 1) & (rng.random(len(ids)) < 0.3)] = None
    clinics = county.tables.place_clinic[place]
    return Columns(
        RESIDENT_COLUMNS,
        (
            ids, counters.households + household, texts(RELATIONS)[members.role], names, pinyin, initials,
            texts(["female", "male"])[members.males], members.births, national_ids,
            _phones(rng, cohort, ids, clinics), texts([row.code for row in county.places])[place],
            homes.group[household], homes.house[household], homes.address[household], homes.grid[household], clinics,
            county.tables.place_unit[place], homes.team[household], cohort.key_groups, cohort.health.deaths,
        ),
    )  # fmt: skip


def _phones(rng: np.random.Generator, cohort: Cohort, ids: Array, clinics: Array) -> Array:
    """Own phones; children and half of the very old use the head's, a few old people the clinic's."""
    if cohort.is_heroes:
        return texts([row.phone for row in cohort.heroes])
    household, ages = cohort.members.household, cohort.ages
    draw = rng.random(len(ids))
    first = np.searchsorted(household, np.arange(cohort.households))
    shared = (ages < 14) | ((ages >= 75) & (draw < 0.5))
    owner = np.where(shared, ids[first[household]], ids)
    phones = texts([f"1541{number:07d}" for number in owner.tolist()])
    lent = np.flatnonzero((ages >= 68) & (draw > 0.985))
    phones[lent] = [organization_phone(clinic) for clinic in clinics[lent].tolist()]
    return phones


def _households(county: County, cohort: Cohort, homes: Homes, counters: _Counters) -> Columns:
    household = cohort.members.household
    first = np.searchsorted(household, np.arange(cohort.households))
    return columns(
        id=counters.households + np.arange(cohort.households),
        head_resident_id=counters.residents + first + cohort.head_offsets,
        size=np.bincount(household, minlength=cohort.households),
        place_code=texts([row.code for row in county.places])[homes.place],
        group_number=homes.group,
        house_number=homes.house,
        address=homes.address,
        grid_code=homes.grid,
        clinic_id=county.tables.place_clinic[homes.place],
        team_id=homes.team,
    )


def _visits(county: County, visits: Visits, counters: _Counters) -> Columns:
    """`visit_class` is the FHIR encounter class; planned visits carry the code of their purpose."""
    planned = texts(["Z09.900", "Z34.900", "Z00.000", ""])
    started = instants(visits.day, visits.minute)
    return columns(
        id=np.arange(counters.visits, counters.visits + len(visits.day)),
        resident_id=counters.residents + visits.person,
        organization_id=visits.organization,
        department_id=county.tables.department[visits.practitioner],
        practitioner_id=visits.practitioner,
        kind=texts(KINDS)[visits.kind],
        visit_class=texts(["AMB"])[np.zeros(len(visits.day), dtype=np.int64)],
        code=np.where(visits.kind == ILLNESS, ILLNESS_CODES[visits.illness], planned[visits.kind]),
        started_at=started,
        ended_at=started + visits.length,
    )


def _admissions(county: County, stays: Admissions, place: Array, counters: _Counters) -> Columns:
    """Stays in one of the two lead hospitals; `discharged_on` is the day of leaving."""
    hospital = np.where(county.tables.place_unit[place[stays.person]] % 4 == 3, 3, 2)
    rooms = {(row.organization_id, row.key): row.id for row in county.departments}
    table = np.array([[rooms[(house, key)] for key in ADMISSION_DEPARTMENTS] for house in (2, 3)])
    return columns(
        id=np.arange(counters.admissions, counters.admissions + len(stays.person)),
        resident_id=counters.residents + stays.person,
        organization_id=hospital,
        department_id=table[hospital - 2, stays.reason],
        code=stays.codes,
        admitted_on=stays.admitted,
        discharged_on=stays.discharged,
    )
