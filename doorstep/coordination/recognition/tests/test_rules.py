"""Windows of recognition: at their edges, and nothing outside them."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from doorstep.coordination.recognition import cards, rules
from doorstep.coordination.recognition.queries import Standing, wanted_of

DAY = date(2026, 5, 20)


@pytest.mark.parametrize(
    ("code", "title", "age", "final", "expected"),
    [
        ("11524-6", "", 0, True, True),
        ("34534-8", "", 7, True, True),
        ("", "十二导联心电图", 8, True, False),
        ("", "胸部CT平扫", 30, True, True),
        ("", "胸部CT平扫", 31, True, False),
        ("", "血常规", 7, False, False),
        ("", "血常规", -1, True, False),
        ("99999-9", "胃镜", 0, True, None),
    ],
)
def test_is_recognised_by_kind_age_and_state(
    code: str, title: str, age: int, final: bool, expected: bool | None
) -> None:
    on = DAY - timedelta(days=age)
    assert rules.is_recognised(code=code, title=title, final=final, on=on, day=DAY) is expected


@pytest.mark.parametrize(
    "draft", [None, 3, [], {}, {"resourceType": "Patient"}, {"resourceType": "ServiceRequest", "code": []}]
)
def test_wanted_of_what_orders_nothing(draft: object) -> None:
    assert wanted_of(draft) is None


def test_wanted_of_prefers_loinc() -> None:
    codings = [{"system": "urn:own", "code": "X1"}, "broken", {"system": "http://loinc.org", "code": "34534-8"}]
    found = wanted_of({"resourceType": "ServiceRequest", "code": {"coding": codings, "text": "心电图"}})
    assert found is not None
    assert (found.code, found.title) == ("34534-8", "心电图")


def test_card_of_a_sound_result_and_of_a_dangerous_one() -> None:
    sound = Standing(
        fhir_id="r1", title="心电图报告", unit="县医院", conclusion="窦性心律", critical=False, on=DAY, age=2, days=7
    )
    card = cards.card_of(sound, "11111111-0000-4000-8000-000000000001")
    assert (card.indicator, "不必重复检查" in card.summary) == ("warning", True)
    dangerous = cards.card_of(replace(sound, critical=True), "11111111-0000-4000-8000-000000000001")
    assert (dangerous.indicator, "不必重复检查" in dangerous.summary) == ("critical", False)
