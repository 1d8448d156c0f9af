"""Households of a rural county: who lives together, how old they are, whose surname they bear.

The eleven kinds of household and their shares are set so that about 22 % of residents are 65 or older, as in many
counties of central China [own calibration, unverified]. Children and their fathers share a surname.
"""

from dataclasses import dataclass

import numpy as np

from doorstep.demo.county.columns import Array
from doorstep.demo.county.names import draw_surnames

DAYS_PER_YEAR = 365.2425
HEAD, SPOUSE, CHILD, FATHER, MOTHER, GRANDMOTHER, GRANDCHILD, YOUNGER_CHILD = range(8)
RELATIONS = (
    "head",
    "spouse",
    "child",
    "parent",
    "parent",
    "grandparent",
    "grandchild",
    "child",
)

# share, youngest and oldest head, share of male heads, members; children stand last, so a cut household stays whole.
_KINDS: tuple[tuple[float, float, float, float, tuple[int, ...]], ...] = (
    (0.100, 66, 91, 0.40, (HEAD,)),
    (0.215, 63, 85, 1.00, (HEAD, SPOUSE)),
    (0.100, 25, 61, 0.92, (HEAD, SPOUSE)),
    (0.155, 27, 53, 0.88, (HEAD, SPOUSE, CHILD)),
    (0.120, 29, 50, 0.90, (HEAD, SPOUSE, CHILD, YOUNGER_CHILD)),
    (0.070, 30, 52, 1.00, (HEAD, SPOUSE, FATHER, MOTHER, CHILD)),
    (0.075, 32, 54, 1.00, (HEAD, SPOUSE, MOTHER, CHILD, YOUNGER_CHILD)),
    (0.050, 56, 73, 1.00, (HEAD, SPOUSE, GRANDCHILD)),
    (0.065, 20, 60, 0.62, (HEAD,)),
    (0.020, 27, 40, 1.00, (HEAD, SPOUSE, FATHER, MOTHER, GRANDMOTHER, CHILD)),
    (0.025, 30, 48, 0.00, (HEAD, CHILD)),
)
_CUMULATIVE = np.cumsum([kind[0] for kind in _KINDS])
_YOUNGEST = np.array([kind[1] for kind in _KINDS])
_OLDEST = np.array([kind[2] for kind in _KINDS])
_MALE_HEADS = np.array([kind[3] for kind in _KINDS])
_SIZES = np.array([len(kind[4]) for kind in _KINDS])
_ROLES = np.array([(*kind[4], *([0] * (6 - len(kind[4])))) for kind in _KINDS])
_HAS_SPOUSE = np.array([SPOUSE in kind[4] for kind in _KINDS])


@dataclass(frozen=True, slots=True)
class Members:
    """The members of a batch of households, one after the other.

    `household` counts from 0 in the batch; `mother` is the position of a child's mother in the batch or -1;
    `births` are dates, `surnames` indexes of `names.SURNAMES`.
    """

    household: Array
    role: Array
    males: Array
    births: Array
    surnames: Array
    mother: Array


def draw_members(rng: np.random.Generator, today: np.datetime64, people: int) -> Members:
    """Exactly `people` members; the last household is cut where the number is reached."""
    kind = _draw_kinds(rng, people)
    sizes = _SIZES[kind]
    household = np.repeat(np.arange(len(kind)), sizes)[:people]
    first = np.cumsum(sizes) - sizes
    position = np.arange(people) - first[household]
    role = _ROLES[kind[household], position]
    head_male = rng.random(len(kind)) < _MALE_HEADS[kind]
    ages = _ages(rng, kind, head_male)
    days = np.maximum((ages[role, household] * DAYS_PER_YEAR).astype(np.int64), 3)
    males = _sexes(rng, role, household, head_male)
    is_child = (role == CHILD) | (role == YOUNGER_CHILD)
    mother = np.where(is_child, first[household] + (head_male & _HAS_SPOUSE[kind])[household], -1)
    surnames = _surnames(rng, kind, head_male)[role, household]
    return Members(household, role, males, today - days, surnames, mother)


def _draw_kinds(rng: np.random.Generator, people: int) -> Array:
    kinds = np.minimum(np.searchsorted(_CUMULATIVE, rng.random(people), side="right"), len(_KINDS) - 1)
    enough = int(np.searchsorted(np.cumsum(_SIZES[kinds]), people)) + 1
    return np.asarray(kinds[:enough])


def _ages(rng: np.random.Generator, kind: Array, head_male: Array) -> Array:
    """Ages in years by role and household: parents are 18 years or more older than their children."""
    count = len(kind)
    head = _YOUNGEST[kind] + rng.random(count) * (_OLDEST - _YOUNGEST)[kind]
    husband_older = np.clip(rng.normal(2.0, 2.0, count), -3.0, 7.0)
    spouse = np.maximum(head - np.where(head_male, husband_older, -husband_older), 23.0 + rng.random(count))
    woman = np.where(head_male & _HAS_SPOUSE[kind], spouse, head)
    gap = 21.5 + rng.random(count) * (np.minimum(35.0, woman - 0.02) - 21.5)
    child = woman - gap
    younger = child - (1.2 + 4.8 * rng.random(count))
    mother = head + 20.5 + rng.random(count) * 11.5
    father = mother + np.clip(rng.normal(2.0, 2.0, count), -1.0, 6.0)
    grandmother = father + 18.5 + 5.5 * rng.random(count)
    grandchild = np.minimum(3.0 + rng.random(count) * 12.0, spouse - 42.0)
    return np.stack(
        [
            head,
            spouse,
            child,
            father,
            mother,
            grandmother,
            grandchild,
            np.where(younger < 0, child, younger),
        ]
    )


def _sexes(rng: np.random.Generator, role: Array, household: Array, head_male: Array) -> Array:
    """1 = male. Of children 53 % are boys [own choice near the national ratio of births]."""
    head = head_male[household]
    born_male = rng.random(len(role)) < 0.53
    fixed = np.select(
        [
            role == HEAD,
            role == SPOUSE,
            role == FATHER,
            (role == MOTHER) | (role == GRANDMOTHER),
        ],
        [head, ~head, np.True_, np.False_],
        default=born_male,
    )
    return np.asarray(fixed.astype(np.int64))


def _surnames(rng: np.random.Generator, kind: Array, head_male: Array) -> Array:
    """Surnames by role and household: one family name down the male line, women who married in bring their own."""
    count = len(kind)
    family, own, mothers, grandmothers = (draw_surnames(rng, count) for _ in range(4))
    head = np.where(head_male, family, own)
    spouse = np.where(head_male, own, family)
    return np.stack([head, spouse, family, family, mothers, grandmothers, family, family])
