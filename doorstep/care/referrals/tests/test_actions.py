"""The whole loop by the people who walk it, and what each act leaves behind."""

from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from doorstep.care.referrals import actions, benefits, list_queries, queries
from doorstep.care.referrals.actions import Consent, Findings
from doorstep.care.referrals.models import FollowUp, Referral
from doorstep.care.referrals.presenters.thing import thing_of
from doorstep.care.referrals.tests.factories import (
    CONSENT,
    GOOD,
    NUMBER,
    PLAN,
    REPORT,
    SUMMARY,
    draft,
    make_loop,
    make_slot,
    referral_in,
)
from doorstep.coordination.scheduling.models import Booking, Place
from doorstep.kernel.access.actor import Purpose, system_actor
from doorstep.kernel.access.refusals import Conflict, NotFound, NotPermitted, Refused
from doorstep.kernel.access.session import acting
from doorstep.kernel.audit.models import AuditEntry
from doorstep.kernel.events.models import EventRow
from doorstep.kernel.workflow.actions import TransitionRefused
from doorstep.kernel.worklist import queries as worklist
from doorstep.kernel.worklist.models import Task
from doorstep.people.residents.models import Resident
from doorstep.people.residents.tests.factories import make_staff
from doorstep.people.workforce.actions import name_deputy
from doorstep.site.actors import of_user

pytestmark = pytest.mark.django_db


def test_draft_from_record_fills_in_everything_known() -> None:
    loop = make_loop()
    referral = draft(loop)
    assert referral.state == "draft"
    assert referral.target_id == loop.world.lead
    assert referral.critical
    assert referral.kind == "green"
    assert referral.impression == "急性下壁心肌梗死"
    assert "血压 168/96 mmHg" in referral.present_illness
    assert "原发性高血压" in referral.history
    assert "氨氯地平片" in referral.treatment
    assert referral.packet[0]["title"] == "十二导联心电图"
    assert referral.reviewer_id == loop.village.practitioner_id
    assert draft(loop).pk == referral.pk


def test_whole_loop_from_draft_to_closed() -> None:
    loop = make_loop()
    slot = make_slot(loop)
    referral = draft(loop)
    with acting(loop.village):
        actions.revise(referral=referral, actor=loop.village, values={"kind": "green", "symptoms": ["chest-pain"]})
        actions.hold_slot(referral=referral, slot_key=slot.key, actor=loop.village)
        sent = actions.submit(referral=referral, consent=CONSENT, actor=loop.village)
        assert sent.state == "submitted_green"
        assert sent.booking_id is not None
        assert sent.criteria[0]["met"] is True
    with acting(loop.office):
        task = worklist.task_of(machine="referral", item_id=referral.pk)
        assert task is not None
        assert task.due_at is not None
        assert timedelta(minutes=14) < task.due_at - task.opened_at <= timedelta(minutes=15)
        accepted = actions.accept(referral=queries.get(key=referral.key, actor=loop.office), actor=loop.office)
        assert accepted.expected_at == slot.starts_at
        arrived = actions.check_in_by_code(token=queries.qr_token(referral=accepted), actor=loop.office)
        assert arrived.arrival_method == "qr"
        assert Booking.objects.get().state == "arrived"
    with acting(loop.specialist):
        here = queries.get(key=referral.key, actor=loop.specialist)
        actions.admit(referral=here, actor=loop.specialist, ward="心内一病区", bed="12", inpatient_number="ZY001")
        actions.discharge(referral=here, actor=loop.specialist, summary=SUMMARY, plan=PLAN)
        actions.hand_back(referral=here, actor=loop.specialist, receiver_id=loop.world.township)
    with acting(loop.family):
        back = queries.get(key=referral.key, actor=loop.family)
        actions.receive_back(referral=back, actor=loop.family)
        rows = queries.follow_ups_of(referral=back)
        assert [row.day for row in rows] == [3, 7, 30]
        for row in rows:
            one = queries.get_follow_up(key=row.key, actor=loop.family)
            actions.complete_follow_up(follow_up=one, findings=GOOD, actor=loop.family)
        closed = queries.get(key=referral.key, actor=loop.family)
        assert closed.state == "closed"
        assert "急性下壁心肌梗死" in closed.outcome
        assert "随访 3 次，末次血压 128/78 mmHg" in closed.outcome
        assert "Follow-ups done: 3" in closed.outcome_en
    with acting(system_actor(Purpose.HANDLER)):
        names = list(EventRow.objects.filter(subject=referral.subject).order_by("id").values_list("name", flat=True))
        last = EventRow.objects.get(name="ReferralClosed")
        assert AuditEntry.objects.filter(subject=referral.subject, action="referral.close").count() == 1
    assert names == [
        "ReferralDrafted", "ReferralSubmitted", "ReferralAccepted", "PatientArrived", "PatientAdmitted",
        "PatientDischarged", "PatientHandedBack", "PatientReceivedBack", "ReferralClosed",
    ]  # fmt: skip
    assert last.details["origin"] == f"ecg-order/{REPORT}"
    assert "急性下壁心肌梗死" in last.details["outcome"]


def test_village_sees_nothing_of_another_unit() -> None:
    loop = make_loop()
    referral = referral_in(loop, "received_back")
    for actor in (loop.stranger, loop.sister, loop.reader):
        with acting(actor):
            assert not Referral.objects.exists()
            assert not FollowUp.objects.exists()
            with pytest.raises(NotFound):
                queries.get(key=referral.key, actor=actor)


def test_target_sees_only_from_submit_on() -> None:
    loop = make_loop()
    referral = draft(loop)
    with acting(loop.office):
        assert not Referral.objects.exists()
        assert not Resident.objects.exists()
    sent = referral_in(loop, "submitted_green")
    assert sent.pk == referral.pk
    with acting(loop.office):
        assert queries.get(key=referral.key, actor=loop.office).state == "submitted_green"
        assert Resident.objects.count() == 1


def test_decline_ends_sight_and_frees_the_place() -> None:
    loop = make_loop()
    slot = make_slot(loop)
    referral = draft(loop)
    with acting(loop.village):
        actions.hold_slot(referral=referral, slot_key=slot.key, actor=loop.village)
        actions.submit(referral=referral, consent=CONSENT, actor=loop.village)
    with acting(loop.office):
        with pytest.raises(Refused) as refused, transaction.atomic():
            actions.decline(referral=referral, code="whim", reason="", alternative="", actor=loop.office)
        assert set(refused.value.fields) == {"code", "alternative"}
        fresh = queries.get(key=referral.key, actor=loop.office)
        actions.decline(
            referral=fresh, code="no-bed", reason="导管室维修", alternative="请转市中心医院胸痛中心", actor=loop.office
        )
    with acting(loop.office):
        assert not Resident.objects.exists()
        assert list_queries.list_outcomes(actor=loop.office).rows[0].decline_code == "no-bed"
        assert Place.objects.get().state == "free"
    with acting(loop.village):
        again = actions.draft_from_record(resident=loop.resident, actor=loop.village, origin_subject="ecg-order/2")
        actions.revise(referral=again, actor=loop.village, values=_FILLED)
        assert actions.submit(referral=again, consent=CONSENT, actor=loop.village).state == "submitted"


_FILLED = {"bed_requested": True, "impression": "胸痛待查", "present_illness": "胸痛 2 小时", "kind": "ordinary"}


def test_submit_names_what_is_missing() -> None:
    loop = make_loop()
    referral = draft(loop)
    with acting(loop.village):
        actions.revise(
            referral=referral,
            actor=loop.village,
            values={"impression": "", "bed_requested": False, "reviewer_id": None, "kind": "ordinary"},
        )
        consent = Consent(signer="", relation="x", paper=b"no picture", paper_name="a.txt")
        with pytest.raises(Refused) as refused, transaction.atomic():
            actions.submit(referral=referral, consent=consent, actor=loop.village)
        wrong = {"impression", "slot", "reviewer", "consent_signer", "consent_relation", "consent_paper"}
        assert set(refused.value.fields) == wrong


def test_second_referral_to_the_same_unit_is_refused_by_name_and_another_unit_is_allowed() -> None:
    loop = make_loop()
    first = referral_in(loop, "submitted_green")
    with acting(loop.village):
        second = actions.draft_from_record(resident=loop.resident, actor=loop.village, origin_subject="ecg-order/2")
        actions.revise(referral=second, actor=loop.village, values=_FILLED)
        with pytest.raises(Conflict) as refused, transaction.atomic():
            actions.submit(referral=second, consent=CONSENT, actor=loop.village)
        assert first.number in str(refused.value.message)
        actions.revise(referral=second, actor=loop.village, values={"target_id": loop.world.other_township})
        assert actions.submit(referral=second, consent=CONSENT, actor=loop.village).state == "submitted"


def test_hold_runs_out_after_ten_minutes_and_submit_says_so() -> None:
    loop = make_loop()
    slot = make_slot(loop)
    referral = draft(loop)
    with acting(loop.village):
        actions.revise(referral=referral, actor=loop.village, values={"bed_requested": False, "kind": "ordinary"})
        held = actions.hold_slot(referral=referral, slot_key=slot.key, actor=loop.village)
        assert timedelta(minutes=9) < held.until - timezone.now() <= timedelta(minutes=10)
        past = timezone.now() - timedelta(seconds=1)
        Place.objects.update(held_until=past)
        Referral.objects.filter(pk=referral.pk).update(held_until=past)
        referral.held_until = past
        with pytest.raises(Refused) as refused, transaction.atomic():
            actions.submit(referral=referral, consent=CONSENT, actor=loop.village)
        assert "10 分钟" in str(refused.value.fields["slot"])


def test_benefits_are_kept_as_decisions_with_reason_and_inputs() -> None:
    loop = make_loop()
    asked: list[benefits.Question] = []

    def decide(question: benefits.Question, actor: object) -> list[benefits.Decision]:
        asked.append(question)
        return [
            benefits.Decision(
                code="pay-later", title="先诊疗后付费", granted=True, reason="年满 60 岁且已签约", inputs={"age": 63}
            )
        ]

    before = list(benefits._decide), list(benefits._signed)
    benefits.install(decide)
    try:
        referral = referral_in(loop, "submitted_green")
    finally:
        benefits._decide[:], benefits._signed[:] = before
    assert asked[0].kind == "green"
    assert asked[0].critical
    assert referral.benefits[0]["reason"] == "年满 60 岁且已签约"
    assert referral.benefits[0]["inputs"] == {"age": 63}


def test_patient_who_does_not_come_goes_back_to_the_sender_and_may_still_arrive() -> None:
    loop = make_loop()
    referral = referral_in(loop, "accepted")
    with acting(system_actor(Purpose.CLOCKS)) as clock:
        assert actions.expire_arrivals(actor=clock) == 0
        assert actions.expire_arrivals(actor=clock, now=timezone.now() + timedelta(hours=5)) == 1
    with acting(loop.village):
        task = worklist.task_of(machine="referral", item_id=referral.pk)
        assert task is not None
        assert task.organization_id == loop.world.village
    with acting(loop.office):
        assert actions.check_in_by_number(number=NUMBER, actor=loop.office).state == "arrived"


def test_withdraw_ends_sight_and_the_office_learns_who_was_first() -> None:
    loop = make_loop()
    referral = referral_in(loop, "submitted_green")
    with acting(loop.village):
        with pytest.raises(Refused), transaction.atomic():
            actions.withdraw(referral=referral, reason=" ", actor=loop.village)
        actions.withdraw(referral=referral, reason="家属要求转市医院", actor=loop.village)
    with acting(loop.office):
        with pytest.raises(TransitionRefused) as refused:
            actions.accept(referral=referral, actor=loop.office)
        assert "已撤回" in str(refused.value.message)
        assert not Resident.objects.exists()


def test_redirect_to_another_unit_moves_sight() -> None:
    loop = make_loop()
    referral = referral_in(loop, "submitted_green")
    with acting(loop.office):
        actions.redirect(referral=referral, reason="导管室维修", actor=loop.office, target_id=loop.world.other_township)
        assert not Resident.objects.exists()
        assert Referral.objects.count() == 1
    with acting(loop.sister):
        moved = queries.get(key=referral.key, actor=loop.sister)
        assert moved.state == "submitted_green"
        assert Resident.objects.count() == 1


def test_only_the_right_side_may_act() -> None:
    loop = make_loop()
    referral = referral_in(loop, "submitted_green")
    with acting(loop.village), pytest.raises(NotPermitted), transaction.atomic():
        actions.accept(referral=referral, actor=loop.village)
    with acting(loop.specialist), pytest.raises(NotPermitted), transaction.atomic():
        actions.accept(referral=referral, actor=loop.specialist)
    with acting(loop.stranger), pytest.raises(NotFound), transaction.atomic():
        actions.accept(referral=referral, actor=loop.stranger)


def test_altered_code_is_refused() -> None:
    loop = make_loop()
    referral = referral_in(loop, "accepted")
    with acting(loop.office), pytest.raises(Refused) as refused:
        actions.check_in_by_code(token=queries.qr_token(referral=referral) + "x", actor=loop.office)
    assert "code" in refused.value.fields


def test_treatment_is_the_attending_doctors_task_and_the_deputys_during_leave() -> None:
    loop = make_loop()
    colleague = make_staff(name="周主任", organization_id=loop.world.lead, role="specialist")
    referral = referral_in(loop, "admitted")
    with acting(loop.specialist):
        task = worklist.task_of(machine="referral", item_id=referral.pk)
        assert task is not None
        assert (task.kind, task.assignee_id) == ("referral.admitted", loop.specialist.user_id)
        assert "referral.admitted" in {one.kind for one in worklist.open_tasks(actor=loop.specialist)}
    other = of_user(colleague)
    today = timezone.localdate()
    with acting(other):
        assert "referral.admitted" not in {one.kind for one in worklist.open_tasks(actor=other)}
    with acting(loop.specialist):
        name_deputy(to_user_id=colleague.pk, starts_on=today, ends_on=today, reason="年休假", actor=loop.specialist)
    with acting(other):
        assert "referral.admitted" in {one.kind for one in worklist.open_tasks(actor=other)}
        # The deputy may act: it is the unit's patient.
        assert queries.get(key=referral.key, actor=other).state == "admitted"


def test_closing_leaves_the_hospital_thirty_days() -> None:
    loop = make_loop()
    referral = referral_in(loop, "received_back")
    with acting(loop.family):
        with pytest.raises(Refused) as refused, transaction.atomic():
            actions.close(referral=referral, actor=loop.family)
        assert "outcome" in refused.value.fields
        assert {row.state for row in queries.follow_ups_of(referral=referral)} == {"planned"}
        close = next(one for one in thing_of(referral, actor=loop.family).buttons if one.verb == "close")
        assert close.warning
        assert close.form is not None
        assert close.form.fields["outcome"].required
        actions.close(referral=referral, actor=loop.family, outcome="病情稳定")
    with acting(loop.specialist):
        assert Resident.objects.count() == 1
        assert queries.get(key=referral.key, actor=loop.specialist).outcome.endswith("病情稳定")
    with acting(loop.family):
        assert {row.state for row in queries.follow_ups_of(referral=referral)} == {"cancelled"}


def test_follow_up_is_checked_and_a_worse_one_needs_advice() -> None:
    loop = make_loop()
    referral = referral_in(loop, "received_back")
    with acting(loop.family):
        row = queries.follow_ups_of(referral=referral)[0]
        one = queries.get_follow_up(key=row.key, actor=loop.family)
        with pytest.raises(Refused) as refused, transaction.atomic():
            actions.complete_follow_up(
                follow_up=one, findings=Findings(systolic=70, diastolic=90, worse=True), actor=loop.family
            )
        assert set(refused.value.fields) == {"diastolic", "adherence", "advice"}
        worse = Findings(systolic=186, diastolic=112, adherence="partial", advice="立即上转", worse=True)
        assert actions.complete_follow_up(follow_up=one, findings=worse, actor=loop.family).state == "escalated"
        assert queries.get(key=referral.key, actor=loop.family).state == "received_back"


def test_follow_ups_fall_due_and_are_missed() -> None:
    loop = make_loop()
    referral_in(loop, "received_back")
    today = timezone.localdate()
    with acting(system_actor(Purpose.CLOCKS)) as clock:
        assert actions.fall_due(actor=clock, today=today + timedelta(days=3)) == 1
        assert actions.miss_follow_ups(actor=clock, today=today + timedelta(days=10)) == 0
        assert actions.miss_follow_ups(actor=clock, today=today + timedelta(days=11)) == 1
    with acting(loop.family):
        missed = queries.list_follow_ups(actor=loop.family, state="missed")[0][0]
        moved = actions.reschedule_follow_up(
            follow_up=missed, due_on=today + timedelta(days=12), reason="外出", actor=loop.family
        )
        assert moved.state == "planned"
        # Each stands in the worklist with its own day, in China's time.
        tasks = Task.objects.filter(kind="follow-up.planned", closed_at__isnull=True)
        days = sorted(timezone.localdate(task.due_at) for task in tasks if task.due_at)
        assert days == [today + timedelta(days=day) for day in (7, 12, 30)]
