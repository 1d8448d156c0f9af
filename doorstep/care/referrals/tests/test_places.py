"""A booked place follows its referral: given back when the referral goes elsewhere, never in the way of a unit that does not see it."""

from collections.abc import Callable

import pytest

from doorstep.care.referrals import actions, queries
from doorstep.care.referrals.models import Referral
from doorstep.care.referrals.tests.factories import CONSENT, PLAN, SUMMARY, Loop, draft, make_loop, make_slot
from doorstep.coordination.scheduling.models import Booking, Slot
from doorstep.kernel.access.actor import Actor, Purpose, system_actor
from doorstep.kernel.access.refusals import Refused
from doorstep.kernel.access.session import acting
from doorstep.people.organizations.models import Organization
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
