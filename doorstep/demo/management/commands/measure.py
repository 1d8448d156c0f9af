"""`measure`: the figures of bin/bench, asked of the servers that it started."""

import json
import os
import platform
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection

from doorstep.demo.bench import acts, bookings, figures, names, pages, people, preparing, yardsticks
from doorstep.demo.bench.figures import Figure
from doorstep.demo.bench.people import Person
from doorstep.demo.county.heroes import SECONDARY_HOSPITAL
from doorstep.kernel.access.actor import Actor, Purpose, system_actor
from doorstep.kernel.access.session import acting

_READERS = ("family", "duty", "nurse")
_PEOPLE = 2_000
_REFERRED = 50


class Command(BaseCommand):
    """Measure, print the table, keep the figures in bench.json beside the database."""

    help = "Measure the running servers of bin/bench."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Take what bin/bench was asked."""
        parser.add_argument("names", nargs="*")
        parser.add_argument("--port", type=int, required=True)
        parser.add_argument("--residents", type=int, required=True)
        parser.add_argument("--years", type=int, required=True)
        parser.add_argument("--seconds", type=float, required=True)
        parser.add_argument("--tries", type=int, required=True)

    def handle(self, *args: Any, **options: Any) -> None:
        """Run every chosen measure; fails when one misses its bar."""
        directory, seconds, port = Path(settings.DATA), options["seconds"], options["port"]
        today = datetime.now(tz=ZoneInfo("Asia/Shanghai")).date()
        family, reader = (people.staff_actor(name, day=today) for name in ("family", "ecg1"))
        known = people.own_people(family, limit=_PEOPLE)
        if len(known) < 2 * preparing.WANTED:
            raise CommandError(f"The family doctor has {len(known)} residents: choose --residents 5000 or more.")
        self.stdout.write("Filling the worklists.")
        orders = preparing.fill_worklists(family, known)
        if not preparing.wait_for_jobs():
            self.stdout.write("The worker is still busy; the figures are a little too slow.")
        self.stdout.write("Measuring the yardsticks.")
        held = yardsticks.measure(
            directory=directory, bare_port=port + 1, residents=options["residents"], seconds=seconds
        )
        bench = _Bench(port, seconds, options["tries"], today, family, reader, known, orders)
        found: list[Figure] = []
        for name in names.chosen(options["names"]):
            self.stdout.write(f"Measuring {name}.")
            found += bench.measure(name)
        self.stdout.write("\n" + figures.table(held, found) + "\n")
        facts = _facts(options["residents"], options["years"], seconds)
        lines = [figures.as_json(one, held) for one in (*held.values(), *found)]
        text = json.dumps({**facts, "figures": lines}, ensure_ascii=False, indent=1)
        (directory / "bench.json").write_text(text, encoding="utf-8")
        missed = [one.name for one in found if one.misses()]
        if missed:
            raise CommandError(f"Below the bar: {', '.join(missed)}.")


class _Bench:
    """The measures by name, over the same people."""

    def __init__(
        self,
        port: int,
        seconds: float,
        tries: int,
        today: date,
        family: Actor,
        reader: Actor,
        known: Sequence[Person],
        orders: Sequence[Any],
    ) -> None:
        self._port, self._seconds, self._tries, self._today = port, seconds, tries, today
        self._family, self._reader, self._known, self._orders = family, reader, known, orders
        self._cookies = [people.cookie(name) for name in _READERS]
        self._own = people.cookie("family")
        self._ecg = [people.cookie(name) for name in ("ecg1", "ecg2")]
        self._referred = list(known[:_REFERRED])
        self._token = people.client_token(see=self._referred)

    def measure(self, name: str) -> list[Figure]:
        """Take one measure; some have a line for each of their steps."""
        in_process = {
            "record": lambda: acts.whole_record(self._known, actor=self._family, seconds=self._seconds),
            "transition-visit": lambda: acts.visit_ends(self._known, actor=self._family, seconds=self._seconds),
            "transition-ecg": lambda: acts.ecg_claims(self._orders, actor=self._reader, seconds=self._seconds),
            "contested": lambda: bookings.contested(self._ids(), tries=self._tries, **self._clinic()),
        }
        if name in in_process:
            return [in_process[name]()]
        if name == "slots":
            return bookings.hold_and_book(self._ids(), seconds=self._seconds, **self._clinic())
        if name == "writes":
            return pages.writing(self._known, cookie=self._own, port=self._port, seconds=self._seconds)
        requests = self._requests(name)
        queries = pages.queries_of(requests) if requests else None
        return [pages.measured(name, requests, port=self._port, seconds=self._seconds, queries=queries)]

    def _requests(self, name: str) -> list[pages.Request]:
        if name.startswith("find"):
            return pages.find(name, self._known[:200], cookie=self._own)
        if name.startswith("fhir"):
            with acting(system_actor(Purpose.INDICATORS)):
                return pages.fhir(name, self._referred, token=self._token)
        return {
            "worklist": lambda: pages.pages("home", cookies=[self._own]),
            "worklist-ecg": lambda: pages.pages("home", cookies=self._ecg),
            "queue-ecg": lambda: pages.pages("diagnosis:queue", cookies=self._ecg),
            "record-page": lambda: pages.records(self._known[:300], cookies=[self._own]),
        }[name]()

    def _ids(self) -> list[int]:
        return [person.id for person in self._known]

    def _clinic(self) -> dict[str, Any]:
        return {"actor": self._family, "house": SECONDARY_HOSPITAL, "today": self._today}


def _facts(residents: int, years: int, seconds: float) -> dict[str, Any]:
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        version = cursor.fetchone()[0]
    with acting(system_actor(Purpose.INDICATORS)), connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname, reltuples::bigint FROM pg_class WHERE relkind IN ('r', 'p') AND reltuples > 0"
            " AND relnamespace = 'public'::regnamespace ORDER BY reltuples DESC LIMIT 12"
        )
        rows = {name: int(count) for name, count in cursor.fetchall()}
    return {
        "at": datetime.now(tz=ZoneInfo("UTC")).isoformat(timespec="seconds"),
        "residents": residents,
        "years": years,
        "seconds": seconds,
        "cores": os.cpu_count(),
        "machine": platform.machine(),
        "python": platform.python_version(),
        "postgresql": version,
        "rows": rows,
    }
