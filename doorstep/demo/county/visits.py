"""Visits, admissions and follow-ups of a batch: who came where on which day, for what.

Everything is first planned as (person, day, kind), then cut to the person's lifetime, then freed of clashes: no visit
while in hospital, one visit a day. Only then places, people and times are drawn.
"""

from dataclasses import dataclass

import numpy as np

from doorstep.demo.county.columns import Array, texts
from doorstep.demo.county.county import Tables
from doorstep.demo.county.diseases import (
    CODES,
    COPD,
    CORONARY,
    DIABETES,
    HYPERTENSION,
    MENTAL,
    STROKE,
    Health,
)

FOLLOW_UP, ANTENATAL, CHECK_UP, ILLNESS = range(4)
KINDS = ("follow_up", "antenatal", "check_up", "illness")
CHRONIC = (HYPERTENSION, DIABETES, CORONARY, STROKE, COPD, MENTAL)

# code, then weights by age group 0–6, 7–17, 18–44, 45–64, 65+; sex: 0 both, 1 men, 2 women. Own choice, unverified.
_ILLNESSES: tuple[tuple[str, tuple[int, int, int, int, int], int], ...] = (
    ("J06.900", (40, 36, 22, 14, 11), 0), ("J00", (22, 20, 10, 7, 6), 0), ("J20.900", (12, 8, 5, 6, 8), 0),
    ("J18.900", (5, 2, 1, 2, 3), 0), ("A09.900", (9, 6, 5, 4, 3), 0), ("K29.500", (0, 2, 9, 10, 8), 0),
    ("K21.900", (0, 0, 4, 4, 3), 0), ("L30.900", (6, 5, 5, 5, 5), 0), ("L50.900", (3, 4, 4, 2, 2), 0),
    ("H10.900", (2, 4, 2, 2, 2), 0), ("M54.500", (0, 0, 9, 13, 12), 0), ("M17.900", (0, 0, 1, 8, 13), 0),
    ("M75.000", (0, 0, 2, 7, 5), 0), ("G47.000", (0, 0, 4, 7, 9), 0), ("R42", (0, 0, 3, 6, 9), 0),
    ("R51", (0, 2, 4, 4, 4), 0), ("S61.900", (1, 4, 5, 4, 2), 0), ("S93.400", (0, 5, 4, 3, 1), 0),
    ("T14.000", (3, 6, 4, 3, 2), 0), ("K02.900", (2, 5, 4, 4, 4), 0), ("N39.000", (0, 0, 3, 4, 4), 2),
    ("N76.000", (0, 0, 9, 6, 1), 2), ("N92.600", (0, 1, 6, 3, 0), 2), ("N40", (0, 0, 0, 4, 9), 1),
)  # fmt: skip
ILLNESS_CODES = texts([row[0] for row in _ILLNESSES])
_AGE_EDGES = np.array([7, 18, 45, 65])
_RATES = np.array([4.0, 1.5, 1.4, 2.2, 3.0])
RESPIRATORY = np.array([row[0].startswith("J") for row in _ILLNESSES])

_ADMISSION_CODES = texts(
    [
        "I63.900",
        "I20.000",
        "J44.100",
        "E11.900",
        "K35.800",
        "S72.000",
        "K80.200",
        "H25.900",
        "J18.900",
        "N20.100",
        "O80.900",
    ]
)
ADMISSION_DEPARTMENTS = (
    "neurology", "cardiology", "respiratory", "endocrinology", "general_surgery", "orthopaedics", "general_surgery",
    "ophthalmology", "respiratory", "urology", "obstetrics",
)  # fmt: skip
DELIVERY = 10


@dataclass(frozen=True, slots=True)
class Admissions:
    """Stays in hospital: `person` positions, `reason` index of the code, days; `discharged` NaT = still in."""

    person: Array
    reason: Array
    admitted: Array
    discharged: Array

    @property
    def codes(self) -> Array:
        """ICD-10 codes of the stays."""
        return np.asarray(_ADMISSION_CODES[self.reason])


@dataclass(frozen=True, slots=True)
class Visits:
    """Visits of a batch, without ids. `illness` indexes `ILLNESS_CODES`, -1 for planned visits."""

    person: Array
    day: Array
    kind: Array
    illness: Array
    organization: Array
    practitioner: Array
    minute: Array
    length: Array


def illness_tables() -> Array:
    """Cumulative weights by (age group × 2 + male), one row each."""
    table = np.zeros((10, len(_ILLNESSES)))
    for column, (_, weights, sex) in enumerate(_ILLNESSES):
        for group, weight in enumerate(weights):
            table[group * 2, column] = 0 if sex == 1 else weight
            table[group * 2 + 1, column] = 0 if sex == 2 else weight
    cumulative = np.cumsum(table, axis=1)
    return np.asarray(cumulative / cumulative[:, -1:])


_ILLNESS_TABLE = illness_tables()


def draw_admissions(
    rng: np.random.Generator,
    health: Health,
    ages: Array,
    today: np.datetime64,
    years: int,
) -> Admissions:
    """At most one stay in each year of the history and person; a delivery or a stroke takes the place of all others."""
    start = today - 365 * years
    delivering = (health.deliveries > start + 2) & (health.deliveries <= today - 5)
    strokes = (health.onsets[STROKE] > start + 2) & (health.onsets[STROKE] + 12 < health.last_day) & ~delivering
    parts = [_deliveries(health, delivering), _strokes(health, strokes)]
    share = 0.035 + 0.11 * (ages >= 65) + 0.10 * (health.has(CORONARY) | health.has(COPD)) + 0.05 * health.has(STROKE)
    share[delivering | strokes | ~np.isnat(health.last_periods) | (ages < 3)] = 0.0
    for year in range(years):
        person = np.flatnonzero(rng.random(len(ages)) < share)
        # a stay of 3–14 days ends before the next year's slot begins, so two stays never overlap
        admitted = start + 365 * year + (rng.random(len(person)) * 345).astype(np.int64)
        discharged = admitted + 3 + rng.integers(0, 12, len(person))
        inside = (admitted > health.first_day[person]) & (discharged < health.last_day[person])
        person, admitted, discharged = (
            person[inside],
            admitted[inside],
            discharged[inside],
        )
        parts.append(Admissions(person, _reasons(rng, health, person, admitted), admitted, discharged))
    return Admissions(
        np.concatenate([part.person for part in parts]),
        np.concatenate([part.reason for part in parts]),
        np.concatenate([part.admitted for part in parts]),
        np.concatenate([part.discharged for part in parts]),
    )


def _deliveries(health: Health, delivering: Array) -> Admissions:
    person = np.flatnonzero(delivering)
    day = health.deliveries[person]
    return Admissions(person, np.full(len(person), DELIVERY), day, day + 3)


def _strokes(health: Health, struck: Array) -> Admissions:
    """Whoever had a stroke during the history was in hospital for eleven days from its onset."""
    person = np.flatnonzero(struck)
    day = health.onsets[STROKE, person]
    return Admissions(person, np.zeros(len(person), dtype=np.int64), day, day + 11)


def _reasons(rng: np.random.Generator, health: Health, person: Array, admitted: Array) -> Array:
    """The person's gravest disease that had begun by then, else one of six common reasons."""
    common = 4 + rng.integers(0, 6, len(person))
    onsets = health.onsets[:, person] < admitted
    return np.select([onsets[CORONARY], onsets[COPD], onsets[DIABETES]], [1, 2, 3], default=common)


def draw_visits(
    rng: np.random.Generator,
    tables: Tables,
    health: Health,
    stays: Admissions,
    *,
    ages: Array,
    males: Array,
    place: Array,
    years: int,
    today: np.datetime64,
) -> Visits:
    """All visits of the batch."""
    start = today - 365 * years
    plans = [
        _plan_follow_ups(rng, health, years, start),
        _plan_antenatal(health, today),
        _plan_check_ups(rng, ages, years, start),
        _plan_illnesses(rng, health, ages, years),
    ]
    person = np.concatenate([plan[0] for plan in plans])
    day = np.concatenate([plan[1] for plan in plans])
    kind = np.repeat(np.arange(4), [len(plan[0]) for plan in plans])
    keep = _free_days(health, stays, person, day)
    person, day, kind = person[keep], day[keep], kind[keep]
    illness = _illnesses(rng, ages, males, person, kind)
    organization = _houses(rng, tables, place[person], kind)
    count = tables.clinician_count[organization]
    practitioner = tables.clinicians[
        tables.clinician_first[organization] + (rng.random(len(person)) * count).astype(np.int64)
    ]
    minute = 480 + (rng.random(len(person)) * 540).astype(np.int64)
    return Visits(
        person,
        day,
        kind,
        illness,
        organization,
        practitioner,
        minute,
        rng.integers(8, 26, len(person)),
    )


def _plan_follow_ups(rng: np.random.Generator, health: Health, years: int, start: np.datetime64) -> tuple[Array, Array]:
    """Quarterly visits from the first diagnosis on, one visit for all diseases; one in ten is missed."""
    person = np.flatnonzero(~np.isnat(health.onsets).all(axis=0))
    first = np.fmin.reduce(health.onsets[:, person], axis=0)
    quarters = 4 * years
    phase = rng.integers(0, 80, len(person))
    offset = phase[:, None] + np.arange(quarters) * 91 + rng.integers(0, 9, (len(person), quarters))
    days = start + offset
    keep = (rng.random(days.shape) < 0.9) & (days > first[:, None] + 6)
    return np.repeat(person, quarters)[keep.ravel()], days[keep]


def _plan_antenatal(health: Health, today: np.datetime64) -> tuple[Array, Array]:
    """Visits in weeks 12, 18, 24, 30 and 36 as far as they have passed."""
    person = np.flatnonzero(~np.isnat(health.last_periods))
    days = health.last_periods[person][:, None] + np.array([84, 126, 168, 210, 252])
    keep = days < today
    return np.repeat(person, 5)[keep.ravel()], days[keep]


def _plan_check_ups(rng: np.random.Generator, ages: Array, years: int, start: np.datetime64) -> tuple[Array, Array]:
    """The yearly examination of people over 65; 70 % come (国家基本公共卫生服务规范第三版; share unverified)."""
    elderly = np.flatnonzero(ages >= 65 + years)
    days = start + np.arange(years) * 365 + (rng.random((len(elderly), years)) * 360).astype(np.int64)
    keep = rng.random(days.shape) < 0.7
    return np.repeat(elderly, years)[keep.ravel()], days[keep]


def _plan_illnesses(rng: np.random.Generator, health: Health, ages: Array, years: int) -> tuple[Array, Array]:
    span = (health.last_day - health.first_day).astype(np.int64) + 1
    rate = _RATES[np.searchsorted(_AGE_EDGES, ages, side="right")] * np.maximum(span, 0) / 365.0
    count = rng.poisson(rate)
    person = np.repeat(np.arange(len(ages)), count)
    return person, health.first_day[person] + (rng.random(len(person)) * span[person]).astype(np.int64)


def _free_days(health: Health, stays: Admissions, person: Array, day: Array) -> Array:
    """Positions of the plans inside the person's life, outside hospital, the first of each day."""
    inside = (day >= health.first_day[person]) & (day <= health.last_day[person])
    order = np.argsort(stays.person, kind="stable")
    ordered = stays.person[order]
    first = np.searchsorted(ordered, person)
    for offset in range(int(np.bincount(ordered).max()) if len(ordered) else 0):
        position = np.minimum(first + offset, len(ordered) - 1)
        stay = order[position]
        in_hospital = (stays.admitted[stay] <= day) & (day <= stays.discharged[stay])
        inside &= ~((ordered[position] == person) & in_hospital)
    candidates = np.flatnonzero(inside)
    keys = person[candidates] * 100_000 + day[candidates].astype(np.int64)
    return np.asarray(candidates[np.sort(np.unique(keys, return_index=True)[1])])


def _illnesses(rng: np.random.Generator, ages: Array, males: Array, person: Array, kind: Array) -> Array:
    group = np.searchsorted(_AGE_EDGES, ages, side="right")[person] * 2 + males[person]
    flat = (_ILLNESS_TABLE + np.arange(10)[:, None]).ravel()
    drawn = np.searchsorted(flat, group + rng.random(len(person)), side="right") - group * _ILLNESS_TABLE.shape[1]
    return np.where(kind == ILLNESS, np.minimum(drawn, _ILLNESS_TABLE.shape[1] - 1), -1)


def _houses(rng: np.random.Generator, tables: Tables, place: Array, kind: Array) -> Array:
    """Where a visit takes place: 75 % of illnesses below the county level; planned visits at the clinic or centre."""
    draw = rng.random(len(place))
    clinic, unit = tables.place_clinic[place], tables.place_unit[place]
    tertiary = np.where(draw < 0.95, 2, 3)
    illness = np.select(
        [draw < 0.48, draw < 0.75, draw < 0.88],
        [clinic, unit, tables.place_secondary[place]],
        tertiary,
    )
    return np.select(
        [kind == ILLNESS, (kind == FOLLOW_UP) & (draw < 0.6)],
        [illness, clinic],
        default=unit,
    )


def disease_codes() -> Array:
    """ICD-10 codes in the order of `diseases.DISEASES`."""
    return texts(CODES)
