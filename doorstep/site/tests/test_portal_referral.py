"""The patient's own page of a referral: where and when to go, the code for the desk, and what the hospital answered."""

import pytest
from django.urls import reverse

from doorstep.care.referrals import actions, handlers, queries
from doorstep.care.referrals.tests.factories import Loop, make_loop, referral_in
from doorstep.care.referrals.tests.test_stages import replay
from doorstep.kernel.access.session import acting
from doorstep.people.residents.tests.factories import make_resident
from doorstep.site.tests.test_portal_offers import phone

pytestmark = pytest.mark.django_db


def answered(loop: Loop, how: str) -> str:
    """A referral that was answered, and the address of the patient's page."""
    referral = referral_in(loop, "submitted_green")
    with acting(loop.office) as office:
        mine = queries.get(key=referral.key, actor=office)
        if how == "accepted":
            actions.accept(referral=mine, actor=office, instructions="带身份证，空腹")
        elif how == "declined":
            actions.decline(referral=mine, code="no-bed", reason="满床", alternative="请转县中医医院", actor=office)
        else:
            actions.advise(referral=mine, advice="加用利尿剂，一周后复测血压", actor=office)
    replay(referral)
    return reverse("portal:referral", args=[referral.key])


def test_who_is_expected_has_the_code_and_what_to_bring() -> None:
    loop = make_loop()
    address = answered(loop, "accepted")
    own = phone(loop.resident.pk, "zhou")
    page = own.get(address).content.decode()
    assert "带身份证，空腹" in page
    assert "ds-qr-figure" in page
    assert f'href="{address}"' in own.get(reverse("portal:home")).content.decode()
    stranger = make_resident(organization_id=loop.world.village, name="王五", number="", phone="")
    assert phone(stranger.pk, "wang").get(address).status_code == 404


def test_who_came_home_reads_the_plan() -> None:
    loop = make_loop()
    referral = referral_in(loop, "received_back")
    page = phone(loop.resident.pk, "zhou").get(reverse("portal:referral", args=[referral.key])).content.decode()
    for words in ("阿司匹林肠溶片", "每日 1 次", "胸痛、胸闷持续超过 10 分钟不缓解", "0731-2345678"):
        assert words in page, words


@pytest.mark.parametrize(("how", "words"), [("declined", "请转县中医医院"), ("advised", "加用利尿剂")])
def test_what_the_form_promises_the_patient_sees_stands_there(how: str, words: str) -> None:
    loop = make_loop()
    address = answered(loop, how)
    own = phone(loop.resident.pk, "zhou")
    assert words in own.get(address).content.decode()


def test_notices_are_read_on_the_phone_and_lead_to_the_referral() -> None:
    loop = make_loop()
    address = answered(loop, "declined")
    own = phone(loop.resident.pk, "zhou")
    assert reverse("notices:inbox") in own.get(reverse("portal:home")).content.decode()
    inbox = own.get(reverse("notices:inbox")).content.decode()
    assert handlers.TEXTS["own-referral-declined"].zh in inbox
    assert "收到一份转诊申请" not in inbox
    # The frame of the phone, with its tabs, not that of the staff.
    assert reverse("portal:code") in inbox
    newest = inbox.partition('/open/"')[0].rpartition('action="')[2]
    assert own.post(f"{newest}/open/").headers["Location"] == address
