"""Batch and transaction Bundles: order, references inside, conditions, all or nothing."""

import base64
import json
from typing import Any

import pytest
from django.test import Client

from tests.fhir.house import House, bundle, entry, make_house

pytestmark = pytest.mark.django_db

VISIT = "urn:uuid:0b7a9a3e-5b6e-4f0c-9a55-0d8f2f1f0001"


@pytest.fixture
def house(client: Client) -> House:
    return make_house(client)


def _encounter(house: House, **changes: Any) -> dict[str, Any]:
    return {
        "resourceType": "Encounter",
        "status": "finished",
        "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"},
        "subject": {"reference": house.patient},
        "period": {"start": "2026-05-01T08:00:00+08:00"},
        **changes,
    }


def _count(house: House, kind: str) -> int:
    return int(house.own.ask("GET", kind).json()["total"])


def test_references_inside_a_transaction_become_addresses(house: House) -> None:
    observation = house.observation(encounter={"reference": VISIT})
    body = bundle(
        "transaction",
        entry("GET", f"Observation?patient={house.patient}"),
        entry("POST", "Observation", observation),
        entry("POST", "Encounter", _encounter(house), fullUrl=VISIT),
    )
    answer = house.own.ask("POST", "", body)
    assert answer.status_code == 200, answer.content
    listed, first, second = answer.json()["entry"]
    assert first["response"]["status"] == second["response"]["status"] == "201 Created"
    # GET comes last, whatever its place.
    assert listed["resource"]["total"] == 1
    kind, key = second["response"]["location"].split("/")[:2]
    assert listed["resource"]["entry"][0]["resource"]["encounter"]["reference"] == f"{kind}/{key}"


def test_a_transaction_is_kept_whole_or_not_at_all(house: House) -> None:
    wrong = house.observation(status="done")
    answer = house.own.ask(
        "POST",
        "",
        bundle("transaction", entry("POST", "Encounter", _encounter(house)), entry("POST", "Observation", wrong)),
    )
    assert answer.status_code == 422
    issue = answer.json()["issue"][0]
    assert (issue["code"], issue["expression"]) == ("code-invalid", ["Bundle.entry[1].resource.status"])
    dangling = house.observation(encounter={"reference": VISIT})
    answer = house.own.ask(
        "POST",
        "",
        bundle("transaction", entry("POST", "Encounter", _encounter(house)), entry("POST", "Observation", dangling)),
    )
    assert answer.json()["issue"][0]["expression"] == ["Bundle.entry[1].resource.encounter"]
    assert _count(house, "Encounter") == _count(house, "Observation") == 0


def test_a_batch_answers_each_entry_on_its_own(house: House) -> None:
    made = house.own.ask("POST", "Observation", house.observation()).json()
    steps = json.dumps([{"op": "replace", "path": "/status", "value": "amended"}]).encode()
    patch = {
        "resourceType": "Binary",
        "contentType": "application/json-patch+json",
        "data": base64.b64encode(steps).decode(),
    }
    body = bundle(
        "batch",
        entry("GET", f"Observation/{made['id']}"),
        entry("POST", "Observation", house.observation(status="done")),
        entry("PATCH", f"Observation/{made['id']}", patch, ifMatch='W/"1"'),
        entry("GET", "Observation/none"),
        entry("GET", "Nothing?x=1"),
        entry("POST", "Encounter", _encounter(house)),
        {"request": {"method": "FETCH", "url": "x"}},
        entry("DELETE", f"Observation?_id={made['id']}-none"),
        entry("GET", "../accounts/login/"),
        7,  # type: ignore[arg-type]
    )
    found = house.own.ask("POST", "", body).json()
    statuses = [one["response"]["status"][:3] for one in found["entry"]]
    assert statuses == ["200", "422", "200", "404", "404", "201", "422", "204", "404", "422"]
    assert found["entry"][0]["resource"]["status"] == "amended"
    place = found["entry"][1]["response"]["outcome"]["issue"][0]["expression"]
    assert place == ["Observation.status"]


def test_operations_stand_in_a_batch(house: House) -> None:
    person = {"resourceType": "Patient", "name": [{"text": "周桂兰"}], "birthDate": "1963-09-15", "gender": "female"}
    asked = {"resourceType": "Parameters", "parameter": [{"name": "resource", "resource": person}]}
    wrong = {"resourceType": "Observation", "status": "final"}
    body = bundle(
        "batch",
        entry("POST", "Patient/$match", asked),
        entry("POST", "Observation/$validate", wrong),
        entry("GET", "Subscription/$status"),
        entry("POST", "Patient/$nothing", asked),
        entry("GET", "a/b/c/d/e/f"),
    )
    answer = house.own.ask("POST", "", body)
    assert answer.status_code == 200, answer.content
    matched, judged, listed, unknown, nowhere = answer.json()["entry"]
    assert (matched["response"]["status"][:3], matched["resource"]["type"]) == ("200", "searchset")
    assert judged["resource"]["issue"][0]["severity"] == "error"
    assert (listed["resource"]["type"], listed["resource"]["total"]) == ("searchset", 0)
    assert [one["response"]["status"][:3] for one in (unknown, nowhere)] == ["404", "404"]
    refused = house.own.ask("POST", "", bundle("transaction", entry("POST", "Patient/$match", asked)))
    assert refused.status_code == 422


def test_conditions_of_a_transaction(house: House) -> None:
    mark = {"system": "urn:his", "value": "e-1"}
    visit = _encounter(house, identifier=[mark])
    house.own.ask("POST", "Encounter", visit)
    body = bundle(
        "transaction",
        entry("POST", "Encounter", visit, fullUrl=VISIT, ifNoneExist="identifier=urn:his|e-1"),
        entry("POST", "Observation", house.observation(encounter={"reference": VISIT})),
        entry("POST", "Observation", house.observation(encounter={"reference": "Encounter?identifier=urn:his|e-1"})),
        entry("PUT", "Encounter?identifier=urn:his|e-2", _encounter(house, identifier=[{**mark, "value": "e-2"}])),
    )
    found = house.own.ask("POST", "", body).json()["entry"]
    assert [one["response"]["status"][:3] for one in found] == ["200", "201", "201", "201"]
    key = found[0]["resource"]["id"]
    for place in (1, 2):
        location = found[place]["response"]["location"]
        stored = house.own.ask("GET", location).json()
        assert stored["encounter"]["reference"] == f"Encounter/{key}"
    unknown = house.observation(encounter={"reference": "Encounter?identifier=urn:his|e-404"})
    answer = house.own.ask("POST", "", bundle("transaction", entry("POST", "Observation", unknown)))
    assert answer.status_code == 422


def test_the_same_resource_twice_in_a_transaction_is_refused(house: House) -> None:
    made = house.own.ask("POST", "Observation", house.observation()).json()
    path = f"Observation/{made['id']}"
    body = bundle("transaction", entry("DELETE", path), entry("PUT", path, {**made, "status": "amended"}))
    answer = house.own.ask("POST", "", body)
    assert (answer.status_code, answer.json()["issue"][0]["code"]) == (400, "duplicate")
    assert house.own.ask("GET", path).status_code == 200


def test_delete_update_and_patch_in_a_transaction(house: House) -> None:
    made = [house.own.ask("POST", "Observation", house.observation()).json() for _ in range(3)]
    paths = [f"Observation/{one['id']}" for one in made]
    patch = {
        "resourceType": "Parameters",
        "parameter": [
            {
                "name": "operation",
                "part": [
                    {"name": "type", "valueCode": "replace"},
                    {"name": "path", "valueString": "Observation.status"},
                    {"name": "value", "valueCode": "corrected"},
                ],
            }
        ],
    }
    body = bundle(
        "transaction",
        entry("PATCH", paths[2], patch),
        entry("PUT", paths[1], {**made[1], "status": "amended"}, ifMatch='W/"1"'),
        entry("DELETE", paths[0]),
    )
    answer = house.own.ask("POST", "", body, prefer="return=representation")
    assert [one["response"]["status"][:3] for one in answer.json()["entry"]] == ["200", "200", "204"]
    assert answer.json()["entry"][0]["resource"]["status"] == "corrected"
    assert [house.own.ask("GET", path).status_code for path in paths] == [410, 200, 200]


def test_a_foreign_system_learns_nothing_from_a_transaction(house: House) -> None:
    made = house.own.ask("POST", "Observation", house.observation()).json()
    answers = []
    for key in (made["id"], "0b7a9a3e-5b6e-4f0c-9a55-0d8f2f1f0009"):
        body = bundle("transaction", entry("DELETE", f"Observation/{key}"))
        answer = house.foreign.ask("POST", "", body)
        answers.append((answer.status_code, answer.content.replace(key.encode(), b"")))
    assert answers[0] == answers[1]
    assert answers[0][0] == 404


def test_a_search_by_post_stands_in_a_bundle_with_its_parameters_beside_it(house: House) -> None:
    house.own.ask("POST", "Observation", house.observation())
    form = base64.b64encode(f"patient={house.patient}&code=8867-4".encode()).decode()
    told = {"resourceType": "Parameters", "parameter": [{"name": "patient", "valueString": house.patient}]}
    for kind in ("batch", "transaction"):
        answer = house.own.ask("POST", "", bundle(
            kind,
            entry("POST", f"Observation/_search?patient={house.patient}"),
            entry("POST", "Observation/_search?code=8867-4", told),
            entry("POST", "Observation/_search", {"resourceType": "Binary", "contentType": "application/x-www-form-urlencoded", "data": form}),
            entry("POST", "_search?_type=Observation", told),
            entry("POST", f"{house.patient}/Observation/_search"),
        ))  # fmt: skip
        assert answer.status_code == 200, answer.content
        for one in answer.json()["entry"]:
            assert one["response"]["status"] == "200 OK", one
            assert [found["resource"]["resourceType"] for found in one["resource"]["entry"]] == ["Observation"], one
    wrong = house.own.ask("POST", "", bundle(
        "batch",
        entry("POST", "Observation/_search?misspelt=1"),
        entry("POST", "Observation/_search", house.observation()),
        entry("POST", "Observation/_search", {"resourceType": "Binary", "contentType": "text/plain", "data": "eA=="}),
        entry("POST", "Observation/_search", {"resourceType": "Parameters", "parameter": [{"name": "patient", "valueReference": {}}]}),
    )).json()["entry"]  # fmt: skip
    assert [one["response"]["status"] for one in wrong] == ["400", "422", "422", "422"]
