"""The 5,306 examples: stored, read back and compared; validated; and their mutants refused at the right place."""

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.db import DatabaseError, transaction
from django.utils import timezone

from doorstep.demo.conformance.mutants import mutants_of
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.access.session import acting
from doorstep.kernel.fhir import exact
from doorstep.kernel.fhir.outcome import FhirRefused
from doorstep.kernel.fhir.validation import problems
from doorstep.kernel.record import actions as record
from doorstep.kernel.record import stored
from doorstep.kernel.record.publishing import Published, Row

# Originals that break R4 themselves, as they were published: refusing them is right.
FAULTY = {
    "Bundle-dataelements.json": "bdl-7: the same fullUrl twice",
    "DeviceMetric-example.json": "parent names a DeviceDefinition; only Device is allowed",
    "DeviceUseStatement-example.json": "reasonReference names a Procedure",
    "ImplementationGuide-fhir.json": "name and status are missing, an id is longer than 64",
    "MedicationRequest-medrx0301.json": "dispenseRequest.performer names a Practitioner; only Organization is allowed",
    "Observation-clinical-gender.json": "performer names an Encounter",
    "Questionnaire-qs1.json": "items without linkId",
    "StructureDefinition-Definition.json": "sdf-4: neither abstract nor with a baseDefinition",
    "StructureDefinition-Event.json": "sdf-4",
    "StructureDefinition-FiveWs.json": "sdf-4",
    "StructureDefinition-Request.json": "sdf-4",
    "ig-r4.json": "name and status are missing, an id is longer than 64",
    "SearchParameter-questionnaireresponse-extensions-QuestionnaireResponse-item-subject.json": "id longer than 64",
    **{
        f"SearchParameter-{kind}-extensions-{name}-{what}.json": "base is missing"
        for kind, name in (("codesystem", "CodeSystem"), ("valueset", "ValueSet"))
        for what in ("author", "effective", "end", "keyword", "workflow")
    },
}
# Decimals whose exponent is greater than their digits are kept by value: PostgreSQL's numeric writes the zeros out.
WRITTEN_OUT = {"Observation-decimal.json": "-1.000000000000000000E+245 comes back with 245 zeros"}
DIRECTORY = Path(__file__).resolve().parents[3] / "node_modules" / "hl7.fhir.r4.examples"
_NOT_RESOURCES = {"package.json", ".index.json"}
# A mutant of a megabyte says no more than one of a hundred kilobytes.
_LARGEST = 100_000
_LONGEST_ID = 64


@dataclass(slots=True)
class Tally:
    """What was found."""

    examples: int = 0
    # Examples by type, and those that the record refused, with the reason.
    kinds: Counter[str] = field(default_factory=Counter)
    unstored: dict[str, str] = field(default_factory=dict)
    lost: list[str] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    mutants: Counter[str] = field(default_factory=Counter)
    accepted: Counter[str] = field(default_factory=Counter)
    misplaced: Counter[str] = field(default_factory=Counter)
    samples: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def right(self) -> float:
        """The share of mutants that were refused at the right place."""
        total = self.mutants.total()
        return 1 - (self.accepted.total() + self.misplaced.total()) / total if total else 0.0

    @property
    def alarms(self) -> dict[str, str]:
        """The originals that were refused although they keep to R4, with the reason."""
        return {name: reason for name, reason in self.refused.items() if name not in FAULTY}

    @property
    def holds(self) -> bool:
        """Whether everything came back, 98 % of the mutants were refused at their place, and at most 0.2 % of the originals wrongly."""
        kept = not self.lost and not self.unstored
        return kept and self.right >= 0.98 and len(self.alarms) <= 0.002 * max(1, self.kinds.total())


def files(directory: Path = DIRECTORY) -> list[Path]:
    """The examples in the order of their names; empty when the package is not installed."""
    return sorted(path for path in directory.glob("*.json") if path.name not in _NOT_RESOURCES)


def store_all(paths: list[Path], tally: Tally, *, actor: Actor, group: int = 100) -> None:
    """Write every example and read it back, a group in a transaction that is taken back, each example in a savepoint."""
    for start in range(0, len(paths), group):
        with acting(actor):
            for path in paths[start : start + group]:
                _store(path, tally, actor)
            transaction.set_rollback(True)


def _store(path: Path, tally: Tally, actor: Actor) -> None:
    text = path.read_bytes()
    resource = exact.loads(text)
    tally.kinds[resource["resourceType"]] += 1
    # Some originals have an id that R4 does not allow; everything else of them is kept.
    shortened = resource["id"][:_LONGEST_ID]
    if shortened != resource["id"]:
        text = text.replace(resource["id"].encode(), shortened.encode())
        resource = exact.loads(text)
    row = Row(published=Published(content=resource, organization_id=None, occurred_at=timezone.now()), resident_id=None)
    try:
        with transaction.atomic():
            record.write([row], actor=actor)
    except (DatabaseError, FhirRefused) as error:
        tally.unstored[path.name] = str(error).partition("\n")[0]
        return
    tally.examples += 1
    found = stored.fetch(type=resource["resourceType"], fhir_id=resource["id"])
    if found is None or not _equal(text, found.text, by_value=path.name in WRITTEN_OUT):
        tally.lost.append(path.name)


def validate_all(paths: list[Path], tally: Tally) -> None:
    """Validate every example as it is."""
    started = time.perf_counter()
    for path in paths:
        found = problems(exact.loads(path.read_bytes()))
        if found:
            tally.refused[path.name] = f"{found[0].path}: {found[0].sentence}"
    tally.seconds = time.perf_counter() - started


def judge_mutants(paths: list[Path], tally: Tally, *, wanted: int) -> None:
    """Break the good examples and see that each mutant is refused where it was broken."""
    good = [path for path in paths if path.stat().st_size < _LARGEST and path.name not in tally.refused]
    each = -(-wanted // max(1, len(good)))
    for number, path in enumerate(good):
        for mutant in mutants_of(exact.loads(path.read_bytes()), count=each + 1, seed=number):
            tally.mutants[mutant.kind] += 1
            found = problems(mutant.resource)
            if not found:
                tally.accepted[mutant.kind] += 1
            elif not {one.path for one in found} & set(mutant.places):
                tally.misplaced[mutant.kind] += 1
            else:
                continue
            if len(tally.samples) < 20:
                tally.samples.append(
                    f"{path.name}: {mutant.kind} at {mutant.places[0]}: {[one.path for one in found][:3]}"
                )


def lines(tally: Tally) -> Iterator[str]:
    """The tally in words."""
    total = tally.kinds.total()
    yield f"examples: {total} of {len(tally.kinds)} types, stored {tally.examples}, came back equal {tally.examples - len(tally.lost)}"
    yield "  " + ", ".join(f"{kind} {count}" for kind, count in tally.kinds.most_common(12)) + ", …"
    yield from (f"  equal by value: {name}: {reason}" for name, reason in WRITTEN_OUT.items())
    yield from (f"  not equal: {name}" for name in tally.lost)
    yield from (f"  refused by the record: {name}: {reason}" for name, reason in tally.unstored.items())
    alarms = tally.alarms
    yield f"originals that break R4 themselves and are refused: {len(tally.refused) - len(alarms)} of {len(FAULTY)}"
    yield f"false alarms: {len(alarms)} (validated in {tally.seconds:.1f} s)"
    yield from (f"  {name}: {reason}" for name, reason in sorted(alarms.items()))
    yield f"mutants: {tally.mutants.total()}, refused at the right place: {tally.right:.2%}"
    for kind in sorted(tally.mutants):
        yield f"  {kind}: {tally.mutants[kind]}, accepted {tally.accepted[kind]}, misplaced {tally.misplaced[kind]}"
    yield from (f"  {sample}" for sample in tally.samples)


def _equal(sent: bytes, kept: str, *, by_value: bool) -> bool:
    if by_value:
        return _canonical(sent, _value) == _canonical(kept, _value)
    return _canonical(sent) == _canonical(kept)


def _value(text: str) -> Any:
    return {"decimal": str(Decimal(text).normalize())}


def _canonical(text: bytes | str, number: Callable[[str], Any] | None = None) -> str:
    """JSON with sorted members, and every decimal by its digits and exponent."""
    value = json.loads(text, parse_float=number or _digits, parse_int=number)
    meta = value.get("meta")
    if isinstance(meta, dict):
        value["meta"] = {name: part for name, part in meta.items() if name not in ("versionId", "lastUpdated")}
    if not value.get("meta"):
        value.pop("meta", None)
    return json.dumps(value, sort_keys=True)


def _digits(text: str) -> Any:
    sign, digits, exponent = Decimal(text).as_tuple()
    return {"decimal": [sign, list(digits), exponent]}
