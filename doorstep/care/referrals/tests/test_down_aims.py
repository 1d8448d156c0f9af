"""Where a patient goes: what the plan and the round call for, who is offered for it, and what each aim means until the patient is there."""

from dataclasses import dataclass
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from doorstep.care.referrals import (
    actions,
    down_aims,
    down_queries,
    down_rules,
    events,
    family_words,
    handlers,
    queries,
)
from doorstep.care.referrals.models import DownProposal, FollowUp, Referral
from doorstep.care.referrals.presenters import homeward
from doorstep.care.referrals.states import REFERRAL
from doorstep.care.referrals.tests.factories import GOOD, PLAN, REPORT, SUMMARY, Loop, make_loop, referral_in
from doorstep.care.referrals.tests.test_going_home import WELL, can, lie_in, propose, stable
from doorstep.coordination.beds import actions as beds
from doorstep.coordination.beds.models import Bed, Stay
from doorstep.coordination.notices.models import Notice
from doorstep.kernel.access.actor import Actor, Purpose, system_actor
from doorstep.kernel.access.models import User
from doorstep.kernel.access.refusals import Conflict, Refused
from doorstep.kernel.access.session import acting
from doorstep.kernel.events.event import Event
from doorstep.kernel.events.models import EventRow
from doorstep.kernel.events.tasks import to_event
from doorstep.kernel.record import queries as record
from doorstep.kernel.worklist.models import Task
from doorstep.people.organizations.models import Organization
from doorstep.people.residents.tests.factories import make_staff
from doorstep.site.actors import of_user

pytestmark = pytest.mark.django_db
TOMORROW = timedelta(hours=26)


def a_ward(unit: int, *numbers: str, kind: str = "general") -> None:
    with acting(system_actor(Purpose.IMPORT)) as actor:
        beds.open_ward(organization_id=unit, name=f"{kind}病区", beds=list(numbers), kind=kind, actor=actor)


def sent_home(loop: Loop, aim: str) -> Referral:
    """Handed back to the own township for an aim."""
    discharged = referral_in(loop, "discharged")
    with acting(loop.specialist) as ward:
        return actions.hand_back(
            referral=queries.get(key=discharged.key, actor=ward),
            actor=ward,
            receiver_id=loop.world.township,
            aim=aim,
        )


def seen(loop: Loop, referral: Referral) -> Referral:
    return queries.get(key=referral.key, actor=loop.family)


@pytest.mark.parametrize(
    ("disease", "said", "aim"),
    [
        ("hypertension", {}, "clinic"),
        ("stroke", {}, "rehab"),
        ("stroke", {"needs_care": True}, "care-home"),
        ("heart", {"needs_bed": True}, "bed"),
        ("heart", {"housebound": True}, "home"),
        ("heart", {"needs_bed": None, "housebound": False}, "clinic"),
    ],
)
def test_aim_follows_what_the_plan_and_the_round_ask_for(disease: str, said: dict[str, object], aim: str) -> None:
    found, why = down_aims.propose(skills=down_rules.needs_of(disease, []).skills, said=said)
    assert found == aim
    assert bool(why) == (aim != "clinic")


def test_every_aim_is_an_aim_of_a_referral_and_asks_for_skills_that_exist() -> None:
    assert set(down_aims.AIMS) <= set(Referral.Aim.values)
    for aim in down_aims.AIMS.values():
        assert set(aim.skills) <= set(down_rules.SKILLS)
    # Who arrives is expected first; who comes to the clinic is followed up at once.
    assert REFERRAL.transition("receive_back", "handed_back", "arrives").target == "expected_back"  # type: ignore[union-attr]
    assert REFERRAL.transition("receive_back", "handed_back").target == "received_back"  # type: ignore[union-attr]


def test_receivers_are_those_that_can_for_the_aim_with_what_the_others_lack() -> None:
    loop = make_loop()
    world = loop.world
    can(loop, world.township, "wound")
    can(loop, world.other_township, "rehab", "home-visit")
    a_ward(world.other_township, "1", kind="rehab")
    a_ward(world.township, "1", "2")
    referral = referral_in(loop, "discharged")
    with acting(loop.specialist) as ward:
        case = queries.get(key=referral.key, actor=ward)
        offered = {aim: dict(homeward.receivers(case, aim=aim)) for aim in down_aims.AIMS}
        first = {aim: next(iter(rows), None) for aim, rows in offered.items()}
    assert first["clinic"] == world.township
    assert (first["rehab"], first["home"]) == (world.other_township, world.other_township)
    assert "缺：康复训练" in offered["rehab"][world.township]
    assert "缺：上门服务" in offered["home"][world.township]
    assert first["bed"] == world.township
    assert offered["care-home"] == {}


def test_a_centres_bed_is_kept_until_the_patient_lies_in_it() -> None:
    loop = make_loop()
    a_ward(loop.world.township, "1", "2")
    home = sent_home(loop, "bed")
    with acting(loop.family) as family:
        with pytest.raises(Refused) as caught:
            actions.receive_back(referral=seen(loop, home), actor=family)
        assert set(caught.value.fields) == {"bed"}
        with pytest.raises(Refused) as caught:
            actions.receive_back(
                referral=seen(loop, home), actor=family, bed_key=Bed.objects.first().key,  # type: ignore[union-attr]
                expected_at=timezone.now() - timedelta(hours=1),
            )  # fmt: skip
        assert set(caught.value.fields) == {"expected_at"}
        bed = Bed.objects.get(number="1")
        at = timezone.now() + TOMORROW
        expected = actions.receive_back(referral=seen(loop, home), actor=family, bed_key=bed.key, expected_at=at)
        bed.refresh_from_db()
        assert (expected.state, bed.state, bed.held_for) == ("expected_back", "held", home.subject)
        task = Task.objects.get(kind="referral.expected_back", closed_at__isnull=True)
        assert task.due_at is not None
        assert task.due_at > at
        assert not FollowUp.objects.exists()
        later = actions.postpone_back(
            referral=seen(loop, home), expected_at=at + timedelta(days=1), reason="家属接送", actor=family
        )
        bed.refresh_from_db()
        assert bed.held_until is not None
        assert bed.held_until > later.back_expected_at > at  # type: ignore[operator]
        arrived = actions.arrive_back(referral=seen(loop, home), actor=family)
        bed.refresh_from_db()
        assert (arrived.state, bed.state) == ("received_back", "occupied")
        assert Stay.objects.get(reference=home.subject).diagnosis == SUMMARY.diagnosis
        assert FollowUp.objects.count() == len(PLAN.follow_up_days)


def test_who_is_visited_at_home_needs_no_bed_and_is_followed_up_from_the_first_visit() -> None:
    loop = make_loop()
    a_ward(loop.world.township, "1")
    home = sent_home(loop, "home")
    with acting(loop.family) as family:
        expected = actions.receive_back(referral=seen(loop, home), actor=family)
        assert (expected.state, Bed.objects.get().state) == ("expected_back", "free")
        assert actions.arrive_back(referral=seen(loop, home), actor=family).state == "received_back"


def test_whoever_waits_in_vain_gives_the_patient_back_and_the_bed_is_free() -> None:
    loop = make_loop()
    a_ward(loop.world.township, "1")
    home = sent_home(loop, "bed")
    with acting(loop.family) as family:
        actions.receive_back(referral=seen(loop, home), actor=family, bed_key=Bed.objects.get().key)
        back = actions.decline_back(referral=seen(loop, home), actor=family, code="not-come", reason="改住女儿家")
        assert (back.state, back.back_code, Bed.objects.get().state) == ("discharged", "not-come", "free")
    with acting(loop.specialist) as ward:
        again = actions.hand_back(
            referral=queries.get(key=home.key, actor=ward), actor=ward, receiver_id=loop.world.other_township
        )
    with acting(loop.sister) as sister:
        case = queries.get(key=again.key, actor=sister)
        assert actions.receive_back(referral=case, actor=sister).state == "received_back"


def test_only_a_care_home_takes_for_a_care_home() -> None:
    loop = make_loop()
    referral = referral_in(loop, "discharged")
    with acting(loop.specialist) as ward:
        case = queries.get(key=referral.key, actor=ward)
        for aim, field in (("care-home", "receiver"), ("moon", "aim")):
            with pytest.raises(Refused) as caught:
                actions.hand_back(referral=case, actor=ward, receiver_id=loop.world.township, aim=aim)
            assert set(caught.value.fields) == {field}


def test_ward_chooses_another_aim_before_it_asks(monkeypatch: pytest.MonkeyPatch, client: Client) -> None:
    loop = make_loop()
    stable(monkeypatch)
    lie_in(loop, said={**WELL, "housebound": True})
    can(loop, loop.world.township, "home-visit", "rehab")
    can(loop, loop.world.other_township, "rehab")
    proposal = propose(loop)
    assert proposal is not None
    assert (proposal.aim, proposal.aim_reason) == ("rehab", "康复计划需要康复训练")
    client.force_login(loop.users["specialist"])
    page = reverse("referrals:proposal", args=[proposal.key])
    assert "康复计划需要康复训练" in client.get(page).content.decode()
    shown = client.get(page, {"aim": "home"}).content.decode()
    assert 'name="aim" value="home"' in shown
    assert "上门服务" in shown
    asked = {"verb": "agree_ward", "aim": "home", "signer": "周桂兰", "relation": "self"}
    assert client.post(page, {**asked, "receiver": "", "aim": "moon"}).status_code == 422
    assert client.post(page, {**asked, "receiver": str(loop.world.township)}).status_code == 302
    with acting(system_actor(Purpose.HANDLER)) as actor:
        found = DownProposal.objects.get()
        assert (found.state, found.aim, found.receiver_id) == ("asked", "home", loop.world.township)
        assert found.needs["skills"] == ["rehab", "home-visit"]
    with acting(loop.family) as family:
        actions.agree_receiver(proposal=down_queries.get_proposal(key=proposal.key), actor=family)
    with acting(system_actor(Purpose.HANDLER)) as actor:
        made = actions.open_down_draft(proposal=down_queries.get_proposal(key=proposal.key), actor=actor)
    assert made is not None
    assert (made.aim, made.goes_to) == ("home", "home")
    form = client.get(reverse("referrals:discharge", args=[made.key])).content.decode()
    assert '<option value="home" selected' in form
    assert reverse("referrals:receivers", args=[made.key]) in form


def test_dialogs_ask_what_the_aim_needs(client: Client) -> None:
    loop = make_loop()
    a_ward(loop.world.township, "1")
    discharged = referral_in(loop, "discharged")
    client.force_login(loop.users["specialist"])
    asked = client.get(reverse("referrals:dialog", args=[discharged.key, "hand_back"])).content.decode()
    assert 'name="aim"' in asked
    options = client.get(reverse("referrals:receivers", args=[discharged.key]), {"aim": "bed"}).content.decode()
    assert f'<option value="{loop.world.township}"' in options
    assert (
        "没有可承接的机构"
        in client.get(reverse("referrals:receivers", args=[discharged.key]), {"aim": "care-home"}).content.decode()
    )
    act = reverse("referrals:act", args=[discharged.key, "hand_back"])
    assert client.post(act, {"aim": "bed", "receiver": loop.world.township}).status_code == 302
    client.force_login(loop.users["family"])
    asked = client.get(reverse("referrals:dialog", args=[discharged.key, "receive_back"])).content.decode()
    assert "general病区 1" in asked
    take = reverse("referrals:act", args=[discharged.key, "receive_back"])
    assert client.post(take, {"expected_at": "", "bed": ""}).status_code == 422
    with acting(loop.family):
        bed = Bed.objects.get()
    at = timezone.localtime(timezone.now() + TOMORROW).strftime("%Y-%m-%dT%H:%M")
    answer = client.post(take, {"expected_at": at, "bed": str(bed.key)})
    assert answer.status_code == 302
    page = client.get(reverse("referrals:detail", args=[discharged.key])).content.decode()
    assert "登记入住" in page
    assert "基层住院床位 · 到达时间" in page
    arrive = reverse("referrals:act", args=[discharged.key, "arrive_back"])
    assert client.post(arrive, {"bed": str(bed.key)}).status_code == 302
    with acting(loop.family) as family:
        assert queries.get(key=discharged.key, actor=family).state == "received_back"


def test_machines_read_where_the_patient_goes() -> None:
    loop = make_loop()
    home = sent_home(loop, "rehab")
    with acting(loop.family) as family:
        actions.receive_back(referral=seen(loop, home), actor=family)
        stay = record.read(type="Encounter", fhir_id=str(home.key))
        task = record.read(type="Task", fhir_id=str(home.key))
        plan = record.read(type="CarePlan", fhir_id=str(queries.plan_of(referral=home).key))  # type: ignore[union-attr]
    assert stay is not None
    assert stay["hospitalization"]["dischargeDisposition"]["coding"][0]["code"] == "rehab"
    assert plan is not None
    assert plan["category"][0]["coding"][0]["code"] == "rehab"
    assert task is not None
    assert (task["status"], task["businessStatus"]["coding"][0]["code"]) == ("in-progress", "expected_back")


def test_a_family_doctor_reads_what_happened_and_no_orders_to_others() -> None:
    for event, (source, target, receiver) in handlers._TOLD.items():
        kind = family_words.TOLD.get(event) or source or target or receiver
        words = handlers.TEXTS[kind].zh if kind in handlers.TEXTS else ""
        assert "请" not in words.replace("申请", ""), (event, words)


@dataclass(frozen=True, slots=True)
class CareHome:
    """A care home with a bed, and its head nurse."""

    unit: int
    user: User
    nurse: Actor


def a_care_home() -> CareHome:
    with acting(system_actor(Purpose.IMPORT)):
        house = Organization.objects.create(code="C1", name="颐养院", kind="care-home", tier=1)
        Organization.objects.filter(pk=house.pk).update(path=[house.pk])
    user = make_staff(name="梁护士长", organization_id=house.pk, role="care_home_nurse", username="nurse9")
    nurse = of_user(user)
    a_ward(house.pk, "1", kind="care")
    with acting(nurse):
        actions.save_service(
            organization_id=house.pk, accepts=True, skills=["care", "rehab"], medicines=[], actor=nurse
        )
    return CareHome(house.pk, user, nurse)


def sent_to(loop: Loop, home: CareHome) -> Referral:
    """Proposed to the care home, agreed by both, and sent down."""
    proposal = propose(loop)
    assert proposal is not None
    assert (proposal.aim, proposal.receiver_id) == ("care-home", home.unit)
    with acting(loop.specialist) as ward:
        actions.agree_ward(proposal=proposal, actor=ward, signer="周桂兰", relation="self")
    client = Client()
    client.force_login(home.user)
    page = reverse("referrals:proposal", args=[proposal.key])
    assert "养老与照护机构" in client.get(page).content.decode()
    assert client.post(page, {"verb": "agree_receiver"}).status_code == 302
    return sent_by_ward(loop, proposal)


def sent_by_ward(loop: Loop, proposal: DownProposal) -> Referral:
    """The ward discharges with the drafted plan once both have agreed."""
    with acting(system_actor(Purpose.HANDLER)) as actor:
        made = actions.open_down_draft(proposal=down_queries.get_proposal(key=proposal.key), actor=actor)
    assert made is not None
    with acting(loop.specialist) as ward:
        case = queries.get(key=made.key, actor=ward)
        consent = actions.Consent(signer="周桂兰", relation="self")
        return actions.send_down(referral=case, actor=ward, summary=SUMMARY, plan=PLAN, consent=consent)


def test_a_care_home_reads_what_travels_alone(monkeypatch: pytest.MonkeyPatch, client: Client) -> None:
    loop = make_loop()
    stable(monkeypatch)
    lie_in(loop, said={**WELL, "needs_care": True})
    home = a_care_home()
    down = sent_to(loop, home)
    client.force_login(home.user)
    shown = client.get(reverse("referrals:detail", args=[down.key])).content.decode()
    assert "照护机构只可查阅" in shown
    assert "查看完整档案" not in shown
    packed = client.get(reverse("referrals:packet", args=[down.key])).content.decode()
    assert "氨氯地平片 5 mg" in packed
    assert "急性下壁心肌梗死" not in packed
    assert client.get(reverse("residents:detail", args=[loop.resident.key])).status_code in (403, 404)
    with acting(home.nurse):
        assert record.read(type="DiagnosticReport", fhir_id=REPORT) is None
        plan = queries.plan_of(referral=down)
        assert plan is not None
        assert record.read(type="CarePlan", fhir_id=str(plan.key)) is not None


def test_a_care_home_takes_in_follows_up_and_closes(monkeypatch: pytest.MonkeyPatch, client: Client) -> None:
    loop = make_loop()
    stable(monkeypatch)
    lie_in(loop, said={**WELL, "needs_care": True})
    home = a_care_home()
    down = sent_to(loop, home)
    with acting(home.nurse) as nurse:
        case = queries.get(key=down.key, actor=nurse)
        actions.receive_back(referral=case, actor=nurse, bed_key=Bed.objects.get(ward__kind="care").key)
        actions.arrive_back(referral=queries.get(key=down.key, actor=nurse), actor=nurse)
        stay = Stay.objects.get(organization_id=home.unit)
        for row in queries.follow_ups_of(referral=down):
            follow_up = queries.get_follow_up(key=row.key, actor=nurse)
            actions.complete_follow_up(follow_up=follow_up, findings=GOOD, actor=nurse)
        ended = queries.get(key=down.key, actor=nurse)
        stay.refresh_from_db()
        # The case is closed; the resident lives there.
        assert (ended.state, stay.left_at) == ("closed", None)
    client.force_login(home.user)
    assert down.patient_name in client.get(reverse("beds:board")).content.decode()


def test_two_at_once_take_one_bed() -> None:
    loop = make_loop()
    a_ward(loop.world.township, "1")
    home = sent_home(loop, "bed")
    with acting(loop.family) as family:
        bed = Bed.objects.get()
        beds.hold(bed=bed, reference="referral/other", until=timezone.now() + TOMORROW, actor=family)
        with pytest.raises(Conflict):
            actions.receive_back(referral=seen(loop, home), actor=family, bed_key=bed.key)
        assert seen(loop, home).state == "handed_back"


def test_both_sides_and_the_resident_hear_that_the_patient_is_expected() -> None:
    loop = make_loop()
    home = sent_home(loop, "home")
    with acting(loop.family) as family:
        actions.receive_back(referral=seen(loop, home), actor=family)
    with acting(system_actor(Purpose.HANDLER)):
        handlers.tell_parties(last_event(home))
        told = set(Notice.objects.values_list("kind", "organization_id", "resident_id"))
    assert ("return-arranged", loop.world.lead, None) in told
    assert ("own-referral-arranged", None, loop.resident.pk) in told


def last_event(referral: Referral) -> Event:
    row = EventRow.objects.filter(subject=referral.subject).latest("id")
    return to_event(row, getattr(events, row.name))
