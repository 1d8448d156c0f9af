"""`simulate_day`: let the people of the county work through a day."""

import time
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.core.management.base import BaseCommand, CommandError, CommandParser

from doorstep.demo.county.clock import open_roster, plan_day
from doorstep.demo.county.county import build_county
from doorstep.demo.simulator import simulate
from doorstep.kernel.access.actor import Purpose, system_actor
from doorstep.kernel.access.session import acting
from doorstep.people.residents.models import Resident


class Command(BaseCommand):
    """Carry out the plan of a day with the actions of the house, and say what came of it."""

    help = "Carry out the planned acts of a day in the demo county."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the day, the number of acts and the seed of the county."""
        parser.add_argument(
            "--day", type=date.fromisoformat, default=None, help="whose plan, YYYY-MM-DD; today in China"
        )
        parser.add_argument("--acts", type=int, default=None, help="only the first so many acts")
        parser.add_argument("--seed", type=int, default=1)

    def handle(self, *args: Any, **options: Any) -> None:
        """Plan, act, count."""
        today = datetime.now(tz=ZoneInfo("Asia/Shanghai")).date()
        day = options["day"] or today
        with acting(system_actor(Purpose.IMPORT)):
            residents = Resident.objects.count()
        if not residents:
            raise CommandError("There is no county in this database: run seed_county first.")
        county = build_county(options["seed"], today)
        plan = plan_day(open_roster(county, residents=residents), day, options["seed"])
        started = time.perf_counter()
        outcome = simulate(plan, limit=options["acts"])
        seconds = time.perf_counter() - started
        for kind in sorted({*outcome.done, *outcome.refused}):
            self.stdout.write(f"{kind}: {outcome.done[kind]} done, {outcome.refused[kind]} refused")
        for reason, count in outcome.reasons.most_common():
            self.stdout.write(f"  {count} × {reason}")
        acts = sum(outcome.done.values())
        self.stdout.write(f"{acts} acts in {seconds:.1f} s: {acts / max(seconds, 0.001):.1f}/s")
