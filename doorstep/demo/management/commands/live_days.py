"""`live_days`: let the people of the county work through its last days, each act at its planned minute."""

import time
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
from django.core.management.base import BaseCommand, CommandError, CommandParser

from doorstep.demo.county.clock import CHINA, open_roster, plan_day
from doorstep.demo.county.county import build_county
from doorstep.demo.doubles import register_doubles
from doorstep.demo.living.agenda import Agenda
from doorstep.demo.living.clinic import after_visit, plan_clinics
from doorstep.demo.living.hospital import course
from doorstep.demo.living.village import Day
from doorstep.kernel.access.actor import Purpose, system_actor
from doorstep.kernel.access.session import acting
from doorstep.people.residents.models import Resident


class Command(BaseCommand):
    """Carry out the plans of the days before today with the actions of the house, and say what came of them."""

    help = "Let the demo county live the planned days before today, on a simulated clock."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the number of days, the last of them, and the seed of the county."""
        parser.add_argument("--days", type=int, default=7)
        parser.add_argument(
            "--last", type=date.fromisoformat, default=None, help="the last planned day, YYYY-MM-DD; yesterday in China"
        )
        parser.add_argument("--seed", type=int, default=1)

    def handle(self, *args: Any, **options: Any) -> None:
        """Plan, live, count. What would happen later than now stays undone."""
        now = datetime.now(tz=CHINA)
        last = options["last"] or now.date() - timedelta(days=1)
        if last > now.date():
            raise CommandError("The last day lies ahead: days that are still to come cannot have been lived.")
        with acting(system_actor(Purpose.IMPORT)):
            residents = Resident.objects.count()
        if not residents:
            raise CommandError("There is no county in this database: run seed_county first.")
        roster = open_roster(build_county(options["seed"], now.date()), residents=residents)
        agenda = Agenda(until=now)
        for back in reversed(range(options["days"])):
            day = last - timedelta(days=back)
            plan = plan_day(roster, day, options["seed"])
            rng = np.random.default_rng([options["seed"], 77, day.toordinal()])
            Day(agenda, plan, rng, course, after_visit).begin()
        plan_clinics(agenda, last - timedelta(days=options["days"] - 1), now.date())
        started = time.perf_counter()
        outcome = agenda.run()
        seconds = time.perf_counter() - started
        for kind in sorted({*outcome.done, *outcome.refused}):
            self.stdout.write(f"{kind}: {outcome.done[kind]} done, {outcome.refused[kind]} refused")
        for reason, times in outcome.reasons.most_common(8):
            self.stdout.write(f"  {times} × {reason}")
        self.stdout.write(f"{register_doubles()} people registered twice, for the review of likely doubles")
        acts = sum(outcome.done.values())
        self.stdout.write(f"{options['days']} days, {acts} acts in {seconds:.1f} s: {acts / max(seconds, 0.001):.1f}/s")
