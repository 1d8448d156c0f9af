"""The first page: what may be begun from it, and what one's unit has sent that others now hold."""

from datetime import UTC, datetime

import pytest

from doorstep.care.referrals import actions, down_queries
from doorstep.care.referrals.tests.factories import make_loop, referral_in
from doorstep.care.referrals.tests.test_down_aims import a_care_home, sent_by_ward
from doorstep.care.referrals.tests.test_going_home import WELL, lie_in, propose, stable
from doorstep.care.referrals.whose_queries import whose
from doorstep.kernel.access.session import acting
from doorstep.kernel.audit.models import AuditEntry
from doorstep.people.residents.models import Resident
from doorstep.site.next_acts import sent_after
from doorstep.site.portal.looks import together
from doorstep.site.tests.test_people_pages import signed_in, within_budget

pytestmark = pytest.mark.django_db


def test_home_shows_what_the_unit_sent_and_who_holds_it() -> None:
    loop = make_loop()
    referral = referral_in(loop, "submitted_green")
    page = within_budget(signed_in(loop.users["village"]), "/")
    assert "已送出，等对方办理" in page
    assert f"/referrals/{referral.key}/" in page
    assert referral.patient_name in page
    assert "核验到场" in page
    other = within_budget(signed_in(loop.users["stranger"]), "/")
    assert referral.patient_name not in other
    assert "已送出，等对方办理" not in other


def test_home_offers_only_what_the_role_may_begin() -> None:
    loop = make_loop()
    reader = within_budget(signed_in(loop.users["reader"]), "/")
    assert "去判读" in reader
    assert "核验到场" not in reader


def test_together_counts_alike_looks_of_a_day_and_hides_nobodys() -> None:
    def look(hour: int, *, user: int = 7, action: str = "record.view") -> AuditEntry:
        return AuditEntry(user_id=user, action=action, at=datetime(2026, 3, 2, hour, tzinfo=UTC))

    found = [look(9), look(8), look(8, user=8), look(7), look(6, action="visit.view"), look(5)]
    assert [(one.user_id, one.action, times) for one, times in together(found)] == [
        (7, "record.view", 4), (8, "record.view", 1), (7, "visit.view", 1),
    ]  # fmt: skip
    # 15:00 and 17:00 UTC of one day are two days in China.
    assert [times for _one, times in together([look(17), look(15)])] == [1, 1]


def test_sent_referral_fills_in_the_register_of_the_critical_value() -> None:
    loop = make_loop()
    referral = referral_in(loop, "submitted_green")
    with acting(loop.village):
        sentence = sent_after(referral.origin, loop.village)
        assert referral.number in sentence
        assert sent_after("ecg-order/00000000-0000-0000-0000-000000000000", loop.village) == ""
    assert "转诊结局" in within_budget(signed_in(loop.users["village"]), "/")


def test_home_of_a_care_home_names_whom_it_is_asked_for_and_has_without_opening_the_register(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    loop = make_loop()
    stable(monkeypatch)
    lie_in(loop, said={**WELL, "needs_care": True})
    home = a_care_home()
    proposal = propose(loop)
    assert proposal is not None
    with acting(loop.specialist) as ward:
        actions.agree_ward(proposal=proposal, actor=ward, signer="周桂兰", relation="self")
    with acting(home.nurse) as nurse:
        assert not Resident.objects.filter(pk=loop.resident.pk).exists()
        assert whose(machine="down-proposal", item_ids=[proposal.pk])[proposal.pk].name == "周桂兰"
        assert whose(machine="ecg-order", item_ids=[1]) == {}
        page = within_budget(signed_in(home.user), "/")
        assert f"/referrals/proposals/{proposal.key}/" in page
        assert "周桂兰 女" in page
        actions.agree_receiver(proposal=down_queries.get_proposal(key=proposal.key), actor=nurse)
    # Another unit is not asked: neither the task nor the name is there.
    assert "周桂兰" not in within_budget(signed_in(loop.users["sister"]), "/")
    with acting(loop.sister):
        assert whose(machine="down-proposal", item_ids=[proposal.pk]) == {}
    down = sent_by_ward(loop, proposal)
    page = within_budget(signed_in(home.user), "/")
    assert f"/referrals/{down.key}/" in page
    assert "周桂兰 女" in page
