"""Working a lane: one message, one transaction of its sender, in the order of arrival."""

import traceback

import structlog
from django.db import OperationalError
from django.utils import timezone

from doorstep.kernel.access.actor import Purpose, system_actor
from doorstep.kernel.access.refusals import Refused
from doorstep.kernel.access.session import acting
from doorstep.kernel.exchange import codes
from doorstep.kernel.exchange.formats import Fault, Outcome, Task, facts_of, format_of, sender_of
from doorstep.kernel.exchange.models import Message
from doorstep.kernel.exchange.states import MessageState

log = structlog.get_logger(__name__)

# A message whose transaction the database broke off (deadlock, restart) is tried this often before it is put aside.
ATTEMPTS = 5


def work_lane(*, connection_id: int, lane: int) -> int:
    """Work off what waits in a lane; returns how many messages were taken.

    A worker that dies in the middle leaves the message as it was: its transaction is gone and the next job takes it again.
    """
    taken = 0
    while True:
        with acting(system_actor(Purpose.EXCHANGE)):
            message = _next(connection_id, lane)
        if message is None:
            return taken
        work(message)
        taken += 1


def work(message: Message) -> None:
    """Apply one message under its sender's actor, or write down why not."""
    actor = sender_of(message.connection)
    task = Task(message=message, connection=message.connection, actor=actor)
    try:
        with acting(actor):
            # Whoever else took it meanwhile has finished by the time this lock is ours.
            locked = Message.objects.select_for_update().filter(pk=message.pk, state=MessageState.RECEIVED).first()
            if locked is None:
                return
            outcome = format_of(message.format).apply(task)
            _finish(message, outcome)
            codes.count_unknown(task)
    except OperationalError:
        _try_later(message)
    except Fault as fault:
        _put_aside(task, fault)
    except Refused as refused:
        _put_aside(task, Fault("refused", sentence=str(refused.message)))
    except Exception as error:
        # A message that nobody foresaw must not stop the lane; its content, which the error may quote, stays out of the log.
        log.error("message_failed", message=str(message.key), error=type(error).__name__, place=_place(error))
        _put_aside(task, Fault("internal", error=type(error).__name__))


def _place(error: Exception) -> str:
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{frame.filename}:{frame.lineno}"


def _next(connection_id: int, lane: int) -> Message | None:
    return (
        Message.objects.select_related("connection")
        .filter(connection_id=connection_id, lane=lane, state=MessageState.RECEIVED, connection__paused=False)
        .order_by("id")
        .first()
    )


def _finish(message: Message, outcome: Outcome) -> None:
    Message.objects.filter(pk=message.pk).update(
        state=MessageState.IGNORED if outcome.ignored else MessageState.APPLIED,
        state_at=timezone.now(),
        attempts=message.attempts + 1,
        resident_id=outcome.resident_id,
        results=[list(one) for one in outcome.results],
        notes=[list(one) for one in outcome.notes],
        error_kind="",
        error_place="",
        error_facts={},
        event_at=message.event_at,
    )


def _try_later(message: Message) -> None:
    log.warning("message_tried_later", message=str(message.key), attempts=message.attempts + 1)
    if message.attempts + 1 >= ATTEMPTS:
        _put_aside(Task(message, message.connection, sender_of(message.connection)), Fault("database"))
        return
    with acting(system_actor(Purpose.EXCHANGE)):
        Message.objects.filter(pk=message.pk).update(attempts=message.attempts + 1)


def _put_aside(task: Task, fault: Fault) -> None:
    message = task.message
    with acting(system_actor(Purpose.EXCHANGE)):
        Message.objects.filter(pk=message.pk, state=MessageState.RECEIVED).update(
            state=MessageState.WAITING if fault.waits else MessageState.FAILED,
            state_at=timezone.now(),
            attempts=message.attempts + 1,
            error_kind=fault.kind[:24],
            error_place=fault.place[:40],
            error_facts=facts_of(fault),
            event_at=message.event_at,
        )
        codes.count_unknown(task)
