"""Two readers, two connections, one case: exactly one holds it, whatever the order of their keys."""

import threading

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from doorstep.care.diagnosis import actions, queries
from doorstep.care.diagnosis.models import EcgOrder
from doorstep.care.diagnosis.tests.factories import Loop, make_loop, queued
from doorstep.kernel.access.actor import Actor, Purpose, system_actor
from doorstep.kernel.access.refusals import Refused
from doorstep.kernel.access.session import acting

SYSTEM = system_actor(Purpose.CLOCKS)


def _together(loop: Loop, order: EcgOrder, names: tuple[str, ...]) -> dict[str, str]:
    """Let several readers press the key at the same moment, each on a connection of its own."""
    actors = {name: loop.actor(name) for name in names}
    start, answers = threading.Barrier(len(names)), {}

    def press(name: str, actor: Actor) -> None:
        try:
            start.wait(timeout=30)
            with acting(actor):
                actions.claim(order=order, actor=actor)
            answers[name] = "held"
        except Refused as refused:
            answers[name] = refused.code
        finally:
            connection.close()

    threads = [threading.Thread(target=press, args=pair) for pair in actors.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    return answers


@pytest.mark.django_db(transaction=True)
def test_claim_by_two_at_once_gives_the_case_to_one() -> None:
    loop = make_loop()
    for seed in range(3):
        order = queued(loop, seed=seed)
        answers = _together(loop, order, ("reader", "second"))
        assert sorted(answers.values()) == ["held", "transition-refused"]
        winner = next(name for name, answer in answers.items() if answer == "held")
        with acting(SYSTEM):
            assert EcgOrder.objects.get(pk=order.pk).reader_user_id == loop.users[winner].pk


@pytest.mark.django_db
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    keys=st.lists(st.tuples(st.sampled_from(["reader", "second"]), st.sampled_from(["claim", "release"])), max_size=8)
)
def test_whatever_the_order_of_keys_one_reader_holds_the_case_or_nobody(
    keys: list[tuple[str, str]], lease_world: tuple[Loop, EcgOrder]
) -> None:
    loop, order = lease_world
    holder: str | None = None
    with acting(SYSTEM):
        found = queries.order_by_id(order.pk)
        if found is not None and found.state == "reading":
            holder = next(name for name in ("reader", "second") if loop.users[name].pk == found.reader_user_id)
    for name, verb in keys:
        actor = loop.actor(name)
        act = actions.claim if verb == "claim" else actions.release
        try:
            with acting(actor):
                act(order=order, actor=actor)
            assert holder in ((None, name) if verb == "claim" else (name,))
            holder = name if verb == "claim" else None
        except Refused:
            assert holder != (None if verb == "claim" else name)
        with acting(SYSTEM):
            now = EcgOrder.objects.get(pk=order.pk)
            assert now.reader_user_id == (loop.users[holder].pk if holder else None)


@pytest.fixture
def lease_world() -> tuple[Loop, EcgOrder]:
    """One case on the queue."""
    loop = make_loop()
    return loop, queued(loop)
