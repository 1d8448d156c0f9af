"""The fixed part of the county: map, institutions, people who work, teams. Residents are streamed by `residents`."""

from dataclasses import dataclass
from datetime import date
from functools import cached_property

import numpy as np

from doorstep.demo.county.columns import Array
from doorstep.demo.county.departments import Department, departments_of
from doorstep.demo.county.geography import Area, Place, draw_areas, draw_places
from doorstep.demo.county.organizations import (
    FIRST_PRIMARY,
    FIRST_VILLAGE,
    Membership,
    Organization,
    memberships,
    nearest_secondary,
    organizations,
)
from doorstep.demo.county.workforce import Practitioner, Team, practitioners, teams

CLINICAL_ROLES = ("village_doctor", "family_doctor", "township_duty", "specialist")


@dataclass(frozen=True)
class County:
    """Everything of the county but its residents.

    `today` is the day the history ends; nothing that `residents.generate` gives lies on or after it, but the ends of
    contracts. Ids of organisations, departments, practitioners and teams count from 1 in the order of the tuples.
    """

    seed: int
    today: date
    areas: tuple[Area, ...]
    places: tuple[Place, ...]
    organizations: tuple[Organization, ...]
    departments: tuple[Department, ...]
    memberships: tuple[Membership, ...]
    practitioners: tuple[Practitioner, ...]
    teams: tuple[Team, ...]

    @cached_property
    def tables(self) -> "Tables":
        """The county as arrays, for drawing histories."""
        return _tables(self)


@dataclass(frozen=True)
class Tables:
    """Lookup arrays. By place: unit, clinic (the village clinic, or the centre in a street), secondary hospital, teams.
    By organisation id: first position and number of its clinicians in `clinicians`. By practitioner id: `department`
    of the present post or None."""

    place_unit: Array
    place_clinic: Array
    place_secondary: Array
    place_weight: Array
    place_groups: Array
    place_teams: Array
    place_team_count: Array
    clinicians: Array
    clinician_first: Array
    clinician_count: Array
    team_doctor: Array
    department: Array


def build_county(seed: int, today: date) -> County:
    """The county of one seed; takes about 0.1 s. `today` is to be after 2025-01, when the last member rejoined."""
    rng = np.random.default_rng([seed, 439981])
    areas = draw_areas(rng)
    places = draw_places(rng, areas)
    houses = organizations(areas, places)
    rooms: list[Department] = []
    for house in houses:
        rooms += departments_of(house.id, house.kind, len(rooms) + 1)
    people = practitioners(rng, places, tuple(rooms))
    return County(
        seed,
        today,
        areas,
        places,
        houses,
        tuple(rooms),
        tuple(memberships(houses)),
        people,
        teams(places, houses, people),
    )


def _tables(county: County) -> Tables:
    clinicians: list[list[int]] = [[] for _ in range(len(county.organizations) + 1)]
    for person in county.practitioners:
        post = person.posts[0]
        if post.role in CLINICAL_ROLES:
            clinicians[post.organization_id].append(person.id)
    counts = np.array([len(group) for group in clinicians])
    panels: list[list[int]] = [[] for _ in county.places]
    for team in county.teams:
        for index in team.places:
            panels[index].append(team.id)
    for place in county.places:
        if not panels[place.index]:
            own = [team.id for team in county.teams if team.organization_id == FIRST_PRIMARY + place.unit]
            panels[place.index].append(own[place.index % len(own)])
    width = max(len(panel) for panel in panels)
    departments = np.array(
        [None, *(person.posts[0].department_id for person in county.practitioners)],
        dtype=object,
    )
    secondary = np.array(nearest_secondary(county.areas, county.organizations))
    units = np.array([place.unit for place in county.places])
    weights = np.array([place.weight for place in county.places])
    return Tables(
        place_unit=units + FIRST_PRIMARY,
        place_clinic=np.array(
            [FIRST_VILLAGE + p.index if p.is_village else FIRST_PRIMARY + p.unit for p in county.places]
        ),
        place_secondary=secondary[units],
        place_weight=weights / weights.sum(),
        place_groups=np.array([place.groups for place in county.places]),
        place_teams=np.array([(panel * width)[:width] for panel in panels]),
        place_team_count=np.array([len(panel) for panel in panels]),
        clinicians=np.array([person for group in clinicians for person in group]),
        clinician_first=np.concatenate([[0], np.cumsum(counts)[:-1]]),
        clinician_count=counts,
        team_doctor=np.array([0, *(team.members[0][0] for team in county.teams)]),
        department=departments,
    )
