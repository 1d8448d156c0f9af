"""Measured values that agree with diseases, treatment and time: blood pressure, glucose, body, ECG, laboratory.

A hypertensive's pressure starts at an untreated level and falls by the effect of treatment with a time constant of four
months; a diabetic's glucose and HbA1c likewise. Everybody else stays below the diagnostic thresholds (140/90 mmHg,
7.0 mmol/L), or he would be a patient. Units are UCUM, codes LOINC.
"""

from dataclasses import dataclass

import numpy as np

from doorstep.demo.county.columns import Array, Columns, instants, texts
from doorstep.demo.county.diseases import COPD, CORONARY, DIABETES, HYPERTENSION, Health
from doorstep.demo.county.households import DAYS_PER_YEAR
from doorstep.demo.county.visits import (
    ANTENATAL,
    CHECK_UP,
    FOLLOW_UP,
    ILLNESS,
    RESPIRATORY,
    Visits,
)

# LOINC code and UCUM unit of every observation that the history holds.
ITEMS: tuple[tuple[str, str], ...] = (
    ("8480-6", "mm[Hg]"), ("8462-4", "mm[Hg]"), ("8867-4", "/min"), ("8310-5", "Cel"), ("2708-6", "%"),
    ("29463-7", "kg"), ("8302-2", "cm"), ("39156-5", "kg/m2"), ("14771-0", "mmol/L"), ("4548-4", "%"),
    ("14647-2", "mmol/L"), ("14927-8", "mmol/L"), ("22748-8", "mmol/L"), ("14646-4", "mmol/L"), ("14682-9", "umol/L"),
    ("8625-6", "ms"), ("8633-0", "ms"), ("8634-8", "ms"), ("8636-3", "ms"),
)  # fmt: skip
(
    SYSTOLIC, DIASTOLIC, HEART_RATE, TEMPERATURE, SATURATION, WEIGHT, HEIGHT, MASS_INDEX, GLUCOSE, HBA1C, CHOLESTEROL,
    TRIGLYCERIDES, LDL, HDL, CREATININE, PR, QRS, QT, QTC,
) = range(19)  # fmt: skip
_CODES = texts([item[0] for item in ITEMS])
_UNITS = texts([item[1] for item in ITEMS])
_NAMES = (
    "id",
    "visit_id",
    "resident_id",
    "code",
    "value",
    "unit",
    "effective_at",
    "organization_id",
    "practitioner_id",
)


@dataclass(frozen=True, slots=True)
class Readings:
    """The values at each visit that later decisions need: pressure in mmHg, fasting glucose in mmol/L."""

    systolic: Array
    diastolic: Array
    glucose: Array


@dataclass(frozen=True, slots=True)
class Body:
    """Stable features of each person: height in cm, weight in kg."""

    height: Array
    weight: Array


def draw_body(rng: np.random.Generator, ages: Array, males: Array) -> Body:
    """Adult bodies around 165/155 cm and BMI 23.6; children by a rough growth line [own choice, unverified]."""
    adult = np.where(males == 1, 166.0, 155.5) + rng.normal(0, 5.5, len(ages))
    height = np.where(
        ages >= 17,
        adult,
        50 + np.minimum(ages, 17.0) * 6.5 + rng.normal(0, 2.0, len(ages)),
    )
    index = np.where(
        ages >= 17,
        np.clip(rng.normal(23.6, 3.1, len(ages)), 16.5, 36.0),
        16.5 + ages * 0.15,
    )
    return Body(np.round(height, 1), np.round(index * (height / 100) ** 2, 1))


def draw_readings(rng: np.random.Generator, health: Health, ages: Array, visits: Visits) -> Readings:
    """Blood pressure and glucose at every visit, whether or not they are written down."""
    person, count = visits.person, len(visits.person)
    age = ages[person]
    months, treated = _months_since(health, HYPERTENSION, visits)
    untreated, drop = _personal(person, 158.0, 10.0, 3), _personal(person, 25.0, 7.0, 5)
    effect = 1 - np.exp(-months / 4)
    high = np.clip(untreated - drop * effect + rng.normal(0, 6.5, count), 108, 208)
    normal = np.clip(107 + 0.28 * age + rng.normal(0, 8.0, count), 84, 139)
    systolic = np.where(treated, high, normal)
    diastolic = np.where(
        treated,
        46 + 0.25 * high + rng.normal(0, 6, count),
        np.clip(36 + 0.33 * normal + rng.normal(0, 5, count), 50, 89),
    )
    diastolic = np.clip(diastolic, 48, np.minimum(118, systolic - 18))
    months, diabetic = _months_since(health, DIABETES, visits)
    sugar = _personal(person, 9.6, 1.2, 7) - _personal(person, 2.5, 0.7, 11) * (1 - np.exp(-months / 4))
    glucose = np.where(
        diabetic,
        np.clip(sugar + rng.normal(0, 0.8, count), 4.2, 19.5),
        np.clip(rng.normal(5.2, 0.45, count), 4.0, 6.9),
    )
    return Readings(np.rint(systolic), np.rint(diastolic), np.round(glucose, 1))


def draw_observations(
    rng: np.random.Generator,
    health: Health,
    visits: Visits,
    readings: Readings,
    *,
    ages: Array,
    body: Body,
    first_resident: int,
    first_visit: int,
    first_id: int,
) -> Columns:
    """The observations written down at the visits, one row per value."""
    written = _written(rng, health, ages, visits)
    values = _values(rng, health, body, visits, readings)
    rows = [np.flatnonzero(mask) for mask in written]
    row = np.concatenate(rows)
    item = np.repeat(np.arange(len(ITEMS)), [len(part) for part in rows])
    value = np.concatenate([values[index][part] for index, part in enumerate(rows)])
    effective = instants(visits.day, visits.minute + 3)[row]
    data = (
        np.arange(first_id, first_id + len(row)), first_visit + row, first_resident + visits.person[row], _CODES[item],
        value, _UNITS[item], effective, visits.organization[row], visits.practitioner[row],
    )  # fmt: skip
    return Columns(_NAMES, data)


def _months_since(health: Health, disease: int, visits: Visits) -> tuple[Array, Array]:
    """Months since the onset at each visit (0 before), and whether the disease had begun."""
    onset = health.onsets[disease][visits.person]
    begun = onset <= visits.day
    days = np.where(begun, (visits.day - onset).astype(np.int64), 0)
    return days / (DAYS_PER_YEAR / 12), begun


def _personal(person: Array, mean: float, spread: float, salt: int) -> Array:
    """A value that is the same at all visits of one person: a hash of the position, spread evenly."""
    fraction = ((person * 2_654_435_761 + salt * 40_503_001) % 65_537) / 65_537.0
    return np.asarray(mean + spread * 1.7 * (2 * fraction - 1))


def _written(rng: np.random.Generator, health: Health, ages: Array, visits: Visits) -> list[Array]:
    """Which item is written down at which visit."""
    person, kind = visits.person, visits.kind
    draw = rng.random(len(person))
    follow_up, check_up, antenatal = (
        kind == FOLLOW_UP,
        kind == CHECK_UP,
        kind == ANTENATAL,
    )
    illness = kind == ILLNESS
    feverish = illness & RESPIRATORY[visits.illness]
    pressure = ~illness | (illness & (ages[person] >= 35) & (draw < 0.45))
    diabetic = follow_up & (health.onsets[DIABETES][person] <= visits.day)
    lungs = follow_up & (health.onsets[COPD][person] <= visits.day)
    heart = follow_up & (health.onsets[CORONARY][person] <= visits.day)
    ecg = (heart & (draw < 0.35)) | (check_up & (draw < 0.6))
    weighed = check_up | antenatal | diabetic
    nothing = np.zeros(len(person), dtype=bool)
    by_item = {
        SYSTOLIC: pressure, DIASTOLIC: pressure, HEART_RATE: ~illness, TEMPERATURE: feverish, SATURATION: lungs,
        WEIGHT: weighed, HEIGHT: check_up, MASS_INDEX: check_up, GLUCOSE: check_up | diabetic,
        HBA1C: diabetic & (draw < 0.4), CHOLESTEROL: check_up, TRIGLYCERIDES: check_up, LDL: check_up, HDL: check_up,
        CREATININE: check_up, PR: ecg, QRS: ecg, QT: ecg, QTC: ecg,
    }  # fmt: skip
    return [by_item.get(item, nothing) for item in range(len(ITEMS))]


def _values(
    rng: np.random.Generator,
    health: Health,
    body: Body,
    visits: Visits,
    readings: Readings,
) -> list[Array]:
    """A value of every item at every visit."""
    person, count = visits.person, len(visits.person)

    def normal(mean: float, spread: float, low: float, high: float, digits: int = 0) -> Array:
        return np.asarray(np.round(np.clip(rng.normal(mean, spread, count), low, high), digits))

    rate = normal(74, 8, 52, 112)
    weight, height = (
        np.round(body.weight[person] + rng.normal(0, 0.6, count), 1),
        body.height[person],
    )
    lungs = health.onsets[COPD][person] <= visits.day
    corrected = normal(412, 16, 365, 470)
    low, high, fats = (
        normal(2.7, 0.6, 1.1, 5.4, 2),
        normal(1.3, 0.25, 0.7, 2.4, 2),
        normal(1.5, 0.6, 0.4, 4.4, 2),
    )
    return [
        readings.systolic, readings.diastolic, rate, normal(37.2, 0.6, 36.0, 39.8, 1),
        np.where(lungs, normal(94, 1.5, 90, 98), normal(97, 1, 95, 100)), weight, height,
        np.round(weight / (height / 100) ** 2, 1), readings.glucose,
        np.round(np.clip(2.6 + 0.63 * readings.glucose + rng.normal(0, 0.3, count), 4.2, 14.0), 1),
        np.round(low + high + 0.45 * fats, 2), fats, low, high, normal(72, 14, 38, 128),
        normal(158, 16, 118, 205), normal(92, 8, 72, 118), np.rint(corrected * np.sqrt(60 / rate)), corrected,
    ]  # fmt: skip
