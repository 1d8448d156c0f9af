"""The pages over HTTP: the loop as people click it, wrong input, strangers, and the number of queries."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from doorstep.care.referrals import queries
from doorstep.care.referrals.models import Referral
from doorstep.care.referrals.tests.factories import NUMBER, REPORT, Loop, make_loop, make_slot, referral_in
from doorstep.kernel.access.actor import Purpose, system_actor
from doorstep.kernel.access.session import acting

pytestmark = pytest.mark.django_db
QUERIES_OF_A_PAGE = 12


def client_of(loop: Loop, key: str) -> Client:
    client = Client()
    client.force_login(loop.users[key])
    return client


def post(client: Client, name: str, *arguments: Any, **data: Any) -> Any:
    return client.post(reverse(name, args=arguments), data)


def state_of(referral: Referral) -> str:
    with acting(system_actor(Purpose.HANDLER)):
        return Referral.objects.get(pk=referral.pk).state


def test_loop_over_http() -> None:
    loop = make_loop()
    referral = _submitted(loop)
    _treated_and_handed_back(loop, referral)
    family, village = client_of(loop, "family"), client_of(loop, "village")
    with acting(loop.family):
        rows = queries.follow_ups_of(referral=referral)
    assert family.get(reverse("referrals:follow-ups")).content.decode().count("周桂兰") >= 3
    found = {"way": "clinic", "systolic": "128", "diastolic": "78", "adherence": "good"}
    assert post(family, "referrals:follow-up", rows[0].key, **{**found, "systolic": "900"}).status_code == 422
    for row in rows:
        assert post(family, "referrals:follow-up", row.key, **found).status_code == 302
    assert state_of(referral) == "closed"
    assert "随访 3 次" in village.get(reverse("referrals:outcomes")).content.decode()


def _submitted(loop: Loop) -> Referral:
    """From the report to the submitted form, past a form that lacks something."""
    slot = make_slot(loop)
    village = client_of(loop, "village")
    answer = post(
        village,
        "referrals:new",
        loop.resident.key,
        origin_reference=f"DiagnosticReport/{REPORT}",
        origin_subject="ecg-order/1",
    )
    assert answer.status_code == 302
    with acting(loop.village):
        referral = Referral.objects.get()
    page = village.get(answer["Location"]).content.decode()
    assert "急性下壁心肌梗死" in page
    assert "先诊疗后付费" in page
    form = {
        "kind": "green", "critical": "on", "target_id": loop.world.lead, "reviewer_id": loop.village.practitioner_id,
        "impression": "急性下壁心肌梗死", "present_illness": "胸痛 2 小时", "symptoms": ["chest-pain"],
        "consent_signer": "周桂兰", "consent_relation": "self", "verb": "submit",
    }  # fmt: skip
    # Everything at once: what is wrong in a field, the place, the consent.
    bare = post(
        village,
        "referrals:edit",
        referral.key,
        **{**form, "kind": "ordinary", "present_illness": "", "consent_signer": ""},
    )
    assert [word in bare.content.decode() for word in ("有 3 处", "中选一个号", "知情同意签署人。")] == [True] * 3
    assert post(village, "referrals:hold", referral.key, slot=slot.key).status_code == 302
    other = make_slot(loop, starts_at=timezone.now() + timedelta(hours=3))
    chosen = post(
        village, "referrals:edit", referral.key, **{**form, "verb": "", "history": "新写的病史", "slot": other.key}
    )
    assert chosen.status_code == 302
    again = village.get(reverse("referrals:edit", args=[referral.key])).content.decode()
    assert "新写的病史" in again
    assert "built-in" not in again
    paper = SimpleUploadedFile("同意书.txt", b"no picture", content_type="text/plain")
    faulty = {**form, "present_illness": "", "consent_signer": "", "consent_paper": paper}
    wrong = post(village, "referrals:edit", referral.key, **faulty)
    assert wrong.status_code == 422
    assert "有 3 处" in wrong.content.decode()
    assert "请上传照片（JPG、PNG）或 PDF" in wrong.content.decode()
    assert "请填写知情同意签署人" in wrong.content.decode()
    assert state_of(referral) == "draft"
    assert post(village, "referrals:edit", referral.key, **form).status_code == 302
    assert state_of(referral) == "submitted_green"
    return referral


def _treated_and_handed_back(loop: Loop, referral: Referral) -> None:
    """Accepted, checked in, admitted, discharged with a plan, handed back and taken over."""
    office, ward, family = (client_of(loop, key) for key in ("office", "specialist", "family"))
    assert "绿色通道" in office.get(reverse("referrals:office")).content.decode()
    unread = office.post(reverse("referrals:check-in"), {"code": "abc"})
    assert "请重新扫描转诊单上的二维码，或输入居民身份证号" in unread.content.decode()
    assert ward.get(reverse("referrals:admit", args=[referral.key])).status_code == 302
    assert post(office, "referrals:act", referral.key, "accept").status_code == 302
    assert "报到二维码" in office.get(reverse("referrals:detail", args=[referral.key])).content.decode()
    assert office.get(reverse("referrals:referral-pdf", args=[referral.key])).content.startswith(b"%PDF")
    assert post(office, "referrals:check-in", code=NUMBER).status_code == 302
    assert post(ward, "referrals:admit", referral.key, ward="").status_code == 422
    assert post(ward, "referrals:admit", referral.key, ward="心内一病区", bed="12").status_code == 302
    assert ward.get(reverse("referrals:discharge", args=[referral.key])).status_code == 200
    summary = {
        "diagnosis": "急性下壁心肌梗死", "summary": "急诊介入。", "outcome": "好转", "follow_up_days": ["3", "7", "30"],
        "contact_name": "王主任", "contact_phone": "0731-2345678",
        "medicine_name": ["阿司匹林", ""], "medicine_dose": ["100 mg", ""], "medicine_frequency": ["qd", "qd"],
        "medicine_days": ["30", ""], "medicine_note": ["", ""],
    }  # fmt: skip
    assert post(ward, "referrals:discharge", referral.key, **{**summary, "contact_phone": "x"}).status_code == 422
    assert post(ward, "referrals:discharge", referral.key, **summary).status_code == 302
    assert ward.get(reverse("referrals:return-pdf", args=[referral.key])).content.startswith(b"%PDF")
    assert post(ward, "referrals:act", referral.key, "hand_back", receiver=loop.world.township).status_code == 302
    assert post(family, "referrals:act", referral.key, "receive_back").status_code == 302


@pytest.mark.parametrize(
    ("state", "who", "name"),
    [
        ("submitted_green", "village", "detail"),
        ("submitted_green", "office", "detail"),
        ("admitted", "specialist", "detail"),
        ("received_back", "family", "detail"),
        ("submitted_green", "office", "office"),
        ("admitted", "specialist", "treating"),
        ("handed_back", "family", "returning"),
        ("received_back", "family", "follow-ups"),
    ],
)
def test_pages_need_few_queries(state: str, who: str, name: str) -> None:
    loop = make_loop()
    referral = referral_in(loop, state)
    client = client_of(loop, who)
    arguments = [referral.key] if name == "detail" else []
    with CaptureQueriesContext(
        connection,
    ) as captured:
        answer = client.get(reverse(f"referrals:{name}", args=arguments))
    assert answer.status_code == 200
    own = [row["sql"] for row in captured.captured_queries if not _FRAME.match(row["sql"])]
    assert len(own) <= QUERIES_OF_A_PAGE, "\n".join(sql[:160] for sql in own)


# Who asks (session, account, posts, tree, consortium) and the transaction itself: the same for every page of the house.
_FRAME = re.compile(
    r"SAVEPOINT|RELEASE|BEGIN|COMMIT"
    r"|\s*SELECT set_config"
    r'|SELECT "django_session"|SELECT "access_user"|SELECT "workforce_post"|SELECT "organizations_organization"\."(id|path)" AS'
)


def test_strangers_get_404_and_members_without_the_right_403() -> None:
    loop = make_loop()
    referral = referral_in(loop, "submitted_green")
    for key in ("stranger", "sister"):
        assert client_of(loop, key).get(reverse("referrals:detail", args=[referral.key])).status_code == 404
    assert client_of(loop, "reader").get(reverse("referrals:detail", args=[referral.key])).status_code == 403
    assert client_of(loop, "village").get(reverse("referrals:office")).status_code == 403
    assert post(client_of(loop, "village"), "referrals:act", referral.key, "accept").status_code == 403
    assert post(client_of(loop, "office"), "referrals:act", referral.key, "eat").status_code == 404


def test_double_click_submits_once() -> None:
    loop = make_loop()
    client = client_of(loop, "village")
    data = {"origin_subject": "", "idempotency_key": "5f0c1a52-0000-4000-8000-000000000001"}
    first = client.post(reverse("referrals:new", args=[loop.resident.key]), data)
    second = client.post(reverse("referrals:new", args=[loop.resident.key]), data)
    assert second["Location"] == first["Location"]
    with acting(loop.village):
        assert Referral.objects.count() == 1
