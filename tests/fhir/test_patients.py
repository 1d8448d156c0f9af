"""Registering and changing residents through FHIR by the page's own action, and Patient/$match with the page's judgement."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from doorstep.kernel.access.actor import Purpose, system_actor
from doorstep.kernel.access.models import ApiClient, CareRelationship
from doorstep.kernel.access.session import acting
from doorstep.kernel.audit.models import AuditEntry
from doorstep.kernel.fhir import systems
from doorstep.people.residents.indexes import number_index
from doorstep.people.residents.models import Resident
from doorstep.people.residents.tests.factories import ZHOU_NUMBER, make_resident
from doorstep.site.actors import of_system
from tests.fhir.house import House, System, bundle, entry, make_house, token_of

pytestmark = pytest.mark.django_db
NUMBER = "439981197001010014"
_GRADE = "http://hl7.org/fhir/StructureDefinition/match-grade"


@pytest.fixture
def house(client: Client) -> House:
    house = make_house(client)
    _may_register("his")
    return house


def _may_register(*names: str) -> None:
    with acting(system_actor(Purpose.IMPORT)):
        ApiClient.objects.filter(name__in=names).update(registers=True)


def _patient(**changes: Any) -> dict[str, Any]:
    whole = {
        "resourceType": "Patient",
        "identifier": [
            {"system": "urn:oid:1.2.3.4", "value": "M0001"},
            {"system": systems.NATIONAL_ID, "value": NUMBER},
        ],
        "name": [{"family": "韩", "given": ["立", "新"]}],
        "gender": "male",
        "birthDate": "1970-01-01",
        "telecom": [{"system": "phone", "value": "+86 199-0000-5678"}],
        "address": [{"city": "禾川县", "district": "清溪镇", "line": ["石桥村 5 组"]}],
        **changes,
    }
    return {name: value for name, value in whole.items() if value is not None}


def _issues(answer: Any) -> list[tuple[str, str]]:
    return [(one["code"], one.get("expression", [""])[0]) for one in answer.json()["issue"]]


def test_create_registers_as_the_desk_does_and_opens_thirty_days(house: House) -> None:
    answer = house.own.ask("POST", "Patient", _patient())
    assert answer.status_code == 201, answer.content
    made = answer.json()
    assert (made["name"][0]["text"], made["telecom"][0]["value"]) == ("韩立新", "19900005678")
    assert made["address"][0]["text"] == "禾川县清溪镇石桥村 5 组"
    assert made["identifier"][0]["value"] == NUMBER
    with acting(system_actor(Purpose.IMPORT)):
        resident = Resident.objects.get(key=made["id"])
        opened = CareRelationship.objects.get(resident_id=resident.pk)
        lasts = opened.closes_at - opened.opened_at if opened.closes_at else timedelta()
        assert (opened.reason, opened.organization_id) == ("visit", house.world.lead)
        assert timedelta(days=29, hours=23) < lasts <= timedelta(days=30)
        assert AuditEntry.objects.filter(action="resident.register", resident_id=resident.pk).exists()
    assert house.own.ask("GET", f"Patient/{made['id']}").status_code == 200
    assert house.foreign.ask("GET", f"Patient/{made['id']}").status_code == 404


def test_create_needs_the_right_and_a_server_given_id(house: House) -> None:
    assert house.foreign.ask("POST", "Patient", _patient()).status_code == 403
    assert house.own.ask("PUT", "Patient/his-1", _patient(id="his-1")).status_code == 405
    with acting(system_actor(Purpose.IMPORT)):
        assert not Resident.objects.filter(name="韩立新").exists()


def test_create_refuses_what_the_page_refuses_at_its_place(house: House) -> None:
    wrong = {
        "birthDate": "1970-01-02",
        "gender": "female",
        "telecom": [{"system": "email", "value": "a@b"}, {"system": "phone", "value": "12"}],
    }
    answer = house.own.ask("POST", "Patient", _patient(**wrong))
    assert answer.status_code == 422
    assert {place for _, place in _issues(answer)} == {
        "Patient.birthDate",
        "Patient.gender",
        "Patient.telecom[1].value",
    }
    typo = [{"system": systems.NATIONAL_ID, "value": NUMBER[:-1] + "7"}]
    assert _issues(house.own.ask("POST", "Patient", _patient(identifier=typo))) == [
        ("business-rule", "Patient.identifier[0].value")
    ]
    bare = house.own.ask("POST", "Patient", {"resourceType": "Patient"})
    assert _issues(bare) == [
        ("required", "Patient.name"),
        ("required", "Patient.birthDate"),
        ("required", "Patient.gender"),
    ]
    dead = house.own.ask("POST", "Patient", _patient(deceasedBoolean=True))
    assert (dead.status_code, _issues(dead)) == (422, [("business-rule", "Patient.deceasedBoolean")])


def test_create_of_a_number_that_is_taken_shows_nothing_and_counts(house: House) -> None:
    # Zhou is in the sight of the lead hospital; the stranger's number is not.
    make_resident(organization_id=house.world.other_village, name="韩立新", number=NUMBER, phone="")
    answer = house.own.ask("POST", "Patient", _patient())
    assert answer.status_code == 409
    assert _issues(answer) == [("duplicate", "Patient.identifier[1].value")]
    assert "柳林" not in answer.content.decode()
    in_bundle = house.own.ask("POST", "", bundle("transaction", entry("POST", "Patient", _patient())))
    assert (in_bundle.status_code, _issues(in_bundle)) == (
        409,
        [("duplicate", "Bundle.entry[0].resource.identifier[1].value")],
    )
    batch = house.own.ask("POST", "", bundle("batch", entry("POST", "Patient", _patient()))).json()
    assert batch["entry"][0]["response"]["status"] == "409"
    with acting(system_actor(Purpose.IMPORT)):
        client = ApiClient.objects.get(name="his")
        assert AuditEntry.objects.filter(action="resident.register-taken", user_id=-client.pk).count() == 3
    assert not _closed(client)
    for _ in range(2):
        house.own.ask("POST", "Patient", _patient())
    assert _closed(client)


def _closed(client: ApiClient) -> bool:
    """Whether the desk of this system is closed after too many tries."""
    with acting(of_system(client)), connection.cursor() as cursor:
        cursor.execute("SELECT residents_presence_closed(%s)", [number_index(NUMBER)])
        return bool(cursor.fetchone()[0])


def test_if_none_exist_finds_the_resident_in_sight(house: House) -> None:
    made = house.own.ask("POST", "Patient", _patient()).json()["id"]
    condition = f"identifier={systems.NATIONAL_ID}|{NUMBER}"
    again = house.own.ask("POST", "Patient", _patient(), If_None_Exist=condition)
    assert (again.status_code, again.json()["id"]) == (200, made)


def test_a_transaction_registers_and_writes_about_the_resident(house: House) -> None:
    new = entry("POST", "Patient", _patient(), fullUrl="urn:uuid:0b7a9a3e-5b6e-4f0c-9a55-0d8f2f1f0001")
    about = house.observation(subject={"reference": new["fullUrl"]})
    answer = house.own.ask("POST", "", bundle("transaction", entry("POST", "Observation", about), new))
    assert answer.status_code == 200, answer.content
    patient = answer.json()["entry"][1]["response"]["location"].split("/_history")[0]
    found = house.own.ask("GET", f"Observation?subject={patient}").json()
    assert found["total"] == 1


def test_update_changes_phone_and_address_and_nothing_on_the_card(house: House) -> None:
    made = house.own.ask("POST", "Patient", _patient()).json()
    path = f"Patient/{made['id']}"
    moved = {**made, "telecom": [{"system": "phone", "value": "19900009999"}], "address": [{"text": "新村 1 号"}]}
    answer = house.own.ask("PUT", path, moved, If_Match='W/"1"')
    assert answer.status_code == 200, answer.content
    assert (answer.json()["telecom"][0]["value"], answer.json()["meta"]["versionId"]) == ("19900009999", "2")
    with acting(system_actor(Purpose.IMPORT)):
        assert Resident.objects.get(key=made["id"]).address == "新村 1 号"
    other = {**moved, "birthDate": "1970-01-03", "name": [{"text": "韩新"}], "deceasedBoolean": True}
    refused = house.own.ask("PUT", path, other)
    assert refused.status_code == 422
    assert {place for _, place in _issues(refused)} == {
        "Patient.name",
        "Patient.birthDate",
        "Patient.deceasedBoolean",
    }
    patched = [{"op": "replace", "path": "/address/0/text", "value": "新村 2 号"}]
    assert house.own.ask("PATCH", path, patched, kind="application/json-patch+json").status_code == 200
    assert house.own.ask("PUT", path, moved, If_Match='W/"1"').status_code == 412
    assert house.foreign.ask("PUT", path, moved).status_code in (404, 405)
    assert house.own.ask("DELETE", path).status_code == 405


def _asked(patient: dict[str, Any], **more: Any) -> dict[str, Any]:
    parts: list[dict[str, Any]] = [{"name": "resource", "resource": {"resourceType": "Patient", **patient}}]
    if "certain" in more:
        parts.append({"name": "onlyCertainMatches", "valueBoolean": more["certain"]})
    if "count" in more:
        parts.append({"name": "count", "valueInteger": more["count"]})
    return {"resourceType": "Parameters", "parameter": parts}


@pytest.fixture
def desk(house: House, client: Client) -> System:
    """The village's own system: it has the published Patient in its sight."""
    village = System(client, token_of(house.world.village, "village"))
    _may_register("village")
    return village


ZHANG: dict[str, Any] = {
    "identifier": [{"system": systems.NATIONAL_ID, "value": NUMBER}],
    "name": [{"text": "韩立新"}],
    "gender": "male",
    "birthDate": "1970-01-01",
}


def test_match_grades_those_in_sight(house: House, desk: System) -> None:
    made = desk.ask("POST", "Patient", _patient()).json()
    found = desk.ask("POST", "Patient/$match", _asked(ZHANG)).json()
    first = found["entry"][0]
    assert (found["type"], found["total"], first["resource"]["id"]) == ("searchset", 1, made["id"])
    assert first["search"]["score"] >= 0.99
    assert first["search"]["extension"] == [{"url": _GRADE, "valueCode": "certain"}]
    near = {"name": [{"text": "韩力新"}], "birthDate": "1970-01-01"}
    alike = desk.ask("POST", "Patient/$match", _asked(near, count=1)).json()
    assert alike["entry"][0]["search"]["extension"][0]["valueCode"] in ("possible", "probable")
    assert desk.ask("POST", "Patient/$match", _asked(near, certain=True)).json()["total"] == 0
    assert desk.ask("POST", "Patient/$match", _asked(ZHANG, certain=True)).json()["total"] == 1
    with acting(system_actor(Purpose.IMPORT)):
        assert AuditEntry.objects.filter(action="fhir.match").count() == 3


def test_match_out_of_sight_hints_and_gives_no_data(house: House) -> None:
    zhou = {"identifier": [{"system": systems.NATIONAL_ID, "value": ZHOU_NUMBER}]}
    answer = house.foreign.ask("POST", "Patient/$match", _asked(zhou))
    found = answer.json()
    assert (answer.status_code, found["total"]) == (200, 0)
    issue = found["entry"][0]["resource"]["issue"][0]
    assert issue["details"]["coding"] == [{"system": systems.MATCH_HINT, "code": "registered-elsewhere"}]
    for word in ("周桂兰", "1963", str(house.resident.key), "石桥"):
        assert word not in answer.content.decode()
    nobody = {"identifier": [{"system": systems.NATIONAL_ID, "value": NUMBER}]}
    assert "entry" not in house.foreign.ask("POST", "Patient/$match", _asked(nobody)).json()


def test_match_out_of_sight_is_counted_like_the_page(house: House) -> None:
    numbers = [f"43998119800101{number:03d}" for number in range(1, 8)]
    whole = [number + _check(number) for number in numbers]
    for number in whole:
        make_resident(organization_id=house.world.village, name="李某", number=number, phone="")
    codes = []
    for number in whole:
        asked = _asked({"identifier": [{"system": systems.NATIONAL_ID, "value": number}]})
        found = house.foreign.ask("POST", "Patient/$match", asked).json()
        codes.append(found["entry"][0]["resource"]["issue"][0]["details"]["coding"][0]["code"])
    assert codes == ["registered-elsewhere"] * 5 + ["asked-too-much"] * 2


def _check(number: str) -> str:
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    total = sum(int(digit) * weight for digit, weight in zip(number, weights, strict=True))
    return "10X98765432"[total % 11]


def test_match_refuses_what_it_cannot_read(house: House) -> None:
    assert house.own.ask("GET", "Patient/$match").status_code == 405
    assert _issues(house.own.ask("POST", "Patient/$match", {"resourceType": "Patient"})) == [("invalid", "Parameters")]
    empty = house.own.ask("POST", "Patient/$match", {"resourceType": "Parameters"})
    assert (empty.status_code, _issues(empty)) == (400, [("required", "Parameters.parameter")])
    wrong = house.own.ask("POST", "Patient/$match", _asked({"birthDate": "yesterday"}))
    assert (wrong.status_code, _issues(wrong)[0][1]) == (422, "Parameters.parameter[0].resource.birthDate")
    assert house.own.ask("POST", "Patient/$match", _asked(ZHANG, count=0)).status_code == 400
