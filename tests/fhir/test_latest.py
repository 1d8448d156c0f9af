"""Observation/$lastn and Encounter/$everything."""

from typing import Any

import pytest
from django.test import Client

from doorstep.kernel.audit.models import AuditEntry
from tests.fhir.house import House, make_house

pytestmark = pytest.mark.django_db


@pytest.fixture
def house(client: Client) -> House:
    return make_house(client)


def _store(house: House, code: str, day: str, **more: Any) -> str:
    body = house.observation(
        code={"coding": [{"system": "http://loinc.org", "code": code}]},
        effectiveDateTime=f"{day}T08:00:00+08:00",
        **more,
    )
    answer = house.own.ask("POST", "Observation", body)
    assert answer.status_code == 201, answer.content
    return str(answer.json()["id"])


def _found(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.content
    return [one["resource"]["id"] for one in answer.json().get("entry", [])]


def test_the_newest_of_each_code_come_whatever_was_stored_last(house: House) -> None:
    newest = _store(house, "8867-4", "2026-05-03")
    middle = _store(house, "8867-4", "2026-05-02")
    _store(house, "8867-4", "2026-05-01")
    weight = _store(house, "29463-7", "2026-04-01")
    both = _store(house, "29463-7", "2026-04-01")
    path = f"Observation/$lastn?patient={house.patient}"
    assert set(_found(house.own.ask("GET", path))) == {newest, weight, both}
    assert set(_found(house.own.ask("GET", f"{path}&max=2"))) == {newest, middle, weight, both}
    assert _found(house.own.ask("GET", f"{path}&code=8867-4&date=le2026-05-02")) == [middle]
    assert _found(house.foreign.ask("GET", path)) == []
    assert house.own.ask("GET", "Observation/$lastn?code=8867-4").status_code == 400
    for wrong in ("max=0", "max=x", "max=101", "max=1&max=2", "colour=red"):
        assert house.own.ask("GET", f"{path}&{wrong}").status_code == 400, wrong


def test_who_read_the_newest_stands_in_the_trail(house: House) -> None:
    _store(house, "8867-4", "2026-05-03")
    before = AuditEntry.objects.filter(subject="Observation/$lastn").count()
    house.own.ask("GET", f"Observation/$lastn?patient={house.patient}")
    assert AuditEntry.objects.filter(subject="Observation/$lastn").count() == before + 1


def test_everything_of_an_encounter_is_the_encounter_whom_it_names_and_what_belongs_to_it(house: House) -> None:
    made = house.own.ask(
        "POST",
        "Encounter",
        {
            "resourceType": "Encounter",
            "status": "finished",
            "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"},
            "subject": {"reference": house.patient},
        },
    )
    assert made.status_code == 201, made.content
    key = f"Encounter/{made.json()['id']}"
    within = {_store(house, "8867-4", f"2026-05-0{day}", encounter={"reference": key}) for day in (1, 2, 3)}
    _store(house, "8867-4", "2026-05-04")
    page = house.own.ask("GET", f"{key}/$everything")
    kinds = {one["resource"]["resourceType"] for one in page.json()["entry"]}
    assert within < set(_found(page))
    assert len(_found(page)) == len(set(_found(page)))
    assert {"Encounter", "Observation"} <= kinds
    assert kinds <= {"Encounter", "Observation", "Patient"}
    assert set(_found(house.own.ask("GET", f"{key}/$everything?_type=Observation"))) == within
    assert _found(house.own.ask("GET", f"{key}/$everything?_type=Patient&_since=2099-01-01")) in (
        [],
        [str(house.resident.key)],
    )
    first = house.own.ask("GET", f"{key}/$everything?_count=2&_type=Observation").json()
    follow = next(one["url"] for one in first["link"] if one["relation"] == "next").split("/fhir")[1].lstrip("/")
    rest = house.own.ask("GET", follow).json()["entry"]
    assert {one["resource"]["id"] for one in [*first["entry"], *rest]} == within
    assert house.foreign.ask("GET", f"{key}/$everything").status_code == 404
    assert house.own.ask("GET", f"{key}/$everything?nix=1").status_code == 400
