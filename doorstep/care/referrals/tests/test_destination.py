"""To what a referral says that the patient goes: an emergency is never bound for a clinic."""

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import translation

from doorstep.care.referrals import papers, queries
from doorstep.care.referrals.destination import bound_for
from doorstep.care.referrals.models import Referral
from doorstep.care.referrals.tests.factories import make_loop, referral_in

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"kind": "ordinary", "aim": "department"}, "专科门诊"),
        ({"kind": "green", "aim": "department", "green_center": "maternal"}, "危重孕产妇救治中心"),
        ({"kind": "green", "aim": "department"}, "急诊科"),
        ({"kind": "urgent", "aim": "department"}, "急诊科"),
        ({"kind": "green", "aim": "bed", "green_center": "chest-pain"}, "胸痛中心 · 住院床位"),
        ({"kind": "ordinary", "aim": "care-home"}, "养老与照护机构"),
    ],
)
def test_an_emergency_goes_to_the_emergency_department_or_its_centre(columns: dict[str, Any], words: str) -> None:
    assert bound_for(Referral(**columns)) == words


def test_department_and_expert_are_named() -> None:
    loop = make_loop()
    referral = Referral(kind="ordinary", aim="expert", department=loop.department, expert=loop.schedule.practitioner)
    assert bound_for(referral) == "指定专家 · 心血管内科 · 王主任"


def test_the_page_and_the_paper_of_a_green_referral_name_the_centre(monkeypatch: pytest.MonkeyPatch) -> None:
    loop = make_loop()
    referral = referral_in(loop, "accepted")
    client = Client()
    client.force_login(loop.users["office"])
    page = client.get(reverse("referrals:detail", args=[referral.key])).content.decode()
    assert "胸痛中心 · 住院床位" in page
    assert "专科门诊" not in page
    said: dict[str, Any] = {}
    monkeypatch.setattr(papers, "typeset", lambda _template, *, facts, **_more: said.update(facts) or b"%PDF")
    papers.referral_form(referral, token="t")
    assert ["转入科室", "胸痛中心 · 住院床位"] in said["rows"]


def test_a_paper_printed_from_an_english_page_has_english_beside_every_label(monkeypatch: pytest.MonkeyPatch) -> None:
    loop = make_loop()
    referral = referral_in(loop, "handed_back")
    said: dict[str, Any] = {}
    monkeypatch.setattr(papers, "typeset", lambda _template, *, facts, **_more: said.update(facts) or b"%PDF")
    plan = queries.plan_of(referral=referral)
    assert plan is not None
    with translation.override("en"):
        papers.return_form(referral, plan, token="t")
        labels = [row[0] for row in (*said["rows"], *said["stub"], *said["foot"])]
        assert "警示症状 Warning signs" in labels
        papers.referral_form(referral, token="t")
        labels += [row[0] for row in (*said["rows"], *said["stub"], *said["foot"])]
    assert all(re.search("[A-Za-z]{4}", label) for label in labels), labels
    assert (said["title"], said["title_en"]) == ("双向转诊（转出）单", "Two-way referral form: going out")
    # What goes with the patient stays Chinese: whoever takes the patient in reads it.
    assert ["转入科室 To department", "胸痛中心 · 住院床位"] in said["rows"]
    papers.referral_form(referral, token="t")
    assert said["title_en"] == ""
    assert ["转入科室", "胸痛中心 · 住院床位"] in said["rows"]
