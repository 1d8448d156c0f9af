"""`doorstep token NAME`: a bearer token for a hospital system that calls /fhir."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from doorstep.kernel.access import actions as access
from doorstep.kernel.access.actor import Purpose, system_actor
from doorstep.kernel.access.session import acting
from doorstep.people.organizations import queries as organizations


class Command(BaseCommand):
    """Issue, or renew, the token of a system; it is printed once and kept only as a hash."""

    help = "Print a new bearer token for a hospital system."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the system's name and, for a new one, the code of its organisation."""
        parser.add_argument("name")
        parser.add_argument("--organization", default="", help="code of the organisation, for a system that is new")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the token alone, so that a script can read it."""
        with acting(system_actor(Purpose.IMPORT)) as actor:
            unit = organizations.for_client(name=options["name"], code=options["organization"])
            if unit is None:
                raise CommandError(
                    f"没有名为 {options['name']} 的接入系统；新系统请用 --organization 给出机构代码"
                    f" / no system {options['name']}: give the code of its organisation with --organization"
                )
            token = access.issue_token(
                name=options["name"], display=f"{unit.name} HIS", organization_id=unit.id, actor=actor
            )
        self.stdout.write(token)
