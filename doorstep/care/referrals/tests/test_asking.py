"""Whom the ward asks: every able unit with its reasons, several in order, another one meanwhile, and back to the ward after the last."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from doorstep.care.referrals import actions, case_events, case_states, down_queries, handlers
from doorstep.care.referrals.models import DownProposal, StockLine, UnitService
from doorstep.care.referrals.tests.factories import Loop, make_loop, referral_in
from doorstep.care.referrals.tests.test_going_home import can, lie_in, propose, stable
from doorstep.care.referrals.tests.test_near_and_again import place
from doorstep.care.referrals.tests.test_statements import client_of, listed, sent_by
from doorstep.coordination.notices.models import Notice
from doorstep.kernel.access.actor import Purpose, system_actor
from doorstep.kernel.access.refusals import NotFound, Refused
from doorstep.kernel.access.session import acting
from doorstep.kernel.events.models import EventRow
from doorstep.kernel.events.tasks import to_event
from doorstep.kernel.workflow.actions import TransitionRefused
from doorstep.people.organizations.models import Organization

pytestmark = pytest.mark.django_db


def units(count: int, *, medicines: list[str]) -> list[int]:
    """So many further centres that rehabilitate, each a kilometre further away, with these medicines on the shelf."""
    with acting(system_actor(Purpose.IMPORT)):
        made = [
            Organization.objects.create(code=f"N{number}", name=f"第{number}卫生院", kind="township-center", tier=1).pk
            for number in range(count)
        ]
        for number, unit in enumerate(made):
            place(unit, 0.3 + number / 100)
            UnitService.objects.create(organization_id=unit, skills=["rehab"])
            StockLine.objects.bulk_create(
                StockLine(organization_id=unit, code=code, name=code, quantity=9) for code in medicines
            )
    return made


def proposed(loop: Loop, monkeypatch: pytest.MonkeyPatch) -> DownProposal:
    """周桂兰 may go to rehabilitation: both townships can, the own one stands nearest."""
    stable(monkeypatch)
    lie_in(loop)
    place(loop.world.village, 0.0)
    place(loop.world.township, 0.0)
    place(loop.world.other_township, 0.2)
    can(loop, loop.world.township, "rehab")
    can(loop, loop.world.other_township, "rehab")
    found = propose(loop)
    assert found is not None
    return found


def told(loop: Loop, name: str) -> set[tuple[str, int | None]]:
    with acting(system_actor(Purpose.HANDLER)):
        row = EventRow.objects.filter(name=name).latest("id")
        handlers.tell_down(to_event(row, getattr(case_events, name)))
        return set(Notice.objects.values_list("kind", "organization_id"))


def test_ward_names_an_order_and_reads_what_speaks_for_and_against_each(
    monkeypatch: pytest.MonkeyPatch, client: Client
) -> None:
    loop = make_loop()
    third = units(1, medicines=["metformin-500"])[0]
    found = proposed(loop, monkeypatch)
    world = loop.world
    client.force_login(loop.users["specialist"])
    page = reverse("referrals:proposal", args=[found.key])
    shown = client.get(page).content.decode()
    assert "能做：康复训练" in shown
    assert "22.2 公里" in shown
    assert "缺：阿司匹林肠溶片 100 mg" in shown
    assert "未知：阿司匹林肠溶片 100 mg" in shown
    asked = {"verb": "agree_ward", "aim": "rehab", "signer": "周桂兰", "relation": "self", "receiver": world.township}
    assert client.post(page, {**asked, "following": [str(world.lead), ""]}).status_code == 422
    sent = client.post(page, {**asked, "following": [str(third), str(world.other_township)]})
    assert sent.status_code == 302
    shown = client.get(page).content.decode()
    assert "依次询问：第0卫生院、北岭镇卫生院" in shown
    assert "第 2 顺位" in shown
    client.force_login(loop.users["family"])
    refused = {"verb": "refuse_receiver", "code": "no-bed", "reason": "病房维修"}
    assert client.post(page, refused).status_code == 302
    client.force_login(loop.users["specialist"])
    shown = client.get(page).content.decode()
    assert "已回绝：没有床位：病房维修" in shown
    assert "正在询问：第0卫生院" in shown
    with acting(loop.specialist):
        now = down_queries.get_proposal(key=found.key)
        assert (now.receiver_id, now.following, now.tried) == (third, [world.other_township], [world.township])


def test_after_the_last_of_the_order_the_ward_chooses_again(monkeypatch: pytest.MonkeyPatch, client: Client) -> None:
    loop = make_loop()
    found = proposed(loop, monkeypatch)
    with acting(loop.specialist) as ward:
        actions.agree_ward(proposal=found, actor=ward, signer="周桂兰", relation="self")
    with acting(loop.family) as family:
        back = actions.refuse_receiver(
            proposal=down_queries.get_proposal(key=found.key), code="no-bed", reason="", actor=family
        )
        # Whoever refused keeps its answer and has it on no list of open ones.
        assert back.pk not in {one.pk for one in down_queries.list_proposals(actor=family)}
    assert back.state == "proposed"
    assert ("down-returned", loop.world.lead) in told(loop, "DownReturned")
    client.force_login(loop.users["specialist"])
    page = reverse("referrals:proposal", args=[found.key])
    shown = client.get(page).content.decode()
    # Whoever has not refused stands first in the field, whoever refused last, with why.
    first, last = (shown.index(f'<option value="{one}"') for one in (loop.world.other_township, loop.world.township))
    assert first < last
    assert "清溪镇卫生院（已回绝：没有床位）" in shown
    again = {
        "verb": "agree_ward", "aim": "rehab", "signer": "周桂兰", "relation": "self",
        "receiver": loop.world.other_township, "following": ["", ""],
    }  # fmt: skip
    assert client.post(page, again).status_code == 302
    with acting(loop.sister) as sister:
        agreed = actions.agree_receiver(proposal=down_queries.get_proposal(key=found.key), actor=sister)
    assert agreed.state == "agreed"


def test_ward_asks_another_instead_of_waiting(monkeypatch: pytest.MonkeyPatch, client: Client) -> None:
    loop = make_loop()
    found = proposed(loop, monkeypatch)
    with acting(loop.specialist) as ward:
        actions.agree_ward(proposal=found, actor=ward, signer="周桂兰", relation="self")
    with acting(loop.specialist) as ward, pytest.raises(Refused) as caught:
        actions.ask_other(
            proposal=down_queries.get_proposal(key=found.key), receiver_id=loop.world.township, actor=ward
        )
    assert set(caught.value.fields) == {"receiver"}
    client.force_login(loop.users["specialist"])
    page = reverse("referrals:proposal", args=[found.key])
    # Who is asked already is no choice: neither as the next one nor behind it.
    assert f'<option value="{loop.world.township}"' not in client.get(page).content.decode()
    other = {"verb": "ask_other", "receiver": str(loop.world.other_township), "following": [str(loop.world.township)]}
    refused = client.post(page, other)
    assert (refused.status_code, "有正在询问的这家" in refused.content.decode()) == (422, True)
    assert client.post(page, {**other, "following": ["", ""]}).status_code == 302
    assert {("down-asked", loop.world.other_township), ("down-unasked", loop.world.township)} <= told(
        loop, "OtherAsked"
    )
    # The first has no sight of the patient any more, and cannot answer in the other's place.
    with acting(loop.family), pytest.raises(NotFound):
        down_queries.get_proposal(key=found.key)
    with acting(loop.specialist):
        now = down_queries.get_proposal(key=found.key)
    with acting(loop.family) as family, pytest.raises((NotFound, TransitionRefused)):
        actions.agree_receiver(proposal=now, actor=family)


def test_a_silent_unit_is_passed_over_after_two_days(monkeypatch: pytest.MonkeyPatch) -> None:
    loop = make_loop()
    found = proposed(loop, monkeypatch)
    with acting(loop.specialist) as ward:
        actions.agree_ward(
            proposal=found, actor=ward, signer="周桂兰", relation="self", following=[loop.world.other_township]
        )
    late = timezone.now() + case_states.SILENT_ASKED + timedelta(minutes=1)
    with acting(system_actor(Purpose.CLOCKS)) as clocks:
        assert actions.pass_on_unanswered(actor=clocks) == 0
        assert actions.pass_on_unanswered(actor=clocks, now=late) == 1
        now = down_queries.get_proposal(key=found.key)
        assert (now.state, now.receiver_id) == ("asked", loop.world.other_township)
        assert actions.pass_on_unanswered(actor=clocks, now=late + timedelta(days=2)) == 1
        assert down_queries.get_proposal(key=found.key).state == "proposed"


def test_proposal_page_asks_the_same_of_the_database_for_twenty_units(monkeypatch: pytest.MonkeyPatch) -> None:
    loop = make_loop()
    found = proposed(loop, monkeypatch)
    ward, page = client_of(loop, "specialist"), reverse("referrals:proposal", args=[found.key])
    few = sent_by(lambda: ward.get(page))
    # Each would replace a medicine by another of its group.
    units(20, medicines=["clopidogrel-75", "simvastatin-20"])
    many = sent_by(lambda: ward.get(page))
    assert "第19卫生院" in ward.get(page).content.decode()
    assert len(many) <= len(few) + 1, listed(many)
    assert len(many) <= 20, listed(many)


def test_field_of_receivers_asks_the_same_of_the_database_for_twenty_units() -> None:
    loop = make_loop()
    case = referral_in(loop, "discharged")
    ward = client_of(loop, "specialist")
    asked = reverse("referrals:receivers", args=[case.key])
    few = sent_by(lambda: ward.get(asked, {"aim": "rehab"}))
    units(20, medicines=["clopidogrel-75", "simvastatin-20"])
    many = sent_by(lambda: ward.get(asked, {"aim": "rehab"}))
    assert "第18卫生院" in ward.get(asked, {"aim": "rehab"}).content.decode()
    assert len(many) <= len(few) + 1, listed(many)


def test_ward_may_name_once_more_who_refused_before(monkeypatch: pytest.MonkeyPatch) -> None:
    loop = make_loop()
    found = proposed(loop, monkeypatch)
    world = loop.world

    def ask(first: int, following: list[int]) -> None:
        with acting(loop.specialist) as ward:
            now = down_queries.get_proposal(key=found.key)
            actions.agree_ward(
                proposal=now, actor=ward, signer="周桂兰", relation="self", receiver_id=first, following=following
            )

    def refuse(by: str) -> DownProposal:
        actor = getattr(loop, by)
        with acting(actor):
            now = down_queries.get_proposal(key=found.key)
            return actions.refuse_receiver(proposal=now, code="no-bed", reason="", actor=actor)

    ask(world.township, [])
    assert refuse("family").state == "proposed"
    # A bed is free at 清溪镇 by now: the ward telephoned, and names it behind the other one.
    ask(world.other_township, [world.township])
    now = refuse("sister")
    assert (now.state, now.receiver_id) == ("asked", world.township)
    assert refuse("family").state == "proposed"


def test_whoever_opens_a_refused_proposal_reads_what_the_ward_wrote(
    monkeypatch: pytest.MonkeyPatch, client: Client
) -> None:
    loop = make_loop()
    found = proposed(loop, monkeypatch)
    client.force_login(loop.users["specialist"])
    page = reverse("referrals:proposal", args=[found.key])
    shown = client.get(page).content.decode()
    # A ward that keeps its patient has no lack of beds; the likeliest reason comes first.
    refuse = shown[shown.index('id="refuse_ward-code"') :].partition("</select>")[0]
    assert "没有床位" not in refuse
    assert refuse.index("病情未稳定") < refuse.index("缺少所需药品")
    said = {"verb": "refuse_ward", "code": "not-stable", "reason": "今晨血氧波动，再观察两天"}
    assert client.post(page, said).status_code == 302
    assert "病情未稳定：今晨血氧波动，再观察两天" in client.get(page).content.decode()


def test_a_refusal_for_other_reasons_says_which_and_the_ward_reads_that_nobody_is_left(
    monkeypatch: pytest.MonkeyPatch, client: Client
) -> None:
    loop = make_loop()
    found = proposed(loop, monkeypatch)
    page = reverse("referrals:proposal", args=[found.key])
    client.force_login(loop.users["specialist"])
    assert "都已回绝" not in client.get(page).content.decode()
    with acting(loop.specialist) as ward:
        actions.agree_ward(proposal=found, actor=ward, signer="周桂兰", relation="self")
    client.force_login(loop.users["family"])
    wordless = client.post(page, {"verb": "refuse_receiver", "code": "other", "reason": " "})
    assert wordless.status_code == 422
    assert "选择“其他”时请写明原因" in wordless.content.decode()
    said = {"verb": "refuse_receiver", "code": "other", "reason": "护理员请假"}
    assert client.post(page, said).status_code == 302
    client.force_login(loop.users["specialist"])
    shown = client.get(page).content.decode()
    assert "已回绝：其他：护理员请假" in shown
    assert "都已回绝" not in shown
    with acting(system_actor(Purpose.HANDLER)):
        everybody = [one["id"] for one in found.choices]
        DownProposal.objects.filter(pk=found.pk).update(tried=everybody)
    assert "能承接的机构都已回绝或未答复" in client.get(page).content.decode()
    assert client.post(page, {"verb": "refuse_ward", "code": "other", "reason": ""}).status_code == 422


def test_the_page_of_who_goes_home_without_a_referral_has_no_empty_rows(
    monkeypatch: pytest.MonkeyPatch, client: Client
) -> None:
    loop = make_loop()
    found = proposed(loop, monkeypatch)
    with acting(loop.specialist) as ward:
        actions.agree_ward(proposal=found, actor=ward, signer="周桂兰", relation="self")
    with acting(loop.family) as family:
        actions.agree_receiver(proposal=down_queries.get_proposal(key=found.key), actor=family)
    with acting(system_actor(Purpose.HANDLER)) as system:
        draft = actions.open_down_draft(proposal=DownProposal.objects.get(pk=found.pk), actor=system)
    assert draft is not None
    client.force_login(loop.users["specialist"])
    sheet = client.get(reverse("referrals:detail", args=[draft.key])).content.decode()
    assert "病区床位" in sheet
    assert "预计到院" not in sheet
    assert "主要现病史" not in sheet
