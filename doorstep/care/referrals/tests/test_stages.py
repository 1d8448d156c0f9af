"""Offers, advice, silence, other places, the way out of the network: what each leaves, and what it frees."""

from datetime import timedelta

import pytest
from django.utils import timezone

from doorstep.care.referrals import actions, flow_case_queries, handlers, queries, states
from doorstep.care.referrals.actions import Place
from doorstep.care.referrals.models import Referral
from doorstep.care.referrals.presenters.course import came_back
from doorstep.care.referrals.tests.factories import CONSENT, Loop, draft, make_loop, make_slot, referral_in
from doorstep.coordination.beds import actions as beds
from doorstep.coordination.beds.models import Bed, BedRequest, Stay
from doorstep.coordination.notices.models import Notice
from doorstep.coordination.scheduling.models import Booking
from doorstep.kernel.access.actor import Actor, Purpose, system_actor
from doorstep.kernel.access.models import CareRelationship
from doorstep.kernel.access.refusals import Conflict, Refused
from doorstep.kernel.access.session import acting
from doorstep.kernel.events.models import EventRow
from doorstep.kernel.events.tasks import to_event
from doorstep.kernel.workflow.actions import TransitionRefused
from doorstep.kernel.workflow.queries import history
from doorstep.kernel.worklist.models import Task
from doorstep.people.organizations.models import Organization
from doorstep.people.residents.tests.factories import make_staff
from doorstep.site.actors import of_user
from doorstep.site.subscriptions import SUBSCRIPTIONS

pytestmark = pytest.mark.django_db


def clock() -> Actor:
    return system_actor(Purpose.CLOCKS)


def get(loop: Loop, referral: Referral, actor: Actor | None = None) -> Referral:
    actor = actor or clock()
    with acting(actor):
        return queries.get(key=referral.key, actor=actor)


def sight_of(referral: Referral, organization_id: int) -> int:
    """How many live relationships of this referral a unit has."""
    with acting(clock()):
        return (
            CareRelationship.objects.filter(episode__startswith=referral.subject, organization_id=organization_id)
            .filter(closes_at__isnull=True)
            .count()
        )


def replay(referral: Referral) -> None:
    """Run every handler of the referral's events, as the worker would, each once."""
    classes = {event.__name__: event for event in SUBSCRIPTIONS}
    with acting(system_actor(Purpose.HANDLER)):
        for row in EventRow.objects.filter(subject=referral.subject, name__in=classes).order_by("id"):
            for run in SUBSCRIPTIONS[classes[row.name]]:
                run(to_event(row, classes[row.name]))


def ward(loop: Loop) -> Bed:
    with acting(loop.specialist):
        actions_ward = beds.open_ward(
            organization_id=loop.world.lead, name="心内一病区", beds=["1", "2"], actor=loop.specialist
        )
        return Bed.objects.filter(ward=actions_ward).order_by("number")[0]


def test_offer_is_confirmed_and_the_bed_waits_for_the_patient() -> None:
    loop = make_loop()
    referral, bed = referral_in(loop, "submitted_green"), ward(loop)
    replay(referral)
    with acting(loop.office):
        assert BedRequest.objects.get().priority == 3
        offered = actions.offer_place(
            referral=get(loop, referral, loop.office),
            text="",
            bed_key=bed.key,
            expected_at=timezone.now() + timedelta(hours=3),
            actor=loop.office,
        )
        assert (offered.state, offered.offer_text) == ("offered", "心内一病区 1")
        assert Bed.objects.get(pk=bed.pk).state == "held"
    with acting(loop.village):
        actions.confirm(referral=get(loop, referral, loop.village), actor=loop.village)
    confirmed = get(loop, referral)
    assert (confirmed.state, confirmed.appointment_text) == ("accepted", "心内一病区 1")
    with acting(loop.village):
        actions.depart(referral=confirmed, transport="ambulance", actor=loop.village)
    with acting(loop.office):
        arrived = actions.check_in(referral=get(loop, referral, loop.office), method="qr", actor=loop.office)
    with acting(loop.specialist):
        admitted = actions.admit(referral=arrived, actor=loop.specialist, bed_key=bed.key)
        assert (admitted.ward, admitted.bed) == ("心内一病区", "1")
        assert Stay.objects.get().patient_name == "周桂兰"
        assert BedRequest.objects.get().state == "given"


def test_offer_that_runs_out_gives_the_bed_back_and_starts_anew() -> None:
    loop = make_loop()
    referral, bed = referral_in(loop, "submitted_green"), ward(loop)
    later = timezone.now() + timedelta(hours=3)
    with acting(loop.office):
        actions.offer_place(
            referral=get(loop, referral, loop.office), text="", bed_key=bed.key, expected_at=later, actor=loop.office
        )
    with acting(clock()) as actor:
        assert actions.expire_offers(actor=actor) == 0
        assert actions.expire_offers(actor=actor, now=timezone.now() + states.OFFER_STANDS["green"]) == 1
        # It came by the green channel and stays on it.
        assert Referral.objects.get().state == "submitted_green"
        assert Bed.objects.get(pk=bed.pk).state == "free"


@pytest.mark.parametrize(
    ("kind", "state", "minutes"), [("green", "submitted_green", 15), ("ordinary", "submitted", 1440)]
)
def test_refused_offer_goes_back_to_its_channel_with_clock_and_coded_reason(
    kind: str, state: str, minutes: int
) -> None:
    loop = make_loop()
    referral = draft(loop)
    with acting(loop.village):
        actions.revise(referral=referral, actor=loop.village, values={"kind": kind, "bed_requested": True})
        actions.submit(referral=get(loop, referral, loop.village), consent=CONSENT, actor=loop.village)
    with acting(loop.office):
        place = Place(text="心内科门诊", expected_at=timezone.now() + timedelta(hours=2))
        actions.offer(referral=get(loop, referral, loop.office), place=place, actor=loop.office)
    for code, words in (("other", " "), ("eat", "家属不便")):
        with acting(loop.village), pytest.raises(Refused):
            actions.refuse_offer(
                referral=get(loop, referral, loop.village), code=code, reason=words, actor=loop.village
            )
    with acting(loop.village):
        fresh = get(loop, referral, loop.village)
        actions.refuse_offer(referral=fresh, code="distance", reason="家属不便", actor=loop.village)
        found = get(loop, referral, loop.village)
        assert (found.state, found.offer_refusal) == (state, "distance")
        assert history(found, actor=loop.village)[-1].reason == "路途远或无人陪同：家属不便"
    with acting(clock()):
        task = Task.objects.get(item_id=referral.pk, kind__startswith="referral.", closed_at__isnull=True)
    assert (task.kind, task.organization_id) == (f"referral.{state}", loop.world.lead)
    assert task.due_at is not None
    assert task.due_at - task.opened_at == timedelta(minutes=minutes)


def test_an_offer_in_the_past_or_without_words_is_refused() -> None:
    loop = make_loop()
    referral = referral_in(loop, "submitted_green")
    with acting(loop.office), pytest.raises(Refused) as caught:
        actions.offer(referral=referral, place=Place(text=" ", expected_at=timezone.now()), actor=loop.office)
    assert set(caught.value.fields) == {"text", "expected_at"}


def test_advice_ends_the_referral_and_the_targets_sight() -> None:
    loop = make_loop()
    referral = referral_in(loop, "submitted_green")
    assert sight_of(referral, loop.world.lead) == 1
    with acting(loop.office), pytest.raises(Refused):
        actions.advise(referral=get(loop, referral, loop.office), advice="好", actor=loop.office)
    with acting(loop.office):
        actions.advise(referral=get(loop, referral, loop.office), advice="调整降压药，两周后复查。", actor=loop.office)
    assert get(loop, referral).state == "advised"
    assert sight_of(referral, loop.world.lead) == 0


def second_hospital(loop: Loop) -> Organization:
    """A second hospital, so that there is somebody to pass on to: it becomes the lead."""
    with acting(system_actor(Purpose.IMPORT)):
        other = Organization.objects.create(code="H9", name="第二医院", kind="hospital", tier=2)
        Organization.objects.filter(pk=other.pk).update(path=[other.pk])
        return other


def test_a_silent_target_is_passed_over_to_the_next_unit(monkeypatch: pytest.MonkeyPatch) -> None:
    loop = make_loop()
    other = second_hospital(loop)
    referral = referral_in(loop, "submitted_green")
    monkeypatch.setattr(
        "doorstep.care.referrals.benefits._signed", [lambda _resident, _day: [loop.world.lead, other.pk]]
    )
    soon = timezone.now() + states.SILENT_AFTER["submitted_green"]
    with acting(clock()) as actor:
        assert actions.pass_on_silent(actor=actor, now=soon - timedelta(minutes=2)) == 0
        assert actions.pass_on_silent(actor=actor, now=soon) == 1
    moved = get(loop, referral)
    assert (moved.state, moved.target_id, moved.tried) == ("submitted_green", other.pk, [loop.world.lead])
    assert (sight_of(referral, loop.world.lead), sight_of(referral, other.pk)) == (0, 1)
    with acting(loop.office), pytest.raises(TransitionRefused) as caught:
        actions.accept(referral=get(loop, referral, loop.office), actor=loop.office)
    assert "系统" in str(caught.value.message)


def test_silence_without_a_next_unit_is_told_once() -> None:
    loop = make_loop()
    referral = referral_in(loop, "submitted_green")
    soon = timezone.now() + states.SILENT_AFTER["submitted_green"]
    with acting(clock()) as actor:
        assert actions.pass_on_silent(actor=actor, now=soon) == 1
        assert actions.pass_on_silent(actor=actor, now=soon) == 0
        told = Notice.objects.filter(kind="referral-unanswered").values_list("organization_id", flat=True)
        assert set(told) == {loop.world.village, loop.world.lead}
    assert get(loop, referral).target_id == loop.world.lead


def test_a_silent_receiver_gives_the_patient_back_to_the_hospital() -> None:
    loop = make_loop()
    referral = referral_in(loop, "handed_back")
    with acting(clock()) as actor:
        assert actions.time_out_receivers(actor=actor) == 0
        assert actions.time_out_receivers(actor=actor, now=timezone.now() + states.SILENT_RECEIVER) == 1
    assert get(loop, referral).state == "discharged"
    assert sight_of(referral, loop.world.township) == 0


def test_second_request_to_another_unit_while_the_first_waits_and_arrival_closes_it() -> None:
    loop = make_loop()
    other = second_hospital(loop)
    first = referral_in(loop, "submitted_green")
    with acting(loop.village):
        again = actions.draft_again(referral=first, actor=loop.village)
        assert again.previous_id == first.pk
        assert actions.draft_again(referral=first, actor=loop.village).pk == again.pk
        actions.revise(
            referral=again, actor=loop.village, values={"target_id": other.pk, "bed_requested": True, "aim": "bed"}
        )
        actions.submit(referral=again, consent=CONSENT, actor=loop.village)
    with acting(loop.office):
        actions.check_in(referral=get(loop, first, loop.office), method="qr", actor=loop.office)
    replay(first)
    ended = get(loop, again)
    assert (ended.state, ended.elsewhere_name) == ("elsewhere", get(loop, first).target.name)  # type: ignore[union-attr]
    assert sight_of(again, other.pk) == 0


def test_second_request_to_the_same_unit_works_after_a_decline() -> None:
    loop = make_loop()
    first = referral_in(loop, "submitted_green")
    with acting(loop.office):
        actions.decline(
            referral=get(loop, first, loop.office), code="no-bed", reason="", alternative="明日再来", actor=loop.office
        )
    with acting(loop.village):
        again = actions.draft_again(referral=get(loop, first, loop.village), actor=loop.village)
        actions.revise(referral=again, actor=loop.village, values={"target_id": loop.world.lead, "bed_requested": True})
        assert actions.submit(referral=again, consent=CONSENT, actor=loop.village).state == "submitted_green"


def test_leaving_the_network_needs_place_and_reason_and_is_followed_up() -> None:
    loop = make_loop()
    referral = draft(loop)
    with acting(loop.village), pytest.raises(Refused) as caught:
        actions.leave_network(referral=referral, place=" ", code="x", actor=loop.village)
    assert set(caught.value.fields) == {"outside_name", "outside_reason"}
    with acting(loop.village):
        gone = actions.leave_network(referral=referral, place="省立医院", code="no-skill", actor=loop.village)
        assert (gone.state, gone.direction, gone.target_id) == ("outside", "out", None)
        with pytest.raises(Refused):
            actions.report_outside(referral=gone, result="", actor=loop.village)
        done = actions.report_outside(referral=gone, result="行手术，恢复好", actor=loop.village)
    assert done.state == "outside_closed"
    assert "省立医院" in done.outcome


def test_leaving_the_network_from_a_return_gives_the_place_back_and_closes_the_view() -> None:
    loop = make_loop()
    slot = make_slot(loop, starts_at=timezone.now() + timedelta(days=1))
    referral = draft(loop)
    with acting(loop.village):
        actions.hold_slot(referral=referral, slot_key=slot.key, actor=loop.village)
        actions.submit(referral=referral, consent=CONSENT, actor=loop.village)
    with acting(loop.office):
        found = get(loop, referral, loop.office)
        actions.return_for_information(referral=found, code="other", reason="请补充心肌酶", actor=loop.office)
    assert sight_of(referral, loop.world.lead) == 1
    with acting(loop.village):
        back = get(loop, referral, loop.village)
        assert came_back(back, history(back, actor=loop.village)) == ("退回补充资料", "请补充心肌酶")
        gone = actions.leave_network(
            referral=back, place="省立医院", code="no-skill", impression="胸痛待查", actor=loop.village
        )
        assert (gone.state, gone.impression) == ("outside", "胸痛待查")
        assert Booking.objects.get(reference=gone.subject).state == "cancelled"
    assert sight_of(referral, loop.world.lead) == 0
    user = make_staff(name="统筹", organization_id=loop.world.village, role="manager", username="flows")
    with acting(of_user(user)) as manager:
        since = timezone.now() - timedelta(days=1)
        found_at = [
            len(flow_case_queries.cases(actor=manager, since=since, what=f"outside:no-skill{place}"))
            for place in ("", "|省立医院", "|别的医院")
        ]
    assert found_at == [1, 1, 0]


def test_wrong_check_in_is_corrected() -> None:
    loop = make_loop()
    referral = referral_in(loop, "arrived")
    with acting(loop.office):
        back = actions.undo_check_in(referral=get(loop, referral, loop.office), reason="同名患者", actor=loop.office)
    assert (back.state, back.arrived_at) == ("accepted", None)


def test_an_emergency_is_checked_in_before_the_answer() -> None:
    loop = make_loop()
    referral = referral_in(loop, "submitted_green")
    with acting(loop.office):
        arrived = actions.check_in(referral=get(loop, referral, loop.office), method="qr", actor=loop.office)
    assert arrived.state == "arrived"
    assert arrived.accepted_at is not None


def test_death_ends_what_is_open_and_takes_the_bed_request_along() -> None:
    loop = make_loop()
    referral = referral_in(loop, "submitted_green")
    replay(referral)
    with acting(system_actor(Purpose.HANDLER)) as actor:
        assert actions.end_for_death(resident_id=loop.resident.pk, actor=actor) == 1
    replay(referral)
    with acting(clock()):
        assert Referral.objects.get().state == "died"
        assert BedRequest.objects.get().state == "ended"


def test_every_stage_has_a_notice_for_somebody() -> None:
    quiet = {"draft", "report_outside", "treat", "admit"}
    for way in Referral.machine.transitions:
        name = way.emits.__name__
        assert name in handlers._TOLD or way.verb in quiet, name


def test_a_bed_is_not_given_twice() -> None:
    loop = make_loop()
    bed = ward(loop)
    with acting(loop.specialist):
        beds.occupy(bed=bed, resident=loop.resident, actor=loop.specialist)
        with pytest.raises(Conflict):
            beds.occupy(bed=Bed.objects.exclude(pk=bed.pk)[0], resident=loop.resident, actor=loop.specialist)
        stay = Stay.objects.get()
        beds.leave(stay=stay, actor=loop.specialist)
        assert Bed.objects.get(pk=bed.pk).state == "cleaning"
        beds.move_bed(bed_key=bed.key, verb="ready", reason="", actor=loop.specialist)
        assert Bed.objects.get(pk=bed.pk).state == "free"
