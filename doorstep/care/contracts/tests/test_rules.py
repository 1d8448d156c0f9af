"""Terms and benefits, without a database."""

from dataclasses import replace
from datetime import date

import pytest

from doorstep.care.contracts.rules import RULES, Facts, decide_benefits, end_of, window_of
from doorstep.people.residents.insurance import RURAL_URBAN, SELF_PAY

FACTS = Facts(
    day=date(2026, 3, 2),
    age=63,
    signed=True,
    critical=True,
    contract_ends_on=date(2026, 12, 31),
    team_name="石桥团队",
    insurance="resident",
)


@pytest.mark.parametrize(
    ("start", "years", "end"),
    [
        (date(2026, 3, 2), 1, date(2027, 3, 1)),
        (date(2026, 1, 1), 3, date(2028, 12, 31)),
        (date(2028, 2, 29), 1, date(2029, 2, 28)),
    ],
)
def test_end_of_is_the_day_before_the_anniversary(start: date, years: int, end: date) -> None:
    assert end_of(start, years) == end


@pytest.mark.parametrize(("left", "window"), [(61, None), (60, 60), (31, 60), (30, 30), (7, 7), (0, 7)])
def test_window_of(left: int, window: int | None) -> None:
    assert window_of(left) == window


def test_decide_benefits_grants_treat_first_with_reason_and_inputs() -> None:
    decision = decide_benefits(FACTS)[-1]
    assert decision.granted
    assert decision.zh == "先诊疗后付费、免挂号费、免起付线"
    assert (
        decision.reason_zh
        == "已签约石桥团队，有效期至 2026-12-31；63 岁，已满 60 周岁；本次为危急情况；医保：城乡居民医保"
    )
    assert dict(decision.inputs) == {
        "day": "2026-03-02", "age": "63", "signed": "true", "critical": "true", "insurance": "resident",
    }  # fmt: skip
    assert decision.verified is False


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        (replace(FACTS, age=59), "59 岁，未满 60 周岁"),
        (replace(FACTS, critical=False), "本次不属于危急情况"),
        (replace(FACTS, signed=False), "未签约或签约已到期"),
        (replace(FACTS, signed=False, age=30), "未签约或签约已到期；30 岁，未满 60 周岁"),
    ],
)
def test_decide_benefits_refuses_with_what_is_missing(facts: Facts, reason: str) -> None:
    decision = decide_benefits(facts)[-1]
    assert not decision.granted
    assert decision.reason_zh == reason


@pytest.mark.parametrize(
    ("kind", "said"), [("", "医保未登记，免起付线前请核实参保"), ("self-pay", "登记为自费，没有起付线可免")]
)
def test_decide_benefits_says_what_insurance_was_known_and_decides_the_same(kind: str, said: str) -> None:
    *others, decision = decide_benefits(replace(FACTS, insurance=kind))
    assert decision.granted
    assert decision.reason_zh.endswith(said)
    # Only a text that waives a deductible looks at the insurance.
    assert all("insurance" not in dict(one.inputs) for one in others)


def test_decide_benefits_uses_only_rules_in_force_in_the_region() -> None:
    ended = replace(RULES[0], valid_to=date(2025, 12, 31))
    elsewhere = replace(RULES[0], region="2301")
    assert decide_benefits(FACTS, (ended, elsewhere)) == ()
    assert len(decide_benefits(replace(FACTS, region="230102"), (elsewhere,))) == 1


@pytest.mark.parametrize(
    ("direction", "insurance", "granted"),
    [("up", RURAL_URBAN, True), ("down", "", True), ("down", SELF_PAY, False)],
)
def test_deductible_of_a_way_asks_for_a_fund_and_no_contract(direction: str, insurance: str, granted: bool) -> None:
    facts = Facts(day=date(2026, 3, 2), age=40, signed=False, critical=False, direction=direction, insurance=insurance)
    code = "deductible-difference" if direction == "up" else "deductible-waived"
    found = {one.code: one for one in decide_benefits(facts)}
    assert found[code].granted is granted
    assert dict(found[code].inputs)["direction"] == direction
    assert len([one for one in found if one.startswith("deductible")]) == 1
    # Where no referral is asked about there is no way to decide on.
    assert not [one.code for one in decide_benefits(replace(facts, direction="")) if one.code.startswith("deductible")]
