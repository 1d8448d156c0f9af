"""The long-term medicines of the record on the way home: read, coded, offered, taken over once, and drafted into the proposal."""

from datetime import date
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from doorstep.care.referrals.long_term import LongTerm, long_term_of, standing, with_codes, with_long_term
from doorstep.care.referrals.tests.factories import make_loop, referral_in
from doorstep.care.referrals.tests.test_going_home import can, lie_in, propose, stable

DAY = date(2026, 11, 2)
KNOWN = {
    "amlodipine-5": "苯磺酸氨氯地平片 5 mg",
    "atorvastatin-20": "阿托伐他汀钙片 20 mg",
    "rosuvastatin-10": "瑞舒伐他汀钙片 10 mg",
}
GROUPS = {"amlodipine-5": "ccb", "atorvastatin-20": "statin", "rosuvastatin-10": "statin"}


def statement(name: str, dosage: str = "", *, status: str = "active", **more: Any) -> tuple[dict[str, Any], date]:
    said = {
        "resourceType": "MedicationStatement",
        "status": status,
        "medicationCodeableConcept": {"text": name},
        **more,
    }
    return said | ({"dosage": [{"text": dosage}]} if dosage else {}), DAY


@pytest.mark.parametrize(
    ("dosage", "dose", "frequency"),
    [
        ("每次 5mg，每日 1 次", "5 mg", "qd"),
        ("0.5g 每日 3 次", "0.5 g", "tid"),
        ("10 IU，早晚各 1 次", "10 IU", "bid"),
        ("20 mg 睡前", "20 mg", "qn"),
        ("必要时 1 片", "1 片", "prn"),
        ("遵医嘱", "", ""),
        ("", "", ""),
    ],
)
def test_dosage_is_read_only_where_the_words_say_it(dosage: str, dose: str, frequency: str) -> None:
    one = LongTerm(name="某药", dosage=dosage)
    assert (one.dose, one.frequency) == (dose, frequency)
    assert dosage in one.line()["note"]


def test_what_is_stopped_or_short_is_no_long_term_medicine() -> None:
    course: dict[str, Any] = {"courseOfTherapyType": {"coding": [{"code": "continuous"}]}}
    found = long_term_of(
        [
            statement("氨氯地平片 5 mg", "每日 1 次"),
            statement("氨氯地平片", "每次 5mg"),
            statement("华法林", status="completed"),
            statement("头孢克肟", resourceType="MedicationRequest"),
            statement("甲状腺素片", resourceType="MedicationRequest", **course),
        ]
    )
    assert [one.name for one in found] == ["氨氯地平片 5 mg", "甲状腺素片"]


def test_codes_and_groups_decide_what_is_left_open() -> None:
    coded = with_codes(
        [
            LongTerm(name="氨氯地平片", dosage="每次 5mg，每日 1 次"),
            LongTerm(name="阿托伐他汀钙片 20 mg"),
            LongTerm(name="草药"),
        ],
        known=KNOWN,
    )
    assert [one.code for one in coded] == ["amlodipine-5", "atorvastatin-20", ""]
    lines = [{"code": "rosuvastatin-10", "name": "瑞舒伐他汀钙片 10 mg"}, {"code": "", "name": "苯磺酸氨氯地平片"}]
    assert [standing(one, lines, groups=GROUPS)[0] for one in coded] == ["there", "group", "open"]
    # The choice between two statins is the doctor's; the herb goes on, once.
    assert [line["name"] for line in with_long_term(lines, coded, groups=GROUPS)][2:] == ["草药"]


@pytest.mark.django_db
def test_discharge_page_offers_them_and_a_click_brings_the_row() -> None:
    loop = make_loop()
    referral = referral_in(loop, "admitted")
    client = Client()
    client.force_login(loop.users["specialist"])
    page = client.get(reverse("referrals:discharge", args=[referral.key])).content.decode()
    offered = page.partition("健康档案中的长期用药")[2]
    assert "氨氯地平片 5 mg" in offered
    assert "未列入" in offered
    address = offered.partition('hx-get="')[2].partition('"')[0].replace("&amp;", "&")
    row = client.get(address).content.decode()
    assert 'name="medicine_name" value="氨氯地平片 5 mg"' in row
    assert 'value="原长期用药：每日 1 次"' in row
    assert '<option value="qd" selected>' in row
    sent = {"medicine_code": "", "medicine_name": "氨氯地平片 5 mg", "medicine_dose": "", "medicine_frequency": "qd", "medicine_days": "30"}  # fmt: skip
    again = client.post(reverse("referrals:discharge", args=[referral.key]), sent).content.decode()
    assert "已在方案中" in again


@pytest.mark.django_db
def test_proposal_drafts_them_and_weighs_units_by_them(monkeypatch: pytest.MonkeyPatch) -> None:
    loop = make_loop()
    stable(monkeypatch)
    lie_in(loop)
    can(loop, loop.world.township, "rehab")
    proposal = propose(loop)
    assert proposal is not None
    lines = proposal.plan["medicines"]
    assert [line["name"] for line in lines] == ["阿司匹林肠溶片 100 mg", "氨氯地平片 5 mg"]
    assert lines[1]["note"] == "原长期用药：每日 1 次"
    client = Client()
    client.force_login(loop.users["specialist"])
    assert "原长期用药" in client.get(reverse("referrals:proposal", args=[proposal.key])).content.decode()


def test_who_stopped_it_last_is_right() -> None:
    """A ward stopped warfarin; the older note of the township still calls it taken."""
    stopped = statement("华法林钠片 3 mg", status="stopped")
    taken = statement("华法林钠片 2.5 mg", "每日 1 次")
    other = statement("氨氯地平片 5 mg", "每日 1 次")
    assert [one.name for one in long_term_of([stopped, taken, other])] == ["氨氯地平片 5 mg"]
    # Begun again after it was stopped.
    assert [one.name for one in long_term_of([taken, stopped])] == ["华法林钠片 2.5 mg"]
