"""`bin/bench validation`: our validation beside pydantic's; no database is asked."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from doorstep.demo.bench import validating


class Command(BaseCommand):
    """Print the rates on one core, and where the verdicts differ; fail when the bar is missed."""

    help = "Measure validation beside the models of fhir.resources."
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        """Measure and print."""
        figures, verdicts = validating.measure()
        for one in figures:
            self.stdout.write(f"{one.name:24} {one.per_second:10,.0f} resources/s  {one.p50 * 1000:8,.0f} µs each")
        self.stdout.write(f"{figures[0].share or 0:.1f} times the rate of pydantic")
        for line in verdicts.lines():
            self.stdout.write(line)
        if figures[0].misses():
            raise CommandError("The bar is missed.")
