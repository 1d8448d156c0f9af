"""What must lie there before pages can be measured: two worklists of fifty, by the same actions as in daily life."""

import time
from collections.abc import Sequence

from django.db import connection
from django.utils import timezone

from doorstep.care.diagnosis import actions as diagnosis
from doorstep.care.diagnosis.ecg.dicom_writing import to_dicom
from doorstep.care.diagnosis.ecg.recording import PatientFacts
from doorstep.care.diagnosis.ecg.synthetic import Kind, synthesize
from doorstep.care.diagnosis.models import EcgOrder
from doorstep.demo.bench.people import Person
from doorstep.kernel.access.actor import Actor, Purpose, system_actor
from doorstep.kernel.access.session import acting
from doorstep.kernel.worklist.models import Task

LIST = 50
# A little more than a page shows.
WANTED = LIST + 10
_JOB_SECONDS = 180.0


def fill_worklists(family: Actor, people: Sequence[Person]) -> list[EcgOrder]:
    """Orders that wait for their recording at the unit, and others in the centre's queue; returns those in the queue."""
    half = len(people) // 2
    ordered = _open_tasks(family, "ecg-order.requested")
    for person in people[: min(half, max(0, WANTED - ordered))]:
        with acting(family):
            diagnosis.order_ecg(resident_id=person.id, actor=family, indication="体检复查")
    for number, person in enumerate(people[half : half + max(0, WANTED - _queued())]):
        _send_ecg(family, person, number)
    with acting(system_actor(Purpose.INDICATORS)):
        return list(EcgOrder.objects.filter(state="queued").order_by("id")[:WANTED])


def wait_for_jobs() -> bool:
    """Wait until the worker has done what the preparation gave it; False when it takes too long."""
    deadline = time.monotonic() + _JOB_SECONDS
    while time.monotonic() < deadline:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT EXISTS (SELECT FROM procrastinate_jobs WHERE status IN ('todo', 'doing'))"
                " OR EXISTS (SELECT FROM events_waitingevent)"
            )
            if not cursor.fetchone()[0]:
                return True
        time.sleep(0.5)
    return False


def _send_ecg(family: Actor, person: Person, number: int) -> None:
    patient = PatientFacts(name=person.name, patient_id=person.number, national_id=person.number)
    recording = synthesize(
        Kind.NORMAL,
        seed=person.id * 1_000 + number,
        taken_at=timezone.now(),
        patient=patient,
        seconds=10.0,
        sampling_hz=500.0,
    )
    with acting(family):
        order = diagnosis.order_ecg(resident_id=person.id, actor=family, indication="胸闷")
        if order.state == "requested":
            diagnosis.attach_recording(order=order, data=to_dicom(recording), name="bench.dcm", actor=family)


def _open_tasks(actor: Actor, kind: str) -> int:
    with acting(actor):
        return Task.objects.filter(kind=kind, closed_at__isnull=True, organization_id__in=actor.reach).count()


def _queued() -> int:
    with acting(system_actor(Purpose.INDICATORS)):
        return EcgOrder.objects.filter(state="queued").count()
