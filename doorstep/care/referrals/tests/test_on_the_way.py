"""Who is on the way: what the receiving house reads before the patient is there, and the arrival in one click."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from doorstep.care.referrals import actions, list_queries, queries
from doorstep.care.referrals.models import Referral
from doorstep.care.referrals.tests.factories import Loop, make_loop, referral_in
from doorstep.care.referrals.tests.test_lists import crowd
from doorstep.care.referrals.tests.test_statements import client_of, listed, sent_by
from doorstep.kernel.access.actor import Purpose, system_actor
from doorstep.kernel.access.refusals import Refused
from doorstep.kernel.access.session import acting
from doorstep.people.residents.tests.factories import make_staff

pytestmark = pytest.mark.django_db
PAGE = "referrals:coming"


def set_out(loop: Loop) -> Referral:
    """周桂兰 on the green channel, in an ambulance with 李长河."""
    referral = referral_in(loop, "accepted")
    with acting(loop.village) as village:
        return actions.depart(
            referral=queries.get(key=referral.key, actor=village),
            transport="ambulance",
            expected_at=timezone.now() + timedelta(minutes=40),
            escort="李长河 13900000001",
            leaving="神志清，血压 96/60，已嚼服阿司匹林",
            actor=village,
        )


def test_the_house_reads_who_comes_and_takes_them_in_with_one_click(client: Client) -> None:
    loop = make_loop()
    referral = set_out(loop)
    client.force_login(loop.users["office"])
    assert "途中患者 1 人" in client.get(reverse("referrals:office")).content.decode()
    page = client.get(reverse(PAGE)).content.decode()
    for said in ("周桂兰", "绿色通道", "救护车", "李长河 13900000001", "血压 96/60", "石桥村卫生室"):
        assert said in page, said
    act = reverse("referrals:act", args=[referral.key, "check_in"])
    answer = client.post(act, {"back": "coming"})
    assert (answer.status_code, answer["Location"]) == (302, reverse(PAGE))
    assert "现在没有途中患者" in client.get(reverse(PAGE)).content.decode()
    with acting(loop.office) as office:
        assert queries.get(key=referral.key, actor=office).state == "arrived"


def test_emergency_doctor_reads_it_and_leaves_the_arrival_to_the_desk(client: Client) -> None:
    loop = make_loop()
    set_out(loop)
    user = make_staff(name="范医师", organization_id=loop.world.lead, role="lead_duty", username="duty9")
    client.force_login(user)
    assert reverse(PAGE) in client.get(reverse("home")).content.decode()
    page = client.get(reverse(PAGE)).content.decode()
    assert "周桂兰" in page
    assert "到院报到" not in page
    client.force_login(loop.users["village"])
    assert client.get(reverse(PAGE)).status_code in (403, 404)


def test_green_channel_is_expected_before_anybody_noted_that_it_set_out() -> None:
    loop = make_loop()
    referral_in(loop, "accepted")
    office = client_of(loop, "office")
    assert "未登记出发" in office.get(reverse(PAGE)).content.decode()


def test_who_sets_out_names_a_way_and_a_time_to_come(client: Client) -> None:
    loop = make_loop()
    referral = referral_in(loop, "accepted")
    with acting(loop.village) as village:
        case = queries.get(key=referral.key, actor=village)
        with pytest.raises(Refused) as caught:
            actions.depart(referral=case, transport="sledge", expected_at=timezone.now() - timedelta(1), actor=village)
        assert set(caught.value.fields) == {"transport", "expected_at"}
    client.force_login(loop.users["village"])
    act = reverse("referrals:act", args=[referral.key, "depart"])
    assert client.post(act, {"transport": "escort", "expected_at": "", "escort": "", "leaving": ""}).status_code == 302
    with acting(loop.village) as village:
        assert queries.get(key=referral.key, actor=village).expected_at == case.expected_at


def test_twenty_on_the_way_are_asked_with_the_statements_of_one() -> None:
    loop = make_loop()
    crowd(loop, 20)
    office = client_of(loop, "office")
    few = sent_by(lambda: office.get(reverse(PAGE)))
    with acting(system_actor(Purpose.IMPORT)):
        Referral.objects.update(
            state="on_the_way", kind="green", green_center="chest-pain", transport="ambulance", escort="护士", leaving="平稳",
            departed_at=timezone.now(), expected_at=timezone.now() + timedelta(hours=1), accepted_at=timezone.now(),
            symptoms=["chest-pain"], treatment="吸氧",
        )  # fmt: skip
    many = sent_by(lambda: office.get(reverse(PAGE)))
    page = office.get(reverse(PAGE)).content.decode()
    assert page.count("胸痛中心") >= 20
    assert len(many) <= len(few), listed(many)
    assert len(many) <= 12, listed(many)
    assert "途中患者 21 人" in office.get(reverse("referrals:office")).content.decode()


def test_pages_of_those_on_the_way_hold_everybody_once_the_soonest_first() -> None:
    loop = make_loop()
    crowd(loop, 24)
    soon = timezone.now() + timedelta(hours=1)
    with acting(system_actor(Purpose.IMPORT)):
        Referral.objects.update(state="on_the_way", kind="ordinary", accepted_at=timezone.now(), expected_at=soon)
        ids = list(Referral.objects.order_by("id").values_list("id", flat=True))
        # Some at one moment, some later, some who named no time.
        Referral.objects.filter(id__in=ids[:6]).update(expected_at=None)
        Referral.objects.filter(id__in=ids[6:9]).update(expected_at=soon - timedelta(minutes=30))
    with acting(loop.office) as office:
        seen: list[int] = []
        after = ""
        for _turn in range(12):
            page = list_queries.list_coming(actor=office, after=after, limit=4)
            seen += [one.pk for one in page.rows]
            after = page.next
            if not after:
                break
        assert seen == [*ids[6:9], *ids[9:], *ids[:6]]
        for odd in ("x_1", f"{'9' * 30}_1", "later_x", "_", "²_1"):
            assert list_queries.list_coming(actor=office, after=odd, limit=4).rows[0].pk == ids[6]


def test_the_second_page_of_those_on_the_way_is_one_click_away() -> None:
    loop = make_loop()
    crowd(loop, 54)
    with acting(system_actor(Purpose.IMPORT)):
        Referral.objects.update(
            state="on_the_way", accepted_at=timezone.now(), expected_at=timezone.now() + timedelta(hours=1)
        )
    duty = Client()
    duty.force_login(make_staff(name="范医师", organization_id=loop.world.lead, role="lead_duty", username="duty9"))
    first = duty.get(reverse(PAGE)).content.decode()
    assert "途中患者 55 人" in first
    further = first.split('rel="next" href="')[1].split('"')[0].replace("&amp;", "&")
    second = duty.get(f"{reverse(PAGE)}{further}").content.decode()
    assert "本页 5 条" in second
    assert f'rel="prev" href="{reverse(PAGE)}"' in second
    # What the duty doctor is offered opens.
    assert "到院报到" not in first
    assert reverse("referrals:office") not in first
    assert duty.get(reverse("beds:board")).status_code == 200
    assert reverse("beds:board") in first


def test_the_village_registers_a_death_on_the_way_from_the_case_itself(client: Client) -> None:
    loop = make_loop()
    referral = set_out(loop)
    case = reverse("referrals:detail", args=[referral.key])
    death = reverse("residents:death", args=[loop.resident.key])
    client.force_login(loop.users["village"])
    assert death in client.get(case).content.decode()
    given = {"died_on": timezone.localdate().isoformat(), "source": "family"}
    assert client.post(death, given).status_code == 302
    with acting(system_actor(Purpose.HANDLER)) as system:
        actions.end_for_death(resident_id=loop.resident.pk, actor=system)
    with acting(loop.village) as village:
        assert queries.get(key=referral.key, actor=village).state == "died"
    # Nothing is left to register, and nobody is expected any more.
    assert death not in client.get(case).content.decode()
    client.force_login(loop.users["office"])
    assert loop.resident.name not in client.get(reverse(PAGE)).content.decode()


def test_a_stranger_and_the_receiving_office_are_not_led_to_the_register_of_deaths(client: Client) -> None:
    loop = make_loop()
    referral = set_out(loop)
    case = reverse("referrals:detail", args=[referral.key])
    death = reverse("residents:death", args=[loop.resident.key])
    client.force_login(loop.users["office"])
    assert death not in client.get(case).content.decode()
    client.force_login(loop.users["stranger"])
    assert client.get(case).status_code == 404
