"""The job behind the page 院内名单: link one uploaded list with the index."""

from functools import partial
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from doorstep.people.identity import apart, listed


class Command(BaseCommand):
    """Link the list with this id; it is called by the job, in whose process the engines are loaded."""

    help = "Link an uploaded list of patients."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the list, the number of cores, and whether the engines get a process of their own."""
        parser.add_argument("list_id", type=int)
        parser.add_argument("--threads", type=int, default=2, help="cores that the comparison may use")
        parser.add_argument("--apart", action="store_true", help="compare in a process whose memory ends with it")

    def handle(self, *args: Any, **options: Any) -> None:
        """Link, write what was found, say how many."""
        link = partial(apart.link if options["apart"] else apart.link_here, threads=options["threads"])
        count = listed.work(options["list_id"], link=link)
        self.stdout.write(f"{count} 行已比对 / {count} lines linked")
