"""`doorstep import terminology [FOLDER]`: the code systems that come with the product, or those of a folder."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from doorstep.kernel.access.actor import Purpose, system_actor
from doorstep.kernel.access.session import acting
from doorstep.kernel.terminology import actions
from doorstep.kernel.terminology.reading import DATA, TableRefused, manifest


class Command(BaseCommand):
    """Import every code system of a folder's manifest."""

    help = "Import code systems with their versions."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the folder."""
        parser.add_argument("folder", nargs="?", default=str(DATA))

    def handle(self, *args: Any, **options: Any) -> None:
        """Import all systems or, when one is wrong, none."""
        folder = Path(options["folder"])
        try:
            with acting(system_actor(Purpose.IMPORT)) as actor:
                added = sum(
                    actions.import_system(facts=facts, folder=folder, actor=actor) for facts in manifest(folder)
                )
        except (TableRefused, FileNotFoundError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"导入代码 {added} 条 / {added} codes imported")
