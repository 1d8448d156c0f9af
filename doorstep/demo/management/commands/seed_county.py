"""`seed_county`: fill an empty database with the demo county, whole or not at all."""

from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.core.management.base import BaseCommand, CommandError, CommandParser

from doorstep.demo.loading.seeding import SeedRefused, Wish, seed


class Command(BaseCommand):
    """Make the county in one transaction, as the owner of the tables."""

    help = "Fill an empty database with the demo county."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Take size, years, seed and the day on which the history ends."""
        parser.add_argument("--residents", type=int, default=5_000)
        parser.add_argument("--years", type=int, default=1, help="years of history, 1 to 4")
        parser.add_argument("--seed", type=int, default=1)
        parser.add_argument(
            "--today", type=date.fromisoformat, default=None, help="YYYY-MM-DD; the present day in China"
        )
        parser.add_argument("--history", type=int, default=None, help="how many residents have a history; all")
        parser.add_argument("--processes", type=int, default=None, help="processes that prepare rows; by size")

    def handle(self, *args: Any, **options: Any) -> None:
        """Seed, or say in a sentence why not."""
        wish = Wish(
            residents=options["residents"],
            years=options["years"],
            seed=options["seed"],
            today=options["today"] or datetime.now(tz=ZoneInfo("Asia/Shanghai")).date(),
            with_history=options["history"],
            processes=options["processes"],
        )
        try:
            seed(wish, say=self.stdout.write)
        except (SeedRefused, ValueError) as error:
            raise CommandError(str(error)) from error
