"""The form that follows what is typed: the code of a rewritten impression, how fast by the criteria, and who is not there."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from doorstep.care.referrals import actions
from doorstep.care.referrals.models import Referral
from doorstep.care.referrals.tests.factories import Loop, make_loop
from doorstep.kernel.access.actor import Purpose, system_actor
from doorstep.kernel.access.refusals import NotFound
from doorstep.kernel.access.session import acting

pytestmark = pytest.mark.django_db


def plain(loop: Loop) -> Referral:
    """A draft that grew from no report: of the hypertension on the problem list."""
    with acting(loop.village):
        return actions.draft_from_record(resident=loop.resident, actor=loop.village)


def form_of(loop: Loop, **changes: Any) -> dict[str, Any]:
    return {
        "kind": "ordinary", "kind_suggested": "ordinary", "green_center": "", "green_center_suggested": "",
        "target_id": loop.world.lead, "reviewer_id": loop.village.practitioner_id, "impression": "原发性高血压",
        "impression_code": "I10.x00", "impression_coded": "原发性高血压", "code_known": "I10.x00", "present_illness": "头晕 3 天",
        "consent_signer": "周桂兰", "consent_relation": "self", "verb": "save", **changes,
    }  # fmt: skip


def village(loop: Loop) -> Client:
    client = Client()
    client.force_login(loop.users["village"])
    return client


def kept(referral: Referral) -> tuple[str, str]:
    with acting(system_actor(Purpose.HANDLER)):
        found = Referral.objects.get(pk=referral.pk)
        return found.impression, found.impression_code


def test_code_goes_with_the_words_for_which_it_was_chosen() -> None:
    loop = make_loop()
    referral, client = plain(loop), village(loop)
    address = reverse("referrals:edit", args=[referral.key])
    assert kept(referral) == ("原发性高血压", "I10.x00")
    client.post(address, form_of(loop, impression="原发性高血压 3 级，很高危"))
    assert kept(referral)[1] == "I10.x00"
    answer = client.post(address, form_of(loop, impression="腹痛待查"), follow=True)
    assert kept(referral) == ("腹痛待查", "")
    assert "原编码 I10.x00 已清除" in answer.content.decode()
    # What the doctor types beside the new words stands.
    client.post(address, form_of(loop, impression="急性阑尾炎", impression_code="K35.8"))
    assert kept(referral) == ("急性阑尾炎", "K35.8")
    # A page without these fields knows the words and the code of the draft.
    older = form_of(loop, impression="腹痛待查", impression_code="K35.8")
    client.post(
        address, {name: value for name, value in older.items() if name not in ("impression_coded", "code_known")}
    )
    assert kept(referral) == ("腹痛待查", "")


def test_advice_brings_the_field_along_once() -> None:
    loop = make_loop()
    referral, client = plain(loop), village(loop)
    address = reverse("referrals:advice", args=[referral.key])
    told = client.post(address, form_of(loop, impression="腹痛待查")).content.decode()
    assert 'id="code-field" hx-swap-oob="true"' in told
    assert "原编码 I10.x00 已清除" in told
    assert 'name="impression_coded" value="腹痛待查"' in told
    quiet = client.post(address, form_of(loop)).content.decode()
    assert 'id="code-field"' not in quiet


def test_kind_follows_the_criteria_until_the_doctor_chooses() -> None:
    loop = make_loop()
    referral, client = plain(loop), village(loop)
    address = reverse("referrals:advice", args=[referral.key])
    stroke = client.post(address, form_of(loop, symptoms=["neurological"])).content.decode()
    assert "已按上转指征改为“绿色通道”" in stroke
    assert 'name="kind_suggested" value="green"' in stroke
    assert 'name="green_center_suggested" value="stroke"' in stroke
    assert _checked(stroke) == "green"
    chosen = client.post(address, form_of(loop, symptoms=["neurological"], kind="urgent")).content.decode()
    assert _checked(chosen) == "urgent"
    assert "按上转指征建议：绿色通道" in chosen
    calm = client.post(address, form_of(loop, kind="green", kind_suggested="green")).content.decode()
    assert _checked(calm) == "ordinary"


def test_symptoms_are_ticked_as_they_are_written_and_stay_unticked_once_unticked() -> None:
    loop = make_loop()
    referral, client = plain(loop), village(loop)
    address = reverse("referrals:advice", args=[referral.key])
    written = {"present_illness": "突发右侧肢体无力 1 小时，无胸痛", "symptoms_named": ""}
    told = client.post(address, form_of(loop, **written)).content.decode()
    assert 'id="symptoms-field" hx-swap-oob="true"' in told
    assert "已按所写内容勾选：突发言语或肢体障碍" in told
    assert _checked(told) == "green"
    unticked = client.post(address, form_of(loop, **{**written, "symptoms_named": "neurological"})).content.decode()
    assert 'id="symptoms-field"' not in unticked
    assert _checked(unticked) == "ordinary"


def test_units_follow_the_aim_and_departments_the_unit_before_anything_is_saved() -> None:
    loop = make_loop()
    referral, client = plain(loop), village(loop)
    address = reverse("referrals:advice", args=[referral.key])
    listed = {"listed_aim": "department", "listed_target": loop.world.lead, "aim": "department"}
    quiet = client.post(address, form_of(loop, **listed)).content.decode()
    assert 'id="target-field"' not in quiet
    assert 'id="department-field"' not in quiet
    clinic = client.post(address, form_of(loop, **{**listed, "aim": "clinic"})).content.decode()
    # The own township is proposed, and its departments with it.
    assert f'<option value="{loop.world.township}" selected>' in clinic
    assert 'name="listed_aim" value="clinic"' in clinic
    assert "心血管内科" not in clinic.partition('id="department-field"')[2].partition("</div>")[0]
    back = client.post(
        address, form_of(loop, listed_aim="clinic", aim="clinic", listed_target=loop.world.township)
    ).content.decode()
    assert 'id="target-field"' not in back
    assert "心血管内科" in back.partition('id="department-field"')[2].partition("</div>")[0]


def _checked(page: str) -> str:
    return next(line for line in page.split("<input") if 'name="kind"' in line and "checked" in line).partition('value="')[2].partition('"')[0]  # fmt: skip


def test_a_resident_whom_no_page_would_give_is_not_there() -> None:
    loop = make_loop()
    for who in (loop.stranger, loop.sister):
        with acting(who), pytest.raises(NotFound):
            actions.draft_from_record(resident=loop.resident, actor=who)
    with acting(system_actor(Purpose.HANDLER)):
        assert not Referral.objects.exists()


def test_aim_and_unit_must_fit() -> None:
    loop = make_loop()
    referral, client = plain(loop), village(loop)
    address = reverse("referrals:edit", args=[referral.key])
    for aim, sentence in (("clinic", "请选择卫生院或社区卫生服务中心"), ("care-home", "请登记转往医共体外")):
        answer = client.post(address, form_of(loop, aim=aim, verb="submit"))
        assert answer.status_code == 422
        assert sentence in answer.content.decode()
    assert (
        client.post(address, form_of(loop, aim="clinic", target_id=loop.world.township, verb="submit")).status_code
        == 302
    )


def test_who_cannot_wait_needs_no_place_of_a_clinic() -> None:
    loop = make_loop()
    referral, client = plain(loop), village(loop)
    address = reverse("referrals:edit", args=[referral.key])
    sent = {"target_id": loop.world.lead, "verb": "submit", "aim": "department"}
    ordinary = client.post(address, form_of(loop, **sent))
    assert ordinary.status_code == 422
    assert "中选一个号" in ordinary.content.decode()
    assert "可不选号" in client.post(address, form_of(loop, kind="green", verb="save"), follow=True).content.decode()
    assert client.post(address, form_of(loop, kind="green", green_center="stroke", **sent)).status_code == 302
    with acting(system_actor(Purpose.HANDLER)):
        assert Referral.objects.get(pk=referral.pk).state == "submitted_green"


def test_no_reason_stands_chosen_and_the_road_out_of_the_network_has_two_steps() -> None:
    loop = make_loop()
    referral, client = plain(loop), village(loop)
    address = reverse("referrals:outside", args=[referral.key])
    assert '<option value="" selected>—</option>' in client.get(address).content.decode()
    sent = {"impression": "肝占位待查", "outside_name": "省肿瘤医院", "outside_reason": ""}
    assert client.post(address, sent).status_code == 422
    assert client.post(address, {**sent, "outside_reason": "no-skill"}).status_code == 302
    page = client.get(reverse("referrals:detail", args=[referral.key])).content.decode()
    assert "外转已办结" in page
    assert "已受理待到院" not in page
