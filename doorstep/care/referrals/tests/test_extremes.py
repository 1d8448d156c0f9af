"""Criteria at the edges: what is absent, stale, struck out, in another unit or beyond a meter's range never decides."""

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorstep.care.referrals import rules
from doorstep.care.referrals.criteria import HOME, Criterion, Fact, judge
from doorstep.care.referrals.measured import newest_of, pressures_of
from doorstep.care.referrals.presenters.words import criteria_now
from doorstep.care.referrals.record_facts import Known, down_facts, up_facts
from doorstep.care.referrals.rules import UP_CRITERIA, target_of
from doorstep.kernel.fhir import systems
from doorstep.kernel.record.queries import Entry

DAY = date(2026, 3, 2)
_CODES = {
    "systolic": ("8480-6", "mm[Hg]"), "diastolic": ("8462-4", "mm[Hg]"), "pulse": ("8867-4", "/min"), "spo2": ("59408-5", "%"),
    "temperature": ("8310-5", "Cel"), "glucose": ("15074-8", "mmol/L"),
}  # fmt: skip


def entry(name: str, value: Any, *, on: date = DAY, hour: int = 4, **more: Any) -> Entry:
    """One measurement as it stands in the record."""
    code, unit = _CODES[name]
    quantity = {"value": value, "code": more.pop("unit", unit)} | more.pop("quantity", {})
    content = {
        "resourceType": "Observation", "status": "final", "code": {"coding": [{"system": systems.LOINC, "code": code}]},
        "valueQuantity": quantity, **more,
    }  # fmt: skip
    at = datetime.combine(on, time(hour), UTC)
    return Entry("Observation", "x", at, None, "", "", sensitive=False, content=content)


def panel(high: float | None, low: float | None, *, on: date = DAY, hour: int = 4, **more: Any) -> Entry:
    parts = [
        {"code": {"coding": [{"code": code}]}, "valueQuantity": {"value": value, "code": "mm[Hg]"}}
        for code, value in (("8480-6", high), ("8462-4", low))
        if value is not None
    ]
    content = {"status": "final", "code": {"coding": [{"code": "85354-9"}]}, "component": parts, **more}
    at = datetime.combine(on, time(hour), UTC)
    return Entry("Observation", "x", at, None, "", "", sensitive=False, content=content)


def known_of(*entries: Entry) -> Known:
    newest_first = sorted(entries, key=lambda one: one.occurred_at, reverse=True)
    return Known(measured=newest_of(newest_first), pressures=tuple(pressures_of(newest_first)))


def met(known: Known, *, day: date = DAY, born: date = date(1966, 1, 1), **said: Any) -> set[str]:
    given = {"symptoms": None, "critical": False, **said}
    found = judge(UP_CRITERIA, up_facts(known, birth_date=born, day=day, **given))
    assert {one.met for one in found} <= {True, False, None}
    return {one.code for one in found if one.met}


_ANY = st.sampled_from(sorted(_CODES))
_FIGURE = st.one_of(st.floats(-50, 400, allow_nan=False), st.integers(-50, 400))


@given(_ANY, _FIGURE)
def test_what_was_struck_out_decides_nothing(name: str, value: float) -> None:
    for status in ("entered-in-error", "cancelled"):
        assert met(known_of(entry(name, value, status=status))) == set()


@given(_ANY, _FIGURE, st.integers(2, 4000))
def test_what_is_stale_or_lies_ahead_decides_nothing(name: str, value: float, days: int) -> None:
    assert met(known_of(entry(name, value, on=DAY - timedelta(days=days)))) == set()
    assert met(known_of(entry(name, value, on=DAY + timedelta(days=days)))) == set()


@given(_ANY, _FIGURE, st.sampled_from(["mol/m3", "kg", "mg", "ml", "foo", "℉?"]))
def test_a_unit_that_does_not_fit_decides_nothing(name: str, value: float, unit: str) -> None:
    if (name, unit) != ("glucose", "mol/m3"):
        assert met(known_of(entry(name, value, unit=unit))) == set()


@given(_ANY)
def test_an_absent_value_decides_nothing(name: str) -> None:
    assert met(known_of(entry(name, None, dataAbsentReason={"text": "not asked"}))) == set()


@given(st.dictionaries(_ANY, _FIGURE), st.frozensets(st.sampled_from(sorted(rules.SYMPTOMS))), st.integers(0, 40_000))
def test_whatever_is_met_names_a_value_that_is_known(
    values: dict[str, float], symptoms: frozenset[str], age_days: int
) -> None:
    known = known_of(*(entry(name, value) for name, value in values.items()))
    facts = up_facts(
        known, birth_date=DAY - timedelta(days=age_days), symptoms=sorted(symptoms), critical=False, day=DAY
    )
    judged = judge(UP_CRITERIA, facts)
    for one in judged:
        assert one.used
        assert one.met is not True or any(fact is not None for _name, fact in one.used)
    assert len(criteria_now(judged)) == len(judged)


@pytest.mark.parametrize(
    ("name", "value"), [("spo2", 0), ("pulse", 0), ("temperature", 370), ("glucose", 600), ("systolic", 1200)]
)
def test_what_nobody_alive_has_is_a_slip(name: str, value: float) -> None:
    assert met(known_of(entry(name, value))) == set()


def test_a_meter_beyond_its_range_says_so_much_and_no_more() -> None:
    assert "glucose" in met(known_of(entry("glucose", 33.3, quantity={"comparator": ">"})))
    assert "hypoglycaemia" in met(known_of(entry("glucose", 1.1, quantity={"comparator": "<"})))
    # Less than 17 may be 5.
    assert met(known_of(entry("glucose", 17, quantity={"comparator": "<"}))) == set()
    assert "glucose" not in met(known_of(entry("glucose", 5, quantity={"comparator": ">"})))


def test_the_two_pressures_are_of_one_measurement() -> None:
    found = known_of(panel(None, 70, hour=5), panel(190, 120, hour=3)).measured
    assert {name: fact.value for name, fact in found.items()} == {"diastolic": 70}
    halves = known_of(entry("systolic", 186, hour=5), entry("diastolic", 112, hour=5)).measured
    assert {name: fact.value for name, fact in halves.items()} == {"systolic": 186, "diastolic": 112}


@pytest.mark.parametrize(
    "how",
    [
        {"performer": [{"reference": "Patient/1"}]},
        {"performer": [{"reference": "RelatedPerson/1"}]},
        {"method": {"text": "家庭自测"}},
        {"category": [{"coding": [{"code": "home", "display": "Home"}]}]},
        {"device": {"display": "家用电子血压计"}},
    ],
)
def test_a_pressure_measured_at_home_has_the_limit_of_home(how: dict[str, Any]) -> None:
    mother: dict[str, Any] = {"impressions": [("O13.x00", "妊娠期高血压")], "born": date(1996, 1, 1)}
    clinic, home = known_of(panel(136, 80)), known_of(panel(136, 80, **how))
    assert "pregnant-pressure" not in met(clinic, **mother)
    assert "pregnant-pressure" in met(home, **mother)
    assert "pregnant-pressure" not in met(known_of(panel(134, 84, **how)), **mother)
    facts = up_facts(home, birth_date=date(1966, 1, 1), symptoms=None, critical=False, day=DAY)
    assert facts["systolic"] == Fact(value=136, unit="mmHg", on=DAY, how=HOME)
    row = next(one for one in criteria_now(judge(UP_CRITERIA, facts)) if "180/110" in one["text"])
    assert "136 mmHg（家庭自测，2026-03-02）" in row["values"]


@pytest.mark.parametrize("method", ["上门测量", "home visit"])
def test_a_nurse_who_visits_measures_as_in_the_clinic(method: str) -> None:
    found = newest_of([panel(136, 80, method={"text": method}, performer=[{"reference": "Practitioner/1"}])])
    assert found["systolic"].how == ""


@pytest.mark.parametrize(
    ("text", "known"),
    [
        ("无高血压、糖尿病", set()),
        ("否认糖尿病", set()),
        ("非糖尿病性肾病", set()),
        ("母亲糖尿病", set()),
        ("高血压，无糖尿病", {"hypertension"}),
        ("未控制的高血压、糖尿病", {"hypertension", "diabetes"}),
        ("非胰岛素依赖型糖尿病", {"diabetes"}),
        ("无症状心肌缺血、高血压", {"hypertension"}),
        ("糖尿病待排、高血压", {"hypertension"}),
        ("未妊娠", set()),
    ],
)
def test_a_denial_is_no_disease(text: str, known: set[str]) -> None:
    facts = up_facts(
        Known(problems=(("", text, DAY),)), birth_date=date(1966, 1, 1), symptoms=None, critical=False, day=DAY
    )
    assert {name for name in ("hypertension", "diabetes", "pregnant") if name in facts and facts[name].value} == known


def test_young_is_who_fell_ill_young() -> None:
    problems = (("I10.x00", "原发性高血压", DAY),)
    grown = {"born": date(1981, 1, 1)}
    assert "young" in met(Known(problems=problems, onsets=(date(2008, 5, 1),)), **grown)
    assert "young" not in met(Known(problems=problems, onsets=(date(2021, 5, 1),)), **grown)
    assert "young" in met(Known(problems=problems), born=date(2000, 1, 1))


def test_a_critical_report_of_last_month_is_not_of_today() -> None:
    assert "acs" in met(Known(report_critical=True, report_on=DAY - timedelta(days=7)))
    assert "acs" not in met(Known(report_critical=True, report_on=DAY - timedelta(days=8)))


def test_going_home_rests_on_values_of_these_days() -> None:
    measured = {
        "systolic": Fact(value=128, on=DAY - timedelta(days=9)),
        "glucose": Fact(value=8.0, on=DAY - timedelta(days=3)),
        "pulse": Fact(value=120, on=DAY + timedelta(days=1)),
    }
    facts = down_facts(Known(measured=measured), said={"pulse": 72, "spo2": 95}, day=DAY)
    # The pulse of this morning is newer than what the round said yesterday.
    assert {name: fact.value for name, fact in facts.items()} == {"glucose": 8.0, "pulse": 120, "spo2": 95}


@pytest.mark.parametrize(
    ("age", "diabetes", "target"),
    [(12, False, None), (40, False, (140, 90)), (66, True, (130, 80)), (79, False, (140, 90)), (80, True, (150, 90))],
)
def test_the_goal_of_a_plan_is_that_of_the_age(age: int, diabetes: bool, target: tuple[int, int] | None) -> None:
    assert target_of(age, diabetes=diabetes) == target


@pytest.mark.parametrize("one", UP_CRITERIA, ids=lambda one: str(one.code))
def test_the_sentence_says_the_figures_that_are_computed(one: Criterion) -> None:
    said = {float(figure) for figure in re.findall(r"\d+(?:\.\d+)?", one.text)}
    # "1–13 岁" and "14 岁起" say the ages, "<65 岁" the goals that the facts are counted by.
    assert set(one.test.limits) - _COUNTED.get(one.code, set()) <= said


# In words: "连续两次", "2–3 个月" begins at 2.
_COUNTED: dict[str, set[float]] = {"twice-above-goal": {2}}
