"""Symptoms named by a complaint, and a draft that begins with it."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from doorstep.care.referrals import rules
from doorstep.care.referrals.actions.drafting import _prefilled
from doorstep.care.referrals.criteria import Fact
from doorstep.care.referrals.record_facts import Known, up_facts
from doorstep.care.referrals.tests.factories import draft, make_loop
from doorstep.coordination.visits import actions as visits
from doorstep.coordination.visits.complaints import symptoms_in
from doorstep.kernel.access.session import acting


@pytest.mark.parametrize(
    ("complaint", "symptoms"),
    [
        ("胸闷 2 小时，伴出汗", ["chest-pain", "sweating"]),
        ("无明显诱因出现胸痛1小时", ["chest-pain"]),
        ("突发右侧肢体无力、说话不清", ["neurological"]),
        ("头晕3天，无胸闷、气促，否认心慌", []),
        ("胸痛未缓解，不伴大汗；没有晕厥", ["chest-pain"]),
        ("活动后气短，夜间不能平卧", ["dyspnoea"]),
        ("口眼歪斜、左侧肢体麻木半小时", ["neurological"]),
        ("孕 36 周，胎动减少 1 天", ["reduced-movement"]),
        ("车祸伤 1 小时", ["severe-injury"]),
        ("复诊取药", []),
        ("", []),
    ],
)
def test_symptoms_in_takes_what_is_affirmed(complaint: str, symptoms: list[str]) -> None:
    assert symptoms_in(complaint) == symptoms
    assert set(symptoms) <= set(rules.SYMPTOMS)


def test_symptoms_that_nobody_asked_for_stay_unknown() -> None:
    facts = up_facts(
        Known(),
        birth_date=datetime(1960, 1, 1, tzinfo=UTC).date(),
        symptoms=None,
        critical=False,
        day=datetime.now(UTC).date(),
    )
    assert "symptoms" not in facts


@pytest.mark.django_db
def test_draft_begins_with_the_complaint_of_today_and_its_symptoms() -> None:
    loop = make_loop()
    with acting(loop.village):
        visits.open_visit(resident_id=loop.resident.id, actor=loop.village, complaint="胸闷 2 小时，伴出汗。")
    referral = draft(loop)
    assert referral.present_illness.startswith("胸闷 2 小时，伴出汗。")
    assert "。。" not in referral.present_illness
    assert referral.symptoms == ["chest-pain", "sweating"]


def test_measurements_of_another_day_say_their_day() -> None:
    today = timezone.localdate()
    before = today - timedelta(days=40)
    facts = {
        "systolic": Fact(value=127, on=before),
        "diastolic": Fact(value=66, on=before),
        "pulse": Fact(value=64, on=today),
    }
    said = _prefilled(Known(measured=facts), "")["present_illness"]
    assert said == f"血压 127/66 mmHg（{before:%Y-%m-%d}），脉搏 64 次/分。"


@pytest.mark.parametrize(
    ("complaint", "impression"),
    [
        ("胸痛 1 小时，出汗", ("", "")),
        ("复查血压", ("慢性肾脏病", "N18.9")),
        ("无胸痛，来取药", ("慢性肾脏病", "N18.9")),
    ],
)
def test_an_old_problem_is_no_impression_of_what_cannot_wait(complaint: str, impression: tuple[str, str]) -> None:
    known = Known(complaint=complaint, active=(("N18.9", "慢性肾脏病"),), conditions=(("N18.9", "慢性肾脏病"),))
    said = _prefilled(known, "")
    assert (said["impression"], said["impression_code"]) == impression
    # As history it goes along in any case.
    assert said["history"] == "慢性肾脏病"
