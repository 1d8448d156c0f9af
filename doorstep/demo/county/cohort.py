"""One batch of people before their history: who they are, how they live, what they suffer from."""

from dataclasses import dataclass
from datetime import date

import numpy as np

from doorstep.demo.county import heroes
from doorstep.demo.county.columns import Array, texts
from doorstep.demo.county.diseases import DISEASES, Health, draw_health, key_group_bits
from doorstep.demo.county.households import (
    CHILD,
    DAYS_PER_YEAR,
    HEAD,
    MOTHER,
    SPOUSE,
    Members,
    draw_members,
)
from doorstep.demo.county.names import SURNAMES, draw_names, spell

_ROLES = {"head": HEAD, "spouse": SPOUSE, "child": CHILD, "parent": MOTHER}


@dataclass(frozen=True, slots=True)
class Cohort:
    """People of a batch. `names` are full name, pinyin and initials; `heroes` is empty but in the first batch, where
    `national_ids` holds their fixed ids; `head_offsets` is the position of the head inside each household."""

    members: Members
    health: Health
    ages: Array
    key_groups: Array
    names: tuple[Array, Array, Array]
    national_ids: Array
    heroes: tuple[heroes.HeroResident, ...]
    households: int
    head_offsets: Array

    @property
    def is_heroes(self) -> bool:
        """Whether this is the first batch."""
        return bool(self.heroes)


def draw_cohort(rng: np.random.Generator, today: np.datetime64, people: int, years: int) -> Cohort:
    """Invented people."""
    members = draw_members(rng, today, people)
    health = draw_health(rng, members, today, years)
    ages = _ages(members, today)
    names = draw_names(rng, members.surnames, members.males, members.births)
    households = int(members.household[-1]) + 1
    return Cohort(
        members, health, ages, key_group_bits(health, ages, today), names, texts([]), (), households,
        np.zeros(households, dtype=np.int64),
    )  # fmt: skip


def hero_cohort(today: date, years: int) -> Cohort:
    """The demonstration's people."""
    rows = heroes.hero_residents(today)
    count, day = len(rows), np.datetime64(today, "D")
    household = np.array([row.household - 1 for row in rows])
    members = Members(
        household,
        np.array([_ROLES[row.relation] for row in rows]),
        np.array([int(row.male) for row in rows]),
        np.array([row.birth for row in rows], dtype="datetime64[D]"),
        np.array([SURNAMES.index(row.name[0]) for row in rows]),
        np.full(count, -1),
    )
    never = np.full(count, np.datetime64("NaT", "D"))
    onsets = np.full((len(DISEASES), count), np.datetime64("NaT", "D"))
    for row in rows:
        for disease, since in row.diseases:
            onsets[DISEASES.index(disease), row.id - 1] = day - int(since * DAYS_PER_YEAR)
    last_periods = np.where([row.pregnant for row in rows], day - 160, np.datetime64("NaT", "D"))
    first_day = np.maximum(members.births + 1, day - 365 * years)
    health = Health(
        onsets,
        never,
        last_periods,
        never,
        np.zeros(count, dtype=bool),
        first_day,
        np.full(count, day - 1),
    )
    ages = _ages(members, day)
    spelled = [spell(row.name) for row in rows]
    names = (
        texts([row.name for row in rows]),
        texts([one for one, _ in spelled]),
        texts([one for _, one in spelled]),
    )
    heads = np.array([next(n for n, row in enumerate(group) if row.relation == "head") for group in _groups(rows)])
    return Cohort(
        members, health, ages, key_group_bits(health, ages, day), names, texts([row.national_id for row in rows]),
        rows, len(heads), heads,
    )  # fmt: skip


def _groups(rows: tuple[heroes.HeroResident, ...]) -> list[list[heroes.HeroResident]]:
    return [[row for row in rows if row.household == number] for number in range(1, rows[-1].household + 1)]


def _ages(members: Members, today: np.datetime64) -> Array:
    """Ages in years with fractions."""
    return np.asarray((today - members.births).astype(np.float64) / DAYS_PER_YEAR)
