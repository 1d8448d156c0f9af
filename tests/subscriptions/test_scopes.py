"""Scopes that were taken from a system end what it was told; by its events a token reads no type that it does not read by itself."""

from collections.abc import Iterator

import pytest
from django.test import Client

from doorstep.kernel.access.models import ApiClient
from doorstep.kernel.access.session import acting
from tests.fhir.house import House, System, make_house
from tests.fhir.test_oauth import _ask, _assertion, _system
from tests.subscriptions.receiver import SYSTEM, Receiver, allow, by_criteria, listening, run, states

pytestmark = pytest.mark.django_db
ALL = "system/Subscription.crs system/Observation.crs system/Condition.crs"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with listening() as found:
        yield found


@pytest.fixture
def house(client: Client) -> House:
    return make_house(client)


def _narrowed(scopes: str) -> None:
    with acting(SYSTEM):
        ApiClient.objects.filter(name="lab").update(scopes=scopes)


def _observed(house: House) -> None:
    assert house.own.ask("POST", "Observation", house.observation()).status_code == 201


@pytest.mark.parametrize(
    ("criteria", "left"),
    [
        ("Observation", "system/Subscription.crs system/Condition.rs"),
        ("Observation?focus:Condition.code=x", "system/Subscription.crs system/Observation.rs"),
    ],
)
def test_nothing_is_told_beyond_the_scopes_of_today(house: House, receiver: Receiver, criteria: str, left: str) -> None:
    key = _system(house, ALL)
    allow("lab")
    problem = {
        "resourceType": "Condition",
        "subject": {"reference": house.patient},
        "code": {"coding": [{"code": "x"}]},
    }
    named = house.own.ask("POST", "Condition", problem).json()
    seen = house.observation(focus=[{"reference": f"Condition/{named['id']}"}])
    lab = System(Client(), _ask(Client(), _assertion(key), ALL).json()["access_token"])
    made = lab.ask("POST", "Subscription", by_criteria(receiver.url, criteria, payload=True))
    assert made.status_code == 201, made.content
    assert house.own.ask("POST", "Observation", seen).status_code == 201
    run()
    assert len(receiver.heard) == 1
    _narrowed(left)
    assert house.own.ask("POST", "Observation", seen).status_code == 201
    run()
    run()
    assert len(receiver.heard) == 1
    narrow = System(Client(), _ask(Client(), _assertion(key), "system/Subscription.rs").json()["access_token"])
    shown = narrow.ask("GET", f"Subscription/{made.json()['id']}").json()
    assert shown["status"] == "error"


def test_events_hold_what_the_token_reads(house: House, receiver: Receiver) -> None:
    key = _system(house, ALL)
    allow("lab")
    lab = System(Client(), _ask(Client(), _assertion(key), ALL).json()["access_token"])
    made = lab.ask("POST", "Subscription", by_criteria(receiver.url, "Observation", payload=True)).json()
    _observed(house)
    run()
    assert states() == [(1, "delivered")]
    path = f"Subscription/{made['id']}/$events?content=full-resource"
    assert len(lab.ask("GET", path).json()["entry"]) == 2
    narrow = System(Client(), _ask(Client(), _assertion(key), "system/Subscription.rs").json()["access_token"])
    told = narrow.ask("GET", path)
    assert len(told.json()["entry"]) == 1
    assert b"Observation" not in told.content
