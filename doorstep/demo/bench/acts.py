"""Measures in this process, one client, one thread: transitions with their four traces, and the whole record."""

import time
from collections.abc import Sequence

from django.db import connection
from django.test.utils import CaptureQueriesContext

from doorstep.care.diagnosis import actions as diagnosis
from doorstep.care.diagnosis.models import EcgOrder
from doorstep.coordination.visits import actions as visits
from doorstep.demo.bench.figures import Figure, figure
from doorstep.demo.bench.people import Person
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.access.session import acting
from doorstep.kernel.record import queries as record

_TRANSACTION = ("BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE")
_WARM = 10


def visit_ends(people: Sequence[Person], *, actor: Actor, seconds: float) -> Figure:
    """`workflow.apply` from "in progress" to "finished": only the act and its transaction are timed, not the opening."""
    times: list[float] = []
    queries = 0
    until = time.monotonic() + seconds
    for number, person in enumerate([*people] * 100):
        if time.monotonic() > until:
            break
        with acting(actor):
            visit = visits.open_visit(resident_id=person.id, actor=actor, complaint="bench")
        if number == 0:
            with CaptureQueriesContext(connection) as captured, acting(actor):
                visits.finish(visit=visit, actor=actor)
            queries = _sent(captured)
            continue
        started = time.perf_counter()
        with acting(actor):
            visits.finish(visit=visit, actor=actor)
        if number >= _WARM:
            times.append((time.perf_counter() - started) * 1000)
    return figure("transition-visit", times, clients=1, seconds=sum(times) / 1000, queries=queries)


def ecg_claims(orders: Sequence[EcgOrder], *, actor: Actor, seconds: float) -> Figure:
    """Claim and release of queued cases: state, history, resource, event, audit, old task closed and new task opened."""
    times: list[float] = []
    queries = 0
    until = time.monotonic() + seconds
    for number, order in enumerate([*orders] * 1000):
        if time.monotonic() > until:
            break
        for act in (diagnosis.claim, diagnosis.release):
            if number == 0:
                with CaptureQueriesContext(connection) as captured, acting(actor):
                    act(order=order, actor=actor)
                queries = max(queries, _sent(captured))
                continue
            started = time.perf_counter()
            with acting(actor):
                act(order=order, actor=actor)
            if number >= _WARM // 2:
                times.append((time.perf_counter() - started) * 1000)
    return figure("transition-ecg", times, clients=1, seconds=sum(times) / 1000, queries=queries)


def whole_record(people: Sequence[Person], *, actor: Actor, seconds: float) -> Figure:
    """Everything of a resident that the actor may read, with the look audited."""
    times: list[float] = []
    queries, entries, reads = 0, 0, 0
    until = time.monotonic() + seconds
    for number, person in enumerate([*people] * 1000):
        if time.monotonic() > until:
            break
        if number == 0:
            with CaptureQueriesContext(connection) as captured, acting(actor):
                record.timeline(resident_id=person.id, actor=actor)
            queries = _sent(captured)
            continue
        started = time.perf_counter()
        with acting(actor):
            entries += len(record.timeline(resident_id=person.id, actor=actor))
        reads += 1
        if number >= _WARM:
            times.append((time.perf_counter() - started) * 1000)
    remark = f"{entries / reads:.0f} entries on average" if reads else ""
    faults = [] if entries else ["the records are empty"]
    return figure("record", times, clients=1, seconds=sum(times) / 1000, queries=queries, remark=remark, faults=faults)


def _sent(captured: CaptureQueriesContext) -> int:
    return sum(not one["sql"].startswith(_TRANSACTION) for one in captured.captured_queries)
