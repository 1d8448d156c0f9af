"""A unit that knows of somebody through one order or one episode alone can tell who the reference means, and learns nothing else."""

from typing import Any

import pytest
from django.test import Client

from doorstep.care.diagnosis.tests.factories import Loop, make_loop, ordered
from doorstep.kernel.access import actions as access
from doorstep.kernel.access.actor import Purpose, system_actor
from doorstep.kernel.access.session import acting
from doorstep.kernel.audit.models import AuditEntry
from doorstep.kernel.fhir.validation import problems
from doorstep.people.residents import actions as residents
from doorstep.people.residents.tests.factories import ZHOU_NUMBER

pytestmark = pytest.mark.django_db


@pytest.fixture
def loop() -> Loop:
    made = make_loop()
    ordered(made)
    with acting(system_actor(Purpose.IMPORT)) as actor:
        residents.publish(made.resident, actor=actor)
    return made


def _headers(organization_id: int, name: str) -> dict[str, str]:
    with acting(system_actor(Purpose.IMPORT)) as actor:
        token = access.issue_token(name=name, display=name, organization_id=organization_id, actor=actor)
    return {"authorization": f"Bearer {token}"}


def _get(client: Client, address: str, headers: dict[str, str]) -> Any:
    return client.get(f"/fhir/{address}", headers=headers)


def test_the_centre_of_an_order_is_told_who_the_subject_is_and_no_more(client: Client, loop: Loop) -> None:
    centre = _headers(loop.world.ecg_center, "ecg")
    (order,) = _get(client, "ServiceRequest", centre).json()["entry"]
    reference = order["resource"]["subject"]["reference"]
    answer = _get(client, reference, centre)
    assert answer.status_code == 200, answer.content
    told = answer.json()
    assert told["id"] == str(loop.resident.key)
    assert (told["name"][0]["text"], told["gender"]) == (loop.resident.name, loop.resident.gender)
    assert told["birthDate"] == loop.resident.birth_date.isoformat()
    assert [one["code"] for one in told["meta"]["tag"]] == ["SUBSETTED"]
    # The number as the pages show it to this unit: the last digits can be compared with the card, and nothing be made of them.
    (number,) = told["identifier"]
    assert "value" not in number
    shown = {one["url"].rpartition("/")[2]: one for one in number["_value"]["extension"]}
    assert shown["rendered-value"]["valueString"].endswith(ZHOU_NUMBER[-4:])
    assert shown["data-absent-reason"]["valueCode"] == "masked"
    assert ZHOU_NUMBER not in answer.content.decode()
    assert not {"telecom", "address", "contact", "link"} & told.keys()
    assert list(problems(told)) == []
    # It is no version of the record: nothing to compare with, nothing to send back.
    assert not {"ETag", "Last-Modified"} & set(answer.headers)
    with acting(system_actor(Purpose.SEALING)):
        looks = AuditEntry.objects.filter(action="fhir.read", subject=reference, resident_id=loop.resident.pk)
        assert looks.count() == 1


def test_the_part_is_no_way_to_the_whole(client: Client, loop: Loop) -> None:
    centre, key = _headers(loop.world.ecg_center, "ecg"), loop.resident.key
    assert _get(client, f"Patient?_id={key}", centre).json()["total"] == 0
    assert _get(client, f"Patient/{key}/_history/1", centre).status_code == 404
    told = _get(client, f"Patient/{key}", centre).json()
    back = client.put(f"/fhir/Patient/{key}", told, content_type="application/fhir+json", headers=centre)
    # As under an id that is nobody's.
    assert back.status_code == 405, back.content
    patch = {"telecom": [{"system": "phone", "value": "19900000000"}]}
    kind = "application/merge-patch+json"
    assert client.patch(f"/fhir/Patient/{key}", patch, content_type=kind, headers=centre).status_code == 404
    short = _get(client, f"Patient/{key}?_elements=gender", centre).json()
    assert "name" not in short
    assert short["gender"] == told["gender"]
    batch = {
        "resourceType": "Bundle",
        "type": "batch",
        "entry": [{"request": {"method": "GET", "url": f"Patient/{key}"}}],
    }
    (entry,) = client.post("/fhir", batch, content_type="application/fhir+json", headers=centre).json()["entry"]
    assert entry["resource"]["name"] == told["name"]


def test_strangers_and_whole_readers_are_answered_as_before(client: Client, loop: Loop) -> None:
    stranger = _get(client, f"Patient/{loop.resident.key}", _headers(loop.world.other_township, "foreign"))
    unknown = _get(client, "Patient/7d3f4a3e-0000-4000-8000-000000000000", _headers(loop.world.ecg_center, "ecg"))
    assert stranger.status_code == unknown.status_code == 404
    assert stranger.json() == unknown.json()
    whole = _get(client, f"Patient/{loop.resident.key}", _headers(loop.world.village, "own"))
    assert whole.json()["identifier"][0]["value"] == ZHOU_NUMBER
    assert whole.headers["ETag"]
