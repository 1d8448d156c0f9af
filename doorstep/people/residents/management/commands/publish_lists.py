"""Publish the lists of problems and medicines of everybody."""

from typing import Any

from django.core.management.base import BaseCommand

from doorstep.kernel.access.actor import Purpose, system_actor
from doorstep.kernel.access.session import acting
from doorstep.people.residents.standing import publish_lists


class Command(BaseCommand):
    """Write the List resources of what was in the record before they were published."""

    help = "Publish the lists of problems and of medicines of every resident of whom the record holds any."

    def handle(self, *args: Any, **options: Any) -> None:
        """Publish them and say of how many residents."""
        with acting(system_actor(Purpose.IMPORT)) as actor:
            self.stdout.write(f"Lists of {publish_lists(actor=actor):,} residents published.")
