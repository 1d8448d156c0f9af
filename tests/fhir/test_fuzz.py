"""Whatever a machine sends, the answer says what is wrong in the form of its standard and is never a fault of ours.

DOORSTEP_FUZZ_SEEDS=20 walks so many seeds instead of one (CONTRIBUTING.md).
"""

import os
from typing import Any

import orjson
import pytest
from django.test import Client

from tests.exchange.factories import adt, make_connection, oru, take
from tests.fhir.fuzzing import Chaos, Request, routes
from tests.fhir.house import House, make_house

FIRST = 20_261_122
SEEDS = int(os.environ.get("DOORSTEP_FUZZ_SEEDS", "1"))
MACHINES = ("fhir", "oauth/", "cds-services")
# Each route is asked so often with a seed.
TIMES = 12
_OAUTH = ("/oauth/token", "/oauth/revoke", "/oauth/introspect")


@pytest.fixture
def house(client: Client) -> House:
    return make_house(client)


@pytest.mark.slow
@pytest.mark.django_db
@pytest.mark.parametrize("seed", range(FIRST, FIRST + SEEDS))
def test_no_route_ever_fails(house: House, seed: int) -> None:
    chaos = furnished(house, seed)
    for route in routes(MACHINES):
        for _ in range(TIMES):
            request = chaos.draw(route)
            answer = asked(house, request)
            fault = fault_of(answer, request)
            assert not fault, (fault, request, answer.status_code, answer.content[:500])


def furnished(house: House, seed: int) -> Chaos:
    """A house with something of each kind in it, and chance from a seed."""
    chaos = Chaos(seed)
    chaos.house, chaos.known = house, {}
    patient, code = {"reference": house.patient}, {"text": "x"}
    composition = {
        "resourceType": "Composition", "status": "final", "type": code, "subject": patient, "date": "2026-11-22",
        "title": "x", "author": [{"display": "x"}],
    }  # fmt: skip
    group = {"resourceType": "Group", "type": "person", "actual": True, "member": [{"entity": patient}]}
    order = {"resourceType": "ServiceRequest", "status": "active", "intent": "order", "subject": patient, "code": code}
    wanted: list[dict[str, Any]] = [house.observation(), house.observation(), composition, group, order]
    wanted += [
        {"resourceType": "ValueSet", "status": "active", "url": "urn:v", "compose": {"include": [{"system": "urn:s", "concept": [{"code": "a"}]}]}},
        {"resourceType": "CodeSystem", "status": "active", "url": "urn:s", "content": "complete", "concept": [{"code": "a"}]},
        {"resourceType": "ConceptMap", "status": "active", "url": "urn:m", "group": [
            {"source": "urn:s", "target": "urn:t", "element": [{"code": "a", "target": [{"code": "b", "equivalence": "equal"}]}]}]},
    ]  # fmt: skip
    for one in wanted:
        made = house.own.ask("POST", one["resourceType"], one)
        assert made.status_code == 201, made.content
        chaos.known.setdefault(one["resourceType"], []).append(made.json()["id"])
    return chaos


def asked(house: House, request: Request) -> Any:
    """Send it as the hospital's system."""
    given = {name.replace("_", "-"): value for name, value in request.headers.items()}
    return house.own.client.generic(
        request.method,
        request.address,
        request.body,
        content_type=request.kind,
        headers={"authorization": f"Bearer {house.own.token}", **given},
    )


def fault_of(answer: Any, request: Request) -> str:
    """What is wrong with an answer; "" when it is as its standard wants it."""
    method, path = request.method, request.address.partition("?")[0]
    if answer.status_code >= 500:
        return "a fault of ours"
    if answer.status_code < 400 or method == "HEAD" or "/.well-known/" in path:
        return ""
    if path.startswith("/oauth/"):
        return (
            ""
            if path not in _OAUTH or answer.status_code in (405, 403) or "error" in orjson.loads(answer.content)
            else "no OAuth error"
        )
    try:
        body = orjson.loads(answer.content)
    except orjson.JSONDecodeError:
        return "no JSON"
    if body.get("resourceType") != "OperationOutcome" or not body.get("issue"):
        return "no OperationOutcome"
    return "" if all(one.get("diagnostics") for one in body["issue"]) else "no sentence"


@pytest.mark.django_db
@pytest.mark.parametrize("seed", range(FIRST, FIRST + SEEDS))
def test_no_message_ever_fails(house: House, seed: int) -> None:
    chaos = Chaos(seed)
    connection = make_connection(house.world.lead, consortium_id=house.world.consortium_id)
    for number in range(12):
        whole = chaos.choice((adt("A01", f"F{number}", at="20260501103000"), oru(f"F{number}")))
        for _ in range(chaos.randint(1, 4)):
            # The header is judged before a message is stored (test_server.py).
            at = chaos.randrange(whole.index("\r") + 1, len(whole))
            whole = (
                whole[:at]
                + chaos.choice(("|", "^", "~", "\\", "&", "\r", "", "\x01", "9" * 300, "𝌆", "20269999"))
                + whole[at + chaos.randint(0, 3) :]
            )
        (message,) = take(connection, whole)
        assert message.state != "received", whole
        assert message.error_kind != "internal", (message.error_facts, whole)
