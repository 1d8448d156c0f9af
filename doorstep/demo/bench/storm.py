"""Booking over HTTP: how many a second beside the bare claim, the burst of a release, and what killing leaves behind."""

import json
import subprocess
import sys
import threading
import time
import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
from django.conf import settings
from django.db import DatabaseError, connection
from django.utils import timezone

from doorstep.coordination.scheduling.models import Schedule, Slot
from doorstep.coordination.scheduling.states import TAKEN
from doorstep.demo.bench.figures import Figure, figure
from doorstep.demo.loading.houses import CONSORTIUM
from doorstep.kernel.access import actions as access
from doorstep.kernel.access.actor import Actor, Purpose, system_actor
from doorstep.kernel.access.models import CareRelationship
from doorstep.kernel.access.session import acting
from doorstep.people.organizations.models import Department
from doorstep.people.residents.models import Resident

CLIENTS = 64
CLINICS = 200
PEOPLE = 2_000
# The file that asks the bench's house to kill and restart the web and the database in turn while it is there.
MARK = "storm"
BURST_PLACES, BURST_TRIES = 500, 20_000
KILLED_TRIES = 1_000_000
_UP_SECONDS = 60.0
_WARM_SECONDS = 4.0
_SLOTS_A_CLINIC, _PLACES_A_SLOT = 10, 20
# The killed storm: places of a slot for the twelve who come, so that most fight for the last one; about what is booked in a second
# at most, restarts included; more slots than this would be years ahead.
_PLACES_KILLED, _BOOKED_A_SECOND, _MOST_SLOTS = 3, 400, 1_000
_SAYS_EACH, _LONG = 15.0, 600.0


@dataclass(frozen=True, slots=True)
class Ground:
    """What a storm goes for: slots with so many places, patients, and the token of a system that sees them."""

    slots: list[UUID]
    places: int
    people: Sequence[UUID]
    token: str
    port: int


def measure(name: str, *, actor: Actor, house: int, port: int, seconds: float, today: date) -> list[Figure]:
    """One of "booking" (a second, beside the bare claim), "booking-burst" and "booking-killed"."""
    unit = actor.organization_id or 0
    with acting(system_actor(Purpose.IMPORT, consortium_id=CONSORTIUM)) as system:
        token = access.issue_token(name="bench-his", display="bench", organization_id=unit, actor=system)
    people = seen_people(unit)
    # What a process loads once, at its first booking, is no part of what a booking costs.
    warm = Ground(lay_out(house=house, clinics=CLINICS, slots=1, places=10, today=today), 10, people, token, port)
    _storm(warm, _pairs(warm), seconds=_WARM_SECONDS)
    if name == "booking-burst":
        slots = lay_out(house=house, clinics=1, slots=1, places=BURST_PLACES, today=today)
        return [_burst(Ground(slots, BURST_PLACES, people, token, port))]
    if name == "booking-killed":
        # Fewer places than people who come, and slots enough for as long as it runs: what is sold out is answered, not booked.
        lasts = max(60.0, 6 * seconds)
        each = max(60, min(_MOST_SLOTS, int(lasts * _BOOKED_A_SECOND / (CLINICS * _PLACES_KILLED))))
        slots = lay_out(house=house, clinics=CLINICS, slots=each, places=_PLACES_KILLED, today=today)
        return [_killed(Ground(slots, _PLACES_KILLED, people, token, port), seconds=lasts)]
    slots = lay_out(house=house, clinics=CLINICS, slots=_SLOTS_A_CLINIC, places=_PLACES_A_SLOT, today=today)
    ground = Ground(slots, _PLACES_A_SLOT, people, token, port)
    bare = _bare_claims(slots, seconds=min(5.0, seconds))
    return [_speed(ground, seconds=seconds, bare=bare)]


def seen_people(unit: int) -> list[UUID]:
    """The keys of residents whom a unit sees from now on, as after referrals: enough that nobody is asked twice at a time."""
    with acting(system_actor(Purpose.IMPORT, consortium_id=CONSORTIUM)) as system:
        found = list(Resident.objects.filter(deceased_on__isnull=True).order_by("id").values_list("id", "key")[:PEOPLE])
        seen = set(
            CareRelationship.objects.filter(organization_id=unit, basis="storm").values_list("resident_id", flat=True)
        )
        for resident_id, _key in found:
            if resident_id not in seen:
                access.open_relationship(
                    resident_id=resident_id,
                    organization_id=unit,
                    reason=CareRelationship.Reason.REFERRAL,
                    actor=system,
                    basis="storm",
                )
    return [key for _id, key in found]


def lay_out(*, house: int, clinics: int, slots: int, places: int, today: date) -> list[UUID]:
    """Departments with a schedule each, their slots one after the other, all places open; the keys of the slots."""
    with acting(system_actor(Purpose.IMPORT)):
        run = uuid.uuid4().hex[:6]
        departments = Department.objects.bulk_create(
            [Department(organization_id=house, code=f"ST{run}{n}", name=f"测试门诊 {run} {n}") for n in range(clinics)]
        )
        schedules = Schedule.objects.bulk_create(
            [Schedule(organization_id=house, department=one, consortium_id=CONSORTIUM) for one in departments]
        )
        # After everything that stands: nobody is expected twice at one time by an earlier measure.
        last = Slot.objects.order_by("-ends_at").values_list("ends_at", flat=True).first() or timezone.now()
        start = max(last, timezone.make_aware(datetime.combine(today, datetime.min.time()))) + timedelta(days=1)
        made = Slot.objects.bulk_create(
            [
                Slot(
                    schedule=schedule,
                    organization_id=house,
                    consortium_id=CONSORTIUM,
                    starts_at=start + timedelta(minutes=30 * number),
                    ends_at=start + timedelta(minutes=30 * number + 30),
                )
                for number in range(slots)
                for schedule in schedules
            ],
            batch_size=2_000,
        )
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO scheduling_place (slot_id, number, quota, given_quota, state, is_extra)"
                " SELECT s, n, 'open', 'open', 'free', false FROM unnest(%s::bigint[]) AS s, generate_series(1, %s) AS n",
                [[slot.pk for slot in made], places],
            )
    return [slot.key for slot in made]


def _speed(ground: Ground, *, seconds: float, bare: float) -> Figure:
    came, took = _storm(ground, _pairs(ground), seconds=seconds)
    times = [row[2] for row in came["tries"] if row[1] == 201]
    faults = check(ground, came)
    rate = len(times) / took
    remark = f"bare claim {bare:,.0f}/s; refused {len(came['tries']) - len(times)}"
    found = figure("booking", times, clients=CLIENTS, seconds=took, faults=faults, remark=remark)
    found.share = rate / bare
    return found


def _burst(ground: Ground) -> Figure:
    """20,000 requests for 500 places; sold out counts as an answer, and who came 100 ms later must not be first."""
    people = ground.people
    pairs = [(ground.slots[0], people[number % len(people)]) for number in range(BURST_TRIES)]
    came, took = _storm(ground, pairs, seconds=600.0)
    tries = came["tries"]
    won = [row for row in tries if row[1] == 201]
    lost = [row for row in tries if row[1] == 409]
    # Unfair: somebody began more than 100 ms after another who was told that nothing is left, and yet had a place.
    latest_won = max((row[3] for row in won), default=0.0)
    unfair = sum(row[3] + 0.1 < latest_won for row in lost)
    share = unfair / max(1, len(tries))
    faults = check(ground, came)
    booked = _count(ground.slots)[1]
    remark = f"{len(won)} won, {booked} booked, {len(lost)} sold out or busy; unfair {share:.2%}"
    return figure(
        "booking-burst", [row[2] for row in tries], clients=CLIENTS, seconds=took, faults=faults, remark=remark
    )


def _killed(ground: Ground, *, seconds: float) -> Figure:
    """As many attempts as the time allows; a fifth of them for places that somebody else was sent to as well."""
    pairs = [pair for number, pair in enumerate(_pairs(ground)) for _twice in range(1 + (number % 4 == 0))]
    mark = Path(settings.DATA) / MARK
    log = mark.with_suffix(".log")
    log.touch()
    before = len(log.read_text(encoding="utf-8").splitlines())
    mark.touch()
    try:
        came, took = _storm(ground, pairs, seconds=seconds, tries=KILLED_TRIES)
    finally:
        mark.unlink(missing_ok=True)
    # Whoever was killed last is up again before anything is counted.
    _wait_for_database()
    kills = len(log.read_text(encoding="utf-8").splitlines()) - before
    times = [row[2] for row in came["tries"] if row[1] == 201]
    faults = check(ground, came)
    told = Counter(row[1] for row in came["tries"])
    words = ", ".join(f"{number:,} × {status}" for status, number in sorted(told.items()))
    remark = f"{len(came['tries']):,} attempts ({words}), {kills} kills; {_sum_of(ground)}"
    return figure("booking-killed", times, clients=CLIENTS, seconds=took, faults=faults, remark=remark)


def _wait_for_database() -> None:
    until = time.monotonic() + _UP_SECONDS
    while True:
        try:
            connection.close()
            _count([])
            return
        except DatabaseError:
            if time.monotonic() > until:
                raise
            time.sleep(1.0)


def _sum_of(ground: Ground) -> str:
    double, booked, free, held = _count(ground.slots)
    whole = ground.places * len(ground.slots)
    return f"{whole:,} places = {free:,} free + {held:,} held + {booked:,} booked, {double} double"


def check(ground: Ground, came: dict[str, Any]) -> list[str]:
    """What must never be: oversold, acknowledged and lost, twice for one request, places that do not add up."""
    double, booked, free, held = _count(ground.slots)
    with acting(system_actor(Purpose.INDICATORS)), connection.cursor() as cursor:
        # One array: the slots of a long storm are more than a statement may have arguments.
        cursor.execute(
            "SELECT b.key FROM scheduling_booking b JOIN scheduling_slot s ON s.id = b.slot_id WHERE s.key = ANY(%s)",
            [list(ground.slots)],
        )
        there = {str(row[0]) for row in cursor.fetchall()}
    lost = sum(key not in there for _number, key in came["booked"])
    twice = len(came["booked"]) - len({key for _number, key in came["booked"]})
    whole = ground.places * len(ground.slots)
    found = [(double, "oversold"), (lost, "acknowledged and lost"), (twice, "twice")]
    faults = [f"{number} {what}" for number, what in found if number]
    if booked + free + held != whole:
        faults.append(f"{whole} places are {free} free + {held} held + {booked} booked")
    if booked < len(came["booked"]):
        faults.append(f"{len(came['booked'])} were told they have a place, {booked} places are booked")
    return faults


def _pairs(ground: Ground) -> list[tuple[UUID, UUID]]:
    """Every person once at a time, and each time in the next clinic: nobody is seen twice in one clinic in one half day."""
    people, pairs = ground.people, []
    for turn, start in enumerate(range(0, len(ground.slots), CLINICS)):
        clinics = ground.slots[start : start + CLINICS]
        pairs += [(clinics[(number + turn) % len(clinics)], one) for number, one in enumerate(people)]
    return pairs


def _storm(
    ground: Ground, pairs: list[tuple[UUID, UUID]], *, seconds: float, tries: int = 0
) -> tuple[dict[str, Any], float]:
    plan = {
        "port": ground.port,
        "token": ground.token,
        "run": uuid.uuid4().hex,
        "clients": CLIENTS,
        "seconds": seconds,
        "pairs": [(str(slot), str(person)) for slot, person in pairs],
        "tries": tries or len(pairs),
        "says_each": _SAYS_EACH if seconds > _LONG else 0.0,
    }
    # The load of another process must not wait for this one's connection.
    connection.close()
    words = [sys.executable, "-m", "doorstep.demo.bench.storm_clients"]
    # What it says of its progress goes to the terminal.
    done = subprocess.run(words, input=json.dumps(plan), stdout=subprocess.PIPE, text=True, check=True)
    came: dict[str, Any] = json.loads(done.stdout)
    began = min((row[3] for row in came["tries"]), default=0.0)
    ended = max((row[4] for row in came["tries"]), default=1.0)
    return came, max(0.001, ended - began)


def _count(slots: Sequence[UUID]) -> tuple[int, int, int, int]:
    """Double bookings of places; places booked, free and held."""
    with acting(system_actor(Purpose.INDICATORS)), connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM (SELECT 1 FROM scheduling_booking b JOIN scheduling_slot s ON s.id = b.slot_id"
            " WHERE s.key = ANY(%s) AND b.state = ANY(%s) GROUP BY b.place_id HAVING count(*) > 1) AS shared",
            [list(slots), [str(state) for state in TAKEN]],
        )
        double = int(cursor.fetchone()[0])
        cursor.execute(
            "SELECT count(*) FILTER (WHERE q.state = 'booked'), count(*) FILTER (WHERE q.state = 'free'),"
            " count(*) FILTER (WHERE q.state = 'held') FROM scheduling_place q JOIN scheduling_slot s ON s.id = q.slot_id"
            " WHERE s.key = ANY(%s)",
            [list(slots)],
        )
        booked, free, held = cursor.fetchone()
    return double, int(booked), int(free), int(held)


def _bare_claims(slots: Sequence[UUID], *, seconds: float) -> float:
    """The yardstick: bare claims with SKIP LOCKED of places of like clinics, a second, by eight connections."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM scheduling_slot WHERE key = ANY(%s)", [list(slots)])
        ids = [row[0] for row in cursor.fetchall()]
    facts = connection.get_connection_params()
    keep = {name: facts[name] for name in ("dbname", "user", "password", "host", "port") if name in facts}
    counts: list[int] = []

    def claims(first: int) -> None:
        number = 0
        with psycopg.connect(**keep, autocommit=True) as line:
            until = time.monotonic() + seconds
            while time.monotonic() < until:
                # A claim that changes nothing that counts: the row is written as a claim writes it, and stays free.
                line.execute(
                    "UPDATE scheduling_place SET held_by_id = 1 WHERE id = (SELECT id FROM scheduling_place"
                    " WHERE slot_id = %s AND state = 'free' LIMIT 1 FOR UPDATE SKIP LOCKED)",
                    [ids[(first + number * 8) % len(ids)]],
                    prepare=True,
                )
                number += 1
        counts.append(number)

    threads = [threading.Thread(target=claims, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / seconds
