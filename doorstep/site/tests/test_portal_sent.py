"""The resident's phone tells of a referral once, in words for the resident."""

import pytest
from django.urls import reverse
from django.utils import timezone

from doorstep.care.referrals import actions, queries
from doorstep.care.referrals.tests.factories import make_loop, referral_in
from doorstep.kernel.access.actor import Purpose, system_actor
from doorstep.kernel.access.session import acting
from doorstep.people.residents.models import Resident
from doorstep.site.portal.sent import going_of
from doorstep.site.tests.test_portal_offers import phone

pytestmark = pytest.mark.django_db


def test_each_stage_is_one_line_for_the_resident() -> None:
    loop = make_loop()
    referral = referral_in(loop, "submitted_green")
    with acting(loop.office):
        actions.return_for_information(
            referral=queries.get(key=referral.key, actor=loop.office),
            reason="血常规",
            code="missing-exam",
            actor=loop.office,
        )
        found = queries.get(key=referral.key, actor=loop.office)
        line = going_of([found])[0]
        assert (found.return_code, found.state) == ("missing-exam", "returned")
    assert found.target is not None
    assert line.title == f"转往{found.target.name}"
    assert "补充资料" in line.detail
    with acting(loop.village):
        again = queries.get(key=referral.key, actor=loop.village)
        actions.leave_network(
            referral=again, place="省肿瘤医院", code="no-skill", impression="肝占位待查", actor=loop.village
        )
        out = queries.get(key=referral.key, actor=loop.village)
    assert (out.impression, out.impression_code) == ("肝占位待查", "")
    assert going_of([out])[0].title == "转往省肿瘤医院"
    assert "询问诊疗结果" in going_of([out])[0].detail


def test_a_doctors_draft_is_nobodys_news_at_home() -> None:
    loop = make_loop()
    referral_in(loop, "draft")
    home = phone(loop.resident.pk, "zhou").get(reverse("portal:home")).content.decode()
    assert "周桂兰" in home
    assert "双向转诊" not in home
    assert "草稿" not in home


def test_page_of_somebody_who_died_tells_nobody_to_go_anywhere() -> None:
    loop = make_loop()
    referral = referral_in(loop, "received_back")
    own = phone(loop.resident.pk, "zhou")
    assert "正在进行" in own.get(reverse("portal:home")).content.decode()
    with acting(system_actor(Purpose.IMPORT)):
        Resident.objects.filter(pk=loop.resident.pk).update(deceased_on=timezone.localdate())
    with acting(system_actor(Purpose.HANDLER)) as house:
        actions.end_for_death(resident_id=loop.resident.pk, actor=house)
    home = own.get(reverse("portal:home")).content.decode()
    assert "刚结束的转诊" not in home
    assert "患者死亡" not in home
    assert "康复计划" not in home
    assert "拨打 120" not in home
    assert "转诊已结束" in own.get(reverse("portal:referral", args=[referral.key])).content.decode()
