"""Asking for an ECG and sending its recording."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid5

import pytest

from doorstep.care.diagnosis import actions, handlers, queries
from doorstep.care.diagnosis.ecg.recording import PatientFacts
from doorstep.care.diagnosis.ecg.synthetic import Kind
from doorstep.care.diagnosis.ecg.timing import doubt_of_time, examined_at
from doorstep.care.diagnosis.models import EcgOrder
from doorstep.care.diagnosis.tests.factories import Loop, claimed, make_loop, ordered, queued, recording_bytes
from doorstep.coordination.notices.queries import latest
from doorstep.coordination.visits import actions as visits
from doorstep.coordination.visits.events import VisitVoided
from doorstep.coordination.visits.models import Visit
from doorstep.kernel.access.actor import Purpose, system_actor
from doorstep.kernel.access.refusals import Conflict, NotFound, NotPermitted, Refused
from doorstep.kernel.access.session import acting
from doorstep.kernel.audit.models import AuditEntry
from doorstep.kernel.fhir.moments import CHINA
from doorstep.kernel.fhir.validation import problems
from doorstep.kernel.files.models import StoredFile
from doorstep.kernel.record import queries as record
from doorstep.kernel.record.models import Resource
from doorstep.kernel.worklist import queries as worklist
from doorstep.kernel.worklist.models import Task

pytestmark = pytest.mark.django_db


@pytest.fixture
def loop() -> Loop:
    return make_loop()


def test_order_opens_the_narrow_relationship_of_the_centre(loop: Loop) -> None:
    order = ordered(loop, urgent=True)
    village, reader = loop.actor("village"), loop.actor("reader")
    with acting(village):
        assert (order.state, order.center_id, order.urgency()) == ("requested", loop.world.ecg_center, 2)
        request = record.read(type="ServiceRequest", fhir_id=str(order.key))
        assert request is not None
        assert (request["status"], request["priority"]) == ("active", "urgent")
        assert Task.objects.get(item_id=order.pk, kind="ecg-order.requested").organization_id == loop.world.village
    with acting(reader):
        assert record.read(type="ServiceRequest", fhir_id=str(order.key)) is not None
        # The visit is none of the centre's business.
        assert order.visit_key is not None
        assert record.read(type="Encounter", fhir_id=str(order.visit_key)) is None


def test_order_again_returns_the_waiting_one(loop: Loop) -> None:
    assert ordered(loop).key == ordered(loop).key


def test_order_without_indication_names_the_field(loop: Loop) -> None:
    village = loop.actor("village")
    with acting(village):
        with pytest.raises(Refused) as refused:
            actions.order_ecg(resident_id=loop.resident.id, actor=village, indication="  ")
        assert set(refused.value.fields) == {"indication"}
        assert not EcgOrder.objects.exists()


def test_order_for_a_stranger_is_not_found(loop: Loop) -> None:
    stranger = loop.actor("stranger")
    with acting(stranger), pytest.raises(NotFound):
        actions.order_ecg(resident_id=loop.resident.id, actor=stranger, indication="体检")


def test_order_by_a_reader_is_not_permitted(loop: Loop) -> None:
    reader = loop.actor("reader")
    with acting(reader), pytest.raises(NotPermitted):
        actions.order_ecg(resident_id=loop.resident.id, actor=reader, indication="体检")


def test_attach_puts_the_case_on_the_queue_with_its_clock(loop: Loop) -> None:
    order = queued(loop)
    village, reader = loop.actor("village"), loop.actor("reader")
    with acting(reader):
        assert [one.key for one in queries.queue(actor=reader)] == [order.key]
        task = Task.objects.get(item_id=order.pk, closed_at__isnull=True)
        assert task.organization_id == loop.world.ecg_center
        assert order.arrived_at is not None
        assert task.due_at is not None
        assert abs((task.due_at - order.arrived_at).total_seconds() - 600) < 2
        key = queries.recording_key(order)
        assert key is not None
        paper = record.read(type="DocumentReference", fhir_id=str(key))
        assert paper is not None
        cart = record.read(type="Device", fhir_id=paper["author"][0]["reference"].removeprefix("Device/"))
        assert cart is not None
        assert (cart["serialNumber"], cart["modelNumber"]) == ("S000007", "Synthetic")
        metric = record.read(type="DeviceMetric", fhir_id=str(uuid5(UUID(cart["id"]), "metric/ecg")))
        assert metric is not None
        assert metric["source"]["reference"] == f"Device/{cart['id']}"
        assert problems(cart) + problems(paper) + problems(metric) == []
        assert queries.recording_file(key, actor=reader).size > 1000
        assert AuditEntry.objects.filter(action="ecg.view", resident_id=loop.resident.id).count() == 1
    with acting(village):
        # The village may see that the centre has it, but has nothing to do.
        assert [task for task in worklist.open_tasks(actor=village) if task.item_id == order.pk] == []


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "ecg-empty"),
        (b"%PDF-1.7 not an ecg", "ecg-not_ecg"),
        (b"\x00" * 100 + b"hello", "ecg-unknown_format"),
        (recording_bytes()[:60_000], "ecg-cut_off"),
        (recording_bytes(Kind.FLAT), "ecg-flat"),
        (recording_bytes(patient=PatientFacts(name="王小明", national_id="110101196003077715")), "ecg-other-person"),
    ],
    # Named by the refusal: a recording holds the second in which it was made, and workers would collect different tests.
    ids=lambda given: given if isinstance(given, str) else "bytes",
)
def test_attach_refuses_with_sentence_and_keeps_nothing(loop: Loop, data: bytes, code: str) -> None:
    order = ordered(loop)
    village = loop.actor("village")
    with acting(village):
        with pytest.raises(Refused) as refused:
            actions.attach_recording(order=order, data=data, name="x", actor=village)
        assert refused.value.code == code
        assert set(refused.value.fields) == {"recording"}
        assert len(str(refused.value.fields["recording"])) > 10
        assert not StoredFile.objects.exists()
        assert EcgOrder.objects.get(pk=order.pk).state == "requested"


def test_attach_without_identity_asks_to_confirm(loop: Loop) -> None:
    order = ordered(loop)
    village = loop.actor("village")
    data = recording_bytes(patient=PatientFacts())
    with acting(village):
        with pytest.raises(Refused) as refused:
            actions.attach_recording(order=order, data=data, name="x", actor=village)
        assert refused.value.code == "confirm"
        assert not StoredFile.objects.exists()
        sent = actions.attach_recording(order=order, data=data, name="x", actor=village, confirm_missing_identity=True)
        assert sent.state == "queued"
        assert sent.identity_note


def test_attach_of_an_old_recording_asks_and_the_record_shows_its_own_day(loop: Loop) -> None:
    order = ordered(loop)
    village = loop.actor("village")
    last_year = datetime.now(UTC).replace(microsecond=0) - timedelta(days=365)
    data = recording_bytes(patient=PatientFacts(), taken_at=last_year)
    with acting(village):
        with pytest.raises(Refused) as refused:
            actions.attach_recording(order=order, data=data, name="x", actor=village)
        assert refused.value.code == "confirm"
        # Both doubts in one round.
        assert set(refused.value.fields) == {"confirm_missing_identity", "confirm_time"}
        assert f"{last_year.astimezone(CHINA):%Y-%m-%d %H:%M}" in str(refused.value.fields["confirm_time"])
        sent = actions.attach_recording(
            order=order, data=data, name="x", actor=village, confirm_missing_identity=True, confirm_time=True
        )
        assert sent.state == "queued"
        recorded = Resource.objects.get(type="DocumentReference", resident_id=loop.resident.pk)
        assert recorded.occurred_at == last_year


@pytest.mark.parametrize(("hours", "doubted"), [(-25, True), (-23, False), (0, False), (0.2, False), (0.3, True)])
def test_time_of_a_recording_is_doubted_when_old_or_still_to_come(hours: float, doubted: bool) -> None:
    now = datetime.now(UTC)
    taken_at = now + timedelta(hours=hours)
    assert bool(doubt_of_time(taken_at, now=now)) is doubted
    # Whatever the cart's clock says, nobody was examined after the file had arrived.
    assert examined_at(taken_at, arrived_at=now) == min(taken_at, now)
    assert (doubt_of_time(None, now=now), examined_at(None, arrived_at=now)) == (None, now)


def test_attach_the_same_recording_again_says_when(loop: Loop) -> None:
    queued(loop)
    village = loop.actor("village")
    second = ordered(loop)
    with acting(village):
        with pytest.raises(Refused) as refused:
            actions.attach_recording(order=second, data=recording_bytes(), name="copy.dcm", actor=village)
        assert refused.value.code == "ecg-sent-before"
        assert "已于 20" in str(refused.value.fields["recording"])
        assert StoredFile.objects.count() == 1


def test_attach_the_returned_recording_again_is_refused_and_a_new_one_goes_through(loop: Loop) -> None:
    order = queued(loop)
    reader, village = loop.actor("reader"), loop.actor("village")
    with acting(reader):
        actions.claim(order=order, actor=reader)
        actions.return_recording(order=order, reason="V1 导联脱落", actor=reader)
    with acting(village):
        with pytest.raises(Refused, match="刚被退回"):
            actions.attach_recording(order=order, data=recording_bytes(), name="a", actor=village)
        again = actions.attach_recording(order=order, data=recording_bytes(seed=8), name="b", actor=village)
        assert again.state == "queued"


def test_attach_twice_is_a_conflict(loop: Loop) -> None:
    order = queued(loop)
    village = loop.actor("village")
    with acting(village), pytest.raises(Conflict):
        actions.attach_recording(order=order, data=recording_bytes(seed=9), name="a", actor=village)


def test_cancel_takes_the_case_off_the_queue(loop: Loop) -> None:
    order = queued(loop)
    village, reader = loop.actor("village"), loop.actor("reader")
    with acting(village):
        with pytest.raises(Refused) as refused:
            actions.cancel(order=order, reason=" ", actor=village)
        assert "reason" in refused.value.fields
        actions.cancel(order=order, reason="开错居民", actor=village)
    with acting(reader):
        assert queries.queue(actor=reader) == []
        # The village may see that the centre has it, but has nothing to do.
        assert [task for task in worklist.open_tasks(actor=village) if task.item_id == order.pk] == []


def test_voided_visit_takes_its_order_back_and_tells_the_centre_of_what_is_read(loop: Loop) -> None:
    waiting = queued(loop)
    _void(loop, waiting)
    reading = claimed(loop, seed=8)
    _void(loop, reading)
    with acting(loop.actor("reader")) as reader:
        assert EcgOrder.objects.get(pk=reading.pk).state == "reading"
        [notice] = [one for one in latest(actor=reader) if one.kind == "ecg-visit-voided"]
    assert (notice.link, notice.urgent) == (reading.subject, True)
    with acting(loop.actor("village")):
        assert EcgOrder.objects.get(pk=waiting.pk).state == "cancelled"


def _void(loop: Loop, order: EcgOrder) -> None:
    """The visit of an order was opened for the wrong resident; the handler hears of it."""
    village = loop.actor("village")
    assert order.visit_key is not None
    with acting(village):
        visit = visits.void(visit=Visit.objects.get(key=order.visit_key), reason="选错了居民", actor=village)
    with acting(system_actor(Purpose.HANDLER)):
        handlers.end_for_voided_visit(VisitVoided(subject=visit.subject, resident_id=visit.resident_id))
