"""Receivers by distance from home, the ward's round on the discharge page, and units that declined a while ago."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from doorstep.care.referrals import actions, benefits, down_aims, down_queries, queries
from doorstep.care.referrals.down_rules import Needs, Unit, weigh
from doorstep.care.referrals.models import DownProposal, Referral, UnitService
from doorstep.care.referrals.presenters import homeward
from doorstep.care.referrals.tests.factories import CONSENT, Loop, draft, make_loop, referral_in
from doorstep.care.referrals.tests.test_going_home import can, lie_in, propose, stable
from doorstep.coordination.beds import actions as beds
from doorstep.coordination.beds.models import Bed, Stay
from doorstep.kernel.access.actor import Purpose, system_actor
from doorstep.kernel.access.session import acting
from doorstep.people.organizations.models import Organization

pytestmark = pytest.mark.django_db


def place(unit: int, north: float) -> None:
    """Put a unit so many degrees north of the own township; a hundredth is 1.1 km."""
    Organization.objects.filter(pk=unit).update(latitude=28 + north, longitude=112)


def test_receivers_stand_by_their_distance_from_home_and_those_that_cannot_after_them() -> None:
    loop = make_loop()
    world = loop.world
    with acting(system_actor(Purpose.IMPORT)):
        others = {
            name: Organization.objects.create(code=f"T{north}", name=name, kind="township-center", tier=1).pk
            for name, north in (("远乡卫生院", 40), ("近乡卫生院", 5), ("无坐标卫生院", 0))
        }
        for unit, north in ((world.township, 0.0), (world.other_township, 0.2), (others["远乡卫生院"], 0.4)):
            place(unit, north)
        place(others["近乡卫生院"], -0.05)
    for unit in (world.township, world.other_township):
        can(loop, unit, "rehab", "home-visit")
    discharged = referral_in(loop, "discharged")
    with acting(loop.specialist) as ward:
        case = queries.get(key=discharged.key, actor=ward)
        clinic = [key for key, _name in homeward.receivers(case, aim=down_aims.CLINIC)]
        home = [key for key, _name in homeward.receivers(case, aim=down_aims.HOME)]
    near, far, nowhere = others["近乡卫生院"], others["远乡卫生院"], others["无坐标卫生院"]
    assert clinic == [world.township, near, world.other_township, far, nowhere]
    # Whoever cannot visit stands after those who can, however near.
    assert home == [world.township, world.other_township, near, far, nowhere]


def test_discharge_page_rests_on_the_wards_last_round(client: Client) -> None:
    loop = make_loop()
    arrived = referral_in(loop, "arrived")
    with acting(system_actor(Purpose.IMPORT)) as system:
        beds.open_ward(organization_id=loop.world.lead, name="心内科", beds=["1"], actor=system)
    with acting(loop.specialist) as ward:
        case = queries.get(key=arrived.key, actor=ward)
        actions.admit(referral=case, actor=ward, bed_key=Bed.objects.get().key)
    client.force_login(loop.users["specialist"])
    page = reverse("referrals:discharge", args=[arrived.key])
    before = client.get(page).content.decode()
    assert "并发症、合并症稳定未知" in before
    with acting(loop.specialist) as ward:
        stay = Stay.objects.get()
        said = {"complications_stable": True, "systolic": 126, "diastolic": 76, "chest_pain_free_days": 4, "pulse": 70}
        beds.write_round(stay=stay, said=said, actor=ward)
    after = client.get(page).content.decode()
    assert "并发症、合并症稳定 是" in after
    assert "收缩压 126 mmHg" in after
    # The 168/96 mmHg of the morning of the admission say nothing of how the patient is on the ward.
    assert "收缩压 168 mmHg" not in after


def declined(loop: Loop) -> Referral:
    """A referral to the lead hospital that it declined."""
    first = draft(loop)
    with acting(loop.village) as village:
        values = {"kind": "ordinary", "critical": False, "bed_requested": True, "target_id": loop.world.lead}
        actions.revise(referral=first, actor=village, values=values)
        actions.submit(referral=first, consent=CONSENT, actor=village)
    with acting(loop.office) as office:
        case = queries.get(key=first.key, actor=office)
        actions.decline(referral=case, code="no-bed", reason="满床", alternative="请转市医院", actor=office)
    with acting(loop.village) as village:
        return queries.get(key=first.key, actor=village)


def test_a_unit_that_declined_is_proposed_again_after_thirty_days(monkeypatch: pytest.MonkeyPatch) -> None:
    loop = make_loop()
    with acting(system_actor(Purpose.IMPORT)):
        other = Organization.objects.create(code="H9", name="第二医院", kind="hospital", tier=2).pk
    monkeypatch.setattr(benefits, "_signed", [lambda *_asked: [loop.world.lead, other]])
    first = declined(loop)
    with acting(loop.village) as village:
        second = actions.draft_again(referral=first, actor=village)
        assert second.target_id == other
        actions.withdraw(referral=second, reason="改日再转", actor=village)
    with acting(system_actor(Purpose.IMPORT)):
        Referral.objects.filter(pk=first.pk).update(state_since=timezone.now() - timedelta(days=31))
    with acting(loop.village) as village:
        later = actions.draft_again(referral=queries.get(key=second.key, actor=village), actor=village)
        assert later.target_id == loop.world.lead


def test_the_house_asks_the_ward_again_after_every_unit_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    loop = make_loop()
    stable(monkeypatch)
    lie_in(loop)
    can(loop, loop.world.township, "rehab")
    proposal = propose(loop)
    assert proposal is not None
    with acting(loop.specialist) as ward:
        actions.agree_ward(proposal=proposal, actor=ward, signer="周桂兰", relation="self")
    with acting(loop.family) as family:
        asked = DownProposal.objects.get()
        actions.refuse_receiver(proposal=asked, code="no-medicine", reason="", actor=family)
    again = propose(loop)
    assert again is not None
    # The ward has it back at once, and says itself when nobody else is to be asked.
    assert (again.pk, again.state) == (proposal.pk, "proposed")
    with acting(loop.specialist) as ward:
        actions.refuse_ward(proposal=again, code="no-medicine", reason="等卫生院购药", actor=ward)
    with acting(system_actor(Purpose.CLOCKS)):
        DownProposal.objects.update(state_since=timezone.now() - timedelta(days=3))
    again = propose(loop)
    assert again is not None
    assert again.pk != proposal.pk
    assert (again.state, again.receiver_id, again.tried) == ("proposed", loop.world.township, [])


def test_a_near_unit_that_lacks_one_medicine_stands_before_a_far_one_that_lacks_two() -> None:
    def unit(number: int, near: int, *medicines: str, skills: tuple[str, ...] = ("rehab",)) -> Unit:
        return Unit(id=number, name=str(number), near=near, skills=frozenset(skills), medicines=frozenset(medicines))

    needs = Needs(skills=("rehab",), medicines=(("a", "甲"), ("b", "乙"), ("c", "丙")))
    units = [unit(1, 0, "a2", "b"), unit(2, 9, "a"), unit(3, 1, "a", "b", "c", skills=()), unit(4, 5, "a", "b", "c")]
    found = weigh(units, needs, groups={"a": "g", "a2": "g"})
    assert [(one.unit.id, one.able, one.askable) for one in found] == [
        (4, True, True),
        (1, False, True),
        (2, False, True),
        (3, False, False),
    ]
    far = [unit(number, number, "a", "b", "c") for number in range(10, 20)]
    shown = down_queries.as_choices(weigh([*far, units[0]], needs, groups={}))
    assert [one["id"] for one in shown] == [*range(10, 20), 1]


def test_the_ward_may_ask_a_unit_that_lacks_a_medicine_alone(monkeypatch: pytest.MonkeyPatch, client: Client) -> None:
    loop = make_loop()
    stable(monkeypatch)
    lie_in(loop)
    for unit, actor, skills in (
        (loop.world.township, loop.family, ("rehab",)),
        (loop.world.other_township, loop.sister, ("wound",)),
    ):
        with acting(actor):
            actions.save_service(organization_id=unit, accepts=True, skills=skills, medicines=[], actor=actor)
            UnitService.objects.filter(organization_id=unit).update(medicines=["metformin-500"])
    proposal = propose(loop)
    assert proposal is not None
    assert proposal.receiver_id is None
    client.force_login(loop.users["specialist"])
    page = reverse("referrals:proposal", args=[proposal.key])
    shown = client.get(page).content.decode()
    assert "可询问缺药的机构" in shown
    asked = {"verb": "agree_ward", "aim": "rehab", "signer": "周桂兰", "relation": "self"}
    assert client.post(page, {**asked, "receiver": str(loop.world.other_township)}).status_code == 422
    assert client.post(page, {**asked, "receiver": str(loop.world.township)}).status_code == 302
