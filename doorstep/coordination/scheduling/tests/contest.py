"""Clients that go for the same places with connections of their own: used by the tests and by the benchmark."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from django.db import connection

from doorstep.coordination.scheduling import actions
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.access.refusals import Conflict
from doorstep.kernel.access.session import acting


@dataclass(slots=True)
class Outcome:
    """What a contest came to."""

    booked: list[UUID] = field(default_factory=list)
    sentences: list[str] = field(default_factory=list)
    next_slots: list[UUID] = field(default_factory=list)
    faults: list[BaseException] = field(default_factory=list)
    tries: int = 0


def contest(
    *, n_clients: int, tries: int, slot_keys: Sequence[UUID], resident_ids: Sequence[int], actor: Actor
) -> Outcome:
    """Let clients try together, `tries` times in all, to hold and book a place; each commits for real.

    Every try goes for the next slot of the list with the next resident; a place that was won stays taken. The actor must
    see the residents.
    """
    outcome, lock, start = Outcome(), threading.Lock(), threading.Barrier(n_clients)
    numbers = iter(range(tries))

    def client() -> None:
        start.wait()
        try:
            while True:
                with lock:
                    number = next(numbers, None)
                if number is None:
                    return
                _one_try(
                    slot_key=slot_keys[number % len(slot_keys)],
                    resident_id=resident_ids[number % len(resident_ids)],
                    actor=actor,
                    outcome=outcome,
                    lock=lock,
                )
        except BaseException as fault:
            with lock:
                outcome.faults.append(fault)
        finally:
            connection.close()

    threads = [threading.Thread(target=client) for _number in range(n_clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcome


def _one_try(*, slot_key: UUID, resident_id: int, actor: Actor, outcome: Outcome, lock: threading.Lock) -> None:
    try:
        with acting(actor):
            held = actions.hold(slot_key=slot_key, origin="referral", actor=actor, resident_id=resident_id)
        with acting(actor):
            booking = actions.book(
                hold_key=held.key, resident_id=resident_id, actor=actor, reference="referral/contest"
            )
        with lock:
            outcome.tries += 1
            outcome.booked.append(booking.key)
    except actions.NoPlaceLeft as refused:
        with lock:
            outcome.tries += 1
            outcome.sentences.append(str(refused.message))
            if refused.next_slot is not None:
                outcome.next_slots.append(refused.next_slot.key)
    except Conflict as refused:
        with acting(actor):
            actions.release(hold_key=held.key, actor=actor)
        with lock:
            outcome.tries += 1
            outcome.sentences.append(str(refused.message))
