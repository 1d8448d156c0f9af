"""Booking under 32 clients, each with a connection of its own: places enough for all, and the last places of a clinic."""

import threading
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from datetime import date, timedelta
from datetime import time as clock
from multiprocessing import get_context
from uuid import UUID

from django.db import connection, connections
from django.db.models import Max

from doorstep.coordination.scheduling import actions as scheduling
from doorstep.coordination.scheduling.clinic_actions import add_session, create_schedule
from doorstep.coordination.scheduling.laying_actions import generate_slots
from doorstep.coordination.scheduling.models import Schedule, Slot
from doorstep.coordination.scheduling.states import TAKEN
from doorstep.demo.bench.figures import Figure, figure
from doorstep.demo.bench.started import stand
from doorstep.demo.loading.houses import CONSORTIUM
from doorstep.kernel.access.actor import Actor, Purpose, system_actor
from doorstep.kernel.access.refusals import Refused
from doorstep.kernel.access.session import acting
from doorstep.people.organizations.models import Department

CLIENTS = 32
# Two processes for two cores, each with threads of its own: one process would measure Python's lock.
PROCESSES = 2
_START_SECONDS = 2.0
_MANY_PLACES = 60
_SLOTS_A_DAY = 24


@dataclass(frozen=True, slots=True)
class Share:
    """What one process does: its actor, and for each of its clients the (resident, slot) pairs to try in their order."""

    actor: Actor
    clients: list[list[tuple[int, UUID]]]
    begins: float
    seconds: float


@dataclass(slots=True)
class Tried:
    """What came of it: milliseconds of holds, of bookings, and of refused tries; what broke otherwise."""

    holds: list[float] = field(default_factory=list)
    bookings: list[float] = field(default_factory=list)
    refused: list[float] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


def hold_and_book(residents: Sequence[int], *, actor: Actor, house: int, today: date, seconds: float) -> list[Figure]:
    """Two acts, hold and book, where there are places enough."""
    slots = lay_out(house=house, today=today, slots=10 * _SLOTS_A_DAY, places=_MANY_PLACES)
    pairs = [
        [(residents[(client + step * CLIENTS) % len(residents)], slots[step % len(slots)]) for step in range(2_000)]
        for client in range(CLIENTS)
    ]
    tried, took = _run(actor, _without_repeats(pairs), seconds)
    both = [hold + book for hold, book in zip(tried.holds, tried.bookings, strict=False)]
    remark = f"{len(tried.refused)} refused" if tried.refused else ""
    return [
        figure("slots", both, faults=tried.faults[:3], remark=remark, clients=CLIENTS, seconds=took),
        figure("slots/hold", tried.holds, clients=CLIENTS, seconds=took),
        figure("slots/book", tried.bookings, clients=CLIENTS, seconds=took),
    ]


def contested(residents: Sequence[int], *, actor: Actor, house: int, today: date, tries: int) -> Figure:
    """Every slot has one place, and 32 clients come for it at the same moment; counted afterwards in SQL."""
    rounds = -(-tries // CLIENTS)
    slots = lay_out(house=house, today=today, slots=rounds, places=1)
    pairs = [
        [(residents[(client + step * CLIENTS) % len(residents)], slots[step]) for step in range(rounds)]
        for client in range(CLIENTS)
    ]
    tried, took = _run(actor, pairs, seconds=3600.0)
    times = [*tried.holds, *tried.refused]
    double, booked, left = _count(slots)
    faults = tried.faults[:3]
    if double:
        faults.append(f"{double} double bookings")
    if booked != len(tried.bookings):
        faults.append(f"{len(tried.bookings)} were told they have a place, {booked} places are booked")
    remark = f"{double} double bookings; {booked} of {len(slots)} last places booked, {left} left"
    return figure("contested", times, clients=CLIENTS, seconds=took, faults=faults, remark=remark)


def lay_out(*, house: int, today: date, slots: int, places: int) -> list[UUID]:
    """A new department with a clinic of so many slots and places; the keys of its slots by time."""
    with acting(system_actor(Purpose.IMPORT, consortium_id=CONSORTIUM)) as actor:
        number = Department.objects.filter(organization_id=house, code__startswith="BENCH").count() + 1
        department = Department.objects.create(
            organization_id=house, code=f"BENCH{number}", name=f"测试门诊 {number}", name_en=f"Bench clinic {number}"
        )
        schedule = create_schedule(
            organization_id=house,
            department_id=department.pk,
            practitioner_id=None,
            service=Schedule.Service.CLINIC.value,
            actor=actor,
        )
        for weekday in range(7):
            add_session(
                schedule=schedule,
                weekday=weekday,
                starts=clock(8),
                ends=clock(20),
                minutes=30,
                places={"open": places},
                actor=actor,
            )
        # After the clinics of earlier measures: nobody is expected twice at one time.
        last = Slot.objects.filter(schedule__department__code__startswith="BENCH").aggregate(last=Max("ends_at"))[
            "last"
        ]
        first = max(today, last.date() if last else today) + timedelta(days=1)
        # Weekdays that are holidays have no slots: some days more than it would take.
        days = min(90, slots // _SLOTS_A_DAY + 14)
        generate_slots(schedule=schedule, first=first, last=first + timedelta(days=days), actor=actor)
        return list(Slot.objects.filter(schedule=schedule).order_by("starts_at").values_list("key", flat=True)[:slots])


def _run(actor: Actor, pairs: list[list[tuple[int, UUID]]], seconds: float) -> tuple[Tried, float]:
    together = Tried()
    with ProcessPoolExecutor(PROCESSES, mp_context=get_context("spawn"), initializer=stand) as pool:
        # Every process stands before the clock starts: on a busy machine that takes longer than the measure.
        list(pool.map(_stand_by, [_START_SECONDS] * PROCESSES))
        begins = time.time() + _START_SECONDS
        shares = [Share(actor, pairs[number::PROCESSES], begins, seconds) for number in range(PROCESSES)]
        for tried in pool.map(book_share, shares):
            together.holds += tried.holds
            together.bookings += tried.bookings
            together.refused += tried.refused
            together.faults += tried.faults
    return together, time.time() - begins


def _stand_by(seconds: float) -> None:
    """Keep a process busy until the others have started too."""
    time.sleep(seconds)


def book_share(share: Share) -> Tried:
    """Let the clients of one process try for places at once."""
    tried = [Tried() for _client in share.clients]
    threads = [
        threading.Thread(target=_client, args=(share, pairs, one))
        for pairs, one in zip(share.clients, tried, strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    together = Tried()
    for one in tried:
        together.holds += one.holds
        together.bookings += one.bookings
        together.refused += one.refused
        together.faults += one.faults
    return together


def _client(share: Share, pairs: list[tuple[int, UUID]], tried: Tried) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    time.sleep(max(0.0, share.begins - time.time()))
    until = share.begins + share.seconds
    for resident_id, slot in pairs:
        if time.time() > until:
            break
        try:
            _try(share.actor, resident_id, slot, tried)
        except Exception as error:
            # One broken try must not hide the others: it is told beside the figure.
            tried.faults.append(repr(error)[:300])
    connections.close_all()


def _try(actor: Actor, resident_id: int, slot: UUID, tried: Tried) -> None:
    started = time.perf_counter()
    try:
        with acting(actor):
            held = scheduling.hold(slot_key=slot, origin="open", actor=actor, resident_id=resident_id)
    except Refused:
        tried.refused.append((time.perf_counter() - started) * 1000)
        return
    hold_ms = (time.perf_counter() - started) * 1000
    started = time.perf_counter()
    with acting(actor):
        scheduling.book(hold_key=held.key, resident_id=resident_id, actor=actor)
    tried.holds.append(hold_ms)
    tried.bookings.append((time.perf_counter() - started) * 1000)


def _without_repeats(pairs: list[list[tuple[int, UUID]]]) -> list[list[tuple[int, UUID]]]:
    """Nobody is expected twice at one time, so no resident comes twice to a slot."""
    seen: set[tuple[int, UUID]] = set()
    kept: list[list[tuple[int, UUID]]] = []
    for client in pairs:
        own = [pair for pair in dict.fromkeys(client) if pair not in seen]
        seen.update(own)
        kept.append(own)
    return kept


def _count(slots: Sequence[UUID]) -> tuple[int, int, int]:
    """Places that two live bookings share or slots with more bookings than places; places booked; places left."""
    with acting(system_actor(Purpose.INDICATORS)), connection.cursor() as cursor:
        cursor.execute(
            """
            WITH asked AS (SELECT id FROM scheduling_slot WHERE key = ANY(%(slots)s)),
            live AS (SELECT b.slot_id, b.place_id FROM scheduling_booking b JOIN asked a ON a.id = b.slot_id
                      WHERE b.state = ANY(%(taken)s)),
            places AS (SELECT q.slot_id, q.state FROM scheduling_place q JOIN asked a ON a.id = q.slot_id)
            SELECT (SELECT count(*) FROM (SELECT 1 FROM live GROUP BY place_id HAVING count(*) > 1) AS shared)
                 + (SELECT count(*) FROM (SELECT slot_id FROM live GROUP BY slot_id) AS taken
                     WHERE (SELECT count(*) FROM live l WHERE l.slot_id = taken.slot_id)
                         > (SELECT count(*) FROM places p WHERE p.slot_id = taken.slot_id)),
                   (SELECT count(*) FROM live),
                   (SELECT count(*) FROM places WHERE state <> 'booked')
            """,
            {"slots": list(slots), "taken": [str(state) for state in TAKEN]},
        )
        double, booked, left = cursor.fetchone()
    return int(double), int(booked), int(left)
