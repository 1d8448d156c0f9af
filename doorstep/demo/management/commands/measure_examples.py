"""`bin/bench examples`: the official examples and their mutants against the record and the validator."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from doorstep.demo.conformance import examples
from doorstep.demo.conformance.examples import Tally
from doorstep.kernel.access.actor import Purpose, system_actor


class Command(BaseCommand):
    """Store, compare, validate, mutate; nothing of it stays."""

    help = "Measure storing and validating with the official R4 examples."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the number of mutants."""
        parser.add_argument("--mutants", type=int, default=20_000)

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the tally; fail when a bar is missed."""
        paths = examples.files()
        if not paths:
            raise CommandError("The package hl7.fhir.r4.examples is not in node_modules: run npm install.")
        tally = Tally()
        self.stdout.write(f"Storing {len(paths):,} examples, then validating them and {options['mutants']:,} mutants.")
        examples.store_all(paths, tally, actor=system_actor(Purpose.IMPORT))
        examples.validate_all(paths, tally)
        examples.judge_mutants(paths, tally, wanted=int(options["mutants"]))
        for line in examples.lines(tally):
            self.stdout.write(line)
        if not tally.holds or tally.mutants.total() < options["mutants"]:
            raise CommandError("A bar is missed.")
