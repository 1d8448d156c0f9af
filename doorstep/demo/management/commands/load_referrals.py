"""`load_referrals`: the open referrals of bin/bench referrals, written with COPY."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from doorstep.demo.bench import referral_rows
from doorstep.kernel.access.actor import Purpose, system_actor
from doorstep.kernel.access.session import acting


class Command(BaseCommand):
    """Write them in one transaction, as the owner of the tables."""

    help = "Fill a bench's county with open referrals."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Take how many."""
        parser.add_argument("--open", type=int, default=100_000, dest="count")
        parser.add_argument("--drafts", type=int, default=4_000)

    def handle(self, *args: Any, **options: Any) -> None:
        """Load, or say in a sentence why not."""
        try:
            with acting(system_actor(Purpose.IMPORT)):
                tally = referral_rows.load(count=options["count"], drafts=options["drafts"])
        except LookupError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{tally.rows} written, COPY waited {tally.copying:.1f} s.")
