"""What a patient who was treated before paying owes: paid in parts, waived by whoever may, overdue, and after a death."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from doorstep.care.referrals import actions, debt_handlers, queries
from doorstep.care.referrals.case_events import DebtNoted, DebtPaid, DebtPartPaid, DebtReminded
from doorstep.care.referrals.models import PayLater, Referral
from doorstep.care.referrals.presenters.course import steps_of
from doorstep.care.referrals.tests.factories import PLAN, SUMMARY, Loop, make_loop, referral_in
from doorstep.care.referrals.tests.test_going_home import GRANTED
from doorstep.coordination.notices.models import Notice
from doorstep.kernel.access.actor import Purpose, system_actor
from doorstep.kernel.access.refusals import Conflict, Refused
from doorstep.kernel.access.session import acting
from doorstep.kernel.events.models import EventRow
from doorstep.kernel.events.tasks import to_event
from doorstep.kernel.worklist import actions as worklist
from doorstep.kernel.worklist.events import TaskOverdue
from doorstep.kernel.worklist.models import Task
from doorstep.people.residents.models import Resident
from doorstep.people.residents.tests.factories import make_resident, make_staff
from doorstep.site.tests.test_people_pages import within_budget
from doorstep.site.tests.test_portal_offers import phone

pytestmark = pytest.mark.django_db


def owing(loop: Loop, amount: str = "1250.50") -> tuple[Referral, PayLater]:
    referral = referral_in(loop, "admitted")
    with acting(loop.specialist) as ward:
        Referral.objects.filter(pk=referral.pk).update(benefits=[GRANTED])
        case = queries.get(key=referral.key, actor=ward)
        actions.discharge(referral=case, actor=ward, summary=SUMMARY, plan=PLAN)
        debt = actions.note_debt(referral=queries.get(key=referral.key, actor=ward), amount=Decimal(amount), actor=ward)
    return case, debt


def test_parts_come_in_until_the_last_one_settles_it(client: Client) -> None:
    loop = make_loop()
    referral, debt = owing(loop)
    client.force_login(loop.users["specialist"])
    part = reverse("referrals:settle", args=[debt.key, "pay_part"])
    for wrong, sentence in (
        ("", "大于 0"),
        ("-3", "大于 0"),
        ("1.234", "精确到分"),
        ("1250.51", "超过尚欠的 1250.50"),
        ("²", "大于 0"),
    ):
        answer = client.post(part, {"amount": wrong}, follow=True)
        assert sentence in answer.content.decode().split("ds-toasts")[-1], wrong
    assert client.post(part, {"amount": "500"}, follow=True).status_code == 200
    page = client.get(reverse("referrals:detail", args=[referral.key])).content.decode()
    assert "500.00 元" in page
    assert "750.50 元" in page
    with acting(loop.specialist):
        assert PayLater.objects.get().state == "owing"
    client.post(part, {"amount": "750.50"})
    with acting(loop.specialist):
        settled = PayLater.objects.get()
        assert (settled.state, settled.paid, settled.rest()) == ("paid", settled.amount, Decimal(0))
        assert not Task.objects.filter(kind="pay-later.owing", closed_at__isnull=True).exists()


def test_only_who_may_waives_and_says_why(client: Client) -> None:
    loop = make_loop()
    referral, debt = owing(loop)
    duty = make_staff(name="范医师", organization_id=loop.world.lead, role="lead_duty", username="duty9")
    waive = reverse("referrals:settle", args=[debt.key, "waive"])
    client.force_login(loop.users["specialist"])
    assert client.post(waive, {"reason": "低保"}).status_code == 403
    assert "减免由总值班" in client.get(reverse("referrals:detail", args=[referral.key])).content.decode()
    client.force_login(duty)
    page = client.get(reverse("referrals:detail", args=[referral.key])).content.decode()
    assert waive in page
    assert reverse("referrals:settle", args=[debt.key, "pay"]) not in page
    assert "原因" in client.post(waive, {"reason": ""}, follow=True).content.decode().split("ds-toasts")[-1]
    assert client.post(waive, {"reason": "低保户，经院办公会同意"}).status_code == 302
    with acting(loop.specialist):
        assert (PayLater.objects.get().state, PayLater.objects.get().note) == ("waived", "低保户，经院办公会同意")


def test_an_overdue_debt_is_told_to_whoever_may_waive_it() -> None:
    loop = make_loop()
    _referral, _debt = owing(loop)
    with acting(system_actor(Purpose.CLOCKS)) as clocks:
        worklist.run_clocks(actor=clocks, now=timezone.now() + timedelta(days=31))
        row = EventRow.objects.filter(name="TaskOverdue", details__kind="pay-later.owing").latest("id")
        debt_handlers.tell_debt_late(to_event(row, TaskOverdue))
        told = Notice.objects.filter(kind="debt-late").values_list("organization_id", "role")
        assert (loop.world.lead, "lead_duty") in set(told)


def test_a_part_gives_the_clock_a_week_once_the_day_has_passed() -> None:
    loop = make_loop()
    _referral, debt = owing(loop)
    with acting(loop.specialist) as ward:
        PayLater.objects.update(due_on=timezone.localdate() - timedelta(days=3))
        late = PayLater.objects.select_related("referral").get()
        actions.settle_debt(debt=late, verb="pay_part", reason="", amount=Decimal(100), actor=ward)
        task = Task.objects.get(kind="pay-later.owing", closed_at__isnull=True)
        assert timezone.localdate(task.due_at) == timezone.localdate() + timedelta(days=7)
        with pytest.raises(Refused):
            actions.settle_debt(debt=PayLater.objects.get(), verb="pay_part", reason="", amount=None, actor=ward)
    assert debt.amount == Decimal("1250.50")


def test_nobody_reminds_the_dead() -> None:
    loop = make_loop()
    _referral, debt = owing(loop)
    with acting(system_actor(Purpose.IMPORT)):
        Resident.objects.filter(pk=loop.resident.pk).update(deceased_on=timezone.localdate())
    with acting(loop.specialist) as ward, pytest.raises(Conflict, match="已去世"):
        actions.settle_debt(debt=debt, verb="remind", reason="", actor=ward)


def test_two_windows_take_parts_at_the_same_moment_and_neither_is_lost() -> None:
    """Both opened the page before either was paid: what each took is on the account, and more than is owed is refused."""
    loop = make_loop()
    _referral, _debt = owing(loop)
    with acting(loop.specialist) as ward:
        one, other = (
            PayLater.objects.select_related("referral").get(),
            PayLater.objects.select_related("referral").get(),
        )
        actions.settle_debt(debt=one, verb="pay_part", reason="", amount=Decimal(700), actor=ward)
        with pytest.raises(Refused):
            actions.settle_debt(debt=other, verb="pay_part", reason="", amount=Decimal(700), actor=ward)
        actions.settle_debt(debt=other, verb="pay_part", reason="", amount=Decimal(500), actor=ward)
        assert (PayLater.objects.get().paid, PayLater.objects.get().rest()) == (Decimal(1200), Decimal("50.50"))
        actions.settle_debt(debt=other, verb="pay_part", reason="", amount=Decimal("50.50"), actor=ward)
        assert PayLater.objects.get().state == "paid"
    with acting(system_actor(Purpose.CLOCKS)):
        said = (
            EventRow.objects.filter(details__rest__isnull=False).order_by("id").values_list("details__rest", flat=True)
        )
        assert list(said) == ["550.50", "50.50", "0.00"]


def test_the_patient_reads_on_the_own_phone_what_is_owed_where_and_until_when() -> None:
    loop = make_loop()
    referral, debt = owing(loop)
    own, page = phone(loop.resident.pk, "zhou"), reverse("portal:referral", args=[referral.key])
    shown = own.get(page).content.decode()
    assert "尚欠 1,250.50 元" in shown
    assert debt.due_on.isoformat() in shown
    assert "先诊疗后付费" in shown.partition("您享受的待遇")[2]
    home = own.get(reverse("portal:home")).content.decode()
    assert "1,250.50 元" in home.partition("待结清的费用")[2]
    stranger = make_resident(organization_id=loop.world.village, name="王五", number="", phone="")
    assert "待结清的费用" not in phone(stranger.pk, "wang").get(reverse("portal:home")).content.decode()
    with acting(loop.specialist) as ward:
        PayLater.objects.update(due_on=timezone.localdate() - timedelta(days=3))
        for verb, amount in (("remind", None), ("pay_part", Decimal(250)), ("pay", None)):
            late = PayLater.objects.select_related("referral").get()
            actions.settle_debt(debt=late, verb=verb, reason="", amount=amount, actor=ward)
            if verb == "pay_part":
                assert "尚欠 1,000.50 元" in own.get(page).content.decode()
                assert "已逾期 3 天" in own.get(page).content.decode()
    settled = own.get(page).content.decode()
    assert "尚欠" not in settled
    assert "已结清" in settled
    assert "待结清的费用" not in own.get(reverse("portal:home")).content.decode()


def test_each_step_of_a_debt_is_told_to_the_patient_and_leads_to_the_own_page() -> None:
    loop = make_loop()
    referral, debt = owing(loop)
    with acting(loop.specialist) as ward:
        actions.settle_debt(debt=debt, verb="remind", reason="", actor=ward)
        actions.settle_debt(debt=debt, verb="pay_part", reason="", amount=Decimal(50), actor=ward)
        actions.settle_debt(debt=debt, verb="pay", reason="", actor=ward)
    kinds = {"DebtNoted": DebtNoted, "DebtReminded": DebtReminded, "DebtPartPaid": DebtPartPaid, "DebtPaid": DebtPaid}
    with acting(system_actor(Purpose.HANDLER)):
        for row in EventRow.objects.filter(name__in=kinds).order_by("id"):
            debt_handlers.tell_debt(to_event(row, kinds[row.name]))
        told = Notice.objects.filter(kind__startswith="debt-", resident_id=loop.resident.pk).order_by("id")
        assert [one.kind for one in told] == ["debt-noted", "debt-reminded", "debt-part-paid", "debt-paid"]
        assert {one.link for one in told} == {f"own-{referral.subject}"}
        assert not any("1250" in debt_handlers.TEXTS[one.kind].zh for one in told)


def test_green_patients_are_told_to_come_at_once_and_to_which_centre() -> None:
    loop = make_loop()
    referral = referral_in(loop, "accepted")
    with acting(system_actor(Purpose.HANDLER)):
        Referral.objects.update(green_center="chest-pain")
    page = phone(loop.resident.pk, "zhou").get(reverse("portal:referral", args=[referral.key])).content.decode()
    assert "请立即前往" in page
    assert "胸痛中心" in page
    assert "最迟到院" in page


def test_the_first_page_of_who_owes_stays_within_the_budget() -> None:
    loop = make_loop()
    owing(loop)
    assert "待结清的费用" in within_budget(phone(loop.resident.pk, "zhou"), "/me/")


def test_after_a_death_the_family_reads_the_sum_and_nobody_is_asked_to_pay() -> None:
    loop = make_loop()
    referral, _debt = owing(loop)
    with acting(loop.specialist) as ward:
        case = queries.get(key=referral.key, actor=ward)
        actions.record_death(
            referral=case, died_on=timezone.localdate(), source="family", reason="心搏骤停", actor=ward
        )
        left = [step["state"] for step in steps_of(queries.get(key=referral.key, actor=ward))]
    # The road ends there: nothing is still to come.
    assert left[-1] == "stopped"
    assert "next" not in left
    page = phone(loop.resident.pk, "zhou").get(reverse("portal:referral", args=[referral.key])).content.decode()
    assert "尚欠 1,250.50 元" in page
    for words in ("请在此日前结清", "可以分次交清", "您享受的待遇"):
        assert words not in page
