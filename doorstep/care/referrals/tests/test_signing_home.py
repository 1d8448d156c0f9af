"""Who signs the way home: a doctor of the hospital by name, and for a child a parent; and what the discharge page then weighs."""

import re
from datetime import date, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from doorstep.care.referrals import actions, down_queries, queries, texts
from doorstep.care.referrals.models import DownProposal, Referral, UnitService
from doorstep.care.referrals.tests.factories import CONSENT, PLAN, SUMMARY, Loop, make_loop, referral_in
from doorstep.care.referrals.tests.test_going_home import lie_in, propose, stable
from doorstep.coordination.beds.models import Stay
from doorstep.kernel.access.actor import Purpose, system_actor
from doorstep.kernel.access.refusals import NotFound, NotPermitted, Refused
from doorstep.kernel.access.session import acting
from doorstep.people.residents.models import Resident
from doorstep.people.residents.tests.factories import make_staff
from doorstep.people.workforce.models import Post, Practitioner
from doorstep.site.actors import of_user

pytestmark = pytest.mark.django_db
SELF: dict[str, Any] = {"signer": "周桂兰", "relation": "self"}


def has(loop: Loop, unit: int, *medicines: str) -> None:
    """A unit that can rehabilitate and keeps these medicines alone."""
    with acting(system_actor(Purpose.IMPORT)):
        UnitService.objects.create(organization_id=unit, skills=["rehab"], medicines=list(medicines))


def proposed(loop: Loop, monkeypatch: pytest.MonkeyPatch, *, born: date | None = None) -> DownProposal:
    """周桂兰's way home as the house proposes it; `born` makes a child of her."""
    stable(monkeypatch)
    lie_in(loop)
    if born is not None:
        with acting(system_actor(Purpose.IMPORT)):
            Resident.objects.filter(pk=loop.resident.pk).update(birth_date=born)
    found = propose(loop)
    assert found is not None
    return found


def drafted(loop: Loop, proposal: DownProposal, receiver: int) -> Referral:
    """Both sides agreed: the draft that the ward completes."""
    with acting(loop.specialist) as ward:
        actions.agree_ward(proposal=proposal, actor=ward, signer="周桂兰", relation="child", receiver_id=receiver)
    taking = loop.family if receiver == loop.world.township else loop.sister
    with acting(taking):
        actions.agree_receiver(proposal=down_queries.get_proposal(key=proposal.key), actor=taking)
    with acting(system_actor(Purpose.HANDLER)) as actor:
        made = actions.open_down_draft(proposal=down_queries.get_proposal(key=proposal.key), actor=actor)
    assert made is not None
    return made


def test_a_child_does_not_sign_the_way_home_for_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    loop = make_loop()
    has(loop, loop.world.township, "aspirin-100")
    young = timezone.localdate() - timedelta(days=366 * 12)
    proposal = proposed(loop, monkeypatch, born=young)
    with acting(loop.specialist) as ward, pytest.raises(Refused) as caught:
        actions.agree_ward(proposal=proposal, actor=ward, **SELF)
    assert set(caught.value.fields) == {"relation"}
    assert "16 周岁" in str(caught.value.fields["relation"])
    made = drafted(loop, proposal, loop.world.township)
    with acting(loop.specialist) as ward:
        asked: dict[str, Any] = {"referral": queries.get(key=made.key, actor=ward), "actor": ward, "plan": PLAN}
        with pytest.raises(Refused) as caught:
            actions.send_down(**asked, summary=SUMMARY, consent=actions.Consent(**SELF))
        assert set(caught.value.fields) == {"consent_relation"}
        parent = actions.Consent(signer="周建国", relation="parent")
        assert actions.send_down(**asked, summary=SUMMARY, consent=parent).state == "handed_back"


def test_the_page_of_a_childs_proposal_asks_for_the_parent(monkeypatch: pytest.MonkeyPatch, client: Client) -> None:
    loop = make_loop()
    has(loop, loop.world.township, "aspirin-100")
    proposal = proposed(loop, monkeypatch, born=timezone.localdate() - timedelta(days=366 * 12))
    client.force_login(loop.users["specialist"])
    page = reverse("referrals:proposal", args=[proposal.key])
    shown = client.get(page).content.decode()
    assert '<option value="parent" selected>' in shown
    assert 'name="signer" value=""' in shown
    answer = client.post(page, {"verb": "agree_ward", "receiver": loop.world.township, **SELF})
    assert answer.status_code == 422
    assert "16 周岁" in answer.content.decode()


def test_on_a_phone_the_answer_stands_behind_what_it_rests_on(monkeypatch: pytest.MonkeyPatch, client: Client) -> None:
    loop = make_loop()
    has(loop, loop.world.township, "aspirin-100")
    proposal = proposed(loop, monkeypatch)
    client.force_login(loop.users["specialist"])
    shown = client.get(reverse("referrals:proposal", args=[proposal.key])).content.decode()
    assert "is-right-first" not in shown
    assert "is-answer-last" in shown
    # One touch leads from the top to the answer.
    assert shown.index('href="#answer"') < shown.index("可承接的机构") < shown.index('id="answer"')
    with acting(loop.specialist) as ward:
        actions.agree_ward(proposal=proposal, actor=ward, **SELF)
    waiting = client.get(reverse("referrals:proposal", args=[proposal.key])).content.decode()
    assert 'href="#answer"' not in waiting


def test_only_a_doctor_of_the_hospital_signs_the_way_home_and_does_so_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    loop = make_loop()
    has(loop, loop.world.township, "aspirin-100")
    proposal = proposed(loop, monkeypatch)
    nurse = make_staff(name="罗护士", organization_id=loop.world.lead, role="nurse", username="nurse9")
    nameless = make_staff(name="某账号", organization_id=loop.world.lead, role="specialist", username="nobody9")
    for actor in (of_user(nurse), loop.office, loop.family):
        with acting(actor), pytest.raises((NotPermitted, NotFound)):
            actions.agree_ward(proposal=proposal, actor=actor, **SELF)
    unnamed = of_user(nameless)
    unnamed = type(unnamed)(**{**{one: getattr(unnamed, one) for one in unnamed.__slots__}, "practitioner_id": None})
    with acting(unnamed), pytest.raises(Refused) as caught:
        actions.agree_ward(proposal=proposal, actor=unnamed, **SELF)
    assert "医师" in str(caught.value.message)
    with acting(loop.specialist) as ward:
        signed = actions.agree_ward(proposal=proposal, actor=ward, **SELF)
        assert signed.plan["doctor"] == Practitioner.objects.get(user=loop.users["specialist"]).pk
        assert Post.objects.filter(practitioner=signed.plan["doctor"], organization=signed.hospital_id).exists()


def test_the_discharge_page_weighs_units_by_the_medicines_of_the_proposal(
    monkeypatch: pytest.MonkeyPatch, client: Client
) -> None:
    loop = make_loop()
    township, other = loop.world.township, loop.world.other_township
    has(loop, township, "simvastatin-20")
    has(loop, other, "aspirin-100")
    proposal = proposed(loop, monkeypatch)
    assert proposal.receiver_id == other
    made = drafted(loop, proposal, other)
    client.force_login(loop.users["specialist"])
    page = reverse("referrals:discharge", args=[made.key])
    assert lacks_medicine(client.get(page).content.decode(), township)
    # Another aim weighs by what stands in the form at that moment.
    asked = reverse("referrals:receivers", args=[made.key])
    assert lacks_medicine(client.get(asked, {"aim": "rehab"}).content.decode(), township)
    line = {"medicine_code": "simvastatin-20", "medicine_name": "辛伐他汀片 20 mg"}
    changed = client.get(asked, {"aim": "rehab", **line}).content.decode()
    assert not lacks_medicine(changed, township)
    assert lacks_medicine(changed, other)
    assert "medicine_code" in client.get(page).content.decode().split('name="aim"')[1].split(">")[0]
    with acting(loop.specialist):
        assert Stay.objects.get().left_at is None


def lacks_medicine(page: str, unit: int) -> bool:
    """Whether a unit stands among the choices with a medicine that it lacks."""
    words = page.split(f'<option value="{unit}"')[1].split("</option>", maxsplit=1)[0]
    return "缺" in words and ("阿司匹林" in words or "辛伐他汀" in words)


def test_who_is_asked_reads_who_it_is_and_is_offered_no_reason_that_cannot_be(
    monkeypatch: pytest.MonkeyPatch, client: Client
) -> None:
    loop = make_loop()
    # The township is asked though its shelf is unknown.
    has(loop, loop.world.township)
    proposal = proposed(loop, monkeypatch)
    page = reverse("referrals:proposal", args=[proposal.key])
    client.force_login(loop.users["specialist"])
    ward = client.get(page).content.decode()
    assert reverse("beds:stay", args=[proposal.stay_key]) in ward
    assert reverse("residents:detail", args=[loop.resident.key]) in ward
    with acting(loop.specialist) as actor:
        actions.agree_ward(
            proposal=proposal, receiver_id=loop.world.township, signer="周桂兰", relation="self", actor=actor
        )
    client.force_login(loop.users["family"])
    asked = client.get(page).content.decode()
    assert "女 · 6" in asked
    assert "不能承接" in asked
    assert "未按约到达" not in asked


@pytest.mark.parametrize(
    ("code", "text", "sign"),
    [
        ("J44.1", "慢性阻塞性肺疾病", "气促加重、痰量增多或变黄"),
        ("E11.9", "2 型糖尿病", "心慌、出冷汗、手抖（低血糖）"),
        ("I63.9", "脑梗死", "突发言语不清、口角歪斜或肢体无力"),
    ],
)
def test_the_discharge_page_ticks_the_warning_signs_of_the_disease(
    code: str, text: str, sign: str, client: Client
) -> None:
    loop = make_loop()
    referral = referral_in(loop, "admitted")
    with acting(system_actor(Purpose.IMPORT)):
        Referral.objects.filter(pk=referral.pk).update(impression_code=code, impression=text)
    client.force_login(loop.users["specialist"])
    page = client.get(reverse("referrals:discharge", args=[referral.key])).content.decode()
    ticked = re.findall(r'<input[^>]*name="warning_signs"[^>]*>', page)
    first = ticked[0]
    assert f'value="{sign}"' in first
    assert "checked" in first
    # Those of the other diseases are there to be ticked as well.
    assert len(ticked) == len(texts.signs_for(()))


def test_the_paper_of_a_case_going_down_is_the_way_home(monkeypatch: pytest.MonkeyPatch, client: Client) -> None:
    loop = make_loop()
    has(loop, loop.world.township)
    proposal = proposed(loop, monkeypatch)
    down = drafted(loop, proposal, loop.world.township)
    client.force_login(loop.users["specialist"])
    address = reverse("referrals:referral-pdf", args=[down.key])
    early = client.get(address, follow=True)
    # Not a dead end: the case, with the sentence and the act that is missing.
    assert early.redirect_chain[-1][0] == reverse("referrals:detail", args=[down.key])
    assert reverse("referrals:discharge", args=[down.key]) in early.content.decode()
    assert "出院小结和康复计划完成后才能打印回转单" in early.content.decode()
    with acting(loop.specialist) as actor:
        case = queries.get(key=down.key, actor=actor)
        actions.send_down(
            referral=case,
            actor=actor,
            summary=SUMMARY,
            plan=PLAN,
            consent=CONSENT,
            receiver_id=loop.world.township,
            aim="clinic",
        )
    assert client.get(address, follow=True).content.startswith(b"%PDF")
