"""What is on file about the residents of a batch: diagnoses, medicines, contracts, follow-up forms."""

import numpy as np

from doorstep.demo.county.columns import Array, Columns, columns, texts
from doorstep.demo.county.county import County
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
from doorstep.demo.county.measurements import Readings
from doorstep.demo.county.visits import FOLLOW_UP, Visits

# Disease, share of its patients (cumulative choices fill up to 1), medicine, ATC, dose, times a day. Own choice.
MEDICINES: tuple[tuple[int, float, str, str, str, int], ...] = (
    (HYPERTENSION, 0.42, "氨氯地平片 5mg", "C08CA01", "5mg", 1),
    (HYPERTENSION, 0.18, "硝苯地平控释片 30mg", "C08CA05", "30mg", 1),
    (HYPERTENSION, 0.16, "缬沙坦胶囊 80mg", "C09CA03", "80mg", 1),
    (HYPERTENSION, 0.12, "厄贝沙坦片 150mg", "C09CA04", "150mg", 1),
    (HYPERTENSION, 0.08, "依那普利片 10mg", "C09AA02", "10mg", 2),
    (DIABETES, 0.58, "二甲双胍片 0.5g", "A10BA02", "0.5g", 3),
    (DIABETES, 0.16, "格列美脲片 2mg", "A10BB12", "2mg", 1),
    (DIABETES, 0.14, "阿卡波糖片 50mg", "A10BF01", "50mg", 3),
    (DIABETES, 0.10, "甘精胰岛素注射液 3ml:300单位", "A10AE04", "12单位", 1),
    (CORONARY, 0.95, "阿司匹林肠溶片 100mg", "B01AC06", "100mg", 1),
    (STROKE, 0.90, "氯吡格雷片 75mg", "B01AC04", "75mg", 1),
    (COPD, 0.55, "噻托溴铵吸入粉雾剂 18μg", "R03BB04", "18μg", 1),
    (COPD, 0.35, "沙美特罗替卡松吸入粉雾剂 50μg/250μg", "R03AK06", "1吸", 2),
    (MENTAL, 0.45, "奥氮平片 10mg", "N05AH03", "10mg", 1),
    (MENTAL, 0.45, "利培酮片 2mg", "N05AX08", "2mg", 2),
)
# A second medicine for both coronary disease and stroke, once a person.
STATIN = ("阿托伐他汀钙片 20mg", "C10AA05", "20mg", 1)
_MEDICINE_DISEASE = np.array([row[0] for row in MEDICINES])
_NAMES = texts([row[2] for row in MEDICINES] + [STATIN[0]])
_ATC = texts([row[3] for row in MEDICINES] + [STATIN[1]])
_DOSES = texts([row[4] for row in MEDICINES] + [STATIN[2]])
_TIMES = np.array([row[5] for row in MEDICINES] + [STATIN[3]])
_CODE_TABLE = texts([*CODES, "Z34.900"])
_STATUS = texts(["active", "terminated", "expired"])
_REASON = np.array([None, "died", None], dtype=object)


def conditions(county: County, health: Health, place: Array, *, first_resident: int, first_id: int) -> Columns:
    """Chronic diagnoses and present pregnancies. A pregnancy's onset is the first day of the last period."""
    disease, person = np.nonzero(~np.isnat(health.onsets))
    pregnant = np.flatnonzero(~np.isnat(health.last_periods))
    onset = np.concatenate([health.onsets[disease, person], health.last_periods[pregnant]])
    person = np.concatenate([person, pregnant])
    disease = np.concatenate([disease, np.full(len(pregnant), len(CODES))])
    return columns(
        id=np.arange(first_id, first_id + len(person)),
        resident_id=first_resident + person,
        code=_CODE_TABLE[disease],
        onset_on=onset,
        recorded_by_organization_id=county.tables.place_unit[place[person]],
    )


def medications(
    rng: np.random.Generator,
    county: County,
    health: Health,
    *,
    place: Array,
    team: Array,
    first_resident: int,
    first_id: int,
) -> Columns:
    """Long-term medicines from a few days after the diagnosis to this day, or to death."""
    people: list[Array] = []
    kinds: list[Array] = []
    for number in range(len(CODES)):
        patients = np.flatnonzero(health.has(number))
        options = np.flatnonzero(number == _MEDICINE_DISEASE)
        shares = np.cumsum([MEDICINES[option][1] for option in options])
        choice = np.searchsorted(shares, rng.random(len(patients)), side="right")
        treated = choice < len(options)
        people.append(patients[treated])
        kinds.append(options[choice[treated]])
    vascular = np.flatnonzero(health.has(CORONARY) | health.has(STROKE))
    people.append(vascular)
    kinds.append(np.full(len(vascular), len(MEDICINES)))
    person, kind = np.concatenate(people), np.concatenate(kinds)
    disease = np.where(kind < len(MEDICINES), np.append(_MEDICINE_DISEASE, CORONARY)[kind], CORONARY)
    first = np.fmin(health.onsets[CORONARY][person], health.onsets[STROKE][person])
    onset = np.where(kind < len(MEDICINES), health.onsets[disease, person], first)
    start = np.minimum(onset + rng.integers(0, 10, len(person)), health.last_day[person])
    reason = np.where(
        kind < len(MEDICINES),
        disease,
        np.where(health.onsets[CORONARY][person] == first, CORONARY, STROKE),
    )
    return columns(
        id=np.arange(first_id, first_id + len(person)),
        resident_id=first_resident + person,
        condition_code=_CODE_TABLE[reason],
        medicine=_NAMES[kind],
        atc_code=_ATC[kind],
        dose=_DOSES[kind],
        times_a_day=_TIMES[kind],
        start_on=start,
        end_on=health.deaths[person],
        organization_id=county.tables.place_unit[place[person]],
        practitioner_id=county.tables.team_doctor[team[person]],
    )


def contracts(
    rng: np.random.Generator,
    county: County,
    health: Health,
    *,
    births: Array,
    place: Array,
    team: Array,
    key_groups: Array,
    always: int,
    first_resident: int,
    first_id: int,
) -> Columns:
    """Contracts 1+2+3. Of people in a key group 85 % have one in force, of the others 55 %, near 65 % together; a
    few more have run out. The first `always` people have one. Terms: 1–3 years, end = start + term − 1 day;
    death ends them (国卫基层发〔2022〕10号; term from memory, unverified)."""
    today = np.datetime64(county.today, "D")
    signed = rng.random(len(place)) < np.where(key_groups > 0, 0.85, 0.55)
    signed[:always] = True
    expired = ~signed & (rng.random(len(place)) < 0.12)
    person = np.flatnonzero(signed | expired)
    years = rng.choice(np.array([1, 2, 3]), len(person), p=[0.62, 0.16, 0.22])
    back = 1 + (rng.random(len(person)) * (365 * years - 2)).astype(np.int64)
    start = today - np.where(expired[person], 366 * years + 5 + back, back)
    start = np.maximum(np.minimum(start, health.last_day[person]), births[person] + 1)
    end = _anniversary(start, years) - 1
    died = health.deaths[person] <= end
    state = np.where(died, 1, np.where(end < today, 2, 0))
    houses = place[person]
    return columns(
        id=np.arange(first_id, first_id + len(person)),
        resident_id=first_resident + person,
        team_id=team[person],
        primary_organization_id=county.tables.place_unit[houses],
        secondary_organization_id=county.tables.place_secondary[houses],
        tertiary_organization_id=np.where(rng.random(len(person)) < np.where(person < always, 2.0, 0.75), 2, 3),
        term_years=years,
        start_on=start,
        end_on=end,
        terminated_on=np.where(died, health.deaths[person], np.datetime64("NaT", "D")),
        status=_STATUS[state],
        termination_reason=_REASON[state],
    )


def follow_ups(
    health: Health,
    visits: Visits,
    readings: Readings,
    *,
    ages: Array,
    team: Array,
    first_resident: int,
    first_visit: int,
    first_id: int,
) -> Columns:
    """One form for every disease and follow-up visit. Class 1 controlled, 2 not controlled by the rules of
    国家基本公共卫生服务规范(第三版): pressure under 140/90, from 65 years on 150/90; glucose under 7.0 mmol/L."""
    planned = np.flatnonzero(visits.kind == FOLLOW_UP)
    person, day = visits.person[planned], visits.day[planned]
    disease, at = np.nonzero(health.onsets[:, person] <= day)
    row = planned[at]
    limit = np.where(ages[visits.person[row]] >= 65, 150, 140)
    high = (readings.systolic[row] >= limit) | (readings.diastolic[row] >= 90)
    uncontrolled = np.select(
        [disease == HYPERTENSION, disease == DIABETES],
        [high, readings.glucose[row] >= 7.0],
        False,
    )
    resident = visits.person[row]
    return columns(
        id=np.arange(first_id, first_id + len(row)),
        visit_id=first_visit + row,
        resident_id=first_resident + resident,
        condition_code=_CODE_TABLE[disease],
        followed_on=visits.day[row],
        team_id=team[resident],
        practitioner_id=visits.practitioner[row],
        classification=np.where(uncontrolled, 2, 1),
        next_on=visits.day[row] + np.where(uncontrolled, 14, 90),
    )


def _anniversary(start: Array, years: Array) -> Array:
    """The same day some years later; 29 February becomes 1 March."""
    months = start.astype("datetime64[M]")
    return np.asarray((months + 12 * years).astype("datetime64[D]") + (start - months.astype("datetime64[D]")))
