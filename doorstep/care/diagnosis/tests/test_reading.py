"""A reader takes a case, keeps it, writes, gives it back; the machine sorts."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from doorstep.care.diagnosis import actions, queries
from doorstep.care.diagnosis.ecg.synthetic import Kind
from doorstep.care.diagnosis.models import EcgOrder
from doorstep.care.diagnosis.tasks import preread_order
from doorstep.care.diagnosis.tests.factories import NORMAL, Loop, claimed, make_loop, queued
from doorstep.kernel.access.actor import Purpose, system_actor
from doorstep.kernel.access.refusals import Conflict, NotFound, NotPermitted, Refused
from doorstep.kernel.access.session import acting
from doorstep.kernel.events.models import EventRow
from doorstep.kernel.workflow.actions import TransitionRefused
from doorstep.kernel.worklist import actions as worklist
from doorstep.kernel.worklist.models import Task

pytestmark = pytest.mark.django_db
CLOCKS = system_actor(Purpose.CLOCKS)


@pytest.fixture
def loop() -> Loop:
    return make_loop()


def test_claim_holds_the_case_and_keeps_the_clock(loop: Loop) -> None:
    order = claimed(loop)
    reader = loop.actor("reader")
    with acting(reader):
        assert (order.state, order.reader_user_id) == ("reading", reader.user_id)
        task = Task.objects.get(item_id=order.pk, closed_at__isnull=True)
        assert order.arrived_at is not None
        assert task.due_at == order.arrived_at + timedelta(minutes=10)
        assert task.assignee_id == reader.user_id
        held = queries.held_by(actor=reader)
        assert held is not None
        assert held.pk == order.pk


def test_claim_by_a_second_reader_names_the_first(loop: Loop) -> None:
    order = claimed(loop)
    second = loop.actor("second")
    with acting(second), pytest.raises(TransitionRefused, match="何静"):
        actions.claim(order=order, actor=second)


def test_claim_again_by_the_same_reader_renews(loop: Loop) -> None:
    order = claimed(loop)
    reader = loop.actor("reader")
    with time_machine.travel(timezone.now() + timedelta(minutes=2)), acting(reader):
        again = actions.claim(order=order, actor=reader)
        assert again.lease_until is not None
        assert order.lease_until is not None
        assert again.lease_until > order.lease_until


def test_claim_by_the_village_is_not_permitted(loop: Loop) -> None:
    order = queued(loop)
    village, stranger = loop.actor("village"), loop.actor("stranger")
    with acting(village), pytest.raises(NotPermitted):
        actions.claim(order=order, actor=village)
    with acting(stranger), pytest.raises(NotFound):
        actions.claim(order=order, actor=stranger)


def test_release_stale_returns_a_silent_readers_case_with_its_draft(loop: Loop) -> None:
    order = claimed(loop)
    reader, second = loop.actor("reader"), loop.actor("second")
    with acting(reader):
        actions.save_draft(order=order, report=NORMAL, actor=reader)
    start = timezone.now()
    with time_machine.travel(start + timedelta(minutes=2)), acting(CLOCKS):
        assert actions.release_stale(actor=CLOCKS) == 0
    with time_machine.travel(start + timedelta(minutes=4)):
        with acting(CLOCKS):
            assert actions.release_stale(actor=CLOCKS) == 1
        with acting(reader), pytest.raises(Conflict):
            actions.renew_lease(order=order, actor=reader)
        with acting(second):
            taken = actions.claim(order=order, actor=second)
            assert taken.conclusion_text == "正常心电图"
            assert taken.drafted_by == "何静"
        with acting(reader), pytest.raises(Conflict, match="沈舟"):
            actions.sign(order=order, report=NORMAL, measurements_confirmed=True, actor=reader)


def test_renew_lease_keeps_the_case(loop: Loop) -> None:
    order = claimed(loop)
    reader = loop.actor("reader")
    start = timezone.now()
    with time_machine.travel(start + timedelta(minutes=2)), acting(reader):
        actions.renew_lease(order=order, actor=reader)
    with time_machine.travel(start + timedelta(minutes=4)), acting(CLOCKS):
        assert actions.release_stale(actor=CLOCKS) == 0


def test_release_gives_the_case_back(loop: Loop) -> None:
    order = claimed(loop)
    reader = loop.actor("reader")
    with acting(reader):
        assert actions.release(order=order, actor=reader).state == "queued"
        following = queries.next_case(actor=reader)
        assert following is not None
        assert following.pk == order.pk


def test_save_draft_refuses_figures_out_of_bounds(loop: Loop) -> None:
    order = claimed(loop)
    reader = loop.actor("reader")
    wrong = type(NORMAL)(measurements={"heart_rate": 7200})
    with acting(reader):
        with pytest.raises(Refused) as refused:
            actions.save_draft(order=order, report=wrong, actor=reader)
        assert set(refused.value.fields) == {"heart_rate"}
        assert EcgOrder.objects.get(pk=order.pk).measurements == {}


def test_return_recording_needs_a_reason_and_goes_to_the_village(loop: Loop) -> None:
    order = claimed(loop)
    reader, village = loop.actor("reader"), loop.actor("village")
    with acting(reader):
        with pytest.raises(Refused):
            actions.return_recording(order=order, reason="", actor=reader)
        actions.return_recording(order=order, reason="左右手反接", actor=reader)
    with acting(village):
        task = Task.objects.get(item_id=order.pk, closed_at__isnull=True)
        assert (task.kind, task.organization_id) == ("ecg-order.returned", loop.world.village)


# The worker that loads the signal library for the machine's own tests.
@pytest.mark.xdist_group("signals")
def test_preread_sorts_the_queue_and_never_signs(loop: Loop) -> None:
    calm = queued(loop, Kind.NORMAL)
    alarming = queued(loop, Kind.INFERIOR_STEMI, seed=11)
    for order in (calm, alarming):
        preread_order(order.pk)
    reader = loop.actor("reader")
    with acting(reader):
        assert [one.pk for one in queries.queue(actor=reader)] == [alarming.pk, calm.pk]
        first = queries.get_order(alarming.key, actor=reader)
        assert first.state == "queued"
        assert first.queue_urgency == 3
        assert first.preread["usable"]
        assert any("ST" in one["zh"] for one in first.preread["suspicions"])
        assert Task.objects.get(item_id=alarming.pk, closed_at__isnull=True).urgency == 3
        assert EventRow.objects.filter(name="EcgPreread").count() == 2
    preread_order(calm.pk)
    with acting(reader):
        assert EventRow.objects.filter(name="EcgPreread").count() == 2


def test_next_case_takes_the_most_urgent_first(loop: Loop) -> None:
    calm, alarming = queued(loop), queued(loop, seed=12)
    with acting(CLOCKS):
        actions.note_preread(order=alarming, preread={"usable": True}, urgency=3, actor=CLOCKS)
    reader = loop.actor("reader")
    with acting(reader):
        following = queries.next_case(actor=reader)
        assert following is not None
        assert following.pk == alarming.pk
        rest = queries.next_case(actor=reader, after=alarming)
        assert rest is not None
        assert rest.pk == calm.pk


def test_overdue_case_is_told_to_the_lead_hospital(loop: Loop) -> None:
    from_queue = queued(loop)
    start = timezone.now()
    with time_machine.travel(start + timedelta(minutes=7)), acting(CLOCKS):
        worklist.run_clocks(actor=CLOCKS)
        assert EventRow.objects.filter(name="TaskWarned", subject=from_queue.subject).count() == 1
    with time_machine.travel(start + timedelta(minutes=11)), acting(CLOCKS):
        worklist.run_clocks(actor=CLOCKS)
        assert Task.objects.get(item_id=from_queue.pk, level=1).organization_id == loop.world.lead
