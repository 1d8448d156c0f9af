"""The page of a resident whose record is long, in this process: the view with all its reads and its timeline, without the frame of the page."""

import time
from collections.abc import Sequence
from datetime import timedelta
from uuid import uuid4

from django.db import connection, transaction
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from doorstep.demo.bench.figures import Figure, figure
from doorstep.demo.bench.people import Person
from doorstep.kernel.access.actor import Actor, Purpose, system_actor
from doorstep.kernel.access.session import acting
from doorstep.kernel.fhir import elements, systems
from doorstep.kernel.record import actions as record
from doorstep.kernel.record.publishing import Published
from doorstep.people.residents import chart_views

RESOURCES = 5_000
_BATCH = 500
_WARM = 10
_MEASURED = (("85354-9", "mm[Hg]"), ("14682-9", "umol/L"), ("4548-4", "%"), ("8867-4", "/min"), ("2823-3", "mmol/L"))
_TRANSACTION = ("BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE")


def long_record(people: Sequence[Person], *, actor: Actor, seconds: float) -> Figure:
    """Open the page of one resident with 5,000 more entries again and again; nothing of it is kept."""
    if not people:
        return figure("record-long", [], clients=1, seconds=seconds, faults=["there is nobody to look at"])
    person, times, queries = people[0], [], 0
    with transaction.atomic():
        _write(person)
        request = RequestFactory().get("/", headers={"HX-Request": "true"})
        request.actor = actor  # type: ignore[attr-defined]
        until = time.monotonic() + seconds
        number = 0
        while time.monotonic() < until or number <= _WARM:
            number += 1
            started = time.perf_counter()
            with acting(actor), CaptureQueriesContext(connection) as captured:
                chart_views.detail(request, person.key)
            if number > _WARM:
                times.append((time.perf_counter() - started) * 1000)
            sent = [one["sql"] for one in captured.captured_queries if not one["sql"].startswith(_TRANSACTION)]
            queries = max(queries, len(sent))
        transaction.set_rollback(True)
    remark = f"{RESOURCES:,} entries more than the county gave"
    return figure("record-long", times, clients=1, seconds=sum(times) / 1000, queries=queries, remark=remark)


def _write(person: Person) -> None:
    now = timezone.now()
    with acting(system_actor(Purpose.IMPORT)) as actor:
        for start in range(0, RESOURCES, _BATCH):
            items = []
            for number in range(start, start + _BATCH):
                code, unit = _MEASURED[number % len(_MEASURED)]
                content = {
                    "resourceType": "Observation",
                    "id": str(uuid4()),
                    "status": "final",
                    "code": elements.concept(systems.LOINC, code, "", code),
                    "subject": elements.reference("Patient", person.key),
                    "effectiveDateTime": elements.instant(now - timedelta(hours=6 * number)),
                    "valueQuantity": elements.quantity(60 + number % 50, unit, unit),
                }
                at = now - timedelta(hours=6 * number)
                items.append((Published(content=content, organization_id=None, occurred_at=at), person.id))
            record.publish_new(items, actor=actor)
