"""`doorstep doubles`: search the whole index for records of one person and put them on the review list."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from doorstep.kernel.access.actor import Purpose, system_actor
from doorstep.kernel.access.session import acting
from doorstep.people.identity import apart, pairs


class Command(BaseCommand):
    """Compare every record of the index with every other; nothing is merged, a person decides on the page."""

    help = "Put likely duplicates of the index on the review list."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the number of cores, and whether the engines get a process of their own."""
        parser.add_argument("--threads", type=int, default=2, help="cores that the comparison may use")
        parser.add_argument("--apart", action="store_true", help="compare in a process whose memory ends with it")

    def handle(self, *args: Any, **options: Any) -> None:
        """Link the index with itself; pairs that were rejected before stay rejected."""
        with acting(system_actor(Purpose.IMPORT)) as actor:
            ids, facts = pairs.everybody()
            link = apart.link if options["apart"] else apart.link_here
            found = link(facts, threads=options["threads"]) if len(facts) > 1 else []
            new = pairs.note_pairs(found=found, ids=ids, actor=actor)
        self.stdout.write(
            f"比对 {len(facts)} 份档案，疑似重复 {len(found)} 对，其中新增 {new} 对"
            f" / {len(facts)} records compared, {len(found)} likely pairs, {new} of them new"
        )
