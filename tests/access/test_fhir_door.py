"""The machine interface: tokens, what a hospital may read and write, and answers that say what is wrong."""

import json
import uuid
from typing import Any

import pytest
from django.test import Client

from doorstep.kernel.access import actions as access
from doorstep.kernel.access.actor import Purpose, system_actor
from doorstep.kernel.access.session import acting
from doorstep.kernel.audit.models import AuditEntry
from doorstep.kernel.fhir import systems
from doorstep.kernel.record.models import ResourceVersion
from doorstep.people.residents.tests.factories import ZHOU_NUMBER, make_resident, make_world

pytestmark = pytest.mark.django_db


def _token(organization_id: int, name: str) -> dict[str, str]:
    with acting(system_actor(Purpose.IMPORT)) as actor:
        token = access.issue_token(name=name, display=name, organization_id=organization_id, actor=actor)
    return {"authorization": f"Bearer {token}"}


def _observation(subject: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "identifier": [{"system": "urn:his", "value": "o-1"}],
        "status": "final",
        "code": {"coding": [{"system": systems.LOINC, "code": "8867-4"}]},
        "subject": subject,
        "effectiveDateTime": "2026-05-01T08:00:00+08:00",
        "valueQuantity": {"value": 72, "unit": "/min", "system": systems.UCUM, "code": "/min"},
        **changes,
    }


def _bundle(*resources: dict[str, Any]) -> str:
    entries = [
        {
            "fullUrl": f"urn:uuid:{uuid.uuid4()}",
            "resource": resource,
            "request": {"method": "POST", "url": resource["resourceType"]},
        }
        for resource in resources
    ]
    return json.dumps({"resourceType": "Bundle", "type": "transaction", "entry": entries})


def _post(client: Client, body: str, headers: dict[str, str]) -> Any:
    return client.post("/fhir", body, content_type="application/fhir+json", headers=headers)


BY_NUMBER = {"identifier": {"system": systems.NATIONAL_ID, "value": ZHOU_NUMBER}}


@pytest.mark.parametrize("path", ["/fhir/Patient", "/fhir/Patient/1", "/fhir/Observation?code=1"])
def test_without_token_401(client: Client, path: str) -> None:
    for headers in ({}, {"authorization": "Bearer wrong"}, {"authorization": "Basic abc"}):
        answer = client.get(path, headers=headers)
        assert answer.status_code == 401
        assert answer.json()["resourceType"] == "OperationOutcome"


def test_bundle_is_stored_once_and_read_back(client: Client) -> None:
    world = make_world()
    resident = make_resident(organization_id=world.village, panel_of=(world.lead,))
    headers = _token(world.lead, "demo-hospital")
    first = _post(client, _bundle(_observation(BY_NUMBER)), headers)
    assert first.status_code == 200, first.content
    location = first.json()["entry"][0]["response"]["location"]
    again = _post(client, _bundle(_observation(BY_NUMBER)), headers)
    assert again.json()["entry"][0]["response"]["location"] == location
    _post(client, _bundle(_observation(BY_NUMBER, status="amended")), headers)
    kind, key, _, _ = location.split("/")
    assert client.get(f"/fhir/{kind}/{key}", headers=headers).json()["status"] == "amended"
    assert client.get(f"/fhir/{location}", headers=headers).json()["status"] == "final"
    found = client.get(f"/fhir/Observation?patient={resident.key}&code=8867-4&date=2026-05", headers=headers).json()
    assert (found["total"], found["entry"][0]["resource"]["id"]) == (1, key)
    assert client.get("/fhir/Observation?date=lt2026-05-01", headers=headers).json()["total"] == 0
    with acting(system_actor(Purpose.SEALING)):
        assert ResourceVersion.objects.count() == 2
        assert set(AuditEntry.objects.values_list("action", flat=True)) >= {
            "fhir.create",
            "fhir.update",
            "fhir.read",
            "fhir.search",
        }


def test_hospital_without_relationship_neither_reads_nor_writes(client: Client) -> None:
    world = make_world()
    make_resident(organization_id=world.village, panel_of=(world.lead,))
    own, foreign = _token(world.lead, "own"), _token(world.other_township, "foreign")
    location = _post(client, _bundle(_observation(BY_NUMBER)), own).json()["entry"][0]["response"]["location"]
    kind, key = location.split("/")[:2]
    assert client.get(f"/fhir/{kind}/{key}", headers=foreign).status_code == 404
    assert client.get("/fhir/Observation", headers=foreign).json()["total"] == 0
    refused = _post(client, _bundle(_observation(BY_NUMBER)), foreign)
    unknown = _post(client, _bundle(_observation({"reference": f"Patient/{uuid.uuid4()}"})), foreign)
    assert refused.status_code == unknown.status_code == 422
    assert refused.json() == unknown.json()


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"status": None}, "status"),
        ({"valueString": "x"}, "value"),
        ({"code": "heart"}, "code"),
        ({"effectiveDateTime": "May"}, "effective"),
    ],
)
def test_wrong_resource_is_refused_at_its_place_and_nothing_is_stored(
    client: Client, change: dict[str, Any], place: str
) -> None:
    world = make_world()
    make_resident(organization_id=world.village, panel_of=(world.lead,))
    headers = _token(world.lead, "his")
    wrong = {name: value for name, value in _observation(BY_NUMBER, **change).items() if value is not None}
    answer = _post(client, _bundle(_observation(BY_NUMBER), wrong), headers)
    assert answer.status_code == 422
    assert f"Bundle.entry[1].resource.{place}" in answer.json()["issue"][0]["expression"][0]
    assert client.get("/fhir/Observation", headers=headers).json()["total"] == 0


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/fhir/Observation?cod=1", 400),
        ("/fhir/Observation?code:in=1", 400),
        ("/fhir/Observation?date=yesterday", 400),
        ("/fhir/Observation?date=2026-02-31", 400),
        ("/fhir/Observation?_count=many", 400),
        ("/fhir/Nothing", 404),
        ("/fhir/Observation/x'--", 404),
        ("/fhir/Observation/x/_history/999999999999", 404),
    ],
)
def test_wrong_question_is_answered_by_an_outcome(client: Client, path: str, status: int) -> None:
    world = make_world()
    answer = client.get(path, headers=_token(world.lead, "his"))
    assert answer.status_code == status
    assert answer.json()["issue"][0]["diagnostics"]


@pytest.mark.parametrize(
    "body", ["", "[]", "{", '{"resourceType":"Bundle"}', '{"resourceType":"Bundle","type":"transaction","entry":[1]}']
)
def test_wrong_bundle_is_never_a_fault(client: Client, body: str) -> None:
    world = make_world()
    assert _post(client, body, _token(world.lead, "his")).status_code in (400, 422)


def test_metadata_names_every_type(client: Client) -> None:
    statement = client.get("/fhir/metadata").json()
    assert statement["fhirVersion"] == "4.0.1"
    assert {"Patient", "DiagnosticReport", "ServiceRequest"} <= {
        entry["type"] for entry in statement["rest"][0]["resource"]
    }
