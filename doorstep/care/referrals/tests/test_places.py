"""A booked place follows its referral: given back when the referral goes elsewhere, never in the way of a unit that does not see it."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from doorstep.care.referrals import actions, queries
from doorstep.care.referrals.models import Referral
from doorstep.care.referrals.tests.factories import CONSENT, PLAN, SUMMARY, Loop, draft, make_loop, make_slot
from doorstep.coordination.scheduling import queries as slots
from doorstep.coordination.scheduling.models import Booking, Place, Schedule, Slot
from doorstep.kernel.access.actor import Actor, ActorKind, Purpose, system_actor
from doorstep.kernel.access.refusals import Refused
from doorstep.kernel.access.session import acting
from doorstep.people.organizations.models import Department, Organization
from doorstep.people.residents.tests.factories import make_staff
from doorstep.site.actors import of_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def loop() -> Loop:
    return make_loop()


def second_hospital() -> tuple[int, Actor]:
    with acting(system_actor(Purpose.IMPORT)):
        other = Organization.objects.create(code="H8", name="第二医院", kind="hospital", tier=2)
        Organization.objects.filter(pk=other.pk).update(path=[other.pk])
    user = make_staff(name="另一专员", organization_id=other.pk, role="referral_officer", username="o2")
    return other.pk, of_user(user)


def filled(loop: Loop, target: int, *, bed: bool = False, again: Referral | None = None) -> Referral:
    with acting(loop.village) as village:
        one = actions.draft_again(referral=again, actor=village) if again else draft(loop)
        values = {
            "kind": "ordinary", "impression": "急性下壁心肌梗死", "present_illness": "胸痛 2 小时", "target_id": target,
            "reviewer_id": village.practitioner_id, "bed_requested": bed, "aim": "department",
        }  # fmt: skip
        actions.revise(referral=one, actor=village, values=values)
        return queries.get(key=one.key, actor=village)


def booked(loop: Loop, slot: Slot) -> Referral:
    one = filled(loop, loop.world.lead)
    with acting(loop.village) as village:
        actions.hold_slot(referral=one, slot_key=slot.key, actor=village)
        return actions.submit(referral=one, consent=CONSENT, actor=village)


def bookings() -> list[str]:
    with acting(system_actor(Purpose.HANDLER)):
        return list(Booking.objects.order_by("id").values_list("state", flat=True))


def test_submit_gives_back_the_place_of_a_returned_referral_that_chooses_anew(loop: Loop) -> None:
    other, office = second_hospital()
    slot = make_slot(loop, places=2)
    one = booked(loop, slot)
    with acting(loop.office) as actor:
        actions.return_for_information(referral=one, reason="请补心电图", actor=actor)
    with acting(loop.village) as village:
        again = queries.get(key=one.key, actor=village)
        actions.hold_slot(referral=again, slot_key=slot.key, actor=village)
        actions.submit(referral=again, consent=CONSENT, actor=village)
    # The other place is at the same time: the first had to go before it.
    assert bookings() == ["cancelled", "booked"]
    with acting(loop.office) as actor:
        actions.return_for_information(referral=queries.get(key=one.key, actor=actor), reason="请补", actor=actor)
    with acting(loop.village) as village:
        again = queries.get(key=one.key, actor=village)
        actions.revise(referral=again, actor=village, values={"target_id": other, "bed_requested": False})
        with pytest.raises(Refused, match="未完成"):
            actions.submit(referral=again, consent=CONSENT, actor=village)
        again = queries.get(key=one.key, actor=village)
        actions.revise(referral=again, actor=village, values={"bed_requested": True})
        actions.submit(referral=again, consent=CONSENT, actor=village)
    assert bookings() == ["cancelled", "cancelled"]
    with acting(office) as actor:
        seen = queries.get(key=one.key, actor=actor)
        assert seen.booking_id is None
        assert actions.check_in(referral=seen, method="qr", actor=actor).state == "arrived"


def test_submit_refuses_a_place_of_another_unit(loop: Loop) -> None:
    other, _office = second_hospital()
    one = filled(loop, loop.world.lead)
    with acting(loop.village) as village:
        actions.hold_slot(referral=one, slot_key=make_slot(loop).key, actor=village)
        actions.revise(referral=one, actor=village, values={"target_id": other})
        with pytest.raises(Refused) as refused:
            actions.submit(referral=one, consent=CONSENT, actor=village)
    assert "slot" in refused.value.fields
    assert bookings() == []


def test_place_booked_by_another_unit_of_the_case_is_given_back(loop: Loop) -> None:
    one = filled(loop, loop.world.lead)
    with acting(loop.village) as village:
        actions.hold_slot(referral=one, slot_key=make_slot(loop).key, actor=village)
    with acting(loop.family) as family:
        mine = queries.get(key=one.key, actor=family)
        actions.submit(referral=mine, consent=CONSENT, actor=family)
    with acting(loop.village) as village:
        sent = queries.get(key=one.key, actor=village)
        actions.go_elsewhere(referral=sent, place="市中医院", reason="", actor=village)
    assert bookings() == ["cancelled"]


def test_redirect_to_another_department_frees_the_place_of_the_first(loop: Loop) -> None:
    one = booked(loop, make_slot(loop))
    with acting(system_actor(Purpose.IMPORT)):
        other = Department.objects.create(organization_id=loop.world.lead, code="0304", name="神经内科")
    with acting(loop.office) as office:
        mine = queries.get(key=one.key, actor=office)
        moved = actions.redirect(referral=mine, department_id=other.pk, reason="头晕，先看神经内科", actor=office)
        assert (moved.department_id, moved.appointment_text, moved.expected_at) == (other.pk, "", None)
    assert bookings() == ["cancelled"]


def test_redirect_to_a_unit_where_the_patient_waits_unseen_is_refused(loop: Loop) -> None:
    other, office = second_hospital()
    first = filled(loop, loop.world.lead, bed=True)
    with acting(loop.village) as village:
        actions.submit(referral=first, consent=CONSENT, actor=village)
    second = filled(loop, other, bed=True, again=first)
    with acting(loop.village) as village:
        actions.submit(referral=second, consent=CONSENT, actor=village)
    with acting(office) as actor:
        mine = queries.get(key=second.key, actor=actor)
        with pytest.raises(Refused, match="已有未结束的转诊"):
            actions.redirect(referral=mine, target_id=loop.world.lead, reason="无床位", actor=actor)
        assert queries.get(key=second.key, actor=actor).target_id == other


def test_a_receiver_that_does_not_see_the_clinic_ends_a_case_that_came_by_a_place(loop: Loop) -> None:
    one = booked(loop, make_slot(loop))
    strange = of_user(
        make_staff(
            name="外乡医师", organization_id=loop.world.other_township, role="family_doctor", username="far-doctor"
        )
    )
    road: list[tuple[Actor, Callable[[Referral, Actor], object]]] = [
        (loop.office, lambda r, a: actions.accept(referral=r, actor=a)),
        (loop.office, lambda r, a: actions.check_in(referral=r, method="qr", actor=a)),
        (loop.specialist, lambda r, a: actions.admit(referral=r, actor=a, ward="内科")),
        (loop.specialist, lambda r, a: actions.discharge(referral=r, actor=a, summary=SUMMARY, plan=PLAN)),
        (
            loop.specialist,
            lambda r, a: actions.hand_back(referral=r, actor=a, receiver_id=loop.world.other_township),
        ),
    ]
    for who, act in road:
        with acting(who) as actor:
            act(queries.get(key=one.key, actor=actor), actor)
    with acting(strange) as actor:
        seen = queries.get(key=one.key, actor=actor)
        assert seen.booking_id is not None
        assert not Booking.objects.exists()
        assert actions.record_death(referral=seen, reason="家属报告", actor=actor).state == "died"


def places(slot: Slot) -> dict[str, int]:
    return slots.counts(slot_ids=[slot.pk])


def test_the_office_accepts_with_a_place_in_one_step(loop: Loop) -> None:
    chosen, taken, elsewhere = (make_slot(loop, starts_at=timezone.now() + timedelta(days=n)) for n in (1, 2, 3))
    with acting(system_actor(Purpose.IMPORT)):
        Place.objects.filter(slot=taken).update(state="closed")
        second, _office = second_hospital()
        other = Schedule.objects.create(organization_id=second, department=loop.department)
        Slot.objects.filter(pk=elsewhere.pk).update(schedule=other, organization_id=second)
    one = sent(loop, bed=True)
    client = Client()
    client.force_login(loop.users["office"])
    page = client.get(reverse("referrals:detail", args=[one.key])).content.decode()
    assert "选号并受理" in page
    dialog = client.get(reverse("referrals:dialog", args=[one.key, "accept_place"])).content.decode()
    assert str(chosen.key) in dialog
    assert str(taken.key) not in dialog
    address = reverse("referrals:act", args=[one.key, "accept_place"])
    for slot, status, said in (
        ("", 422, "请选择一个号源"),
        (taken.key, 409, "约满"),
        (elsewhere.key, 422, "请选择本院的号源"),
    ):
        refused = client.post(address, {"slot": slot, "seen": one.seen})
        assert (refused.status_code, said in refused.content.decode()) == (status, True), slot
    assert bookings() == []
    assert client.post(address, {"slot": chosen.key, "seen": one.seen, "instructions": "空腹"}).status_code == 302
    one = again(one)
    assert (one.state, one.expected_at, one.instructions) == ("accepted", chosen.starts_at, "空腹")
    assert one.appointment_text.endswith("心血管内科 王主任")
    assert (bookings(), places(chosen)["booked"]) == (["booked"], 1)


@pytest.mark.parametrize("by_resident", [False, True])
def test_an_offered_place_is_kept_until_the_patient_agrees_or_not(loop: Loop, by_resident: bool) -> None:
    first, second = (make_slot(loop, starts_at=timezone.now() + timedelta(days=n)) for n in (2, 3))
    one = sent(loop, bed=True)
    own = Actor(kind=ActorKind.RESIDENT, display_name="周桂兰", user_id=90_001, resident_ids=(loop.resident.pk,))
    asked = own if by_resident else loop.village

    def offer(slot: Slot) -> None:
        with acting(loop.office) as office:
            actions.offer_place(
                referral=again(one, office), text="", bed_key=None, expected_at=None, slot_key=slot.key, actor=office
            )

    offer(first)
    now = again(one)
    assert (now.state, now.expected_at, "王主任" in now.offer_text) == ("offered", first.starts_at, True)
    assert places(first) == {"free": 0, "held": 1, "booked": 0}
    with acting(asked) as actor:
        actions.refuse_offer(referral=again(one, actor), code="time", reason="", actor=actor, by_resident=by_resident)
    assert places(first)["free"] == 1
    offer(first)
    with acting(system_actor(Purpose.CLOCKS)) as clocks:
        assert actions.expire_offers(actor=clocks, now=timezone.now() + timedelta(days=1, seconds=1)) == 1
    assert places(first)["free"] == 1
    offer(second)
    with acting(asked) as actor:
        actions.confirm(referral=again(one, actor), actor=actor, by_resident=by_resident)
    assert (places(second)["booked"], bookings()) == (1, ["booked"])
    with acting(loop.office) as office:
        actions.check_in(referral=again(one, office), method="qr", actor=office)
    # Here and seen a day before: somebody else may have the place.
    assert (places(second)["booked"], bookings()) == (0, ["cancelled"])


def test_an_offered_place_goes_back_with_a_withdrawn_referral(loop: Loop) -> None:
    slot = make_slot(loop, starts_at=timezone.now() + timedelta(days=2))
    one = sent(loop, bed=True)
    with acting(loop.office) as office:
        asked = again(one, office)
        with pytest.raises(Refused, match="只能选一项"):
            actions.offer_place(
                referral=asked, text="", bed_key=slot.key, expected_at=None, slot_key=slot.key, actor=office
            )
        actions.offer_place(referral=asked, text="", bed_key=None, expected_at=None, slot_key=slot.key, actor=office)
    with acting(loop.village) as village:
        actions.withdraw(referral=again(one, village), reason="患者改变主意", actor=village)
    assert places(slot) == {"free": 1, "held": 0, "booked": 0}


def sent(loop: Loop, *, bed: bool) -> Referral:
    one = filled(loop, loop.world.lead, bed=bed)
    with acting(loop.village) as village:
        return actions.submit(referral=one, consent=CONSENT, actor=village)


def again(one: Referral, actor: Actor | None = None) -> Referral:
    if actor is not None:
        return queries.get(key=one.key, actor=actor)
    with acting(system_actor(Purpose.HANDLER)):
        return Referral.objects.get(pk=one.pk)
