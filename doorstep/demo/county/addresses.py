"""Where households live: place, group (组), house number, address, grid, family-doctor team."""

from dataclasses import dataclass

import numpy as np

from doorstep.demo.county import heroes
from doorstep.demo.county.columns import Array, rank_within, texts
from doorstep.demo.county.county import County

GROUPS_PER_GRID = 5


@dataclass(frozen=True, slots=True)
class Homes:
    """Homes of the households of a batch, one entry each; `team` is the family-doctor team that cares for the house."""

    place: Array
    group: Array
    house: Array
    team: Array
    address: Array
    grid: Array


class AddressBook:
    """Deals homes so that no two households of the county share a house. Houses are numbered inside their group."""

    def __init__(self, county: County) -> None:
        self._tables = county.tables
        self._used = np.zeros(len(county.places), dtype=np.int64)
        self._prefix = texts([f"禾川县{county.areas[place.unit].name}{place.name}" for place in county.places])
        grids = max(place.groups for place in county.places) // GROUPS_PER_GRID + 1
        self._grids = np.array(
            [[f"{place.code}{grid:02d}" for grid in range(1, grids + 1)] for place in county.places],
            dtype=object,
        )

    def draw(self, rng: np.random.Generator, households: int) -> Homes:
        """Homes by the weights of the places, neighbours of a batch in one place following each other."""
        weights = np.cumsum(self._tables.place_weight)
        drawn = np.searchsorted(weights, rng.random(households), side="right")
        place = np.sort(np.minimum(drawn, len(weights) - 1))
        ordinal = self._used[place] + rank_within(place)
        self._used += np.bincount(place, minlength=len(self._used))
        groups = self._tables.place_groups[place]
        team = self._tables.place_teams[place, ordinal % self._tables.place_team_count[place]]
        # houses 1 and 2 of each group are left to the demonstration's own people
        return self._homes(place, ordinal % groups + 1, ordinal // groups + 3, team)

    def heroes(self) -> Homes:
        """The homes of the demonstration's households."""
        place = np.array([index for index, _ in heroes.HOUSEHOLD_PLACES])
        group = np.array([group for _, group in heroes.HOUSEHOLD_PLACES])
        team = self._tables.place_teams[place, 0]
        return self._homes(place, group, np.full(len(place), 2), team)

    def _homes(self, place: Array, group: Array, house: Array, team: Array) -> Homes:
        address = texts(
            [
                f"{prefix}{one}组{number}号"
                for prefix, one, number in zip(
                    self._prefix[place].tolist(),
                    group.tolist(),
                    house.tolist(),
                    strict=True,
                )
            ]
        )
        grid = self._grids[place, (group - 1) // GROUPS_PER_GRID]
        return Homes(place, group, house, team, address, grid)
