"""What a person who walked the loop stumbled over: names of lists, the hour of arrival, the signature, faults told in pieces."""

import base64
import re
from datetime import timedelta
from io import BytesIO

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from PIL import Image

from doorstep.care.referrals import actions, papers, queries
from doorstep.care.referrals.presenters import choices
from doorstep.care.referrals.tests.factories import CONSENT, Loop, draft, make_loop, make_slot, referral_in
from doorstep.kernel.access.actor import Purpose, system_actor
from doorstep.kernel.access.session import acting
from doorstep.people.organizations.models import Department

pytestmark = pytest.mark.django_db
TITLE = re.compile(r'<h1 class="ds-title">([^<]*?)\s*</h1>')
MARKED = re.compile(r'title="([^"]+)" aria-current="page"')


def page_of(loop: Loop, who: str, address: str) -> str:
    client = Client()
    client.force_login(loop.users[who])
    answer = client.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


def test_a_list_is_called_as_the_menu_calls_it() -> None:
    loop = make_loop()
    referral = referral_in(loop, "submitted_green")
    seen = [
        *[(who, reverse("referrals:detail", args=[referral.key])) for who in ("village", "office", "family")],
        *[(who, reverse("referrals:list")) for who in ("village", "family", "specialist")],
    ]
    expected = ["转出", "转诊受理", "转出", "转出", "转出", "转出"]
    for (who, address), title in zip(seen, expected, strict=True):
        text = page_of(loop, who, address)
        assert TITLE.findall(text)[0] == title, (who, address)
        assert MARKED.findall(text) == [title], (who, address)


def test_a_case_that_comes_home_stands_on_the_list_of_what_comes_home() -> None:
    loop = make_loop()
    referral = referral_in(loop, "handed_back")
    for who, title in (("family", "下转承接"), ("specialist", "接诊与住院"), ("village", "转出")):
        text = page_of(loop, who, reverse("referrals:detail", args=[referral.key]))
        assert TITLE.findall(text)[0] == title
        # The plan, which is needed now, stands before what was sent weeks ago; its medicines are in words.
        assert text.index("出院小结与康复计划") < text.index("转诊医师")
        assert "每日 1 次" in text
        assert ">qd<" not in text


def test_the_code_of_the_way_home_opens_the_case_where_the_patient_comes_home() -> None:
    loop = make_loop()
    referral = referral_in(loop, "handed_back")
    token = queries.way_home_token(referral=referral)
    # It stands on the paper, and says nothing of the patient.
    with acting(loop.specialist):
        plan = queries.plan_of(referral=referral)
        assert plan is not None
        assert papers.return_form(referral, plan, token=token) != papers.return_form(referral, plan, token="")
    assert referral.patient_name not in token
    address = reverse("referrals:check-in")
    for who, code, status in (
        ("family", token, 302),
        ("family", token + "x", 422),
        # The hospital that sent the patient home checks nobody in with it; the code of the way up does not open it.
        ("office", token, 422),
        ("family", queries.qr_token(referral=referral), 422),
    ):
        client = Client()
        client.force_login(loop.users[who])
        answer = client.post(address, {"code": code})
        assert answer.status_code == status, (who, code)
        if status == 302:
            assert answer.headers["Location"] == reverse("referrals:detail", args=[referral.key])


def test_green_is_expected_now_whatever_the_place_says() -> None:
    loop = make_loop()
    slot = make_slot(loop, starts_at=timezone.now() + timedelta(days=1))
    referral = draft(loop)
    with acting(loop.village):
        actions.revise(referral=referral, actor=loop.village, values={"kind": "green"})
        actions.hold_slot(referral=referral, slot_key=slot.key, actor=loop.village)
        actions.submit(referral=referral, consent=CONSENT, actor=loop.village)
    with acting(loop.office):
        accepted = actions.accept(referral=queries.get(key=referral.key, actor=loop.office), actor=loop.office)
    assert accepted.booking_id is not None
    assert accepted.expected_at is not None
    assert accepted.expected_at <= timezone.now() + timedelta(hours=2)


def test_the_departments_that_fit_come_first() -> None:
    loop = make_loop()
    with acting(system_actor(Purpose.IMPORT)):
        Department.objects.create(organization_id=loop.world.lead, code="0101", name="院办公室")
        Department.objects.create(organization_id=loop.world.lead, code="0.骨", name="骨科")
    referral = draft(loop)
    with acting(loop.village):
        assert [name for _id, name in choices.departments_of(referral)] == ["心血管内科", "骨科"]
    text = page_of(loop, "village", reverse("referrals:edit", args=[referral.key]))
    assert "fits=%E5%BF%83%E5%86%85" in text


def test_a_drawn_signature_is_on_the_page_and_on_the_paper() -> None:
    loop = make_loop()
    referral = referral_in(loop, "accepted")
    picture = BytesIO()
    Image.new("RGB", (60, 18), "black").save(picture, "PNG")
    kept = "data:image/png;base64,"
    plain = papers.referral_form(referral, token="t")
    for broken in ("", "javascript:alert(1)", kept + "!!", kept + "aGVsbG8="):
        referral.consent_signature = broken
        assert papers.referral_form(referral, token="t") == plain
    referral.consent_signature = kept + _base64(picture.getvalue())
    signed = papers.referral_form(referral, token="t")
    assert signed.startswith(b"%PDF")
    assert len(signed) > len(plain)
    with acting(loop.office):
        type(referral).objects.filter(pk=referral.pk).update(consent_signature=referral.consent_signature)
    assert f'src="{referral.consent_signature}"' in page_of(
        loop, "office", reverse("referrals:detail", args=[referral.key])
    )


def test_faults_of_a_follow_up_and_of_a_plan_are_told_at_once() -> None:
    loop = make_loop()
    home = referral_in(loop, "received_back")
    client = Client()
    client.force_login(loop.users["family"])
    with acting(loop.family):
        first = queries.follow_ups_of(referral=home)[0]
    address = reverse("referrals:follow-up", args=[first.key])
    answer = client.post(address, {"way": "clinic", "systolic": "13", "diastolic": "820", "pulse": "x"})
    text = answer.content.decode()
    assert answer.status_code == 422
    for sentence in ("有 4 处需要更正", "收缩压应在", "请选择服药情况"):
        assert sentence in text


def test_faults_of_a_discharge_are_told_at_once() -> None:
    loop = make_loop()
    ward = referral_in(loop, "admitted")
    client = Client()
    client.force_login(loop.users["specialist"])
    posted = {
        "owed": "-3",
        "contact_phone": "1",
        "target_systolic": "900",
        "medicine_name": "阿司匹林",
        "medicine_days": "-5",
    }
    answer = client.post(reverse("referrals:discharge", args=[ward.key]), posted)
    text = answer.content.decode()
    assert answer.status_code == 422
    for sentence in (
        "请填写出院诊断",
        "欠款金额应大于 0",
        "请填写可以打通的联系电话",
        "不能大于 180",
        "第 1 行药品的天数",
    ):
        assert sentence in text
    with acting(loop.specialist):
        assert queries.get(key=ward.key, actor=loop.specialist).state == "admitted"


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()


def test_a_chosen_place_that_is_gone_is_no_fault_of_the_bed() -> None:
    loop = make_loop()
    referral, full = draft(loop), make_slot(loop, places=0)
    client = Client()
    client.force_login(loop.users["village"])
    address = reverse("referrals:edit", args=[referral.key])
    said = {"impression": "胸痛待查", "present_illness": "胸痛 2 小时", "kind": "green", "target_id": loop.world.lead}
    reviewer = {"reviewer_id": referral.reviewer_id or "", "consent_relation": "self"}
    answer = client.post(address, {**said, **reviewer, "slot": str(full.key), "verb": "hold"})
    assert answer.status_code == 422
    assert "id_bed_requested-err" not in answer.content.decode()


def test_nothing_is_returned_for_a_reason_that_nobody_chose() -> None:
    """其他 stood there already, and was what the boards counted."""
    loop = make_loop()
    referral = referral_in(loop, "submitted_green")
    client = Client()
    client.force_login(loop.users["office"])
    address = reverse("referrals:act", args=[referral.key, "return"])
    refused = client.post(address, {"reason": "请补血常规", "code": ""})
    assert refused.status_code == 422
    assert "请补血常规" in refused.content.decode()
    assert client.post(address, {"reason": "请补血常规", "code": "missing-exam"}).status_code == 302
    with acting(loop.village):
        assert queries.get(key=referral.key, actor=loop.village).return_code == "missing-exam"


def test_who_waits_for_a_bed_is_offered_one_before_a_clinics_place(client: Client) -> None:
    loop = make_loop()
    make_slot(loop)
    with acting(loop.village):
        sent = draft(loop)
        actions.revise(
            referral=sent, actor=loop.village, values={"kind": "ordinary", "bed_requested": True, "aim": "bed"}
        )
        actions.submit(referral=sent, consent=CONSENT, actor=loop.village)
    client.force_login(loop.users["office"])
    page = client.get(reverse("referrals:detail", args=[sent.key])).content.decode()
    first = page[page.index('class="ds-head-actions"') :].split("</button>")[0]
    assert "btn-primary" in first
    assert "安排号源或床位" in first
    dialog = client.get(reverse("referrals:dialog", args=[sent.key, "offer"])).content.decode()
    # The clinic's places stay folded, so that the button is in sight.
    assert dialog.index('name="bed"') < dialog.index("<details><summary>或选择本院号源")
