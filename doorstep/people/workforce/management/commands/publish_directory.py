"""Publish the directory of units and people who work."""

from typing import Any

from django.core.management.base import BaseCommand

from doorstep.kernel.access.actor import Purpose, system_actor
from doorstep.kernel.access.session import acting
from doorstep.people.workforce.directory import publish_directory


class Command(BaseCommand):
    """Write the resources of units, places, people and posts that the record does not know yet."""

    help = "Publish Organization, Location, Practitioner and PractitionerRole of everything that was entered before they were published."

    def handle(self, *args: Any, **options: Any) -> None:
        """Publish what is missing and say how many."""
        with acting(system_actor(Purpose.IMPORT)) as actor:
            self.stdout.write(f"{publish_directory(actor=actor):,} resources published.")
