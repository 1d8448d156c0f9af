"""What hospital systems do in bulk: transaction Bundles over HTTP, and an export beside psql's own copy of the same lines."""

import json
import time
import uuid
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import unquote, urlsplit

from django.db import connection

from doorstep.demo.bench.figures import Figure, figure
from doorstep.demo.bench.pages import Request, ask, faults_of
from doorstep.demo.bench.people import Person, hospital
from doorstep.kernel.access.session import acting
from doorstep.kernel.database import embedded
from doorstep.kernel.record import bulk

BUNDLE = 100
_SENDERS = 2
_BUNDLES = 20
_LOINC, _UCUM = "http://loinc.org", "http://unitsofmeasure.org"
# A share of what the hospital may read; the whole of a county would take longer than everything else together.
_EXPORTED = ("Condition", "Encounter", "Observation")
_LINES = 40_000


def bundles(people: Sequence[Person], *, token: str, port: int, seconds: float) -> Figure:
    """Transactions of a hundred new observations each, validated, from two connections; `per_second` counts resources."""
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/fhir+json"}
    sent: Request = {"method": "POST", "path": "/fhir", "headers": headers, "expects": [200], "step": "bundle"}
    clients = [
        [{**sent, "body": json.dumps(_bundle(people, number * _BUNDLES + turn))} for turn in range(_BUNDLES)]
        for number in range(_SENDERS)
    ]
    tally = ask(clients, port=port, seconds=max(seconds, 5.0))
    times = tally["times"].get("bundle", [])
    found = figure(
        "fhir-bundles",
        times,
        clients=_SENDERS,
        seconds=tally["seconds"],
        faults=faults_of(tally, {200}),
        remark="resources",
    )
    found.per_second *= BUNDLE
    return found


def _bundle(people: Sequence[Person], number: int) -> dict[str, object]:
    """No identifiers and no ids: the same text makes new resources each time it is sent."""
    return {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [
            {
                "fullUrl": f"urn:uuid:{uuid.uuid4()}",
                "request": {"method": "POST", "url": "Observation"},
                "resource": _observation(people[(number * BUNDLE + place) % len(people)], place),
            }
            for place in range(BUNDLE)
        ],
    }


def _observation(person: Person, place: int) -> dict[str, object]:
    return {
        "resourceType": "Observation",
        "status": "final",
        "category": [
            {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "laboratory"}]}
        ],
        "code": {"coding": [{"system": _LOINC, "code": "14647-2", "display": "Cholesterol [Moles/volume] in Serum or Plasma"}]},
        "subject": {"reference": f"Patient/{person.key}"},
        "effectiveDateTime": f"2026-{place % 9 + 1:02}-{place % 28 + 1:02}T08:{place % 60:02}:00+08:00",
        "valueQuantity": {"value": 3 + place / 50, "unit": "mmol/L", "system": _UCUM, "code": "mmol/L"},
    }  # fmt: skip


def export(*, directory: Path) -> list[Figure]:
    """The job of an export as its hospital, and psql's copy of the same lines to a file; `per_second` counts lines."""
    actor = hospital()
    with acting(actor):
        started = bulk.start(bulk.Wanted(request="bench", types=_EXPORTED), actor=actor)
    begun = time.perf_counter()
    while time.perf_counter() - begun < 60.0 and _written(started.pk) < _LINES and bulk.step(started.pk):
        pass
    took, lines = time.perf_counter() - begun, _written(started.pk)
    with acting(actor):
        bulk.cancel(started, actor=actor)
    copied, copying = _psql(directory, lines)
    ours = figure("fhir-export", [took * 1000], clients=1, seconds=took)
    ours.per_second = lines / took
    theirs = figure("fhir-export/psql", [copying * 1000], clients=1, seconds=copying)
    theirs.per_second = copied / copying
    ours.share = ours.per_second / theirs.per_second
    ours.remark = f"{lines:,} lines"
    if copied != lines:
        ours.faults.append(f"psql copied {copied:,} lines")
    return [ours, theirs]


def _written(export_id: int) -> int:
    with acting(hospital()), connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(sum(lines), 0) FROM record_bulkfile WHERE export_id = %s", [export_id])
        return int(cursor.fetchone()[0])


def _psql(directory: Path, lines: int) -> tuple[int, float]:
    secrets = json.loads((directory / "secrets.json").read_text(encoding="utf-8"))
    parts = urlsplit(str(secrets["database_url_owner"]))
    query = dict(pair.split("=", 1) for pair in parts.query.split("&"))
    types = ", ".join(f"'{one}'" for one in _EXPORTED)
    file = directory / "copied.ndjson"
    # What the hospital may read, as the owner would write it down; the lines' own text: COPY's text form would double every backslash.
    seen = f"SELECT resident_id FROM access_carerelationship WHERE organization_id = {hospital().organization_id}"
    command = (
        f"\\copy (SELECT content::text FROM record_resource WHERE type IN ({types}) AND NOT deleted"
        f" AND (resident_id IS NULL OR resident_id IN ({seen})) ORDER BY type, id LIMIT {lines})"
        f" TO '{file}' (FORMAT csv, QUOTE E'\\x01', DELIMITER E'\\x02')"
    )
    arguments = ["-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", unquote(query["host"]), "-p", query["port"]]
    arguments += ["-U", unquote(parts.username or ""), "-d", parts.path.lstrip("/"), "-c", command]
    begun = time.perf_counter()
    done = embedded.run_program("psql", arguments, environment={"PGPASSWORD": unquote(parts.password or "")})
    took = time.perf_counter() - begun
    if done.returncode:
        raise RuntimeError(done.stderr.strip()[-300:])
    with file.open("rb") as copied:
        found = sum(1 for _line in copied)
    file.unlink()
    return found, took
