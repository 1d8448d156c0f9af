"""The board of debts: what is open, overdue, paid in part and settled; who reads it, who acts on it, and its file."""

from datetime import timedelta
from decimal import Decimal
from io import BytesIO

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from python_calamine import CalamineWorkbook

from doorstep.care.referrals import debt_queries
from doorstep.care.referrals.models import PayLater, Referral
from doorstep.care.referrals.tests.factories import Loop, make_loop
from doorstep.care.referrals.tests.test_debts import owing
from doorstep.care.referrals.tests.test_statements import client_of, listed, sent_by
from doorstep.kernel.access.actor import Purpose, system_actor
from doorstep.kernel.access.models import User
from doorstep.kernel.access.session import acting
from doorstep.people.residents.tests.factories import make_resident, make_staff

pytestmark = pytest.mark.django_db
PAGE = "referrals:debts"


def duty_of(loop: Loop) -> User:
    """范医师, the lead hospital's duty doctor."""
    return make_staff(name="范医师", organization_id=loop.world.lead, role="lead_duty", username="duty9")


def debts(loop: Loop, count: int) -> None:
    """So many debts of so many residents beside the first; every third is overdue, every fourth paid in part."""
    referral, first = owing(loop)
    today = timezone.localdate()
    copied = {
        one.attname: getattr(referral, one.attname)
        for one in Referral._meta.concrete_fields
        if one.name not in ("id", "key", "desk")
    }
    with acting(system_actor(Purpose.IMPORT)):
        for number in range(count):
            person = make_resident(
                organization_id=loop.world.village, name=f"居民{number}", number="", panel_of=(loop.world.village,)
            )
            facts = {**copied, "resident_id": person.id, "resident_key": person.key, "patient_name": person.name}
            case = Referral.objects.create(**facts)
            PayLater.objects.create(
                referral=case,
                resident=person,
                resident_key=person.key,
                creditor_id=first.creditor_id,
                amount=Decimal(100 + number),
                paid=Decimal(40 if number % 4 == 0 else 0),
                due_on=today + timedelta(days=-5 if number % 3 == 0 else 10),
                state="owing",
                state_since=timezone.now(),
            )


def test_the_board_shows_what_is_open_overdue_and_paid_in_part() -> None:
    loop = make_loop()
    debts(loop, 7)
    client = Client()
    client.force_login(duty_of(loop))
    page = client.get(reverse(PAGE)).content.decode()
    assert page.count("居民") >= 7
    assert "周桂兰" in page
    # 100…106 and 1,250.50; two of the seven have paid 40.
    assert "1,891.50" in page
    late = client.get(reverse(PAGE), {"which": "overdue"}).content.decode()
    assert [name in late for name in ("居民0", "居民3", "居民6", "居民1", "周桂兰")] == [True, True, True, False, False]
    assert "逾期 5 天" in late
    part = client.get(reverse(PAGE), {"which": "part"}).content.decode()
    assert [name in part for name in ("居民0", "居民4", "居民3")] == [True, True, False]
    assert "居民3" in client.get(reverse(PAGE), {"q": "居民3"}).content.decode()
    assert "居民4" not in client.get(reverse(PAGE), {"q": "居民3"}).content.decode()
    with acting(loop.specialist):
        number = Referral.objects.get(patient_name="居民5").number
    found = client.get(reverse(PAGE), {"q": number.lower()}).content.decode()
    assert "居民5" in found
    assert "居民4" not in found
    assert "没有找到这样的欠款" in client.get(reverse(PAGE), {"q": "ZZ' OR 1=1 --"}).content.decode()
    for odd in ({"which": "all"}, {"after": "x_y"}, {"after": "2026-13-40_1"}, {"after": f"2026-01-01_{'9' * 30}"}):
        assert client.get(reverse(PAGE), odd).status_code == 200


def test_pages_of_debts_hold_every_one_once_in_order() -> None:
    loop = make_loop()
    debts(loop, 9)
    with acting(loop.specialist) as ward:
        seen: list[PayLater] = []
        after = ""
        for _turn in range(6):
            rows, after = debt_queries.page_of_debts(actor=ward, which="open", after=after, limit=3)
            seen += rows
            if not after:
                break
        assert len(seen) == 10
        assert [(one.due_on, one.pk) for one in seen] == sorted({(one.due_on, one.pk) for one in seen})


def test_who_collects_and_who_waives_do_it_from_the_board_and_others_see_none(client: Client) -> None:
    loop = make_loop()
    _referral, debt = owing(loop)
    remind, part, waive = (
        reverse("referrals:settle", args=[debt.key, verb]) for verb in ("remind", "pay_part", "waive")
    )
    client.force_login(loop.users["specialist"])
    page = client.get(reverse(PAGE)).content.decode()
    assert remind in page
    assert waive not in page
    answer = client.post(f"{part}?which=open", {"amount": "250.50", "back": "debts"})
    assert (answer.status_code, answer["Location"]) == (302, f"{reverse(PAGE)}?which=open")
    refused = client.post(part, {"amount": "-1", "back": "debts"}, follow=True).content.decode()
    assert "大于 0" in refused.split("ds-toasts")[-1]
    assert client.post(remind, {"back": "debts"}).status_code == 302
    page = client.get(reverse(PAGE)).content.decode()
    assert "1,000.00" in page
    assert remind not in page
    client.force_login(duty_of(loop))
    page = client.get(reverse(PAGE)).content.decode()
    assert waive in page
    assert part not in page
    assert client.post(waive, {"reason": "低保户", "back": "debts"}).status_code == 302
    waived = client.get(reverse(PAGE), {"which": "waived"}).content.decode()
    assert "低保户" in waived
    assert "没有这样的欠款" in client.get(reverse(PAGE)).content.decode()
    client.force_login(loop.users["family"])
    assert "周桂兰" not in client.get(reverse(PAGE), {"which": "waived"}).content.decode()
    client.force_login(loop.users["village"])
    assert client.get(reverse(PAGE)).status_code == 403


def test_the_file_holds_what_the_page_holds() -> None:
    loop = make_loop()
    debts(loop, 3)
    client = Client()
    client.force_login(duty_of(loop))
    answer = client.get(reverse("referrals:debts-file"), {"which": "overdue"})
    rows = CalamineWorkbook.from_filelike(BytesIO(answer.content)).get_sheet_by_index(0).to_python()
    assert [row[0] for row in rows[1:]] == ["居民0"]
    heads = dict(zip(rows[0], rows[1], strict=True))
    assert (heads["欠款（元）"], heads["已收（元）"], heads["尚欠（元）"], heads["逾期天数"]) == (100, 40, 60, 5)


def test_the_board_is_one_click_from_where_its_owners_work() -> None:
    loop = make_loop()
    for user in (duty_of(loop), loop.users["specialist"]):
        client = Client()
        client.force_login(user)
        assert reverse(PAGE) in client.get(reverse("home")).content.decode()


def test_twenty_debts_are_asked_with_the_statements_of_one() -> None:
    loop = make_loop()
    owing_client = client_of(loop, "specialist")
    none = sent_by(lambda: owing_client.get(reverse(PAGE)))
    debts(loop, 20)
    many = sent_by(lambda: owing_client.get(reverse(PAGE)))
    assert owing_client.get(reverse(PAGE)).content.decode().count("居民") >= 20
    assert len(many) <= len(none), listed(many)
    assert len(many) <= 12, listed(many)
