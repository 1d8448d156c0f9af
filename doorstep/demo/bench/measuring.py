"""The measures by name, over the same people."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

from doorstep.care.diagnosis.models import EcgOrder
from doorstep.demo.bench import (
    acts,
    bookings,
    imports,
    machines,
    pages,
    people,
    searches,
    storm,
    validating,
    yardsticks,
)
from doorstep.demo.bench.figures import Figure
from doorstep.demo.bench.long_record import long_record
from doorstep.demo.bench.people import Person
from doorstep.demo.county.heroes import SECONDARY_HOSPITAL
from doorstep.kernel.access.actor import Actor, Purpose, system_actor
from doorstep.kernel.access.session import acting

_REFERRED = 50
_SPREAD = 5.0
_SEARCHES = {f"fhir-{family}" for family in ("token", "date", "quantity", "chain", "include", "composite")}


@dataclass(kw_only=True)
class Bench:
    """Who measures what: the family doctor with residents of the own units, the reader with queued cases."""

    port: int
    directory: Path
    seconds: float
    tries: int
    today: date
    family: Actor
    reader: Actor
    known: Sequence[Person]
    orders: Sequence[EcgOrder]

    @cached_property
    def own_cookie(self) -> str:
        """The family doctor's session."""
        return people.cookie("family")

    @cached_property
    def reader_cookies(self) -> list[str]:
        """The sessions of the readers."""
        return [people.cookie(name) for name in ("ecg1", "ecg2")]

    @cached_property
    def token(self) -> str:
        """The hospital system's token; the hospital sees the first residents from now on."""
        return people.client_token(see=list(self.known[:_REFERRED]))

    @cached_property
    def wide_token(self) -> str:
        """A hospital system that sees all the residents whom the bench knows."""
        return people.client_token(see=list(self.known))

    def measure(self, name: str) -> list[Figure]:
        """Take one measure; some have a line for each of their steps."""
        if name in {"record", "record-long", "transition-visit", "transition-ecg", "contested"}:
            return [self._in_process(name)]
        if name == "slots":
            return bookings.hold_and_book(self._ids(), seconds=self.seconds, **self._clinic())
        if name.startswith("booking"):
            return storm.measure(name, port=self.port, seconds=self.seconds, **self._clinic())
        if name == "writes":
            return pages.writing(self.known, cookie=self.own_cookie, port=self.port, seconds=self.seconds)
        if name in {"fhir-bundles", "fhir-export", "fhir-import", "fhir-validate", "fhir-mixed"}:
            return self._of_machines(name)
        requests = self._requests(name)
        queries = pages.queries_of(requests) if requests else None
        return [pages.measured(name, requests, port=self.port, seconds=self.seconds, queries=queries)]

    def _of_machines(self, name: str) -> list[Figure]:
        if name == "fhir-validate":
            return validating.measure()[0]
        if name == "fhir-export":
            # The hospital comes to see the residents of the bench with its token.
            return machines.export(directory=self.directory) if self.wide_token else []
        if name == "fhir-import":
            address = yardsticks.owner(self.directory)
            return imports.measure(self.known, directory=self.directory, address=address) if self.wide_token else []
        if name == "fhir-bundles":
            return [machines.bundles(self.known, token=self.wide_token, port=self.port, seconds=self.seconds)]
        return self._searches()

    def _searches(self) -> list[Figure]:
        """The families in turn, with a line for each; the slowest one's p99 is at most five times the fastest one's."""
        headers = {"Authorization": f"Bearer {self.wide_token}"}
        asked = [{**pages.get(path, headers=headers), "step": step} for step, path in searches.mixed(self.known)]
        found = pages.stepped("fhir-mixed", asked, port=self.port, seconds=self.seconds)
        slowest = [one.p99 for one in found[1:]]
        if slowest and max(slowest) > _SPREAD * min(slowest):
            found[0].faults.append(
                f"p99 of a family {max(slowest) / min(slowest):.1f} times that of another, bar {_SPREAD:g}"
            )
        return found

    def _in_process(self, name: str) -> Figure:
        if name == "record":
            return acts.whole_record(self.known, actor=self.family, seconds=self.seconds)
        if name == "record-long":
            return long_record(self.known, actor=self.family, seconds=self.seconds)
        if name == "transition-visit":
            return acts.visit_ends(self.known, actor=self.family, seconds=self.seconds)
        if name == "transition-ecg":
            return acts.ecg_claims(self.orders, actor=self.reader, seconds=self.seconds)
        return bookings.contested(self._ids(), tries=self.tries, **self._clinic())

    def _requests(self, name: str) -> list[pages.Request]:
        if name.startswith("find"):
            return pages.find(name, self.known[:200], cookie=self.own_cookie)
        if name in _SEARCHES:
            paths = searches.families(self.known)[name.removeprefix("fhir-")]
            return [pages.get(path, headers={"Authorization": f"Bearer {self.wide_token}"}) for path in paths]
        if name.startswith("fhir"):
            with acting(system_actor(Purpose.INDICATORS)):
                return pages.fhir(name, self.known[:_REFERRED], token=self.token)
        if name == "worklist":
            return pages.pages("home", cookies=[self.own_cookie])
        if name == "record-page":
            return pages.records(self.known[:300], cookies=[self.own_cookie])
        return pages.pages("home" if name == "worklist-ecg" else "diagnosis:queue", cookies=self.reader_cookies)

    def _ids(self) -> list[int]:
        return [person.id for person in self.known]

    def _clinic(self) -> dict[str, Any]:
        return {"actor": self.family, "house": SECONDARY_HOSPITAL, "today": self.today}
