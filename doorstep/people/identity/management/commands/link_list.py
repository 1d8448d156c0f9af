"""`doorstep link FILE`: say for every line of a hospital's list which resident it is, and remember its patient numbers."""

import csv
from datetime import date
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from doorstep.kernel.access.actor import Purpose, system_actor
from doorstep.kernel.access.session import acting
from doorstep.people.identity import pairs
from doorstep.people.identity.linkage import link
from doorstep.people.identity.matching import Facts
from doorstep.people.identity.numbers import remember_patient_numbers
from doorstep.people.organizations import queries as organizations

COLUMNS = ("patient_number", "name", "birth_date", "gender", "id_number", "phone", "address")


class Command(BaseCommand):
    """Link a list; automatic links keep the hospital's patient number, all others are written out for a person."""

    help = "Link a hospital's list (CSV, UTF-8) with the index."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the file, the hospital's code, and where the answer goes."""
        parser.add_argument("file")
        parser.add_argument("--organization", required=True, help="code of the hospital")
        parser.add_argument("--out", required=True, help="file of the answer: patient_number, decision, probability")
        parser.add_argument("--threads", type=int, default=2)

    def handle(self, *args: Any, **options: Any) -> None:
        """Write one line per line of the list: linked, review or new, never whose record it is."""
        lines = _read(Path(options["file"]))
        with acting(system_actor(Purpose.IMPORT)) as actor:
            unit = organizations.for_client(name="", code=options["organization"])
            if unit is None:
                raise CommandError(f"没有代码为 {options['organization']} 的机构 / there is no such organisation")
            ids, facts = pairs.everybody()
            found = link(facts, [row for _number, row in lines], threads=options["threads"])
            linked = {one.right: one for one in found if one.automatic}
            looked = {one.right: one for one in reversed(found)}
            remembered = remember_patient_numbers(
                links=[(ids[one.left][0], lines[one.right][0]) for one in linked.values()],
                system=unit.code,
                actor=actor,
            )
        with Path(options["out"]).open("w", encoding="utf-8", newline="") as file:
            answer = csv.writer(file)
            answer.writerow(["patient_number", "decision", "probability"])
            for place, (number, _facts) in enumerate(lines):
                decision = "linked" if place in linked else "review" if place in looked else "new"
                best = linked.get(place) or looked.get(place)
                answer.writerow([number, decision, f"{best.verdict.probability:.6f}" if best else ""])
        self.stdout.write(
            f"{len(lines)} 行，自动对上 {len(linked)}，待人工核对 {len(set(looked) - set(linked))}，新记院内号 {remembered}"
            f" / {len(lines)} lines, {len(linked)} linked, {len(set(looked) - set(linked))} to review"
        )


def _read(path: Path) -> list[tuple[str, Facts]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.DictReader(file)
        missing = [name for name in COLUMNS if name not in (rows.fieldnames or [])]
        if missing:
            raise CommandError(f"缺少列 {', '.join(missing)} / columns are missing")
        return [(row["patient_number"], _facts(row)) for row in rows]


def _facts(row: dict[str, str]) -> Facts:
    try:
        born = date.fromisoformat(row["birth_date"])
    except ValueError:
        born = None
    return Facts(
        name=row["name"].strip(),
        birth_date=born,
        gender=row["gender"].strip(),
        number=row["id_number"].strip().upper(),
        phone=row["phone"].strip(),
        address=row["address"].strip(),
    )
