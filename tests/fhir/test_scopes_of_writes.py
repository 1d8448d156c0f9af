"""What a system writes tells it nothing that its scopes keep from it: conditions, patches, imports, exports, subscriptions."""

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from doorstep.kernel.access.actor import ANONYMOUS, Purpose, system_actor
from doorstep.kernel.access.models import ApiClient
from doorstep.kernel.access.session import acting, bind
from doorstep.kernel.record import bulk, importing
from doorstep.kernel.record.models import BulkExport, BulkImport
from tests.fhir.house import House, System, bundle, entry, make_house
from tests.fhir.test_oauth import _ask, _assertion, _system

pytestmark = pytest.mark.django_db
NAMED = {"system": "http://his.example/results", "value": "r-1"}
CONDITIONS = ("code=8867-4", "status=final", "value-quantity=gt70", "patient.birthdate=1963-09-15", "_id=%s")


@pytest.fixture
def house(client: Client) -> House:
    return make_house(client)


@pytest.fixture
def lab(house: House) -> Callable[[str], System]:
    """检验系统 of the same hospital, with a token of some scopes."""
    key = _system(house, "system/*.cruds")

    def token(scope: str) -> System:
        given = _ask(Client(), _assertion(key), scope)
        assert given.status_code == 200, given.content
        return System(Client(), given.json()["access_token"])

    return token


def _made(house: House) -> dict[str, Any]:
    found: dict[str, Any] = house.own.ask("POST", "Observation", house.observation(identifier=[NAMED])).json()
    return found


def _problem(house: House) -> None:
    problem = {"resourceType": "Condition", "subject": {"reference": house.patient}, "code": {"text": "高血压"}}
    assert house.own.ask("POST", "Condition", problem).status_code == 201


def test_a_condition_asks_what_a_search_would(house: House, lab: Callable[[str], System]) -> None:
    made = _made(house)
    writer = lab("system/Observation.cud")
    for condition in CONDITIONS:
        query = condition.replace("%s", made["id"])
        body = house.observation()
        patched = [{"op": "test", "path": "/status", "value": "final"}]
        answers = [
            writer.ask("POST", "Observation", body, if_none_exist=query),
            writer.ask("POST", f"Observation?{query}", body),
            writer.ask("PUT", f"Observation?{query}", body),
            writer.ask("DELETE", f"Observation?{query}"),
            writer.ask("PATCH", f"Observation?{query}", patched, kind="application/json-patch+json"),
            writer.ask("POST", "", bundle("transaction", entry("DELETE", f"Observation?{query}"))),
            writer.ask("POST", "", bundle("transaction", entry("PUT", f"Observation?{query}", body))),
            writer.ask("POST", "", bundle("transaction", entry("POST", "Observation", body, ifNoneExist=query))),
        ]
        assert [one.status_code for one in answers] == [403] * len(answers), query
    assert house.own.ask("GET", f"Observation/{made['id']}").json()["meta"]["versionId"] == "1"


def test_who_only_writes_names_its_own_by_their_numbers_and_reads_nothing(
    house: House, lab: Callable[[str], System]
) -> None:
    made = _made(house)
    writer = lab("system/Observation.c")
    number = f"identifier={NAMED['system']}|{NAMED['value']}"
    again = writer.ask("POST", "Observation", house.observation(), if_none_exist=number)
    assert (again.status_code, again.content) == (200, b"")
    assert made["id"] in again["Location"]
    reader = lab("system/Observation.crs").ask("POST", "Observation", house.observation(), if_none_exist=number)
    assert reader.json()["id"] == made["id"]


@pytest.mark.parametrize(
    "query", ["code:text=高血压", "_text=x", "subject=x", "patient.name=x", "recorded-date=gt2020"]
)
def test_a_reference_by_condition_asks_what_a_search_would(
    house: House, lab: Callable[[str], System], query: str
) -> None:
    _problem(house)
    guess = house.observation(focus=[{"reference": f"Condition?{query}"}])
    writer = lab("system/Observation.crs")
    assert writer.ask("POST", "Observation", guess).status_code == 403
    transaction = writer.ask("POST", "", bundle("transaction", entry("POST", "Observation", guess)))
    assert transaction.status_code == 403
    # By whom it is of, as a sender has it on its papers.
    known = {"reference": f"Patient?identifier=urn:oid:2.16.156.10011.1.3|{house.resident.national_id}"}
    assert writer.ask("POST", "Observation", house.observation(subject=known)).status_code == 201


def test_a_patch_of_who_may_not_read_tells_nothing(house: House, lab: Callable[[str], System]) -> None:
    foreign = house.own.ask("POST", "Observation", house.observation()).json()
    with acting(system_actor(Purpose.IMPORT)):
        ApiClient.objects.filter(name="lab").update(organization_id=house.world.village)
    writer = lab("system/Observation.cu")
    for value, kind in (("final", "right"), ("preliminary", "wrong")):
        test = [{"op": "test", "path": "/status", "value": value}]
        answer = writer.ask("PATCH", f"Observation/{foreign['id']}", test, kind="application/json-patch+json")
        assert answer.status_code == 403, kind
    own = lab("system/Observation.crs").ask("POST", "Observation", house.observation()).json()
    change = [{"op": "replace", "path": "/status", "value": "amended"}]
    done = writer.ask("PATCH", f"Observation/{own['id']}", change, kind="application/json-patch+json")
    assert (done.status_code, done.content) == (200, b"")
    binary = {
        "resourceType": "Binary",
        "contentType": "application/json-patch+json",
        "data": base64.b64encode(json.dumps(change).encode()).decode(),
    }
    whole = bundle("transaction", entry("PATCH", f"Observation/{own['id']}", binary))
    told = writer.ask("POST", "", whole, prefer="return=representation").json()["entry"][0]
    assert told["response"]["status"].startswith("200")
    assert "resource" not in told


def test_an_import_guesses_nothing(house: House, lab: Callable[[str], System]) -> None:
    _problem(house)
    lab("system/Observation.cu")
    with acting(system_actor(Purpose.IMPORT)):
        ApiClient.objects.filter(name="lab").update(scopes="system/Observation.cu")
    writer = lab("system/Observation.cu")
    line = json.dumps(house.observation(focus=[{"reference": "Condition?code:text=高血压"}]))
    begun = writer.ask("POST", "$import?", line, kind="application/fhir+ndjson", prefer="respond-async")
    # Without a type in the manifest all types would be written: the token has one.
    assert begun.status_code == 403
    manifest = {
        "resourceType": "Parameters",
        "parameter": [
            {
                "name": "input",
                "part": [{"name": "type", "valueCode": "Observation"}, {"name": "url", "valueUrl": "cid:a"}],
            }
        ],
    }
    begun = writer.client.post(
        "/fhir/$import",
        {"manifest": json.dumps(manifest), "a": line},
        headers={"authorization": f"Bearer {writer.token}", "prefer": "respond-async"},
    )
    assert begun.status_code == 202, begun.content
    with acting(system_actor(Purpose.IMPORT)):
        number = BulkImport.objects.get(key=begun["Content-Location"].rpartition("/")[2]).pk
    importing.work(number)
    bind(ANONYMOUS)
    state = writer.ask("GET", begun["Content-Location"].split("/fhir/")[1]).json()
    (fault,) = state["error"]
    said = writer.ask("GET", fault["url"].split("/fhir/")[1], accept="application/fhir+ndjson").content.decode()
    assert "Condition.s" in said


def test_files_of_an_export_need_the_scope_of_their_type(house: House, lab: Callable[[str], System]) -> None:
    _made(house)
    _problem(house)
    wide = lab("system/Observation.rs system/Condition.rs")
    begun = wide.ask("GET", "$export?_type=Observation,Condition", prefer="respond-async")
    path = begun["Content-Location"].split("/fhir/")[1]
    with acting(system_actor(Purpose.IMPORT)):
        number = BulkExport.objects.get(key=path.rpartition("/")[2]).pk
    bulk.work(number)
    bind(ANONYMOUS)
    files = {one["type"]: one["url"].split("/fhir/")[1] for one in wide.ask("GET", path).json()["output"]}
    assert set(files) == {"Observation", "Condition"}
    narrow = lab("system/Observation.rs")
    ndjson = "application/fhir+ndjson"
    assert narrow.ask("GET", files["Observation"], accept=ndjson).status_code == 200
    assert narrow.ask("GET", files["Condition"], accept=ndjson).status_code == 403


def test_what_was_taken_from_a_system_is_exported_no_more(house: House, lab: Callable[[str], System]) -> None:
    _made(house)
    _problem(house)
    begun = lab("system/*.rs").ask("GET", "$export?_type=Observation,Condition", prefer="respond-async")
    with acting(system_actor(Purpose.IMPORT)):
        ApiClient.objects.filter(name="lab").update(scopes="system/Observation.rs")
        number = BulkExport.objects.get(key=begun["Content-Location"].rpartition("/")[2]).pk
    bulk.work(number)
    bind(ANONYMOUS)
    state = lab("system/Observation.rs").ask("GET", begun["Content-Location"].split("/fhir/")[1]).json()
    assert [one["type"] for one in state["output"]] == ["Observation"]


def test_the_document_of_a_visit_names_its_diagnoses(house: House, lab: Callable[[str], System]) -> None:
    visit = house.own.ask("POST", "Encounter", _visit(house)).json()
    problem = {
        "resourceType": "Condition",
        "subject": {"reference": house.patient},
        "encounter": {"reference": f"Encounter/{visit['id']}"},
        "code": {"text": "高血压"},
    }
    assert house.own.ask("POST", "Condition", problem).status_code == 201
    narrow = "system/Encounter.r system/Patient.r system/Observation.r"
    assert lab(narrow).ask("GET", f"Encounter/{visit['id']}/$cda").status_code == 403
    written = lab(f"{narrow} system/Condition.r").ask("GET", f"Encounter/{visit['id']}/$cda", accept="application/xml")
    assert "高血压" in written.content.decode()


def _visit(house: House) -> dict[str, Any]:
    return {
        "resourceType": "Encounter",
        "status": "finished",
        "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"},
        "subject": {"reference": house.patient},
        "period": {"start": "2026-05-01T08:00:00+08:00", "end": "2026-05-01T08:30:00+08:00"},
    }
