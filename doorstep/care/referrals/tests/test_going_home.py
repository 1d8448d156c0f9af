"""The way home: who is proposed, who is asked, what refusals leave; questions on a case; debts; the board of flows."""

import re
from datetime import timedelta
from decimal import Decimal
from io import BytesIO

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from python_calamine import CalamineWorkbook

from doorstep.care.referrals import actions, down_queries, queries, states
from doorstep.care.referrals.models import CaseQuestion, DownProposal, PayLater, Referral
from doorstep.care.referrals.record_facts import known_of
from doorstep.care.referrals.tests.factories import PLAN, SUMMARY, Loop, draft, make_loop, referral_in
from doorstep.coordination.beds import actions as beds
from doorstep.coordination.beds.models import Bed, Stay
from doorstep.coordination.beds.presenters import about
from doorstep.kernel.access import actions as access
from doorstep.kernel.access.actor import Purpose, system_actor
from doorstep.kernel.access.models import CareRelationship
from doorstep.kernel.access.refusals import Conflict, NotFound, Refused
from doorstep.kernel.access.session import acting
from doorstep.kernel.web.formats import moment_short
from doorstep.kernel.worklist.models import Task
from doorstep.people.residents.tests.factories import make_staff

pytestmark = pytest.mark.django_db
GRANTED = {"title": "先诊疗后付费", "granted": True, "reason": "已签约", "verified": False, "inputs": {"age": "63"}}
WELL = {"complications_stable": True, "deficit_stable": True}


def lie_in(loop: Loop, *, said: dict[str, object] | None = None) -> Stay:
    """周桂兰 in a bed after a stroke, seen today; the hospital has sight of her."""
    with acting(system_actor(Purpose.IMPORT)) as actor:
        beds.open_ward(organization_id=loop.world.lead, name="神经内科", beds=["1"], actor=actor)
        access.open_relationship(
            resident_id=loop.resident.pk,
            organization_id=loop.world.lead,
            reason=CareRelationship.Reason.VISIT,
            episode="stay/1",
            actor=actor,
        )
    with acting(loop.specialist):
        stay = beds.occupy(
            bed=Bed.objects.get(),
            resident=loop.resident,
            actor=loop.specialist,
            diagnosis="脑梗死恢复期",
            diagnosis_code="I63.9",
        )
        return beds.write_round(
            stay=stay,
            said=WELL if said is None else said,
            medicines=[{"code": "aspirin-100", "name": "阿司匹林肠溶片 100 mg", "frequency": "qd", "days": "30"}],
            actor=loop.specialist,
        )


def lower_pressure(loop: Loop) -> None:
    """The record's newest pressure becomes 130/80: the loop's own is too high to go home with."""
    with acting(system_actor(Purpose.IMPORT)):
        from_record = known_of(resident_id=loop.resident.pk, origin_reference="", actor=system_actor(Purpose.IMPORT))
        assert from_record.number("systolic") == 168


def can(loop: Loop, unit: int, *skills: str) -> None:
    with acting(loop.family if unit == loop.world.township else loop.sister) as actor:
        actions.save_service(organization_id=unit, accepts=True, skills=skills, medicines=[], actor=actor)


def propose(loop: Loop) -> DownProposal | None:
    with acting(system_actor(Purpose.CLOCKS)) as actor:
        actions.propose_down(actor=actor)
        return DownProposal.objects.select_related("hospital", "receiver").order_by("-id").first()


def stable(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pressure at which one may go home."""
    known = known_of

    def calm(**asked: object) -> object:
        found = known(**asked)  # type: ignore[arg-type]
        measured = dict(found.measured)
        for name, value in (("systolic", 130), ("diastolic", 80)):
            measured[name] = type(measured[name])(value=value, unit="mmHg", on=measured[name].on)
        return type(found)(**{**{one: getattr(found, one) for one in found.__slots__}, "measured": measured})

    monkeypatch.setattr(down_queries, "known_of", calm)


def test_nobody_is_proposed_without_a_round_or_while_unstable() -> None:
    loop = make_loop()
    lower_pressure(loop)
    lie_in(loop)
    # 168/96 mmHg stands in the record: not stable.
    assert propose(loop) is None
    with acting(loop.specialist):
        Stay.objects.update(round_on=None)
    assert propose(loop) is None


def test_proposal_names_the_nearest_unit_that_can_and_both_doctors_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    loop = make_loop()
    stable(monkeypatch)
    lie_in(loop)
    can(loop, loop.world.township, "wound")
    can(loop, loop.world.other_township, "rehab")
    proposal = propose(loop)
    assert proposal is not None
    assert (proposal.disease, proposal.receiver_id) == ("stroke", loop.world.other_township)
    assert {one["id"]: one["lacks"] for one in proposal.choices}[loop.world.township] == ["skill:rehab"]
    assert propose(loop).pk == proposal.pk  # type: ignore[union-attr]
    with acting(loop.sister), pytest.raises(NotFound):
        down_queries.get_proposal(key=proposal.key)
    with acting(loop.specialist), pytest.raises(Refused) as caught:
        actions.agree_ward(proposal=proposal, actor=loop.specialist, signer="", relation="")
    assert set(caught.value.fields) == {"signer", "relation"}
    with acting(loop.specialist):
        actions.agree_ward(proposal=proposal, actor=loop.specialist, signer="周桂兰", relation="self")
    with acting(loop.sister):
        actions.agree_receiver(proposal=down_queries.get_proposal(key=proposal.key), actor=loop.sister)
    with acting(system_actor(Purpose.HANDLER)) as actor:
        made = actions.open_down_draft(proposal=down_queries.get_proposal(key=proposal.key), actor=actor)
    assert made is not None
    with acting(loop.specialist):
        down = actions.send_down(
            referral=queries.get(key=made.key, actor=loop.specialist),
            actor=loop.specialist,
            summary=SUMMARY,
            plan=PLAN,
            consent=actions.Consent(signer="周桂兰", relation="self"),
        )
        assert (down.state, down.direction, down.receiver_id) == ("handed_back", "down", loop.world.other_township)
        assert Stay.objects.get().left_at is not None
    with acting(loop.sister):
        expected = actions.receive_back(referral=queries.get(key=down.key, actor=loop.sister), actor=loop.sister)
        # A stroke goes to rehabilitation: the patient is expected there first.
        assert (expected.state, expected.aim, expected.goes_to) == ("expected_back", "rehab", "rehab")
        received = actions.arrive_back(referral=expected, actor=loop.sister)
        assert received.state == "received_back"


def test_refusals_keep_their_code_and_ask_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    loop = make_loop()
    stable(monkeypatch)
    lie_in(loop)
    can(loop, loop.world.township, "rehab")
    can(loop, loop.world.other_township, "rehab")
    proposal = propose(loop)
    assert proposal is not None
    with acting(loop.specialist):
        other = next(one["id"] for one in proposal.choices if one["id"] != proposal.receiver_id)
        actions.agree_ward(
            proposal=proposal, actor=loop.specialist, signer="周桂兰", relation="self", following=[other]
        )
    first = proposal.receiver_id
    for _turn in range(2):
        with acting(system_actor(Purpose.CLOCKS)):
            asked = DownProposal.objects.get()
        actor = loop.family if asked.receiver_id == loop.world.township else loop.sister
        with acting(actor), pytest.raises(Refused):
            actions.refuse_receiver(proposal=asked, code="nonsense", reason="", actor=actor)
        with acting(actor):
            actions.refuse_receiver(proposal=asked, code="no-bed", reason="", actor=actor)
    with acting(system_actor(Purpose.CLOCKS)):
        ended = DownProposal.objects.get()
    assert (ended.state, ended.following) == ("proposed", [])
    assert [one["code"] for one in ended.receiver_codes] == ["no-bed", "no-bed"]
    assert ended.receiver_codes[0]["unit"] == first


def test_ward_may_say_not_yet_and_a_left_bed_lets_the_proposal_lapse(monkeypatch: pytest.MonkeyPatch) -> None:
    loop = make_loop()
    stable(monkeypatch)
    stay = lie_in(loop)
    can(loop, loop.world.township, "rehab")
    proposal = propose(loop)
    assert proposal is not None
    with acting(loop.specialist):
        actions.refuse_ward(proposal=proposal, code="not-stable", reason="", actor=loop.specialist)
    assert propose(loop).pk == proposal.pk  # type: ignore[union-attr]
    with acting(system_actor(Purpose.CLOCKS)):
        DownProposal.objects.update(state_since=timezone.now() - timedelta(days=3))
    again = propose(loop)
    assert again is not None
    assert again.pk != proposal.pk
    with acting(loop.specialist):
        beds.leave(stay=stay, actor=loop.specialist)
    lapsed = propose(loop)
    assert lapsed is not None
    assert lapsed.state == "lapsed"


def test_the_ward_answers_questions_for_thirty_days() -> None:
    loop = make_loop()
    referral = referral_in(loop, "received_back")
    with acting(loop.family):
        question = actions.ask_question(
            referral=referral, text="血压 150/95，需要调药吗？", urgent=True, actor=loop.family
        )
    with acting(loop.sister), pytest.raises(NotFound):
        down_queries.get_question(key=question.key)
    with acting(loop.specialist):
        found = down_queries.get_question(key=question.key)
        actions.answer_question(question=found, text="加用氢氯噻嗪 12.5 mg。", actor=loop.specialist)
    with acting(loop.family):
        assert CaseQuestion.objects.get().answer.startswith("加用")
        case = queries.get(key=referral.key, actor=loop.family)
        actions.close(referral=case, actor=loop.family, outcome="恢复良好")
        closed = queries.get(key=referral.key, actor=loop.family)
        actions.ask_question(referral=closed, text="还能再问一句吗？", actor=loop.family)
        closed.closed_at = timezone.now() - states.REACHABLE - timedelta(days=1)
        with pytest.raises(Conflict):
            actions.ask_question(referral=closed, text="还能再问一句吗？", actor=loop.family)


def test_debt_only_for_those_who_may_pay_later_and_settled_once() -> None:
    loop = make_loop()
    referral = referral_in(loop, "admitted")
    with acting(loop.specialist):
        with pytest.raises(Refused):
            actions.note_debt(referral=referral, amount=Decimal("10"), actor=loop.specialist)
        Referral.objects.filter(pk=referral.pk).update(benefits=[{"title": "先诊疗后付费", "granted": True}])
        found = queries.get(key=referral.key, actor=loop.specialist)
        debt = actions.note_debt(referral=found, amount=Decimal("1250.50"), actor=loop.specialist)
        debt = actions.settle_debt(debt=debt, verb="remind", reason="", actor=loop.specialist)
        with pytest.raises(Conflict, match="今天已提醒过"):
            actions.settle_debt(debt=debt, verb="remind", reason="", actor=loop.specialist)
        assert (debt.state, debt.reminders, debt.days_late()) == ("owing", 1, 0)
        # A reminder before the day leaves the clock at the day.
        task = Task.objects.get(kind="pay-later.owing", closed_at__isnull=True)
        assert timezone.localdate(task.due_at) == debt.due_on
        late = timezone.localdate() - timedelta(days=3)
        PayLater.objects.update(due_on=late, reminded_at=timezone.now() - timedelta(days=1))
        debt = actions.settle_debt(debt=PayLater.objects.get(), verb="remind", reason="", actor=loop.specialist)
        assert (debt.reminders, debt.days_late()) == (2, 3)
        task = Task.objects.get(kind="pay-later.owing", closed_at__isnull=True)
        assert timezone.localdate(task.due_at) == timezone.localdate() + timedelta(days=7)
        actions.settle_debt(debt=debt, verb="pay", reason="", actor=loop.specialist)
        assert PayLater.objects.get().state == "paid"
        with pytest.raises(Conflict):
            actions.settle_debt(debt=debt, verb="waive", reason="困难", actor=loop.specialist)


def test_a_refused_settling_is_said_on_the_cases_page(client: Client) -> None:
    loop = make_loop()
    referral = referral_in(loop, "admitted")
    with acting(loop.specialist):
        Referral.objects.filter(pk=referral.pk).update(benefits=[GRANTED])
        found = queries.get(key=referral.key, actor=loop.specialist)
        debt = actions.note_debt(referral=found, amount=Decimal("8"), actor=loop.specialist)
    client.force_login(loop.users["specialist"])
    for verb, sentence in (
        ("remind", "已提醒患者"),
        ("remind", "今天已提醒过"),
        ("pay_part", "大于 0"),
        ("pay", "已更新"),
    ):
        answer = client.post(reverse("referrals:settle", args=[debt.key, verb]), follow=True)
        assert answer.redirect_chain[-1][0] == reverse("referrals:detail", args=[referral.key])
        assert sentence in answer.content.decode().split("ds-toasts")[-1]
    with acting(loop.specialist):
        assert (PayLater.objects.get().state, PayLater.objects.get().reminders) == ("paid", 1)


def test_board_opens_down_to_cases_and_exports_them() -> None:
    loop = make_loop()
    referral_in(loop, "submitted_green")
    with acting(loop.village):
        other = draft(loop)
        actions.leave_network(referral=other, place="省立医院", code="no-skill", actor=loop.village)
    manager = make_staff(name="管理者", organization_id=loop.world.lead, role="manager", username="manager9")
    client = Client()
    client.force_login(manager)
    page = client.get(reverse("referrals:flow")).content.decode()
    assert "绿色通道待受理" in page
    assert client.get(reverse("referrals:flow-sankey")).json()["series"][0]["links"]
    assert client.get(reverse("referrals:flow-map")).status_code == 200
    cases = client.get(reverse("referrals:flow-cases"), {"what": "stage:submitted_green"}).content.decode()
    assert "周桂兰" not in cases
    # The whole number: two letters alone may stand in a form's token.
    assert re.search(r"ZZ\d{6}-", cases)
    book = client.get(reverse("referrals:flow-export"), {"what": "open"})
    rows = CalamineWorkbook.from_filelike(BytesIO(book.content)).get_sheet_by_index(0).to_python()
    assert len(rows) == 3
    dark = client.get(reverse("referrals:flow-cases"), {"what": "dark"}).content.decode()
    assert not re.search(r"ZZ\d{6}-", dark)
    office = Client()
    office.force_login(loop.users["office"])
    assert "周桂兰" in office.get(reverse("referrals:flow-cases"), {"what": "open"}).content.decode()


def test_who_left_the_network_stands_with_the_day_on_page_and_in_the_file(client: Client) -> None:
    loop = make_loop()
    with acting(loop.village) as village:
        gone = actions.leave_network(referral=draft(loop), place="省人民医院", code="patient-choice", actor=village)
    client.force_login(make_staff(name="曾主任", organization_id=loop.world.lead, role="manager", username="manager"))
    asked = {"period": "month", "what": "outside:patient-choice|省人民医院"}
    page = client.get(reverse("referrals:flow-cases"), asked).content.decode()
    line = page[page.index(gone.number) :].split("</tr>")[0]
    assert "省人民医院" in line
    assert moment_short(gone.created_at) in line
    file = client.get(reverse("referrals:flow-export"), asked).content
    rows = CalamineWorkbook.from_filelike(BytesIO(file)).get_sheet_by_index(0).to_python()
    sent = dict(zip(rows[0], rows[1], strict=True))
    assert str(sent["提交"])[:16] == timezone.localtime(gone.created_at).strftime("%Y-%m-%d %H:%M")


def test_bed_board_says_who_lies_there_and_leads_to_the_case_of_who_waits(client: Client) -> None:
    loop = make_loop()
    lie_in(loop)
    referral = referral_in(loop, "submitted_green")
    with acting(system_actor(Purpose.HANDLER)) as actor:
        wanted = beds.Wanted(
            organization_id=loop.world.lead,
            resident_id=loop.resident.pk,
            patient_name=loop.resident.name,
            reference=referral.subject,
        )
        beds.ask(wanted=wanted, actor=actor)
    client.force_login(loop.users["specialist"])
    page = client.get(reverse("beds:board")).content.decode()
    assert f'<a href="{reverse("referrals:detail", args=[referral.key])}">{loop.resident.name}</a>' in page
    assert page.count(about(loop.resident)) == 2
    with acting(system_actor(Purpose.HANDLER)):
        stay = Stay.objects.get()
    assert about(loop.resident) in client.get(reverse("beds:stay", args=[stay.key])).content.decode()
