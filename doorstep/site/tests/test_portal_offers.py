"""A resident answers what a hospital offers, from the own phone; two offices that act at once over HTTP."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from doorstep.care.referrals import actions, queries
from doorstep.care.referrals.actions import Place
from doorstep.care.referrals.models import Referral
from doorstep.care.referrals.tests.factories import Loop, make_loop, make_slot, referral_in
from doorstep.care.referrals.tests.test_another_day import DAY, not_come
from doorstep.care.referrals.tests.test_place_moved import sent
from doorstep.care.referrals.tests.test_stages import replay
from doorstep.coordination.notices.models import Notice
from doorstep.kernel.access.actor import Purpose, system_actor
from doorstep.kernel.access.models import User
from doorstep.kernel.access.session import acting
from doorstep.kernel.web.formats import moment_short
from doorstep.kernel.workflow.queries import history
from doorstep.people.organizations.models import Organization
from doorstep.people.residents.models import ResidentAccount
from doorstep.people.residents.tests.factories import make_resident, make_staff


def offered(loop: Loop) -> Referral:
    referral = referral_in(loop, "submitted_green")
    place = Place(text="心内科 3 诊室", expected_at=timezone.now() + timedelta(hours=3))
    with acting(loop.office):
        fresh = queries.get(key=referral.key, actor=loop.office)
        return actions.offer(referral=fresh, place=place, actor=loop.office)


def phone(resident_id: int, name: str) -> Client:
    with acting(system_actor(Purpose.IMPORT)):
        user = User.objects.create_user(username=name, password="x" * 20, kind=User.Kind.RESIDENT)
        ResidentAccount.objects.create(user=user, resident_id=resident_id, since=timezone.localdate())
    client = Client()
    client.force_login(user)
    return client


def stands(referral: Referral) -> Referral:
    with acting(system_actor(Purpose.HANDLER)):
        return Referral.objects.get(pk=referral.pk)


@pytest.mark.django_db
def test_a_resident_agrees_or_declines_and_nobody_else_does() -> None:
    loop = make_loop()
    referral = offered(loop)
    own = phone(loop.resident.pk, "zhou")
    stranger = make_resident(organization_id=loop.world.village, name="王五", number="", phone="")
    assert "就诊安排待确认" in own.get(reverse("portal:home")).content.decode()
    page = own.get(reverse("portal:offers")).content.decode()
    assert "心内科 3 诊室" in page
    other = phone(stranger.pk, "wang")
    assert "心内科" not in other.get(reverse("portal:offers")).content.decode()
    assert other.post(reverse("portal:answer", args=[referral.key, "agree"])).status_code == 404
    assert own.post(reverse("portal:answer", args=[referral.key, "eat"])).status_code == 404
    assert own.post(reverse("portal:answer", args=[referral.key, "agree"])).status_code == 302
    found = stands(referral)
    assert (found.state, found.appointment_text) == ("accepted", "心内科 3 诊室")
    late = own.post(reverse("portal:answer", args=[referral.key, "decline"]))
    assert late.status_code == 409
    # In words for a patient, on the page that says where it stands now.
    assert "您的答复没有提交" in late.content.decode()
    assert "我的转诊" in late.content.decode()
    assert "已确认的安排" in own.get(reverse("portal:offers")).content.decode()


@pytest.mark.django_db
def test_a_declined_offer_goes_back_to_the_hospital() -> None:
    loop = make_loop()
    referral = offered(loop)
    own = phone(loop.resident.pk, "zhou")
    answer = own.post(
        reverse("portal:answer", args=[referral.key, "decline"]), {"code": "worse", "reason": "胸口更痛了"}, follow=True
    )
    assert "120" in answer.content.decode()
    found = stands(referral)
    # Who came by the green channel stays on it, and everybody is called at once.
    assert (found.state, found.offer_refusal) == ("submitted_green", "worse")
    with acting(loop.village):
        assert history(found, actor=loop.village)[-1].reason == "病情加重，等不到安排的时间：胸口更痛了"
    replay(referral)
    with acting(system_actor(Purpose.HANDLER)):
        called = Notice.objects.filter(kind="referral-offer-worse", urgent=True).values_list(
            "organization_id", flat=True
        )
    assert set(called) >= {loop.world.village, loop.world.lead}


# What the page of whoever came too late says of the first.
_WHO = {
    "accept": "郑岚 已先行处理（受理）",
    "redirect": "另一专员 已先行处理（改派）",
    "decline": "第三专员 已先行处理（不予接收）",
    "withdraw": "李长河 已先行处理（撤回）",
}


@pytest.mark.django_db(transaction=True)
def test_offices_and_sender_at_once_over_http() -> None:
    """Four people press on the page that each of them sees: one act is done, the others read who did what."""
    loop = make_loop()
    referral = referral_in(loop, "submitted_green")
    second, third = (
        make_staff(name=name, organization_id=loop.world.lead, role="referral_officer", username=username)
        for name, username in (("另一专员", "office2"), ("第三专员", "office3"))
    )
    with acting(system_actor(Purpose.IMPORT)):
        other = Organization.objects.create(code="H8", name="第二医院", kind="hospital", tier=2)
        Organization.objects.filter(pk=other.pk).update(path=[other.pk])
    wanted: dict[str, tuple[User, dict[str, Any]]] = {
        "accept": (loop.users["office"], {"instructions": ""}),
        "redirect": (second, {"target": other.pk, "reason": "无床位"}),
        "decline": (third, {"code": "no-bed", "alternative": "请转市中心医院", "reason": "满床"}),
        "withdraw": (loop.users["village"], {"reason": "家属要求"}),
    }
    clients = {}
    for verb, (user, _data) in wanted.items():
        clients[verb] = Client()
        clients[verb].force_login(user)
    page = clients["accept"].get(reverse("referrals:detail", args=[referral.key])).content.decode()
    seen = stands(referral).seen
    assert f'name="seen" value="{seen}"' in page
    barrier, found = threading.Barrier(len(wanted)), {}

    def press(verb: str) -> None:
        barrier.wait(timeout=30)
        try:
            address = reverse("referrals:act", args=[referral.key, verb])
            found[verb] = clients[verb].post(address, {**wanted[verb][1], "seen": seen})
        finally:
            connection.close()

    threads = [threading.Thread(target=press, args=(verb,)) for verb in wanted]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    done = [verb for verb, answer in found.items() if answer.status_code == 302]
    with acting(loop.village):
        steps = history(queries.get(key=referral.key, actor=loop.village), actor=loop.village)[2:]
    assert [step.verb for step in steps] == done
    assert len(done) == 1
    for verb in set(wanted) - set(done):
        assert found[verb].status_code == 409, (verb, found[verb].status_code)
        page = found[verb].content.decode()
        assert _WHO[done[0]] in page
        assert "刷新" not in page.partition("已先行处理")[2][:80]


@pytest.mark.django_db
def test_resident_chooses_another_place_on_the_own_phone() -> None:
    loop = make_loop()
    referral = not_come(loop)
    later = make_slot(loop, starts_at=timezone.now() + 2 * DAY)
    own = phone(loop.resident.pk, "zhou")
    page = reverse("portal:referral", args=[referral.key])
    assert str(later.key) in own.get(page).content.decode()
    answer = reverse("portal:answer", args=[referral.key, "another-day"])
    assert own.post(answer, {"slot": ""}).status_code == 422
    assert own.post(answer, {"slot": str(later.key)}).status_code == 302
    with acting(loop.office) as office:
        case = queries.get(key=referral.key, actor=office)
        assert (case.state, case.expected_at) == ("accepted", later.starts_at)
        assert str(later.key) not in own.get(page).content.decode()


@pytest.mark.django_db
def test_offer_says_what_becomes_of_the_place_that_was_booked_before() -> None:
    loop = make_loop()
    slot = make_slot(loop, starts_at=timezone.now() + DAY)
    referral = sent(loop, slot, accepted=False)
    with acting(loop.office) as office:
        place = Place(text="心内科二诊室", expected_at=timezone.now() + 3 * DAY)
        actions.offer(referral=queries.get(key=referral.key, actor=office), place=place, actor=office)
    own = phone(loop.resident.pk, "zhou")
    for page in (reverse("portal:referral", args=[referral.key]), reverse("portal:offers")):
        assert f"原来的预约 {moment_short(slot.starts_at)} 取消" in own.get(page).content.decode()
    answer = reverse("portal:answer", args=[referral.key, "decline"])
    assert own.post(answer, {"code": "time", "reason": ""}).status_code == 302
    page = own.get(reverse("portal:referral", args=[referral.key])).content.decode()
    assert "仍为您保留" in page


@pytest.mark.django_db
def test_accepted_patient_chooses_another_time_unless_it_is_an_emergency() -> None:
    loop = make_loop()
    eight = timezone.localtime(timezone.now() + 4 * DAY).replace(hour=8, minute=0)
    later, half_past = (make_slot(loop, starts_at=eight + timedelta(minutes=more)) for more in (0, 30))
    referral = sent(loop, make_slot(loop, starts_at=timezone.now() + DAY))
    own = phone(loop.resident.pk, "zhou")
    page = reverse("portal:referral", args=[referral.key])
    shown = own.get(page).content.decode()
    assert "这个时间来不了" in shown
    # A line for a morning, not one for each of its half hours.
    assert str(later.key) in shown
    assert str(half_past.key) not in shown
    # All of them are one click away, where bookings are changed.
    assert f"/slots/my/find/{loop.department.key}/?change=" in shown
    with acting(system_actor(Purpose.IMPORT)):
        Referral.objects.filter(pk=referral.pk).update(kind="urgent")
    assert "这个时间来不了" not in own.get(page).content.decode()
    with acting(system_actor(Purpose.IMPORT)):
        Referral.objects.filter(pk=referral.pk).update(kind="ordinary")
    answer = reverse("portal:answer", args=[referral.key, "another-day"])
    assert own.post(answer, {"slot": str(later.key)}).status_code == 302
    with acting(loop.office) as office:
        assert queries.get(key=referral.key, actor=office).expected_at == later.starts_at
