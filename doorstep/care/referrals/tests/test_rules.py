"""Criteria up and down: met, not met and unknown with the values used."""

import pytest

from doorstep.care.referrals.rules import DOWN_CRITERIA, UP_CRITERIA, DownFacts, UpFacts, both, either, judge, kind_for


def met(facts: UpFacts | DownFacts) -> dict[str, bool | None]:
    criteria = UP_CRITERIA if isinstance(facts, UpFacts) else DOWN_CRITERIA
    return {one.code: one.met for one in judge(criteria, facts)}


def test_nothing_known_is_unknown_everywhere() -> None:
    assert set(met(UpFacts()).values()) == {None}


@pytest.mark.parametrize(
    ("code", "facts", "expected"),
    [
        ("acs", UpFacts(ecg_critical=True), True),
        ("acs", UpFacts(ecg_critical=False, symptoms=frozenset({"chest-pain"})), True),
        ("acs", UpFacts(ecg_critical=False, symptoms=frozenset()), False),
        ("acs", UpFacts(ecg_critical=False), None),
        ("crisis", UpFacts(systolic=182, diastolic=100, symptoms=frozenset({"neurological"})), True),
        ("crisis", UpFacts(systolic=179, diastolic=109, symptoms=frozenset({"neurological"})), False),
        ("crisis", UpFacts(systolic=150, diastolic=110, symptoms=frozenset({"headache-vomiting"})), True),
        ("crisis", UpFacts(symptoms=frozenset()), False),
        ("heart-failure", UpFacts(systolic=140, symptoms=frozenset({"dyspnoea"})), True),
        ("heart-failure", UpFacts(systolic=139, symptoms=frozenset({"dyspnoea"})), False),
        ("young", UpFacts(hypertension=True, age=29), True),
        ("young", UpFacts(hypertension=True, age=30), False),
        ("not-at-goal", UpFacts(hypertension=True, months_above_goal=2), True),
    ],
)
def test_up_criteria(code: str, facts: UpFacts, expected: bool | None) -> None:
    assert met(facts)[code] is expected


def test_down_criteria_need_a_stable_pressure_and_the_doctors_word() -> None:
    good = DownFacts(
        diagnosis="x", medicine_lines=1, follow_ups=3, systolic=128, diastolic=78, complications_stable=True
    )
    assert set(met(good).values()) == {True}
    assert met(DownFacts(diagnosis="x", medicine_lines=1, follow_ups=3))["stable"] is None
    assert met(DownFacts(systolic=165, diastolic=90))["stable"] is False
    assert met(DownFacts(systolic=88, diastolic=60))["stable"] is False


def test_values_and_sources_are_shown() -> None:
    first = judge(UP_CRITERIA, UpFacts(systolic=190, diastolic=112, symptoms=frozenset({"headache-vomiting"})))[0]
    assert first.met is True
    assert first.values == "血压 190/112 mmHg；症状：剧烈头痛、呕吐"
    assert first.source


def test_kind_is_green_only_for_the_signed() -> None:
    urgent = judge(UP_CRITERIA, UpFacts(ecg_critical=True))
    assert kind_for(urgent, signed=True) == "green"
    assert kind_for(urgent, signed=False) == "urgent"
    assert kind_for(judge(UP_CRITERIA, UpFacts()), signed=True) == "ordinary"


@pytest.mark.parametrize(
    ("parts", "conjunction", "disjunction"),
    [((True, None), None, True), ((False, None), False, None), ((True, True), True, True), ((None,), None, None)],
)
def test_three_valued_logic(parts: tuple[bool | None, ...], conjunction: bool | None, disjunction: bool | None) -> None:
    assert both(*parts) is conjunction
    assert either(*parts) is disjunction
