"""`measure_referrals`: the figures of bin/bench referrals, asked of the servers that it started."""

from pathlib import Path
from typing import Any

import orjson
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from doorstep.demo.bench import figures, names, referral_measures, yardsticks


class Command(BaseCommand):
    """Measure, print the table, keep the figures beside the database."""

    help = "Measure the running servers of bin/bench referrals."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Take what bin/bench referrals was asked."""
        parser.add_argument("names", nargs="*")
        parser.add_argument("--port", type=int, required=True)
        parser.add_argument("--seconds", type=float, required=True)

    def handle(self, *args: Any, **options: Any) -> None:
        """Run every chosen measure; fails when one misses its bar."""
        directory = Path(settings.DATA)
        held = yardsticks.measure(
            directory=directory, bare_port=options["port"] + 1, residents=10_000, seconds=min(3.0, options["seconds"])
        )
        wanted = tuple(f"referrals-{name}" for name in options["names"])
        chosen = [name for name in names.REFERRALS if not wanted or name.startswith(wanted)]
        bench = referral_measures.Bench(port=options["port"], seconds=options["seconds"])
        found = []
        for name in chosen:
            self.stdout.write(f"Measuring {name}.")
            found.append(bench.measure(name))
        lines = [figures.as_json(one, held) for one in (*held.values(), *found)]
        (directory / "bench.json").write_bytes(orjson.dumps({"figures": lines}, option=orjson.OPT_INDENT_2))
        self.stdout.write("\n" + figures.table(held, found) + "\n")
        missed = [one.name for one in found if one.misses()]
        if missed:
            raise CommandError(f"Below the bar: {', '.join(missed)}.")
