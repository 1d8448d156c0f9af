"""`doorstep export residents FILE`: a unit's residents as the table that the import reads."""

import os
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from doorstep.kernel.access.actor import Purpose, system_actor
from doorstep.kernel.access.session import acting
from doorstep.people.organizations import queries as organizations
from doorstep.people.residents import exporting, spreadsheet

# Whole numbers and addresses of people: the file is its owner's alone.
_MODE = 0o600


class Command(BaseCommand):
    """Write the residents of a unit and of all below it; the export is an entry of the audit trail."""

    help = "Write a table of residents (.xlsx or .csv) of one organisation and those below it."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the file, the code of the organisation, and the reason that the audit trail keeps."""
        parser.add_argument("file")
        parser.add_argument("--organization", required=True, help="code of the organisation")
        parser.add_argument("--reason", required=True, help="why, for the audit trail")

    def handle(self, *args: Any, **options: Any) -> None:
        """Write the file and print how many residents are in it; an existing file is left alone."""
        path = Path(options["file"])
        if path.suffix.lower() not in (".csv", ".xlsx"):
            raise CommandError("请以 .csv 或 .xlsx 结尾 / The file's name must end in .csv or .xlsx.")
        with acting(system_actor(Purpose.EXPORT)) as actor:
            unit = organizations.by_code(options["organization"])
            if unit is None:
                raise CommandError(f"没有代码为 {options['organization']} 的机构。/ There is no such organisation.")
            rows = exporting.residents_of(organization=unit, reason=options["reason"], actor=actor)
            content = spreadsheet.write_table(path.suffix.lower(), rows)
            try:
                handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _MODE)
            except OSError as error:
                raise CommandError(f"无法写入 {path} / {path} cannot be written: {error.strerror}") from error
            with os.fdopen(handle, "wb") as file:
                file.write(content)
        self.stdout.write(f"{path}: {len(rows)}")
