"""Who is told at each stage."""

from datetime import timedelta

import pytest

from doorstep.care.referrals import actions, handlers, own_words
from doorstep.care.referrals.tests.factories import make_loop, referral_in
from doorstep.coordination.notices.models import Notice
from doorstep.kernel.access.actor import Purpose, system_actor
from doorstep.kernel.access.session import acting
from doorstep.kernel.events.event import Event
from doorstep.kernel.events.models import EventRow
from doorstep.kernel.events.tasks import to_event
from doorstep.kernel.worklist import actions as worklist
from doorstep.kernel.worklist.events import TaskEscalated, TaskOverdue
from doorstep.kernel.worklist.models import Task
from doorstep.site.subscriptions import SUBSCRIPTIONS

pytestmark = pytest.mark.django_db


def test_every_stage_tells_the_right_sides() -> None:
    loop = make_loop()
    referral = referral_in(loop, "received_back")
    classes = {event.__name__: event for event in SUBSCRIPTIONS}
    with acting(system_actor(Purpose.HANDLER)):
        for row in EventRow.objects.filter(subject=referral.subject, name__in=handlers._TOLD).order_by("id"):
            handlers.tell_parties(to_event(row, classes[row.name]))
        told = set(Notice.objects.filter(organization_id__isnull=False).values_list("kind", "organization_id"))
        resident = set(Notice.objects.filter(resident_id=loop.resident.id).values_list("kind", flat=True))
    world = loop.world
    assert told == {
        ("referral-green", world.lead),
        ("referral-accepted", world.village),
        ("referral-arrived", world.village),
        ("referral-arrived", world.lead),
        ("referral-treated", world.village),
        ("referral-discharged", world.village),
        ("return-submitted", world.township),
        ("return-received", world.village),
        ("return-received", world.lead),
    }
    assert resident == {
        f"own-referral-{stage}"
        for stage in ("sent", "accepted", "arrived", "admitted", "discharged", "handed-back", "received")
    }


def test_a_resident_is_told_in_own_words() -> None:
    assert set(own_words.TOLD) <= set(handlers._TOLD)
    assert set(own_words.TOLD.values()) <= set(own_words.TEXTS)
    for text in own_words.TEXTS.values():
        assert "患者" not in text.zh
        assert "居民" not in text.zh


def test_every_told_event_is_subscribed() -> None:
    subscribed = {event.__name__ for event, runs in SUBSCRIPTIONS.items() if handlers.tell_parties in runs}
    assert subscribed == set(handlers._TOLD)


def test_whoever_asked_hears_that_the_answer_is_late() -> None:
    loop = make_loop()
    referral = referral_in(loop, "received_back")
    with acting(loop.family):
        question = actions.ask_question(
            referral=referral, text="血压 150/95，需要调药吗？", urgent=True, actor=loop.family
        )
    clocks = system_actor(Purpose.CLOCKS)
    with acting(clocks):
        task = Task.objects.get(kind="case-question.asked", closed_at__isnull=True)
        assert task.due_at is not None
        assert task.organization_id == question.answerer_id
        worklist.run_clocks(actor=clocks, now=task.due_at + timedelta(seconds=1))
    with acting(system_actor(Purpose.HANDLER)):
        late = EventRow.objects.get(name__in=("TaskOverdue", "TaskEscalated"))
        # A clock of something else tells nobody of a question.
        handlers.tell_question_late(Event(subject="referral/x", details={"kind": "referral.submitted"}))
        handlers.tell_question_late(
            to_event(late, {"TaskOverdue": TaskOverdue, "TaskEscalated": TaskEscalated}[late.name])
        )
        told = Notice.objects.get(kind="case-late")
    assert (told.organization_id, told.about_id) == (question.asker_id, referral.resident_id)
    assert told.link == referral.subject
    assert told.params == {"unit": question.answerer.name}
