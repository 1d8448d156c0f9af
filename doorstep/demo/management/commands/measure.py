"""`measure`: the figures of bin/bench, asked of the servers that it started."""

import os
import platform
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import orjson
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection

from doorstep.demo.bench import figures, names, people, preparing, yardsticks
from doorstep.demo.bench.figures import Figure
from doorstep.demo.bench.measuring import Bench
from doorstep.kernel.access.actor import Purpose, system_actor
from doorstep.kernel.access.session import acting

_PEOPLE = 2_000


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
        wanted = names.chosen(options["names"])
        # The storms of bookings bring their own patients, and neither they nor machines look at a worklist.
        lists = any(not name.startswith(("booking", "fhir")) for name in wanted)
        if not known or (lists and len(known) < 2 * preparing.WANTED):
            raise CommandError(f"The family doctor has {len(known)} residents: choose --residents 10000 or more.")
        self.stdout.write("Filling the worklists.")
        orders = preparing.fill_worklists(family, known) if lists else []
        if not preparing.wait_for_jobs():
            self.stdout.write("The worker is still busy; the figures are a little too slow.")
        self.stdout.write("Measuring the yardsticks.")
        held = yardsticks.measure(
            directory=directory, bare_port=port + 1, residents=options["residents"], seconds=seconds
        )
        bench = Bench(
            port=port,
            directory=directory,
            seconds=seconds,
            tries=options["tries"],
            today=today,
            family=family,
            reader=reader,
            known=known,
            orders=orders,
        )
        found: list[Figure] = []
        for name in wanted:
            self.stdout.write(f"Measuring {name}.")
            found += _measured(bench, name)
        facts = _facts(options["residents"], options["years"], seconds)
        lines = [figures.as_json(one, held) for one in (*held.values(), *found)]
        # orjson writes what was not measured as null.
        text = orjson.dumps({**facts, "figures": lines}, option=orjson.OPT_INDENT_2)
        (directory / "bench.json").write_bytes(text)
        self.stdout.write("\n" + figures.table(held, found) + "\n")
        missed = [one.name for one in found if one.misses(held.get("bare-view"))]
        if missed:
            raise CommandError(f"Below the bar: {', '.join(missed)}.")


def _measured(bench: Bench, name: str) -> list[Figure]:
    """One measure; a broken one is a line with its fault, so that an unattended run keeps all the others."""
    try:
        return bench.measure(name)
    except Exception as error:
        return [figures.figure(name, [], clients=0, seconds=0.0, faults=[repr(error)[:300]])]


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
