"""fhirpy (PyPI) through a whole journey."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fhirpy import SyncFHIRClient
from fhirpy.base.exceptions import (
    AuthorizationError,
    ForbiddenError,
    MultipleResourcesFound,
    OperationOutcome,
    ResourceNotFound,
)

from tests.fhir_clients.running import Service

Connect = Callable[..., SyncFHIRClient]


@pytest.fixture(scope="module")
def token(running: Service) -> str:
    return running.token("fhirpy")


@pytest.fixture
def connect(running: Service, token: str) -> Connect:
    """A client with further headers."""

    def made(**headers: str) -> SyncFHIRClient:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        return SyncFHIRClient(running.base, authorization=f"Bearer {token}", extra_headers=given)

    return made


def test_fhirpy_finds_out_searches_and_pages_to_the_end(running: Service, connect: Connect) -> None:
    client = connect()
    statement = client.execute("metadata", method="get")
    assert (statement.fhirVersion, statement.kind) == ("4.0.1", "instance")
    made = client.resource("Bundle", **running.observations(23, note=[{"text": "fhirpy"}])).save()
    assert {one.response.status for one in made["entry"]} == {"201 Created"}
    own = client.resources("Observation").search(patient=running.patient, _lastUpdated__ge="2026-01-01").sort("-date")
    pages = own.limit(10).fetch_all()
    assert len({one.id for one in pages}) == len(pages) >= 23
    by_name = client.resources("Observation").search(patient__Patient__birthdate="1963-09-15").limit(5).fetch()
    assert len(by_name) == 5
    with_patient = own.limit(2).include("Observation", "subject").fetch_raw()
    kinds = sorted((one.resource.resource_type, one.search.mode) for one in with_patient.entry)
    assert kinds == [("Observation", "match"), ("Observation", "match"), ("Patient", "include")]
    assert pages[0].subject.to_resource().birthDate == "1963-09-15"
    # A total in its own words: a server of plain FHIR passes over what it does not know only when it is asked to.
    assert connect(Prefer="handling=lenient").resources("Observation").search(patient=running.patient).count() >= 23
    with pytest.raises(OperationOutcome) as refused:
        own.count()
    assert "_totalMethod" in str(refused.value)


def test_fhirpy_writes_changes_and_deletes(running: Service, connect: Connect) -> None:
    client = connect()
    observation = client.resource("Observation", **running.observation())
    assert observation.is_valid()
    observation.save()
    assert observation["meta"]["versionId"] == "1"
    observation["note"] = [{"text": "复测"}]
    observation.save()
    assert observation["meta"]["versionId"] == "2"
    stale = connect(If_Match='W/"1"').resource("Observation", **dict(observation))
    stale["note"] = [{"text": "晚了一步"}]
    with pytest.raises(MultipleResourcesFound) as late:  # fhirpy's name for every 412
        stale.save()
    assert "第 2 版" in str(late.value)
    patched = connect(Content_Type="application/json-patch+json").execute(
        f"Observation/{observation.id}",
        method="patch",
        data=[{"op": "replace", "path": "/valueQuantity/value", "value": 80}],  # type: ignore[arg-type]
    )
    assert (patched.valueQuantity.value, patched.meta.versionId) == (80, "3")
    # Its own patch sends the changed members alone.
    observation.patch(status="amended")
    assert (observation["status"], observation["meta"]["versionId"]) == ("amended", "4")
    assert observation["valueQuantity"]["value"] == 80
    observation.refresh()
    history = client.execute(f"Observation/{observation.id}/_history", method="get")
    assert [one.resource.meta.versionId for one in history.entry] == ["4", "3", "2", "1"]
    client.delete(observation)
    with pytest.raises(ResourceNotFound):
        client.get("Observation", observation.id)


def test_fhirpy_creates_on_a_condition_and_asks_for_everything(running: Service, connect: Connect) -> None:
    client = connect()
    system = "https://hospital.example/fhirpy"
    once = client.resources("Observation").search(identifier=f"{system}|1")
    body = client.resource("Observation", **running.observation(identifier=[{"system": system, "value": "1"}]))
    first, was_made = once.get_or_create(body)
    assert was_made
    again, was_made = once.get_or_create(body)
    assert (again.id, was_made) == (first.id, False)
    changed, was_made = once.update(
        client.resource("Observation", **running.observation(value=91, identifier=body["identifier"]))
    )
    assert (changed.id, was_made, changed["valueQuantity"]["value"]) == (first.id, False, 91)
    everything = client.reference("Patient", running.patient).execute(
        "$everything", method="get", params={"_count": 500}
    )
    assert f"Observation/{first.id}" in {f"{one.resource.resourceType}/{one.resource.id}" for one in everything.entry}


def test_fhirpy_understands_every_refusal(running: Service, connect: Connect) -> None:
    client = connect()
    with pytest.raises(OperationOutcome) as invalid:
        client.resource("Observation", **running.observation(status="nonsense")).save()
    (issue, *_others) = invalid.value.resource["issue"]
    assert issue["expression"] == ["Observation.status"]
    assert not client.resource("Observation", **running.observation(status="nonsense")).is_valid()
    with pytest.raises(ResourceNotFound):
        client.get("Observation", "nowhere")
    with pytest.raises(ResourceNotFound):
        client.get("Nothing", "nowhere")
    with pytest.raises(OperationOutcome):
        client.resources("Observation").search(misspelt="x").fetch()
    with pytest.raises(AuthorizationError):
        SyncFHIRClient(running.base, authorization="Bearer nobody").get("Observation", "nowhere")
    narrow = SyncFHIRClient(running.base, authorization=f"Bearer {running.token('fhirpy', 'system/Encounter.rs')}")
    with pytest.raises(ForbiddenError):
        narrow.get("Observation", "nowhere")


def test_fhirpy_is_told_to_wait(running: Service) -> None:
    hasty = SyncFHIRClient(running.base, authorization=f"Bearer {running.token('hasty')}")

    def ask() -> Any:
        for _ in range(600):
            hasty.resources("Observation").search(_id="x").fetch()

    with pytest.raises(OperationOutcome) as throttled:
        ask()
    assert throttled.value.resource["issue"][0]["code"] == "throttled"


def _two_times(client: SyncFHIRClient, *, days: int = 2) -> tuple[datetime, list[str]]:
    """A hospital opens its clinic with two times; returns when the first begins, and both."""
    # What another journey has opened is opened no second time.
    schedule = client.resources("Schedule").search(specialty="0301").first()
    if schedule is None:
        schedule = client.resource(
            "Schedule", active=True, specialty=[{"coding": [{"code": "0301"}]}], actor=[{"display": "心内科"}]
        )
        schedule.save()
    begins = datetime.now(UTC).replace(microsecond=0) + timedelta(days=days)
    times = []
    for number in range(2):
        start = begins + timedelta(days=number)
        slot = client.resource(
            "Slot",
            schedule=schedule.to_reference(),
            status="free",
            start=start.isoformat(),
            end=(start + timedelta(minutes=30)).isoformat(),
        )
        slot.save()
        times.append(f"Slot/{slot.id}")
    return begins, times


def test_fhirpy_books_moves_and_answers(running: Service, connect: Connect) -> None:
    """A hospital opens two times; the client finds one, keeps and books it, moves to the other, and says that the person does not come."""
    client = connect()
    begins, times = _two_times(client)

    def call(path: str, **values: str) -> Any:
        rows = [{"name": name, "valueString": value} for name, value in values.items()]
        return client.execute(path, method="post", data={"resourceType": "Parameters", "parameter": rows})

    specialty = client.resources("Slot").search(specialty="0301", start__ge=begins.isoformat()).sort("start").fetch()
    assert [f"Slot/{one.id}" for one in specialty] == times
    person = f"Patient/{running.patient}"
    hold = call("Slot/$hold", slot=times[0], patient=person)["parameter"][0]["valueString"]
    with pytest.raises(OperationOutcome) as late:
        call("Slot/$hold", slot=times[0], patient=person)
    assert json.loads(str(late.value))["issue"][0]["diagnostics"].startswith("心血管内科")
    made = call("Appointment/$book", hold=hold, patient=person)
    appointment = client.resources("Appointment").search(_id=made.id).get()
    appointment["slot"] = [{"reference": times[1]}]
    with pytest.raises(OperationOutcome) as refused:
        appointment.save()
    assert "$change" in str(refused.value)
    moved = call("Appointment/$change", appointment=f"Appointment/{made.id}", slot=times[1])
    assert (moved["status"], moved["slot"][0]["reference"]) == ("booked", times[1])
    answer = client.resource(
        "AppointmentResponse",
        appointment={"reference": f"Appointment/{moved.id}"},
        actor={"reference": person},
        participantStatus="declined",
        comment="外出",
    )
    answer.save()
    told = client.resources("Appointment").search(patient=running.patient).sort("date").fetch()
    assert [(one.status, one.cancelationReason.text) for one in told] == [
        ("cancelled", "改约到其他时间"),
        ("cancelled", "外出"),
    ]


def test_fhirpy_finds_what_is_left_and_cancels(running: Service, connect: Connect) -> None:
    """$find by GET and, as clients of operations do it, by POST; a place that is gone is named with the next one; what was booked is given back."""
    client = connect()
    begins, times = _two_times(client, days=20)

    def call(path: str, **values: str) -> Any:
        rows = [{"name": name, "valueString": value} for name, value in values.items()]
        return client.execute(path, method="post", data={"resourceType": "Parameters", "parameter": rows})

    def left(bundle: Any) -> list[str]:
        return [f"Slot/{one.resource.id}" for one in bundle.entry or []]

    asked = {"specialty": "心血管内科", "start": begins.isoformat()}
    by_get = client.execute("Slot/$find", method="get", params=asked)
    assert [one for one in left(by_get) if one in times] == times
    assert left(call("Slot/$find", **asked)) == left(by_get)
    with pytest.raises(OperationOutcome) as misspelt:
        call("Slot/$find", speciality="心血管内科")
    assert "speciality" in str(misspelt.value)
    person = f"Patient/{running.patient}"
    made = call("Appointment/$book", slot=times[0], patient=person)
    assert times[0] not in left(call("Slot/$find", **asked))
    with pytest.raises(OperationOutcome) as late:
        call("Slot/$hold", slot=times[0], patient=person)
    assert json.loads(str(late.value))["issue"][0]["code"] in ("conflict", "duplicate", "business-rule")
    gone = call("Appointment/$cancel", appointment=f"Appointment/{made.id}", reason="外出")
    assert (gone["status"], gone.cancelationReason.text) == ("cancelled", "外出")
    assert call("Appointment/$cancel", appointment=f"Appointment/{made.id}", reason="外出").status == "cancelled"
    assert times[0] in left(call("Slot/$find", **asked))
