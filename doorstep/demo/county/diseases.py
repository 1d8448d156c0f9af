"""Chronic diseases, pregnancies and deaths of a batch of residents: who has what, and since when.

Prevalences by age come from national surveys, multiplied by the share that has been diagnosed, because the county
knows only diagnosed people. All figures are from memory and unverified:
* hypertension: China Hypertension Survey 2012–2015 (Circulation 2018;137:2344), diagnosed share 0.55;
* type 2 diabetes: national survey 2015–2017 (BMJ 2020;369:m997), diagnosed share 0.45;
* coronary heart disease: National Health Services Survey 2013; stroke: survey of 2020 (JAMA Netw Open 2023;6:e231455);
* COPD: China Pulmonary Health study (Lancet 2018;391:1706), diagnosed share 0.12;
* severe mental disorder: registered share of about 5 per 1,000; disability certificates: about 2.7 %.
"""

from dataclasses import dataclass

import numpy as np

from doorstep.demo.county.columns import Array
from doorstep.demo.county.households import DAYS_PER_YEAR, HEAD, SPOUSE, Members

DISEASES = ("hypertension", "diabetes", "coronary", "stroke", "copd", "mental")
HYPERTENSION, DIABETES, CORONARY, STROKE, COPD, MENTAL = range(6)
CODES = ("I10", "E11.900", "I25.100", "I69.300", "J44.900", "F20.900")
KEY_GROUPS = (
    "elderly", "hypertension", "diabetes", "coronary", "stroke", "copd", "maternal", "child", "mental", "disabled",
)  # fmt: skip
KEY_GROUP_NAMES = (
    "65岁及以上老年人", "高血压患者", "2型糖尿病患者", "冠心病患者", "脑卒中患者", "慢阻肺患者", "孕产妇", "0～6岁儿童",
    "严重精神障碍患者", "残疾人",
)  # fmt: skip
MATERNAL_BIT, CHILD_BIT, MENTAL_BIT, DISABLED_BIT = 6, 7, 8, 9

_AGE_EDGES = np.array([18, 25, 35, 45, 55, 65, 75])
# Diagnosed share by age group (<18, 18–24, … 75+), men and women.
_MEN = np.array(
    [
        [0, 0.010, 0.035, 0.085, 0.160, 0.240, 0.300, 0.320],
        [0, 0.002, 0.012, 0.030, 0.058, 0.088, 0.105, 0.100],
        [0, 0.000, 0.000, 0.004, 0.014, 0.035, 0.070, 0.095],
        [0, 0.000, 0.000, 0.004, 0.014, 0.032, 0.055, 0.065],
        [0, 0.000, 0.000, 0.004, 0.014, 0.030, 0.045, 0.050],
        [0, 0.003, 0.005, 0.006, 0.007, 0.006, 0.005, 0.004],
    ]
)
_WOMEN = _MEN * np.array([[0.94], [0.95], [0.85], [0.80], [0.35], [1.0]])
_EARLIEST_AGE = np.array([20.0, 25.0, 38.0, 38.0, 40.0, 16.0])
_LONGEST_YEARS = np.array([16.0, 14.0, 10.0, 8.0, 10.0, 25.0])
_NEVER = np.datetime64("NaT", "D")


@dataclass(frozen=True, slots=True)
class Health:
    """Lifelines of a batch. Dates are NaT where a thing never happened.

    `onsets[disease, person]`; `deaths`; `last_periods` of the women who are pregnant now (first day of the last
    period); `deliveries[person]`: the last day she bore a child of the batch; `disabled`.
    `first_day` and `last_day` bound the history of each person: from the day after birth to the day before death.
    """

    onsets: Array
    deaths: Array
    last_periods: Array
    deliveries: Array
    disabled: Array
    first_day: Array
    last_day: Array

    def has(self, disease: int) -> Array:
        """Who has the disease by the end of the history."""
        return np.asarray(~np.isnat(self.onsets[disease]))


def draw_health(rng: np.random.Generator, members: Members, today: np.datetime64, years: int) -> Health:
    """Diseases, pregnancies and deaths; nothing contradicts age, sex or the date of death."""
    ages = (today - members.births).astype(np.float64) / DAYS_PER_YEAR
    start = today - 365 * years
    deliveries = _deliveries(members)
    last_periods = _pregnancies(rng, members, ages, deliveries, today)
    pregnant = ~np.isnat(last_periods)
    deaths = _deaths(rng, ages, today, years)
    deaths[pregnant | (deliveries >= start)] = _NEVER
    last_day = np.where(np.isnat(deaths), today - 1, deaths - 1)
    onsets = _onsets(rng, members.males, ages, today)
    onsets[onsets > last_day] = _NEVER
    onsets[:, pregnant] = _NEVER
    disabled = rng.random(len(ages)) < np.where(ages >= 60, 0.06, 0.018)
    disabled &= ages > 1
    return Health(
        onsets,
        deaths,
        last_periods,
        deliveries,
        disabled,
        np.maximum(start, members.births + 1),
        last_day,
    )


def key_group_bits(health: Health, ages: Array, today: np.datetime64) -> Array:
    """The key groups of each person as bits in the order of `KEY_GROUPS`; maternal: pregnant or 42 days after."""
    bits = (ages >= 65).astype(np.int64)
    for disease in range(5):
        bits |= health.has(disease).astype(np.int64) << (disease + 1)
    maternal = ~np.isnat(health.last_periods) | (health.deliveries >= today - 42)
    bits |= maternal.astype(np.int64) << MATERNAL_BIT
    bits |= (ages < 7).astype(np.int64) << CHILD_BIT
    bits |= health.has(MENTAL).astype(np.int64) << MENTAL_BIT
    bits |= health.disabled.astype(np.int64) << DISABLED_BIT
    return np.asarray(bits)


def _onsets(rng: np.random.Generator, males: Array, ages: Array, today: np.datetime64) -> Array:
    group = np.searchsorted(_AGE_EDGES, ages, side="right")
    share = np.where(males.astype(bool), _MEN[:, group], _WOMEN[:, group])
    sick = rng.random(share.shape) < share
    room = ages[None, :] - _EARLIEST_AGE[:, None]
    longest = np.minimum(_LONGEST_YEARS[:, None], room)
    days = 2 + (rng.random(share.shape) * longest * DAYS_PER_YEAR).astype(np.int64)
    return np.where(sick & (room > 0.1), today - days, _NEVER)


def _deaths(rng: np.random.Generator, ages: Array, today: np.datetime64, years: int) -> Array:
    """Adults die by a Gompertz hazard that doubles every 7.5 years, near the life table [own fit, unverified]."""
    hazard = 0.0005 * np.exp(0.092 * (np.clip(ages, 18, 100) - 30))
    dies = (rng.random(len(ages)) < 1 - np.exp(-hazard * years)) & (ages >= 18)
    return np.where(
        dies,
        today - 1 - (rng.random(len(ages)) * (365 * years - 30)).astype(np.int64),
        _NEVER,
    )


def _deliveries(members: Members) -> Array:
    """For every woman the birth date of her youngest child in the household."""
    deliveries = np.full(len(members.births), np.datetime64("1800-01-01", "D"))
    children = np.flatnonzero(members.mother >= 0)
    np.maximum.at(deliveries, members.mother[children], members.births[children])
    deliveries[deliveries < np.datetime64("1801-01-01", "D")] = _NEVER
    return deliveries


def _pregnancies(
    rng: np.random.Generator,
    members: Members,
    ages: Array,
    deliveries: Array,
    today: np.datetime64,
) -> Array:
    """About 3 % of married women of 22–34, 1 % of 35–41, none within 200 days after a birth."""
    share = np.where(
        (ages >= 22) & (ages < 35),
        0.035,
        np.where((ages >= 35) & (ages < 42), 0.01, 0.0),
    )
    adult = (members.role == HEAD) | (members.role == SPOUSE)
    last_periods = today - (42 + (rng.random(len(ages)) * 228).astype(np.int64))
    free = np.isnat(deliveries) | (last_periods > deliveries + 200)
    pregnant = (rng.random(len(ages)) < share) & adult & free & (members.males == 0)
    return np.where(pregnant, last_periods, _NEVER)
