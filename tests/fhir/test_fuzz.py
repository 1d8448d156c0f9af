"""Whatever a client sends, the answer is an OperationOutcome and never a fault of ours."""

import random
from typing import Any

import pytest
from django.test import Client

from tests.fhir.house import House, bundle, entry, make_house

ROUNDS = 300
PARTS = (
    "",
    "Observation",
    "Patient",
    "Nothing",
    "_history",
    "$validate",
    "$everything",
    "$expand",
    "$export",
    "_search",
    "metadata",
    "x",
    "%00",
    "a" * 90,
    "..",
    "1'--",
    "中文",
)
QUERIES = (
    "",
    "_count=-1",
    "_count=99999999999999999999",
    "_since=x",
    "_at=2026-99",
    "_format=xml",
    "identifier=|",
    "_id=%00",
    "patient=Patient/" + "9" * 200,
    "_before=x",
    "url=%27",
    "code:in=1",
    "date=ge0000",
    "_lastUpdated=ap9999-12-31",
)
HEADERS: tuple[dict[str, str], ...] = (
    {},
    {"if_match": "x"},
    {"if_match": 'W/"1"'},
    {"if_none_match": "*"},
    {"if_modified_since": "yesterday"},
    {"if_none_exist": "identifier"},
    {"if_none_exist": "_id=%00"},
    {"prefer": "return=;;=x"},
    {"accept": "text/turtle"},
    {"content_encoding": "gzip"},
)
KINDS = ("application/fhir+json", "application/json-patch+json", "application/xml", "text/plain")


@pytest.mark.slow
@pytest.mark.django_db
def test_no_route_ever_fails(client: Client) -> None:
    house = make_house(client)
    chance = random.Random(20_261_122)
    made = house.own.ask("POST", "Observation", house.observation()).json()["id"]
    for _ in range(ROUNDS):
        path = "/".join(chance.choice((*PARTS, made)) for _ in range(chance.randint(0, 4)))
        address = f"{path}?{chance.choice(QUERIES)}" if chance.random() < 0.5 else path
        method = chance.choice(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"))
        body = _body(house, chance)
        answer = house.own.ask(method, address, body, kind=chance.choice(KINDS), **chance.choice(HEADERS))
        assert answer.status_code < 500, (method, address, body, answer.content)


def _body(house: House, chance: random.Random) -> Any:
    whole = house.observation()
    for _ in range(chance.randint(0, 3)):
        whole[chance.choice(list(whole))] = _junk(chance)
    return chance.choice(
        (
            None,
            b"\xff\xfe",
            "{",
            '{"resourceType":"Observation","valueString":"\\u0000"}',
            '{"resourceType":"Observation","valueString":"\\ud800"}',
            '{"a":1e999999999}',
            "[" * 20_000,
            whole,
            {"resourceType": _junk(chance)},
            [{"op": "add", "path": _junk(chance), "value": 1}],
            bundle(chance.choice(("batch", "transaction", "document")), entry("POST", "Observation", whole)),
            bundle("transaction", entry(chance.choice(("PUT", "PATCH", "DELETE", "GET")), "Observation/x?y", whole)),
            bundle("batch", {"request": _junk(chance), "resource": _junk(chance)}),
            {"resourceType": "Bundle", "type": "batch", "entry": _junk(chance)},
            {"resourceType": "Parameters", "parameter": [{"name": "operation", "part": _junk(chance)}]},
        )
    )


def _junk(chance: random.Random) -> Any:
    return chance.choice(
        (None, True, -1, 1.5, "", "x", "\u202e", [], [[]], {}, {"coding": [7]}, {"reference": 5}, [None], "9" * 5_000)
    )
