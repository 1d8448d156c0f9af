"""Criteria up and down: met, not met and unknown, with the values used and their day."""

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorstep.care.referrals import down_queries, down_rules, rules
from doorstep.care.referrals.criteria import Fact, as_rows, both, either, judge
from doorstep.care.referrals.down_rules import (
    Needs,
    Unit,
    criteria_for,
    disease_of,
    judge_home,
    may_propose,
    needs_of,
    weigh,
)
from doorstep.care.referrals.measured import Pressure
from doorstep.care.referrals.models import DownProposal
from doorstep.care.referrals.presenters import asking
from doorstep.care.referrals.record_facts import Known, up_facts
from doorstep.care.referrals.rules import UP_CRITERIA, center_for, kind_for

DAY = date(2026, 3, 2)


def facts(**values: Any) -> dict[str, Fact]:
    return {name: Fact(value=value, on=DAY) for name, value in values.items()}


def up(**values: Any) -> dict[str, bool | None]:
    return {one.code: one.met for one in judge(UP_CRITERIA, facts(**values))}


def test_nothing_known_is_unknown_everywhere() -> None:
    assert set(up().values()) == {None}


@pytest.mark.parametrize(
    ("code", "values", "expected"),
    [
        ("acs", {"ecg_critical": True}, True),
        ("acs", {"ecg_critical": False, "symptoms": {"chest-pain"}}, True),
        ("acs", {"ecg_critical": False, "symptoms": set()}, False),
        ("acs", {"ecg_critical": False}, None),
        # A doctor who calls a stroke critical has not seen a critical ECG.
        ("acs", {"critical": True, "symptoms": {"neurological"}}, None),
        ("critical", {"critical": True}, True),
        ("critical", {}, None),
        ("crisis", {"systolic": 182, "diastolic": 100, "symptoms": {"neurological"}}, True),
        ("crisis", {"systolic": 179, "diastolic": 109, "symptoms": {"neurological"}}, False),
        ("crisis", {"systolic": 150, "diastolic": 110, "symptoms": {"headache-vomiting"}}, True),
        ("crisis", {"symptoms": set()}, False),
        ("heart-failure", {"systolic": 140, "symptoms": {"dyspnoea"}}, True),
        ("heart-failure", {"systolic": 139, "diastolic": 89, "symptoms": {"dyspnoea"}}, False),
        # Swollen legs alone are the commonest effect of amlodipine, and no emergency.
        ("heart-failure", {"systolic": 138, "diastolic": 92, "symptoms": {"oedema"}}, False),
        ("heart-failure", {"systolic": 138, "diastolic": 92, "symptoms": {"oedema", "dyspnoea"}}, True),
        ("pressure", {"systolic": 180, "diastolic": 80}, True),
        ("pressure", {"systolic": 150, "diastolic": 110}, True),
        ("pressure", {"systolic": 179, "diastolic": 109}, False),
        ("danger-signs", {"hypertension": True, "symptoms": {"palpitation"}}, True),
        ("danger-signs", {"hypertension": True, "symptoms": {"oedema"}}, False),
        ("danger-signs", {"symptoms": {"palpitation"}}, None),
        ("pregnant-pressure", {"pregnant": True, "systolic": 140, "diastolic": 80}, True),
        ("pregnant-pressure", {"pregnant": True, "systolic": 139, "diastolic": 89}, False),
        ("twice-above-goal", {"hypertension": True, "times_above_goal": 2}, True),
        ("twice-above-goal", {"hypertension": True, "times_above_goal": 1}, False),
        ("diabetes-danger", {"diabetes": True, "symptoms": {"sweating"}}, True),
        ("diabetes-danger", {"diabetes": True, "symptoms": set(), "temperature": 39.1}, True),
        ("diabetes-danger", {"diabetes": True, "symptoms": set(), "temperature": 39.0}, False),
        ("diabetes-pregnant", {"pregnant": True, "glucose": 7.0}, True),
        ("diabetes-pregnant", {"pregnant": True, "glucose": 6.9}, False),
        ("hba1c", {"diabetes": True, "hba1c": 7.4, "hba1c_months": 3}, True),
        # Months of high pressure say nothing of how the sugar is treated.
        ("hba1c", {"diabetes": True, "hba1c": 7.4, "months_above_goal": 9}, None),
        ("diabetes-young", {"diabetes": True, "age": 24}, True),
        ("diabetes-young", {"diabetes": True, "age": 25}, False),
        ("copd-young", {"copd": True, "age": 39}, True),
        ("copd-young", {"copd": True, "age": 40}, False),
        ("vitals", {"temperature": 41.1}, True),
        ("vitals", {"age": 50, "systolic": 120, "pulse": 80, "spo2": 97, "temperature": 41.0}, False),
        ("young", {"hypertension": True, "onset_age": 29, "age": 44}, True),
        ("young", {"hypertension": True, "onset_age": 30}, False),
        ("young", {"hypertension": True, "age": 44}, None),
        ("not-at-goal", {"hypertension": True, "months_above_goal": 2}, True),
        ("glucose", {"glucose": 16.7}, True),
        ("glucose", {"glucose": 16.6}, False),
        # 3.7 mmol/L before breakfast is a good glucose of who has no diabetes.
        ("glucose", {"diabetes": True, "glucose": 3.9}, True),
        ("glucose", {"diabetes": True, "glucose": 4.0}, False),
        ("glucose", {"diabetes": False, "glucose": 3.7}, False),
        ("glucose", {"glucose": 3.7}, None),
        # Anybody who sweats, is confused or seizes with it is an emergency, and below 2.8 mmol/L everybody.
        ("hypoglycaemia", {"age_days": 20_000, "glucose": 2.7}, True),
        ("hypoglycaemia", {"age_days": 20_000, "glucose": 2.8, "symptoms": set()}, False),
        ("hypoglycaemia", {"age_days": 20_000, "glucose": 3.7, "symptoms": set()}, False),
        ("hypoglycaemia", {"age_days": 20_000, "glucose": 3.9, "symptoms": {"sweating"}}, True),
        ("hypoglycaemia", {"age_days": 20_000, "glucose": 3.9, "symptoms": {"consciousness"}}, True),
        ("hypoglycaemia", {"age_days": 20_000, "glucose": 3.9, "symptoms": {"oedema"}}, False),
        ("hypoglycaemia", {"age_days": 20_000, "glucose": 3.9}, None),
        ("hypoglycaemia", {"age_days": 20_000, "glucose": 4.0, "symptoms": {"sweating"}}, False),
        # 3.2 mmol/L is a good glucose on the second day of life.
        ("hypoglycaemia", {"age_days": 2, "glucose": 2.5, "symptoms": {"seizure"}}, False),
        ("danger-signs", {"hypertension": True, "symptoms": {"vomiting-abdominal"}}, True),
        ("newborn", {"age_days": 2, "symptoms": set(), "temperature": 36.8, "glucose": 2.5}, True),
        ("newborn", {"age_days": 2, "symptoms": set(), "temperature": 36.8, "glucose": 2.6}, False),
        ("copd-worse", {"copd": True, "spo2": 89}, True),
        ("copd-worse", {"copd": False, "spo2": 89}, False),
        ("copd-worse", {"spo2": 89}, None),
        ("vitals", {"age": 50, "pulse": 151}, True),
        ("vitals", {"age": 50, "systolic": 120, "pulse": 150, "spo2": 93, "temperature": 37}, False),
        ("vitals", {"age": 50, "systolic": 89}, True),
        ("vitals", {"age": 14, "systolic": 89}, True),
        ("vitals", {"pulse": 151}, None),
        # A newborn's heart beats 155 times a minute with a systolic of 70, and is well.
        ("vitals", {"age": 0, "systolic": 70, "pulse": 155, "spo2": 97, "temperature": 37}, False),
        ("vitals", {"age": 13, "systolic": 85, "pulse": 155, "spo2": 97, "temperature": 37}, False),
        ("vitals", {"age": 8, "systolic": 69}, True),
        ("vitals", {"age": 0, "spo2": 92}, True),
        ("vitals", {"age": 3, "pulse": 39}, True),
        # Sent at once although the pressure is good: asthma, a seizure, blue lips, a torn aorta.
        ("airway", {"symptoms": {"dyspnoea"}, "systolic": 120, "diastolic": 70}, True),
        ("airway", {"symptoms": {"cyanosis"}}, True),
        ("airway", {"symptoms": {"oedema"}}, False),
        ("airway", {}, None),
        ("seizure", {"symptoms": {"seizure"}, "pregnant": False}, True),
        ("back-pain", {"symptoms": {"chest-back-pain"}, "systolic": 150, "diastolic": 90}, True),
        ("trauma", {"symptoms": {"severe-injury"}}, True),
        ("bleeding", {"symptoms": {"heavy-bleeding"}}, True),
        # Who names the child's movements is pregnant, whatever the problem list says.
        ("maternal", {"symptoms": {"reduced-movement"}}, True),
        ("maternal", {"pregnant": True, "systolic": 160}, True),
        ("maternal", {"pregnant": False, "systolic": 200, "symptoms": set()}, False),
        ("newborn", {"age_days": 3, "symptoms": {"jaundice"}}, True),
        ("newborn", {"age_days": 29, "symptoms": {"jaundice"}}, False),
    ],
)
def test_up_criteria(code: str, values: dict[str, Any], expected: bool | None) -> None:
    assert up(**values)[code] is expected


def test_down_criteria_need_a_stable_pressure_and_the_doctors_word() -> None:
    good = facts(diagnosis="x", medicine_lines=1, follow_ups=3, systolic=128, diastolic=78, complications_stable=True)
    assert {one.met for one in judge_home("general", good)} == {True}
    assert not may_propose(judge_home("general", facts(diagnosis="x", systolic=165, diastolic=90)))
    without_plan = {name: fact for name, fact in good.items() if name not in ("medicine_lines", "follow_ups")}
    assert may_propose(judge_home("general", without_plan))
    assert not may_propose(judge_home("stroke", good))
    assert may_propose(judge_home("stroke", {**good, **facts(deficit_stable=True)}))


def test_values_days_and_sources_are_kept() -> None:
    row = as_rows(judge(UP_CRITERIA, facts(systolic=190, diastolic=112, symptoms={"headache-vomiting"})))[0]
    assert row["met"] is True
    assert row["source"]
    assert {one["name"]: one["value"] for one in row["used"]} == {
        "systolic": 190,
        "diastolic": 112,
        "symptoms": ["headache-vomiting"],
    }
    assert {one["on"] for one in row["used"]} == {"2026-03-02"}


def test_kind_is_green_for_the_signed_and_for_the_five_centres() -> None:
    chest_pain = judge(UP_CRITERIA, facts(ecg_critical=True))
    glucose = judge(UP_CRITERIA, facts(glucose=20))
    assert (kind_for(chest_pain, signed=False), center_for(chest_pain)) == ("green", "chest-pain")
    assert (kind_for(glucose, signed=False), center_for(glucose)) == ("urgent", "")
    assert kind_for(glucose, signed=True) == "green"
    assert kind_for(judge(UP_CRITERIA, {}), signed=True) == "ordinary"
    assert {one.green for one in UP_CRITERIA if one.green} == {"chest-pain", "stroke", "trauma", "maternal", "newborn"}


@pytest.mark.parametrize(
    ("values", "center"),
    [
        ({"pregnant": True, "symptoms": {"heavy-bleeding"}}, "maternal"),
        ({"pregnant": False, "symptoms": {"heavy-bleeding"}}, "trauma"),
        ({"symptoms": {"heavy-bleeding"}}, "trauma"),
        ({"pregnant": True, "symptoms": {"heavy-bleeding", "severe-injury"}}, "trauma"),
        ({"pregnant": True, "symptoms": {"seizure"}}, "maternal"),
        ({"age_days": 3, "symptoms": {"heavy-bleeding", "poor-feeding"}}, "newborn"),
        # Signed, she goes by the green channel with 140: it leads to the obstetricians as with 160.
        ({"pregnant": True, "systolic": 140, "diastolic": 80}, "maternal"),
        ({"pregnant": True, "systolic": 150, "symptoms": {"chest-pain"}}, "chest-pain"),
        ({"pregnant": True, "glucose": 7.2}, "maternal"),
        # Who nurses a child of a year is nobody's delivery.
        ({"pregnant": False, "nursing": True, "systolic": 150, "diastolic": 80}, ""),
    ],
)
def test_a_bleeding_mother_goes_to_the_obstetricians(values: dict[str, Any], center: str) -> None:
    assert center_for(judge(UP_CRITERIA, facts(**values))) == center


@pytest.mark.parametrize("disease", ["general", "heart", "stroke", "copd", "diabetes", "surgery"])
def test_only_hypertension_rests_on_the_scheme_of_hypertension(disease: str) -> None:
    assert not any("高血压" in one.source for one in criteria_for(disease))
    assert all("高血压" in one.source for one in criteria_for("hypertension"))


@pytest.mark.parametrize(
    ("parts", "conjunction", "disjunction"),
    [((True, None), None, True), ((False, None), False, None), ((True, True), True, True), ((None,), None, None)],
)
def test_three_valued_logic(parts: tuple[bool | None, ...], conjunction: bool | None, disjunction: bool | None) -> None:
    assert both(*parts) is conjunction
    assert either(*parts) is disjunction


_VALUES = {
    "systolic": st.integers(60, 260),
    "diastolic": st.integers(30, 160),
    "pulse": st.integers(30, 220),
    "spo2": st.integers(60, 100),
    "glucose": st.floats(1, 40),
    "symptoms": st.frozensets(st.sampled_from(sorted(rules.SYMPTOMS))),
    "ecg_critical": st.booleans(),
    "critical": st.booleans(),
    "copd": st.booleans(),
    "age": st.integers(0, 110),
    "pregnant": st.booleans(),
    "age_days": st.integers(0, 40_000),
}


@given(st.fixed_dictionaries({}, optional=_VALUES), st.sampled_from(sorted(_VALUES)))
def test_learning_a_fact_never_reverses_a_judgement(known: dict[str, Any], forgotten: str) -> None:
    """What was met or not met without a fact stays so when the fact becomes known: unknown is not a value."""
    less = up(**{name: value for name, value in known.items() if name != forgotten})
    more = up(**known)
    assert all(more[code] is met for code, met in less.items() if met is not None)


@pytest.mark.parametrize(
    ("code", "text", "disease"),
    [
        ("I21.1", "", "heart"),
        ("", "脑梗死恢复期", "stroke"),
        ("J44.1", "", "copd"),
        ("", "胃炎", "general"),
        # WHO ICD-10: E10–E14 diabetes, I10–I15 hypertensive diseases, I60–I64 with I69 strokes and what they leave.
        ("E12.900", "营养不良相关性糖尿病", "diabetes"),
        ("E13.900", "", "diabetes"),
        ("I12.900", "", "hypertension"),
        ("I13.900", "", "hypertension"),
        ("i15.000", "", "hypertension"),
        ("I62.900", "", "stroke"),
        ("I69.300", "", "stroke"),
        ("I69.400", "偏瘫", "stroke"),
        # A heart that fails from high pressure is followed as a failing heart.
        ("I11.000", "", "heart"),
        ("I13.000", "", "heart"),
        ("I13.200", "", "heart"),
        ("I11.900", "", "hypertension"),
        # The code speaks first: words of the past say nothing of what the patient lies in the ward for.
        ("E11.900", "2型糖尿病，陈旧性心肌梗死", "diabetes"),
        ("K29.500", "慢性胃炎，高血压", "hypertension"),
    ],
)
def test_disease_of(code: str, text: str, disease: str) -> None:
    assert disease_of(code, text) == disease


@pytest.mark.parametrize(
    ("value", "met"), [(4.3, False), (4.4, True), (13.9, True), (13.91, False), (13.95, False), (14.0, False)]
)
def test_glucose_to_go_home_with_ends_where_its_sentence_says(value: float, met: bool) -> None:
    found = {one.code: one for one in judge_home("diabetes", facts(glucose=value))}["glucose-steady"]
    assert "4.4–13.9" in found.criterion.text
    assert found.met is met


@pytest.mark.parametrize(("value", "met"), [(49, False), (50, True), (100, True), (100.5, False), (101, False)])
def test_pulse_to_go_home_with_ends_where_its_sentence_says(value: float, met: bool) -> None:
    found = {one.code: one for one in judge_home("heart", facts(pulse=value, chest_pain_free_days=3))}["heart-quiet"]
    assert "50–100" in found.criterion.text
    assert found.met is met


def test_the_nearest_able_unit_comes_first() -> None:
    needs = needs_of(
        "stroke", [{"code": "amlodipine", "name": "氨氯地平片"}, {"code": "warfarin", "name": "华法林钠片"}]
    )
    assert needs.skills == ("rehab", "inr")
    groups = {"amlodipine": "CCB", "nifedipine": "CCB", "warfarin": "VKA"}
    skills = frozenset({"rehab", "inr"})
    near = Unit(id=1, name="近", near=0, skills=frozenset({"rehab"}), medicines=frozenset({"amlodipine", "warfarin"}))
    other = Unit(id=2, name="替", near=1, skills=skills, medicines=frozenset({"nifedipine", "warfarin"}))
    silent = Unit(id=3, name="未", near=2, skills=skills)
    full = Unit(id=4, name="远", near=3, skills=skills, medicines=frozenset({"amlodipine", "warfarin"}))
    closed = Unit(id=5, name="停", near=0, accepts=False, skills=skills, medicines=full.medicines)
    found = weigh([near, other, silent, full, closed], needs, groups=groups)
    assert [one.unit.id for one in found][:3] == [4, 2, 3]
    assert found[1].substitutes == {"amlodipine": "nifedipine"}
    assert found[2].unknown == ("medicine:amlodipine", "medicine:warfarin")
    assert next(one for one in found if one.unit.id == 1).lacks == ("skill:inr",)
    assert not found[-1].able or not found[-2].able


def test_a_medicine_outside_the_list_is_unknown_at_every_unit_and_not_in_stock_unseen() -> None:
    lines = [{"code": "warfarin", "name": "华法林钠片"}, {"code": "", "name": "沙美特罗替卡松吸入粉雾剂"}]
    needs = needs_of("heart", lines)
    assert needs.unlisted == ("沙美特罗替卡松吸入粉雾剂",)
    unit = Unit(id=1, name="", near=0, skills=frozenset(needs.skills), medicines=frozenset({"warfarin"}))
    [one] = weigh([unit], needs, groups={})
    assert (one.able, one.lacks, one.unknown) == (True, (), ("medicine:沙美特罗替卡松吸入粉雾剂",))
    row = down_queries.as_choice(one)
    [shown] = asking.choices_of(DownProposal(), [row], down_queries.as_needs(needs))
    assert "药品有货 1/2 种" in shown["speaks_for"]
    assert shown["against"] == ["未知：沙美特罗替卡松吸入粉雾剂"]


def test_a_bed_that_is_needed_must_be_free() -> None:
    needs = Needs(bed=True)
    free, none, unknown = (Unit(id=n, name="", near=n, free_beds=beds) for n, beds in ((1, 1), (2, 0), (3, None)))
    assert [one.unit.id for one in weigh([none, unknown, free], needs, groups={})] == [1, 3, 2]


def test_every_disease_has_criteria_follow_ups_and_words() -> None:
    for disease in down_rules.FOLLOW_UPS:
        assert criteria_for(disease)
        assert disease in rules.DISEASES
    names = {name for disease in down_rules.FOLLOW_UPS for one in criteria_for(disease) for name in one.test.names}
    names |= {name for one in UP_CRITERIA for name in one.test.names}
    assert names <= set(rules.NAMES)


def course(*, age: int = 50, **known: Any) -> dict[str, Any]:
    """The facts of a course on DAY of somebody of an age."""
    born = DAY.replace(year=DAY.year - age)
    known["pressures"] = tuple(Pressure(*one) for one in known.get("pressures", ()))
    found = up_facts(Known(**known), birth_date=born, symptoms=None, critical=False, day=DAY)
    return {name: fact.value for name, fact in found.items()}


def ago(days: int) -> date:
    return DAY - timedelta(days=days)


def test_course_counts_the_unbroken_run_above_the_goal() -> None:
    high = ((ago(1), 150.0, 85.0), (ago(1), 152.0, 85.0), (ago(40), 138.0, 92.0), (ago(75), 160.0, 90.0))
    found = course(pressures=high)
    assert (found["times_above_goal"], found["months_above_goal"]) == (3, 2)
    # A good pressure in between ends the run.
    found = course(pressures=(*high[:2], (ago(20), 130.0, 80.0), *high[2:]))
    assert (found["times_above_goal"], found["months_above_goal"]) == (1, 0)
    found = course(pressures=((ago(1), 130.0, 80.0), *high))
    assert (found["times_above_goal"], found["months_above_goal"]) == (0, 0)
    # From 65 on the goal is <150/90 mmHg.
    assert course(age=65, pressures=((ago(1), 149.0, 89.0),))["times_above_goal"] == 0
    assert course(age=64, pressures=((ago(1), 149.0, 89.0),))["times_above_goal"] == 1
    # At home 135/85 stands for 140/90, and two days of one week are one follow-up.
    assert course(pressures=((ago(1), 136.0, 80.0),))["times_above_goal"] == 0
    assert course(pressures=((ago(1), 136.0, 80.0, True),))["times_above_goal"] == 1
    assert course(pressures=((ago(1), 134.0, 84.0, True),))["times_above_goal"] == 0
    assert course(age=70, pressures=((ago(1), 145.0, 80.0, True),))["times_above_goal"] == 1
    assert course(pressures=((ago(1), 150.0, 85.0), (ago(2), 152.0, 85.0)))["times_above_goal"] == 1
    # What was measured long ago says nothing of how the treatment goes.
    assert "times_above_goal" not in course(pressures=((ago(93), 150.0, 85.0), (ago(120), 150.0, 85.0)))


def test_course_counts_months_of_hba1c_and_exacerbations_of_a_year() -> None:
    assert course(hba1cs=((ago(5), 7.0), (ago(100), 8.1)))["hba1c_months"] == 3
    assert course(hba1cs=((ago(5), 6.9), (ago(100), 8.1)))["hba1c_months"] == 0
    assert course(exacerbations=(ago(10), ago(10), ago(200), ago(400)))["exacerbations"] == 2
    # None written down is not none had.
    assert "exacerbations" not in course(exacerbations=(ago(400),))


def test_an_old_sign_sends_nobody_as_an_emergency() -> None:
    measured = {
        "systolic": Fact(value=190, on=ago(1)),
        "glucose": Fact(value=20.0, on=ago(2)),
        "hba1c": Fact(value=8.0, on=ago(92)),
        # What lies ahead was typed with a wrong day.
        "pulse": Fact(value=30, on=ago(-1)),
    }
    found = course(measured=measured)
    assert found["systolic"] == 190
    assert found["hba1c"] == 8.0
    assert not {"glucose", "pulse"} & found.keys()
    assert "hba1c" not in course(measured={"hba1c": Fact(value=8.0, on=ago(93))})


def test_who_is_not_treated_by_chinese_medicine_may_go_home() -> None:
    well = {
        "diagnosis": "高血压", "medicine_lines": 1, "follow_ups": 2, "systolic": 130, "diastolic": 80, "complications_stable": True,
    }  # fmt: skip

    def may(**said: Any) -> bool:
        return may_propose(judge_home("hypertension", facts(**well, **said)))

    assert (may(), may(tcm_plan_fixed=True), may(tcm_plan_fixed=False)) == (True, True, False)
