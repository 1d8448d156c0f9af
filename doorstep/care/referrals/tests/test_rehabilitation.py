"""周桂兰 goes from the ward to the rehabilitation hospital: who is offered, who takes over there, and what is left behind at the end."""

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from doorstep.care.referrals import actions, benefits, handlers, queries
from doorstep.care.referrals.models import Referral
from doorstep.care.referrals.presenters import choices, homeward, lists
from doorstep.care.referrals.tests.factories import GOOD, PLAN, SUMMARY, Loop, make_loop, referral_in
from doorstep.care.referrals.tests.test_down_aims import TOMORROW, a_ward, last_event, sent_home
from doorstep.care.referrals.tests.test_going_home import can
from doorstep.coordination.beds.models import Bed, Stay
from doorstep.coordination.notices.models import Notice
from doorstep.kernel.access.actor import Actor, Purpose, system_actor
from doorstep.kernel.access.models import User
from doorstep.kernel.access.session import acting
from doorstep.kernel.workflow import actions as workflow
from doorstep.people.organizations.models import Organization
from doorstep.people.residents.tests.factories import add_to_panel, make_staff
from doorstep.site.actors import of_user

pytestmark = pytest.mark.django_db


def a_hospital(loop: Loop, name: str, code: str) -> tuple[int, User, Actor]:
    """Another hospital of the county with a doctor: 苏医师."""
    with acting(system_actor(Purpose.IMPORT)):
        house = Organization.objects.create(code=code, name=name, kind="hospital", tier=2, parent_id=loop.world.lead)
        path = [loop.world.authority, loop.world.lead, house.pk]
        Organization.objects.filter(pk=house.pk).update(path=path)
    user = make_staff(name="苏医师", organization_id=house.pk, role="specialist", username=f"doctor-{code}")
    return house.pk, user, of_user(user)


def says(unit: int, doctor: Actor, *skills: str) -> None:
    with acting(doctor):
        actions.save_service(organization_id=unit, accepts=True, skills=skills, medicines=[], actor=doctor)


def test_a_hospital_is_offered_for_rehabilitation_once_it_says_that_it_can_and_for_nothing_else() -> None:
    loop = make_loop()
    unit, _user, doctor = a_hospital(loop, "禾川县康复医院", "R1")
    other, _other_user, _other_doctor = a_hospital(loop, "禾川县妇幼保健院", "R2")
    referral = referral_in(loop, "discharged")

    def offered(aim: str) -> list[int]:
        with acting(loop.specialist) as ward:
            case = queries.get(key=referral.key, actor=ward)
            return [key for key, _name in homeward.receivers(case, aim=aim)]

    assert unit not in offered("rehab")
    says(unit, doctor, "rehab")
    assert offered("rehab")[0] == unit
    assert other not in offered("rehab")
    assert all(unit not in offered(aim) for aim in ("clinic", "bed", "home", "care-home"))


def test_rehabilitation_hospital_takes_over_keeps_a_bed_and_closes(client: Client) -> None:
    loop = make_loop()
    unit, user, doctor = a_hospital(loop, "禾川县康复医院", "R1")
    says(unit, doctor, "rehab")
    a_ward(unit, "1", "2", kind="rehab")
    referral = referral_in(loop, "discharged")
    client.force_login(loop.users["specialist"])
    handed = client.post(reverse("referrals:act", args=[referral.key, "hand_back"]), {"aim": "rehab", "receiver": unit})
    assert handed.status_code == 302
    client.force_login(user)
    assert "周桂兰" in client.get(reverse("referrals:returning")).content.decode()
    asked = client.get(reverse("referrals:dialog", args=[referral.key, "receive_back"])).content.decode()
    assert "rehab病区 1" in asked
    with acting(doctor):
        bed = Bed.objects.get(number="1", organization_id=unit)
    at = timezone.localtime(timezone.now() + TOMORROW).strftime("%Y-%m-%dT%H:%M")
    take = {"expected_at": at, "bed": str(bed.key)}
    assert client.post(reverse("referrals:act", args=[referral.key, "receive_back"]), take).status_code == 302
    later = timezone.localtime(timezone.now() + 2 * TOMORROW).strftime("%Y-%m-%dT%H:%M")
    moved = {"expected_at": later, "reason": "家属后天才有车"}
    assert client.post(reverse("referrals:act", args=[referral.key, "postpone_back"]), moved).status_code == 302
    page = client.get(reverse("referrals:detail", args=[referral.key])).content.decode()
    assert "登记康复接诊" in page
    arrive = {"bed": str(bed.key)}
    assert client.post(reverse("referrals:act", args=[referral.key, "arrive_back"]), arrive).status_code == 302
    with acting(doctor):
        for row in queries.follow_ups_of(referral=referral):
            follow_up = queries.get_follow_up(key=row.key, actor=doctor)
            actions.complete_follow_up(follow_up=follow_up, findings=GOOD, actor=doctor)
        bed.refresh_from_db()
        stay = Stay.objects.get(organization_id=unit)
        assert queries.get(key=referral.key, actor=doctor).state == "closed"
        # Who is followed up to the end does not lie there any more: the bed is cleaned next.
        assert (stay.left_at is not None, bed.state) == (True, "cleaning")


def test_a_nurse_who_closes_the_case_frees_the_bed_too() -> None:
    loop = make_loop()
    a_ward(loop.world.township, "1")
    home = sent_home(loop, "bed")
    nurse = of_user(make_staff(name="罗护士", organization_id=loop.world.township, role="nurse", username="nurse1"))
    with acting(loop.family) as family:
        bed = Bed.objects.get()
        actions.receive_back(
            referral=queries.get(key=home.key, actor=family), actor=family, bed_key=bed.key,
            expected_at=timezone.now() + TOMORROW,
        )  # fmt: skip
        actions.arrive_back(referral=queries.get(key=home.key, actor=family), actor=family)
    with acting(nurse):
        for row in queries.follow_ups_of(referral=home):
            follow_up = queries.get_follow_up(key=row.key, actor=nurse)
            actions.complete_follow_up(follow_up=follow_up, findings=GOOD, actor=nurse)
    with acting(loop.family):
        bed.refresh_from_db()
        assert bed.state == "cleaning"


def test_a_hospital_that_sent_its_patient_up_has_it_back() -> None:
    loop = make_loop()
    _unit, _user, doctor = a_hospital(loop, "禾川县第二人民医院", "R3")
    # Its doctors see what comes back, and their own work begins with those whom they treat.
    assert doctor.may("REFERRAL_RECEIVE_BACK")
    with acting(doctor):
        assert lists.own_list(doctor).address == reverse("referrals:treating")


def test_form_with_the_aim_rehabilitation_proposes_a_unit_that_can() -> None:
    loop = make_loop()
    unit, _user, doctor = a_hospital(loop, "禾川县康复医院", "R1")
    says(unit, doctor, "rehab")
    can(loop, loop.world.other_township, "rehab")
    with acting(loop.village) as village:
        referral = actions.draft_from_record(resident=loop.resident, actor=village)
        assert referral.target_id == loop.world.lead
        referral.aim = Referral.Aim.REHABILITATION
        assert choices.target_for_aim(referral) == unit
        offered = choices.targets_for(referral, signed=[loop.world.lead])
        assert [key for key, _name in offered[:2]] == [unit, loop.world.other_township]
        assert offered[0][1] == "禾川县康复医院（可康复）"
        assert dict(offered)[loop.world.lead] == "禾川县人民医院（签约医院）"
        # One that can is the doctor's choice and stays.
        referral.target_id = loop.world.other_township
        assert choices.target_for_aim(referral) == loop.world.other_township


def lies_in_rehabilitation(loop: Loop) -> tuple[Referral, int, Actor]:
    """周桂兰 in a bed of the rehabilitation hospital, seen today."""
    unit, _user, doctor = a_hospital(loop, "禾川县康复医院", "R1")
    says(unit, doctor, "rehab")
    a_ward(unit, "1", kind="rehab")
    discharged = referral_in(loop, "discharged")
    with acting(loop.specialist) as ward:
        case = queries.get(key=discharged.key, actor=ward)
        actions.hand_back(referral=case, actor=ward, receiver_id=unit, aim="rehab")
    with acting(doctor):
        case = queries.get(key=discharged.key, actor=doctor)
        actions.receive_back(referral=case, actor=doctor, bed_key=Bed.objects.get(organization_id=unit).key)
        case = actions.arrive_back(referral=queries.get(key=discharged.key, actor=doctor), actor=doctor)
    return case, unit, doctor


def test_whoever_goes_further_home_leaves_no_second_plan_behind() -> None:
    loop = make_loop()
    case, unit, doctor = lies_in_rehabilitation(loop)
    with acting(doctor):
        further = Referral(
            resident=loop.resident, resident_key=loop.resident.key, patient_name="周桂兰", patient_gender="female",
            patient_birth_date=loop.resident.birth_date, direction="down", aim="clinic", source_id=unit, target_id=unit,
            referrer_id=doctor.practitioner_id or 0, reviewer_id=doctor.practitioner_id, receiver_id=loop.world.township,
            admitted_at=timezone.now(),
        )  # fmt: skip
        workflow.begin(further, "draft", actor=doctor, details={"direction": "down"})
        actions.send_down(
            referral=further, actor=doctor, summary=SUMMARY, plan=PLAN,
            consent=actions.Consent(signer="周桂兰", relation="self"),
        )  # fmt: skip
        ended = queries.get(key=case.key, actor=doctor)
        assert (ended.state, further.number in ended.outcome) == ("closed", True)
        assert {one.state for one in queries.follow_ups_of(referral=ended)} == {"cancelled"}
        assert Bed.objects.get(organization_id=unit).state == "cleaning"
    with acting(loop.family) as family:
        taken = actions.receive_back(referral=queries.get(key=further.key, actor=family), actor=family)
        assert taken.state == "received_back"


def test_family_doctor_who_is_no_party_is_led_to_the_record(monkeypatch: pytest.MonkeyPatch, client: Client) -> None:
    loop = make_loop()
    monkeypatch.setattr(benefits, "_family", [lambda _resident, _day: loop.world.other_township])
    referral = referral_in(loop, "submitted_green")
    with acting(system_actor(Purpose.HANDLER)):
        handlers.tell_parties(last_event(referral))
        notice = Notice.objects.get(organization_id=loop.world.other_township)
    assert notice.link == f"resident/{loop.resident.key}"
    with acting(system_actor(Purpose.IMPORT)) as system:
        add_to_panel(loop.resident, loop.world.other_township, system)
    client.force_login(loop.users["sister"])
    answer = client.post(reverse("notices:open", args=[notice.key]), follow=True)
    assert answer.status_code == 200
    assert answer.redirect_chain[-1][0] == reverse("residents:detail", args=[loop.resident.key])
