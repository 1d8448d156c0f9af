"""The whole seed in one transaction of the owner: a kill at any moment leaves an empty database or a whole county."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from io import StringIO
from itertools import takewhile

from django.core.management import call_command
from django.db import connection

from doorstep.care.contracts.groups import publish_team_panels
from doorstep.demo.accounts import make_accounts, write
from doorstep.demo.clinics import open_clinics
from doorstep.demo.county.county import County, build_county
from doorstep.demo.county.heroes import HEROINE, TERTIARY_HOSPITAL
from doorstep.demo.county.residents import HEROES, ResidentBatch, generate
from doorstep.demo.courses import write_courses
from doorstep.demo.loading.check import faults
from doorstep.demo.loading.copying import Tally, copy, reset_sequences, without_indexes
from doorstep.demo.loading.history import TABLES as HISTORY_TABLES
from doorstep.demo.loading.history import VERSIONS, Ward, history
from doorstep.demo.loading.houses import CONSORTIUM, houses, staff
from doorstep.demo.loading.index_shapes import WORDS, WORDS_BEGIN, WORDS_END
from doorstep.demo.loading.people import TABLES as PEOPLE_TABLES
from doorstep.demo.loading.people import Setting, people, slim
from doorstep.demo.loading.systems import connect_hospital
from doorstep.demo.loading.workers import Turn, turned
from doorstep.demo.tracings import earlier_ecg, write_files
from doorstep.demo.wards import open_wards
from doorstep.kernel.access.actor import Actor, Purpose, system_actor
from doorstep.kernel.access.session import acting, bind
from doorstep.people.organizations.models import Organization
from doorstep.people.residents.groups import publish_key_groups
from doorstep.people.residents.models import Resident
from doorstep.people.workforce.directory import publish_directory

Say = Callable[[str], object]
Cut = Callable[[ResidentBatch], ResidentBatch]
# From here on a second and third process are worth their start.
_MANY = 20_000
# Two loads at once take turns, and the second then finds a county.
SEED_LOCK = 7_305_119
# 王德福, whose ECG stands for one that was uploaded for the wrong person.
_OTHER_PERSON = 6


class SeedRefused(Exception):
    """The county cannot be made; the text says why and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What county to make: its size, the years of its history, and for how many of its residents there is one."""

    residents: int
    years: int = 1
    seed: int = 1
    today: date
    with_history: int | None = None
    processes: int | None = None

    @property
    def workers(self) -> int:
        """How many processes turn batches into rows."""
        return self.processes if self.processes is not None else 2 if self.residents >= _MANY else 0


@dataclass(slots=True)
class Report:
    """Seconds and rows of every part of a load."""

    seconds: dict[str, float] = field(default_factory=dict)
    rows: dict[str, int] = field(default_factory=dict)

    @contextmanager
    def part(self, name: str, tally: Tally) -> Iterator[None]:
        """Time a part and add the rows that its tally counts at the end."""
        started, before = time.perf_counter(), tally.total()
        yield
        self.seconds[name] = time.perf_counter() - started
        self.rows[name] = tally.total() - before


def seed(wish: Wish, *, say: Say) -> Report:
    """Make the county; raises SeedRefused when there is one already or when the role may not."""
    report = Report()
    with acting(system_actor(Purpose.IMPORT, consortium_id=CONSORTIUM)) as actor:
        _check_database()
        call_command("import_terminology", stdout=StringIO())
        county = build_county(wish.seed, wish.today)
        tally = Tally()
        with report.part("houses and staff", tally):
            copy([*houses(county), *staff(county)], tally)
            _run("SET CONSTRAINTS ALL IMMEDIATE")
        with report.part("residents", tally), without_indexes(*PEOPLE_TABLES):
            _load(wish, county, tally, partial(people, setting=Setting(wish.seed, wish.today)), slim)
        say(_rate("residents", wish.residents, report))
        with report.part("history", tally), without_indexes(*HISTORY_TABLES):
            _run(WORDS_BEGIN)
            _load(wish, county, tally, partial(history, ward=Ward(county)), _whole, limit=wish.with_history)
            _run(VERSIONS)
            _run(WORDS_END)
            tally.rows.pop(WORDS, None)
            tally.rows["record_resourceversion"] = tally.rows.get("record_resource", 0)
        say(
            _rate(
                "history",
                min(wish.with_history or HEROES, wish.residents) if wish.with_history is not None else wish.residents,
                report,
            )
        )
        reset_sequences(*tally.rows)
        with report.part("accounts and clinics", tally):
            accounts = make_accounts(today=wish.today)
            connect_hospital(organization_id=TERTIARY_HOSPITAL, actor=actor)
            _furnish(county, wish, actor)
        with report.part("tracings", tally):
            heroine = Resident.objects.get(id=HEROINE)
            earlier_ecg(heroine)
            bind(actor)
        found = faults(county, residents=wish.residents)
        if found:
            raise SeedRefused("\n".join(["The county contradicts itself; nothing was kept:", *found]))
        files = write_files(heroine, Resident.objects.get(id=_OTHER_PERSON)) if accounts else None
    write(accounts)
    if files:
        say(f"ECG files to try: {files}")
    _run("ANALYZE")
    return report


def _furnish(county: County, wish: Wish, actor: Actor) -> None:
    """What the houses offer, and the long courses of the people of the demonstration."""
    open_clinics(county, actor=actor)
    open_wards(county, actor=actor)
    write_courses(today=wish.today, actor=actor)
    publish_directory(actor=actor)
    publish_key_groups(actor=actor)
    publish_team_panels(actor=actor)


def _whole(batch: ResidentBatch) -> ResidentBatch:
    return batch


def _load(wish: Wish, county: County, tally: Tally, turn: Turn, cut: Cut, *, limit: int | None = None) -> None:
    """Load what a turn makes of the batches, those of the first `limit` residents in whole batches, the heroes' always."""
    batches = generate(county, residents=wish.residents, years=wish.years)
    if limit is not None:
        batches = takewhile(lambda batch: int(batch.residents.column("id")[0]) <= max(limit, 1), batches)
    for rows in turned(map(cut, batches), turn, processes=wish.workers):
        copy(rows, tally)


def _check_database() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_get_userbyid(relowner) = current_user FROM pg_class WHERE oid = 'residents_resident'::regclass"
        )
        if not cursor.fetchone()[0]:
            raise SeedRefused("The application's role may not load tables: set DOORSTEP_DATABASE_ROLE=owner.")
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [SEED_LOCK])
    if Organization.objects.exists():
        raise SeedRefused("This database already has organisations: a county is only made in an empty one.")


def _rate(name: str, residents: int, report: Report) -> str:
    seconds, rows = report.seconds[name], report.rows[name]
    return (
        f"{residents:,} residents with {rows:,} rows in {seconds:.1f} s: "
        f"{residents / seconds:,.0f} residents/s, {rows / seconds:,.0f} rows/s."
    )


def _run(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)
