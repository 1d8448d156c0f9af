"""Draws every state machine into docs/states; with --check it fails when a page is stale."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from doorstep.kernel.workflow import catalogue
from doorstep.kernel.workflow.diagram import page

FOLDER = Path(__file__).resolve().parents[4] / "docs" / "states"


class Command(BaseCommand):
    """Write docs/states/<machine>.md for every machine."""

    help = "Draw the state machines into docs/states."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take whether only to look."""
        parser.add_argument("--check", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        """Write or compare the pages."""
        pages = {f"{machine.name}.md": page(machine) for machine in catalogue.machines()}
        stale = [name for name, text in pages.items() if not _same(FOLDER / name, text)]
        gone = [path.name for path in FOLDER.glob("*.md") if path.name not in pages]
        if options["check"]:
            if stale or gone:
                raise CommandError(f"docs/states is stale ({', '.join(stale + gone)}): run bin/docs and commit.")
            return
        FOLDER.mkdir(parents=True, exist_ok=True)
        for name in gone:
            (FOLDER / name).unlink()
        for name in stale:
            (FOLDER / name).write_text(pages[name], encoding="utf-8")


def _same(path: Path, text: str) -> bool:
    return path.exists() and path.read_text(encoding="utf-8") == text
