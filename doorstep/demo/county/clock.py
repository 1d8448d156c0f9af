"""A day of the county, planned and not yet done: who will do what for whom, at which minute.

The plan is pure data. The simulator carries it out by calling the same actions that the pages call, so everything that
follows from an act (reports, clocks, escalations) happens for real.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import partial
from zoneinfo import ZoneInfo

import numpy as np

from doorstep.demo.county import heroes
from doorstep.demo.county.columns import Array
from doorstep.demo.county.county import County
from doorstep.demo.county.diseases import CORONARY, DIABETES, HYPERTENSION, KEY_GROUPS
from doorstep.demo.county.residents import generate

CHINA = ZoneInfo("Asia/Shanghai")
# Quiet, busy, lunch, busy, late: shares of the acts of a day between two hours in China [own choice].
_HOURS = ((8.0, 9.0, 0.16), (9.0, 11.5, 0.46), (11.5, 14.0, 0.06), (14.0, 16.5, 0.26), (16.5, 17.5, 0.06))
# The kind of trace that the simulator uploads, with its share of the ECGs of one day [own choice].
TRACES = (
    ("normal", 0.62), ("sinus_bradycardia", 0.09), ("atrial_fibrillation", 0.10), ("premature_beats", 0.09),
    ("st_depression", 0.06), ("st_elevation", 0.025), ("ventricular_tachycardia", 0.015),
)  # fmt: skip
CRITICAL_TRACES = ("st_elevation", "ventricular_tachycardia")
VISITS_PER_RESIDENT = 0.006


class Act(StrEnum):
    """What is done."""

    VISIT = "visit"
    ECG_ORDER = "ecg_order"
    REFERRAL_UP = "referral_up"
    FOLLOW_UP = "follow_up"


@dataclass(frozen=True, slots=True)
class PlannedAct:
    """One act at an aware UTC instant.

    `after` is the position in the day's plan of the act it follows from (the visit of an ECG, the ECG of a referral), or
    None. Pressure in mmHg. `trace` is one of `TRACES` for ECG orders; `code` is the ICD-10 reason; the target is the
    centre or hospital for orders and referrals.
    """

    at: datetime
    act: Act
    resident_id: int
    practitioner_id: int
    organization_id: int
    after: int | None = None
    systolic: int | None = None
    diastolic: int | None = None
    code: str = ""
    trace: str = ""
    target_organization_id: int | None = None


@dataclass(frozen=True, slots=True)
class Roster:
    """The living residents of a county as arrays, for planning days: ids, clinics, key groups."""

    county: County
    residents: Array
    clinics: Array
    key_groups: Array


def open_roster(county: County, *, residents: int) -> Roster:
    """Draws the residents once (about 100,000 a second) and keeps what plans need; same numbers as `generate`."""
    parts = [batch.residents for batch in generate(county, residents=residents)]
    alive = np.concatenate([np.isnat(part.column("deceased_on")) for part in parts])

    def column(name: str) -> Array:
        return np.asarray(np.concatenate([part.column(name) for part in parts])[alive])

    return Roster(county, column("id"), column("clinic_id"), column("key_groups"))


def plan_day(roster: Roster, day: date, seed: int) -> list[PlannedAct]:
    """The acts of one day in the order of time; the same roster, day and seed give the same plan.

    Sundays have a third of the visits and no follow-ups. The heroine has a visit with an ECG every Monday.
    """
    rng = np.random.default_rng([seed, 439981, day.toordinal()])
    share = VISITS_PER_RESIDENT * (0.33 if day.weekday() == 6 else 1.0)
    count = max(1, round(len(roster.residents) * share))
    chosen = rng.choice(len(roster.residents), size=min(count, len(roster.residents)), replace=False)
    acts: list[PlannedAct] = []
    if day.weekday() == 0:
        acts += _heroine(day)
    for position in chosen.tolist():
        if int(roster.residents[position]) != heroes.HEROINE:
            acts += _one_resident(rng, roster, position, day, first=len(acts))
    return _in_order(acts)


def _one_resident(
    rng: np.random.Generator, roster: Roster, position: int, day: date, *, first: int
) -> list[PlannedAct]:
    """A visit, or for chronic patients on a working day a follow-up; then perhaps an ECG and a referral."""
    groups = int(roster.key_groups[position])
    chronic = bool(groups & (_bit(HYPERTENSION) | _bit(DIABETES) | _bit(CORONARY)))
    house = int(roster.clinics[position])
    systolic, diastolic = _pressure(rng, hypertensive=bool(groups & _bit(HYPERTENSION)))
    follow_up = chronic and day.weekday() < 5 and rng.random() < 0.7
    act = partial(
        PlannedAct,
        resident_id=int(roster.residents[position]),
        practitioner_id=_clinician(rng, roster.county, house),
        organization_id=house,
    )
    start = _instant(rng, day)
    reason = "I10" if groups & _bit(HYPERTENSION) else "E11.900" if groups & _bit(DIABETES) else "R53"
    kind = Act.FOLLOW_UP if follow_up else Act.VISIT
    acts = [act(at=start, act=kind, systolic=systolic, diastolic=diastolic, code=reason)]
    if rng.random() >= (0.30 if chronic else 0.06):
        return acts + _ordinary_referral(rng, act, start, first=first, chronic=chronic)
    trace = TRACES[int(np.searchsorted(np.cumsum([part for _, part in TRACES[:-1]]), rng.random(), side="right"))][0]
    ordered = start + timedelta(minutes=int(rng.integers(5, 15)))
    acts.append(
        act(at=ordered, act=Act.ECG_ORDER, after=first, code="R07.400", trace=trace, target_organization_id=271)
    )
    if trace in CRITICAL_TRACES:
        later = ordered + timedelta(minutes=int(rng.integers(12, 26)))
        code = "I21.900" if trace == "st_elevation" else "I47.200"
        target = heroes.TERTIARY_HOSPITAL
        acts.append(act(at=later, act=Act.REFERRAL_UP, after=first + 1, code=code, target_organization_id=target))
    return acts


def _ordinary_referral(
    rng: np.random.Generator, act: "partial[PlannedAct]", start: datetime, *, first: int, chronic: bool
) -> list[PlannedAct]:
    """Some visits without an ECG end with a letter to the hospital [own choice: every tenth of a chronic patient's]."""
    if rng.random() >= (0.10 if chronic else 0.03):
        return []
    code, target = ("I10" if chronic else "R53"), heroes.TERTIARY_HOSPITAL
    at = start + timedelta(minutes=int(rng.integers(6, 9)))
    return [act(at=at, act=Act.REFERRAL_UP, after=first, code=code, target_organization_id=target)]


def _heroine(day: date) -> list[PlannedAct]:
    """周桂兰 comes to 李长河 at 09:10 with chest tightness; the trace shows ST elevation; she is referred."""
    act = partial(
        PlannedAct,
        resident_id=heroes.HEROINE,
        practitioner_id=heroes.VILLAGE_DOCTOR,
        organization_id=heroes.HOME_CLINIC,
    )
    at = partial(_china, day)
    hospital = heroes.TERTIARY_HOSPITAL
    return [
        act(at=at(9, 10), act=Act.VISIT, systolic=168, diastolic=96, code="R07.400"),
        act(at=at(9, 18), act=Act.ECG_ORDER, after=0, code="R07.400", trace="st_elevation", target_organization_id=271),
        act(at=at(9, 36), act=Act.REFERRAL_UP, after=1, code="I21.900", target_organization_id=hospital),
    ]


def _in_order(acts: list[PlannedAct]) -> list[PlannedAct]:
    """Sorted by time, with `after` moved along."""
    order = sorted(range(len(acts)), key=lambda position: (acts[position].at, position))
    place = {old: new for new, old in enumerate(order)}
    names = [name for name in PlannedAct.__slots__ if name != "after"]
    return [
        PlannedAct(
            **{name: getattr(acts[old], name) for name in names},
            after=None if (cause := acts[old].after) is None else place[cause],
        )
        for old in order
    ]


def _bit(disease: int) -> int:
    """The bit of a disease in `key_groups`."""
    return 1 << KEY_GROUPS.index(("hypertension", "diabetes", "coronary")[disease])


def _pressure(rng: np.random.Generator, *, hypertensive: bool) -> tuple[int, int]:
    systolic = int(np.clip(rng.normal(140 if hypertensive else 122, 12 if hypertensive else 8), 92, 205))
    if not hypertensive:
        systolic = min(systolic, 139)
    return systolic, min(int(0.42 * systolic + 25 + rng.normal(0, 4)), 89 if not hypertensive else 115)


def _clinician(rng: np.random.Generator, county: County, organization_id: int) -> int:
    tables = county.tables
    offset = int(rng.integers(0, int(tables.clinician_count[organization_id])))
    return int(tables.clinicians[int(tables.clinician_first[organization_id]) + offset])


def _instant(rng: np.random.Generator, day: date) -> datetime:
    shares = np.cumsum([share for _, _, share in _HOURS[:-1]])
    opens, closes, _ = _HOURS[int(np.searchsorted(shares, rng.random(), side="right"))]
    minutes = int(60 * (opens + (closes - opens) * rng.random()))
    return _china(day, minutes // 60, minutes % 60)


def _china(day: date, hour: int, minute: int) -> datetime:
    return datetime.combine(day, time(hour, minute), CHINA).astimezone(UTC)
