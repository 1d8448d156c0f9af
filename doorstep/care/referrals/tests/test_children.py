"""A child who is referred: who signs, and how old the paper says the child is."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from doorstep.care.referrals import papers
from doorstep.care.referrals.actions import Consent
from doorstep.care.referrals.actions.sending import missing_of
from doorstep.care.referrals.models import RecoveryPlan, Referral
from doorstep.care.referrals.tests.factories import draft, make_loop
from doorstep.kernel.access.session import acting

pytestmark = pytest.mark.django_db


def test_a_child_does_not_sign_for_itself_unless_it_cannot_wait() -> None:
    loop = make_loop()
    referral, day = draft(loop), timezone.localdate()

    def fault(years: int, relation: str, kind: str = "ordinary") -> bool:
        referral.patient_birth_date, referral.kind = day.replace(year=day.year - years, day=1), kind
        with acting(loop.village):
            found = missing_of(
                referral=referral, consent=Consent(signer="周桂兰", relation=relation), placed=True, actor=loop.village
            )
        return "consent_relation" in found

    assert [fault(15, "self"), fault(16, "self"), fault(5, "parent"), fault(5, "guardian")] == [
        True,
        False,
        False,
        False,
    ]
    # Nobody waits with a green channel for a parent who is on the way.
    assert not fault(5, "self", kind="green")


def test_the_form_asks_for_the_parent_of_a_child() -> None:
    loop = make_loop()
    referral = draft(loop)
    client = Client()
    client.force_login(loop.users["village"])
    address = reverse("referrals:edit", args=[referral.key])
    assert 'value="周桂兰"' in client.get(address).content.decode()
    with acting(loop.village):
        Referral.objects.filter(pk=referral.pk).update(patient_birth_date=timezone.localdate() - timedelta(days=900))
    page = client.get(address).content.decode()
    assert '<option value="parent" selected>' in page


def test_the_paper_of_a_newborn_says_its_days(monkeypatch: pytest.MonkeyPatch) -> None:
    loop = make_loop()
    referral = draft(loop)
    said: dict[str, Any] = {}
    monkeypatch.setattr(papers, "typeset", lambda _template, *, facts, **_more: said.update(facts) or b"%PDF")
    for days, words in ((3, "3 天"), (100, "3 个月"), (366 * 69, "69 岁")):
        referral.patient_birth_date = timezone.localdate(referral.created_at) - timedelta(days=days)
        papers.referral_form(referral, token="")
        assert said["age"] == words


def test_the_paper_keeps_the_strength_of_a_tablet_apart_from_its_dose(monkeypatch: pytest.MonkeyPatch) -> None:
    loop = make_loop()
    referral = draft(loop)
    said: dict[str, Any] = {}
    monkeypatch.setattr(papers, "typeset", lambda _template, *, facts, **_more: said.update(facts) or b"%PDF")
    plan = RecoveryPlan(
        medicines=[
            {"name": "氯吡格雷片 75mg", "dose": "75 mg", "frequency": "qd", "days": "30", "note": "原长期用药"},
            {"name": "胰岛素", "dose": "每餐前 6 单位", "frequency": "tid", "days": "", "note": ""},
            {"name": "硝酸甘油片"},
        ],
        follow_up_days=[7],
        warning_signs=[],
        contact_name="王主任",
        contact_phone="0731-2345678",
    )
    papers.return_form(referral, plan, token="")
    rows = dict(said["rows"])
    assert rows["用药方案"].splitlines() == [
        "氯吡格雷片 75mg，每次 75 mg，每日 1 次，共 30 天（原长期用药）",
        "胰岛素，每餐前 6 单位，每日 3 次",
        "硝酸甘油片",
    ]
