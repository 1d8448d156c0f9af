"""`doorstep import ndjson FILE --system NAME`: resources of a hospital, written as its system would write them."""

import os
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from doorstep.kernel.access import queries as access
from doorstep.kernel.access.actor import Purpose, system_actor
from doorstep.kernel.access.refusals import Refused
from doorstep.kernel.access.session import acting
from doorstep.kernel.record import importing
from doorstep.kernel.record.importing import Import, Tally
from doorstep.site.actors import of_system

# What a refusal says may name a resident: the file is its owner's alone.
_MODE = 0o600


class Command(BaseCommand):
    """Write a file batch by batch; after a kill the same command goes on where it stood, and writes nothing twice."""

    help = "Take in FHIR resources as NDJSON for a connected hospital system."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the file, the name of the system whose resources they are, and where the refused lines are written."""
        parser.add_argument("file")
        parser.add_argument("--system", required=True, help="name of the connected system, see `doorstep token`")
        parser.add_argument("--errors", help="file for the refused lines, FILE.errors without it")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print how far it is, then the numbers; refused lines go into a file of OperationOutcomes."""
        path = Path(options["file"])
        try:
            digest = importing.digest_of(path)
        except OSError as error:
            raise CommandError(f"无法读取 {path} / {path} cannot be read: {error.strerror}") from error
        with acting(system_actor(Purpose.IMPORT)):
            client = access.client_by_name(options["system"])
            if client is None:
                raise CommandError(f"没有名为 {options['system']} 的接入系统。/ There is no such system.")
            actor = of_system(client)
        try:
            with acting(actor):
                load = importing.start_file(name=path.name, digest=digest, actor=actor)
        except Refused as refused:
            raise CommandError(str(refused.message)) from refused
        if load.finished_at is None:
            if load.position:
                self.stdout.write(f"从第 {load.lines + 1} 行继续 / going on at line {load.lines + 1}")
            importing.work_file(load.pk, path, say=self._say)
        else:
            self.stdout.write(
                "这个文件已经导入过，没有再写入。/ This file was taken in before: nothing was written again."
            )
        with acting(actor):
            self._report(importing.get(key=load.key, actor=actor), Path(options["errors"] or f"{path}.errors"))

    def _say(self, tally: Tally) -> None:
        self.stdout.write(f"{tally.lines:,}")

    def _report(self, load: Import, errors: Path) -> None:
        tally = importing.tally(load)
        self.stdout.write(
            f"新建 {tally.created}，更新 {tally.updated}，未变 {tally.unchanged}，未收 {tally.refused}"
            f" / {tally.created} created, {tally.updated} updated, {tally.unchanged} unchanged, {tally.refused} refused"
        )
        if not tally.refused:
            return
        try:
            handle = os.open(errors, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _MODE)
        except OSError as error:
            raise CommandError(f"无法写入 {errors} / {errors} cannot be written: {error.strerror}") from error
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.writelines(f"{line}\n" for line in importing.refused_lines(load, 0))
        self.stdout.write(f"{errors}: {tally.refused}")
