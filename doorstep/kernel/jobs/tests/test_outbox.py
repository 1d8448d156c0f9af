"""A job exists exactly when its cause committed, and a handler takes effect once however often it is delivered."""

import threading
import time
from collections.abc import Iterator

import pytest
from django.core.management import call_command
from django.db import transaction
from procrastinate.contrib.django.models import ProcrastinateJob

from doorstep.kernel.access.actor import Purpose, system_actor
from doorstep.kernel.access.session import acting
from doorstep.kernel.audit import actions as audit
from doorstep.kernel.audit.models import AuditEntry
from doorstep.kernel.events import actions as events
from doorstep.kernel.events import subscriptions
from doorstep.kernel.events.event import Event
from doorstep.kernel.events.models import WaitingEvent
from doorstep.kernel.events.relay import Relay, work_off
from doorstep.kernel.events.tasks import handle_event
from doorstep.site.subscriptions import SUBSCRIPTIONS

SYSTEM = system_actor(Purpose.HANDLER)
_failures: list[int] = []


class LampLit(Event):
    """An event of this test alone."""


class LampBroken(Event):
    """Another one."""


def note(event: Event) -> None:
    """Leave a mark, after dying as often as the test says."""
    audit.record(action="lamp.noted", actor=SYSTEM, subject=event.subject)
    if _failures:
        _failures.pop()
        raise RuntimeError("the handler died after its effect")


def note_again(event: Event) -> None:
    """A second handler of the same event, which dies as often as the test says."""
    audit.record(action="lamp.noted-again", actor=SYSTEM, subject=event.subject)
    if _failures:
        _failures.pop()
        raise RuntimeError("the second handler died after its effect")


@pytest.fixture(autouse=True)
def _subscribed() -> Iterator[None]:
    subscriptions.subscribe({**SUBSCRIPTIONS, LampLit: [note]})
    yield
    subscriptions.subscribe(SUBSCRIPTIONS)


def _publish() -> int:
    with acting(SYSTEM):
        return events.publish(LampLit(subject="lamp/1"))


def _marks(action: str = "lamp.noted") -> int:
    with acting(SYSTEM):
        return AuditEntry.objects.filter(action=action).count()


@pytest.mark.django_db(transaction=True)
def test_rolled_back_cause_waits_for_no_handler() -> None:
    with acting(SYSTEM):
        events.publish(LampLit(subject="lamp/1"))
        transaction.set_rollback(True)
    assert not WaitingEvent.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_worker_runs_the_handler() -> None:
    _publish()
    call_command("work", "--once")
    assert _marks() == 1
    assert not WaitingEvent.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_relay_runs_each_handler_of_an_event_once_and_leaves_what_fails_to_the_jobs() -> None:
    subscriptions.subscribe({**SUBSCRIPTIONS, LampLit: [note, note_again]})
    first, _second = _publish(), _publish()
    handle_event(event_id=first, handler=f"{note.__module__}.{note.__qualname__}")
    _failures.append(1)
    called: list[int] = []
    # The first event's second handler dies: nothing of it stays but the mark of the handler that had run before.
    assert work_off(more=lambda: called.append(1)) == 2
    assert (_marks(), _marks("lamp.noted-again"), called) == (2, 1, [1])
    assert not WaitingEvent.objects.exists()
    jobs = list(
        ProcrastinateJob.objects.filter(task_name="doorstep.handle_event").order_by("id").values_list("args", flat=True)
    )
    assert [one["event_id"] for one in jobs] == [first, first]
    call_command("work", "--once")
    assert (_marks(), _marks("lamp.noted-again")) == (2, 2)


@pytest.mark.django_db(transaction=True)
def test_relay_threads_share_what_waits_and_stop() -> None:
    published = [_publish() for _number in range(12)]
    relay = Relay(threads=2)
    relay.start()
    deadline = time.monotonic() + 20
    while WaitingEvent.objects.exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    relay.stop()
    assert _marks() == len(published)


@pytest.mark.django_db(transaction=True)
def test_a_slow_handler_holds_up_no_other_event() -> None:
    begun, goes_on = threading.Event(), threading.Event()

    def slow(_event: Event) -> None:
        begun.set()
        assert goes_on.wait(20)

    subscriptions.subscribe({**SUBSCRIPTIONS, LampLit: [note], LampBroken: [slow]})
    with acting(SYSTEM):
        events.publish(LampBroken(subject="lamp/2"))
    relay = Relay(threads=2)
    relay.start()
    try:
        # It came alone: when it was taken nothing else waited, so nobody was called.
        assert begun.wait(20)
        _publish()
        deadline = time.monotonic() + 15
        while not _marks() and time.monotonic() < deadline:
            time.sleep(0.02)
        assert _marks() == 1
    finally:
        goes_on.set()
        relay.stop()
    assert not WaitingEvent.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_dead_handler_leaves_nothing_and_its_retry_takes_effect_once() -> None:
    event_id = _publish()
    name = f"{note.__module__}.{note.__qualname__}"
    _failures.append(1)
    with pytest.raises(RuntimeError):
        handle_event(event_id=event_id, handler=name)
    assert _marks() == 0
    handle_event(event_id=event_id, handler=name)
    handle_event(event_id=event_id, handler=name)
    assert _marks() == 1


@pytest.mark.django_db(transaction=True)
def test_died_job_is_put_back_for_another_try() -> None:
    _publish()
    # Once when the event came, once as the job that it became.
    _failures.extend([1, 1])
    call_command("work", "--once")
    job = ProcrastinateJob.objects.get(task_name="doorstep.handle_event")
    assert (job.status, job.attempts) == ("todo", 1)
    assert _marks() == 0
