"""$everything, $validate, $document and the terminology operations."""

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from doorstep.kernel.access.actor import Purpose, system_actor
from doorstep.kernel.access.session import acting
from doorstep.kernel.fhir.validation import problems
from doorstep.kernel.record import actions as record
from doorstep.kernel.record.publishing import Published
from tests.fhir.house import House, make_house

pytestmark = pytest.mark.django_db


@pytest.fixture
def house(client: Client) -> House:
    return make_house(client)


def _publish_patient(house: House) -> None:
    content = {"resourceType": "Patient", "id": str(house.resident.key), "name": [{"text": house.resident.name}]}
    with acting(system_actor(Purpose.IMPORT)) as actor:
        published = Published(content=content, organization_id=None, occurred_at=house.resident.created_at)
        record.publish(published, resident_id=house.resident.id, actor=actor)


def test_everything_comes_in_pages_and_only_to_those_who_may_see(house: House) -> None:
    _publish_patient(house)
    made = {house.own.ask("POST", "Observation", house.observation()).json()["id"] for _ in range(5)}
    path = f"{house.patient}/$everything?_count=2"
    seen: list[str] = []
    while path:
        page = house.own.ask("GET", path).json()
        seen += [one["resource"]["id"] for one in page.get("entry", [])]
        path = next((one["url"].split("/fhir/")[1] for one in page["link"] if one["relation"] == "next"), "")
    assert seen[0] == str(house.resident.key)
    assert made < set(seen)
    assert len(seen) == len(set(seen))
    assert house.foreign.ask("GET", f"{house.patient}/$everything").status_code == 404
    only = house.own.ask("GET", f"{house.patient}/$everything?_type=Observation").json()
    assert {one["resource"]["resourceType"] for one in only["entry"]} == {"Observation"}
    day = house.observation()["effectiveDateTime"][:10]
    within = house.own.ask("GET", f"{house.patient}/$everything?_type=Observation&start={day}&end={day}").json()
    assert {one["resource"]["id"] for one in within["entry"]} == made
    later = house.own.ask("GET", f"{house.patient}/$everything?_type=Observation&start=2099-01-01").json()
    assert "entry" not in later
    assert house.own.ask("GET", f"{house.patient}/$everything?_type=Nix").status_code == 400


def test_validate_names_every_problem_and_keeps_nothing(house: House) -> None:
    good = house.own.ask("POST", "Observation/$validate", house.observation()).json()
    assert good["issue"][0]["severity"] == "information"
    wrong = house.observation(status="done", valueString="x", code=None)
    found = house.own.ask("POST", "Observation/$validate", wrong)
    assert found.status_code == 200
    places = {one["expression"][0] for one in found.json()["issue"]}
    assert places == {"Observation.status", "Observation.value", "Observation.code"}
    wrapped = {"resourceType": "Parameters", "parameter": [{"name": "resource", "resource": wrong}]}
    assert len(house.own.ask("POST", "Observation/$validate", wrapped).json()["issue"]) == 3
    assert house.own.ask("GET", "Observation/_history").json().get("entry") is None


def test_document_gathers_what_the_composition_names(house: House) -> None:
    observation = house.own.ask("POST", "Observation", house.observation()).json()
    composition: dict[str, Any] = {
        "resourceType": "Composition",
        "status": "final",
        "type": {"text": "出院小结"},
        "subject": {"reference": house.patient},
        "date": "2026-05-02",
        "author": [{"display": "王主任"}],
        "title": "出院小结",
        "section": [{"title": "检查", "entry": [{"reference": f"Observation/{observation['id']}"}]}],
    }
    made = house.own.ask("POST", "Composition", composition)
    found = house.own.ask("GET", f"Composition/{made.json()['id']}/$document").json()
    assert (found["type"], found["entry"][0]["resource"]["resourceType"]) == ("document", "Composition")
    assert observation["id"] in {one["resource"]["id"] for one in found["entry"]}
    assert house.foreign.ask("GET", f"Composition/{made.json()['id']}/$document").status_code == 404


def test_terminology(house: House) -> None:
    system = {
        "resourceType": "CodeSystem",
        "url": "urn:his:wards",
        "status": "active",
        "content": "complete",
        "concept": [{"code": "A1", "display": "心内一"}, {"code": "A2", "display": "心内二"}],
    }
    assert house.own.ask("POST", "CodeSystem", system).status_code == 201
    value_set = {
        "resourceType": "ValueSet",
        "url": "urn:his:heart-wards",
        "status": "active",
        "compose": {"include": [{"system": "urn:his:wards"}]},
    }
    house.own.ask("POST", "ValueSet", value_set)
    mapping = {
        "resourceType": "ConceptMap",
        "url": "urn:his:map",
        "status": "active",
        "group": [
            {
                "source": "urn:his:wards",
                "target": "urn:other",
                "element": [{"code": "A1", "target": [{"code": "X", "equivalence": "equivalent"}]}],
            }
        ],
    }
    house.own.ask("POST", "ConceptMap", mapping)
    named = house.own.ask("GET", "CodeSystem/$lookup?system=urn:his:wards&code=A2").json()
    assert {"name": "display", "valueString": "心内二"} in named["parameter"]
    assert house.own.ask("GET", "CodeSystem/$lookup?system=urn:his:wards&code=B").status_code == 404
    expanded = house.own.ask("GET", "ValueSet/$expand?url=urn:his:heart-wards&filter=一").json()["expansion"]
    assert expanded["timestamp"][:10] == timezone.now().isoformat()[:10]
    told = house.own.ask("GET", "metadata?mode=terminology").json()
    assert told["expansion"]["paging"] is True
    assert problems(told) == []
    page = house.own.ask(
        "GET", "ValueSet/$expand?url=http://hl7.org/fhir/ValueSet/administrative-gender&count=1&offset=2"
    ).json()
    assert (page["expansion"]["total"], page["expansion"]["offset"], len(page["expansion"]["contains"])) == (4, 2, 1)
    assert [one["code"] for one in expanded["contains"]] == ["A1"]
    for code, expected in (("final", True), ("done", False)):
        url = "http://hl7.org/fhir/ValueSet/observation-status"
        found = house.own.ask("GET", f"ValueSet/$validate-code?url={url}&code={code}").json()
        assert found["parameter"][0] == {"name": "result", "valueBoolean": expected}
    moved = house.own.ask("GET", "ConceptMap/$translate?url=urn:his:map&system=urn:his:wards&code=A1").json()
    assert moved["parameter"][1]["part"][1]["valueCoding"] == {"system": "urn:other", "code": "X"}
    assert house.own.ask("GET", "Observation/$nothing").status_code == 404


def test_operations_that_change_nothing_are_called_by_post_too(house: House) -> None:
    _publish_patient(house)
    house.own.ask("POST", "Observation", house.observation())
    body = {"resourceType": "Parameters", "parameter": [{"name": "_type", "valueCode": "Observation"}]}
    by_post = house.own.ask("POST", f"{house.patient}/$everything", body)
    assert by_post.status_code == 200, by_post.content
    assert {one["resource"]["resourceType"] for one in by_post.json()["entry"]} == {"Observation"}
    odd = {"resourceType": "Parameters", "parameter": [{"name": "_nix", "valueCode": "x"}]}
    assert house.own.ask("POST", f"{house.patient}/$everything", odd).status_code == 400
    assert house.own.ask("POST", f"{house.patient}/$everything", {"resourceType": "Bundle"}).status_code == 400


def test_validate_says_what_it_does_not_look_at(house: House) -> None:
    said = house.own.ask("POST", "Observation/$validate?profile=http://example.org/x", house.observation()).json()
    assert [one["severity"] for one in said["issue"]] == ["information", "warning"]
    core = "http://hl7.org/fhir/StructureDefinition/Observation"
    assert len(house.own.ask("POST", f"Observation/$validate?profile={core}", house.observation()).json()["issue"]) == 1
    assert house.own.ask("POST", "Observation/$validate?mode=nix", house.observation()).status_code == 400
    assert house.own.ask("POST", "Observation/$validate?prfile=x", house.observation()).status_code == 400
    made = house.own.ask("POST", "Observation", house.observation()).json()["id"]
    assert house.own.ask("POST", f"Observation/{made}/$validate?mode=delete").status_code == 200


def test_value_sets_of_r4_are_searched_by_and_expand_without_an_empty_address(house: House) -> None:
    house.own.ask("POST", "Observation", house.observation())
    status = "http://hl7.org/fhir/ValueSet/observation-status"
    assert len(house.own.ask("GET", f"Observation?status:in={status}").json()["entry"]) == 1
    assert "entry" not in house.own.ask("GET", f"Observation?status:not-in={status}").json()
    system = "http://hl7.org/fhir/administrative-gender"
    sent = {"resourceType": "ValueSet", "status": "active"}
    sent["compose"] = {"include": [{"system": system, "concept": [{"code": "male"}]}]}  # type: ignore[assignment]
    body = {"resourceType": "Parameters", "parameter": [{"name": "valueSet", "resource": sent}]}
    assert "url" not in house.own.ask("POST", "ValueSet/$expand", body).json()


def test_a_condition_on_the_patient_s_number_needs_no_system(house: House) -> None:
    number = house.resident.national_id
    content = {"resourceType": "Patient", "id": str(house.resident.key)}
    content["identifier"] = [{"system": "urn:oid:2.16.156.10011.1.3", "value": number}]  # type: ignore[assignment]
    with acting(system_actor(Purpose.IMPORT)) as actor:
        published = Published(content=content, organization_id=None, occurred_at=house.resident.created_at)
        record.publish(published, resident_id=house.resident.id, actor=actor)
    made = house.own.ask(
        "POST", "Observation", house.observation(subject={"reference": f"Patient?identifier={number}"})
    )
    assert made.status_code == 201, made.content
    assert made.json()["subject"]["reference"] == house.patient
