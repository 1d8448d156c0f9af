"""An operator's import of a hospital's NDJSON, beside a raw COPY of the same lines into a table of one text column."""

import json
import os
import time
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import psycopg

from doorstep.demo.bench.figures import Figure, figure
from doorstep.demo.bench.people import Person, hospital
from doorstep.kernel.access.session import acting
from doorstep.kernel.record import importing

_LINES = 40_000
_BLOCK = 1024 * 1024
# One encounter and one condition with eight observations: what a laboratory visit leaves.
_GROUP = 10
_LOINC, _UCUM, _ICD = "http://loinc.org", "http://unitsofmeasure.org", "http://hl7.org/fhir/sid/icd-10"
_ACT = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
_ANALYTES = (("14647-2", "mmol/L"), ("14749-6", "mmol/L"), ("2160-0", "umol/L"), ("718-7", "g/L"), ("8867-4", "/min"))


def measure(people: Sequence[Person], *, directory: Path, address: str, lines: int = _LINES) -> list[Figure]:
    """The figures of the import and of the COPY; `per_second` counts lines."""
    file = directory / "import.ndjson"
    with file.open("w", encoding="utf-8") as target:
        target.writelines(f"{json.dumps(one, ensure_ascii=False)}\n" for one in _resources(people, lines))
    copying = _copy(file, address)
    actor = hospital()
    with acting(actor):
        load = importing.start_file(name=file.name, digest=importing.digest_of(file), actor=actor)
    begun, used = time.perf_counter(), os.times()
    importing.work_file(load.pk, file, say=lambda _tally: None)
    took, spent = time.perf_counter() - begun, os.times()
    with acting(actor):
        tally = importing.tally(importing.get(key=load.key, actor=actor))
    file.unlink()
    faults = [] if (tally.created, tally.refused) == (lines, 0) else [f"{tally}"]
    ours = figure("fhir-import", [took * 1000], clients=1, seconds=took, faults=faults)
    theirs = figure("fhir-import/copy", [copying * 1000], clients=1, seconds=copying)
    ours.per_second, theirs.per_second = lines / took, lines / copying
    ours.share = ours.per_second / theirs.per_second
    own = (spent.user - used.user + spent.system - used.system) / lines * 1e6
    ours.remark = f"{lines:,} lines, {own:.0f} µs of Python each"
    return [ours, theirs]


def _copy(file: Path, address: str) -> float:
    """Seconds that COPY takes for the lines as they are, commit included."""
    with psycopg.connect(address) as connection:
        connection.execute("DROP TABLE IF EXISTS bench_lines")
        connection.execute("CREATE TABLE bench_lines (line text)")
        connection.commit()
        begun = time.perf_counter()
        # No character of these two stands in JSON: every line is one value.
        statement = "COPY bench_lines FROM STDIN (FORMAT csv, QUOTE E'\\x01', DELIMITER E'\\x02')"
        with connection.cursor() as cursor, cursor.copy(statement) as copy, file.open("rb") as source:
            while block := source.read(_BLOCK):
                copy.write(block)
        connection.commit()
        took = time.perf_counter() - begun
        connection.execute("DROP TABLE bench_lines")
    return took


def _resources(people: Sequence[Person], lines: int) -> Iterator[dict[str, Any]]:
    run = uuid.uuid4().hex[:8]
    for number in range(lines):
        group, place = divmod(number, _GROUP)
        subject = {"reference": f"Patient/{people[group % len(people)].key}"}
        day = f"2026-{group % 9 + 1:02}-{group % 28 + 1:02}"
        encounter = f"demo-hospital-{run}-{group * _GROUP}"
        common = {"id": f"demo-hospital-{run}-{number}", "subject": subject}
        if place == 0:
            yield {"resourceType": "Encounter", **common, "status": "finished", "class": {"system": _ACT, "code": "AMB"},
                   "period": {"start": f"{day}T08:00:00+08:00", "end": f"{day}T09:00:00+08:00"}}  # fmt: skip
        elif place == 1:
            yield {"resourceType": "Condition", **common, "encounter": {"reference": f"Encounter/{encounter}"},
                   "code": {"coding": [{"system": _ICD, "code": "I10", "display": "特发性(原发性)高血压"}]}, "recordedDate": day}  # fmt: skip
        else:
            code, unit = _ANALYTES[place % len(_ANALYTES)]
            yield {"resourceType": "Observation", **common, "status": "final", "encounter": {"reference": f"Encounter/{encounter}"},
                   "code": {"coding": [{"system": _LOINC, "code": code, "display": "Serum or Plasma"}]},
                   "effectiveDateTime": f"{day}T08:{place:02}:00+08:00",
                   "valueQuantity": {"value": 3 + number % 400 / 50, "unit": unit, "system": _UCUM, "code": unit}}  # fmt: skip
