"""GET /fhir?_type=…: several types at once, with parameters that each of them has."""

from typing import Any

import pytest
from django.test import Client

from tests.fhir.house import House, make_house

pytestmark = pytest.mark.django_db
_TAG = {"system": "http://hospital.example/tags", "code": "round-1"}


@pytest.fixture
def house(client: Client) -> House:
    return make_house(client)


def _made(house: House) -> list[str]:
    found = []
    for number in range(3):
        found.append(house.own.ask("POST", "Observation", house.observation(meta={"tag": [_TAG]})).json())
        flag = {
            "resourceType": "Flag",
            "status": "active",
            "code": {"text": f"note {number}"},
            "subject": {"reference": house.patient},
            **({"meta": {"tag": [_TAG]}} if number else {}),
        }
        found.append(house.own.ask("POST", "Flag", flag).json())
    return [f"{one['resourceType']}/{one['id']}" for one in found]


def _ids(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.content
    entries = answer.json().get("entry", [])
    return [
        f"{one['resource']['resourceType']}/{one['resource'].get('id')}"
        for one in entries
        if one["search"]["mode"] == "match"
    ]


def test_several_types_are_found_in_one_order_and_paged(house: House) -> None:
    made = _made(house)
    newest = list(reversed(made))
    query = "?_type=Flag,Observation&_lastUpdated=ge2020-01-01"
    assert _ids(house.own.ask("GET", query)) == newest
    # Pages hold while others write.
    page = house.own.ask("GET", f"{query}&_count=4&_total=accurate").json()
    assert page["total"] == 6
    assert len(page["entry"]) == 4
    house.own.ask("POST", "Observation", house.observation())
    following = next(one["url"] for one in page["link"] if one["relation"] == "next")
    assert following.startswith("http://testserver/fhir?_cursor=")
    rest = house.own.client.get(following, headers={"authorization": f"Bearer {house.own.token}"})
    assert [
        *(f"{one['resource']['resourceType']}/{one['resource']['id']}" for one in page["entry"]),
        *_ids(rest),
    ] == newest
    assert _ids(house.own.ask("GET", f"{query}&_sort=_lastUpdated"))[:6] == made
    assert _ids(house.own.ask("GET", f"?_type=Flag,Observation&_id={made[0].split('/')[1]}")) == [made[0]]
    tagged = f"?_tag={_TAG['system']}|{_TAG['code']}"
    assert set(_ids(house.own.ask("GET", tagged))) == set(made) - {made[1]}
    form = "_type=Flag&_tag=round-1"
    posted = house.own.ask("POST", "_search", form, kind="application/x-www-form-urlencoded")
    assert _ids(posted) == [made[5], made[3]]
    # What every one of the types has may be asked: here the patient.
    assert len(_ids(house.own.ask("GET", f"?_type=Flag,Observation&patient={house.patient}"))) == 7
    assert _ids(house.foreign.ask("GET", query)) == []


def test_parts_of_resources_counts_and_includes(house: House) -> None:
    _made(house)
    counted = house.own.ask("GET", "?_type=Flag,Observation&_summary=count").json()
    assert counted["total"] == 6
    assert "entry" not in counted
    short = house.own.ask("GET", "?_type=Flag,Observation&_elements=status").json()["entry"]
    assert all(set(one["resource"]) <= {"resourceType", "id", "meta", "status", "code", "subject"} for one in short)
    assert {one["resource"]["meta"]["tag"][-1]["code"] for one in short} == {"SUBSETTED"}
    assert house.own.ask("GET", "?_type=Observation&_summary=true").json()["entry"][0]["resource"]["valueQuantity"]


def test_what_is_misspelt_is_refused_by_name(house: House) -> None:
    for query, word in (
        ("?_type=Flag,Observatoin", "Observatoin"),
        ("?_type=Flag&_lastupdated=2026", "_lastupdated"),
        ("?_type=Flag,Observation&value-quantity=5", "value-quantity"),
        ("?_type=Flag,Observation&_sort=date", "_sort"),
        ("?status=final", "status"),
        ("?_type=Flag&_cursor=nonsense", "_cursor"),
    ):
        answer = house.own.ask("GET", query)
        assert (answer.status_code, answer.json()["resourceType"]) == (400, "OperationOutcome"), query
        assert word in answer.json()["issue"][0]["diagnostics"], answer.content
    lenient = house.own.ask("GET", "?_type=Flag,Observation&value-quantity=5", prefer="handling=lenient").json()
    assert [one["search"]["mode"] for one in lenient["entry"]] == ["outcome"]
    assert house.own.ask("PUT", "", {}).status_code == 405
    assert house.own.ask("PUT", "", {})["Allow"] == "GET, HEAD, POST"
    assert house.own.ask("GET", "_search")["Allow"] == "POST"
