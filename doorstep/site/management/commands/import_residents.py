"""`doorstep import residents FILE`: a unit's table of residents, taken in by the same actions as the page."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from doorstep.kernel.access.actor import Purpose, system_actor
from doorstep.kernel.access.refusals import Refused
from doorstep.kernel.access.session import acting
from doorstep.people.organizations import queries as organizations
from doorstep.people.residents import importing

_SHOWN = 20


class Command(BaseCommand):
    """Check a file, then take over all rows, or with --only-right those without a fault; on a fault nothing is left behind."""

    help = "Take in a table of residents (.xlsx, .xls, .csv) for one organisation."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the file, the code of the organisation, and whether faulty rows may stay out."""
        parser.add_argument("file")
        parser.add_argument(
            "--organization", required=True, help="code of the organisation that brings the residents in"
        )
        parser.add_argument("--only-right", action="store_true", help="leave faulty rows out instead of stopping")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print how many were taken, or every fault with row, column and cure."""
        path = Path(options["file"])
        try:
            content = path.read_bytes()
        except OSError as error:
            raise CommandError(f"无法读取 {path} / {path} cannot be read: {error.strerror}") from error
        try:
            with acting(system_actor(Purpose.IMPORT)) as system:
                unit = organizations.by_code(options["organization"])
                if unit is None:
                    raise CommandError(f"没有代码为 {options['organization']} 的机构。/ There is no such organisation.")
                day_consortium = organizations.consortium_today(organization_id=unit.pk)
                actor = replace(
                    system, organization_id=unit.pk, organization_name=unit.name, consortium_id=day_consortium
                )
                batch = importing.check_file(name=path.name, content=content, actor=actor)
                if batch.faulty and not options["only_right"]:
                    raise CommandError(self._faults(batch.faults, batch.faulty))
                done = importing.take_over(batch=batch, only_right=options["only_right"], actor=actor)
        except Refused as refused:
            raise CommandError(str(refused.message)) from refused
        self.stdout.write(f"已导入 {done.taken} 人，略过 {done.faulty} 行 / {done.taken} taken, {done.faulty} left out")

    def _faults(self, faults: list[dict[str, Any]], rows: int) -> str:
        lines = [f"{fault['row']}  {fault['column']}  {fault['sentence']}" for fault in faults[:_SHOWN]]
        return "\n".join([f"{rows} 行有误，没有导入任何一行 / {rows} faulty rows, nothing was taken:", *lines])
