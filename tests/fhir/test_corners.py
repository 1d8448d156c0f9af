"""Corners that a tester found open: each was answered wrongly, or not said."""

import pytest
from django.test import Client

from tests.fhir.house import House, bundle, entry, make_house

pytestmark = pytest.mark.django_db
SAME = "urn:uuid:0b7a9a3e-5b6e-4f0c-9a55-0d8f2f1f0009"


@pytest.fixture
def house(client: Client) -> House:
    return make_house(client)


def test_summary_data_shows_everything_but_the_narrative(house: House) -> None:
    """It answered with a total and no entry."""
    text = {"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml">72</div>'}
    assert house.own.ask("POST", "Observation", house.observation(text=text)).status_code == 201
    for how, kept in (("data", {"code", "valueQuantity"}), ("text", {"text", "status"}), ("true", {"status", "code"})):
        found = house.own.ask("GET", f"Observation?_summary={how}").json()
        (shown,) = [one["resource"] for one in found["entry"]]
        assert kept <= shown.keys()
        assert ("text" in shown) is (how == "text")
        assert shown["meta"]["tag"][-1]["code"] == "SUBSETTED"
    single = house.own.ask("GET", f"Observation/{shown['id']}?_summary=data").json()
    assert "text" not in single
    assert "valueQuantity" in single


def test_one_address_stands_for_one_entry(house: House) -> None:
    """bdl-7: two entries under one fullUrl were both stored, and a reference to it meant the last."""
    twice = [entry("POST", "Observation", house.observation(), fullUrl=SAME) for _ in range(2)]
    answer = house.own.ask("POST", "", bundle("transaction", *twice))
    assert answer.status_code == 422
    assert answer.json()["issue"][0]["expression"] == ["Bundle.entry[1].fullUrl"]
    assert house.own.ask("GET", "Observation?_summary=count").json()["total"] == 0


@pytest.mark.parametrize("query", ["_sort=-bogus", "_include=Observation:bogus", "_revinclude=Provenance:bogus"])
def test_what_shapes_an_answer_is_refused_by_its_value(house: House, query: str) -> None:
    """The sentence named _sort itself as unknown, which it is not."""
    answer = house.own.ask("GET", f"Observation?{query}")
    assert answer.status_code == 400
    assert "bogus" in answer.content.decode()


def test_expand_without_a_value_set_says_what_is_missing(house: House) -> None:
    assert house.own.ask("GET", "ValueSet/$expand").status_code == 400
    assert house.own.ask("GET", "ValueSet/$expand?url=http://none.example").status_code == 404
