"""An app that was opened for one patient reaches nobody else by any door: cards, printed reports, the question who may be meant."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from doorstep.care.diagnosis.tests.factories import Loop, make_loop, signed
from doorstep.kernel.access.models import User
from doorstep.kernel.fhir import systems
from doorstep.kernel.hooks import registry
from doorstep.kernel.hooks.registry import Card, Service
from doorstep.people.residents.models import Resident
from doorstep.people.residents.tests.factories import make_resident
from tests.fhir.house import House, System, token_of
from tests.fhir.test_launch import BACK, _agree, _open, _Quiet, _token

pytestmark = pytest.mark.django_db
ELSEWHERE = "439981197502020023"


@pytest.fixture
def loop() -> Loop:
    made = make_loop()
    call_command(
        "register_app", "charts", display="趋势图", redirect=BACK, launch="https://charts.example/open", stdout=_Quiet()
    )
    return made


@pytest.fixture
def other(loop: Loop) -> Resident:
    """Whom the app is opened for: 李四 of the same village; 周桂兰 is the other one of whom its doctor knows."""
    return make_resident(
        organization_id=loop.world.village,
        name="李四",
        number="439981197001010011",
        phone="19900005678",
        panel_of=(loop.world.village,),
    )


@pytest.fixture
def echo() -> Iterator[None]:
    """A service with a card for everybody whom it is asked of."""
    before = registry.services()

    def answer(asked: registry.Asked, _actor: object) -> list[Card]:
        return [Card(summary=asked.patient_id, indicator="info", source="试")]

    registry.install(
        [*before, Service(id="echo", hook="patient-view", title="t", description="d", discloses=(), answer=answer)]
    )
    yield
    registry.install(before)


def _app(client: Client, user: User, loop: Loop, whom: Resident, scope: str) -> System:
    """The app as 李长河 opened it for somebody."""
    client.force_login(user)
    system = System(client, "")
    given = _token(client, _agree(client, _open(client, House(loop.world, whom, system, system)), f"launch {scope}"))
    assert given["patient"] == str(whom.key)
    return System(Client(), given["access_token"])


def _cards(app: System, whom: Resident) -> list[Any]:
    body = {
        "hook": "patient-view",
        "hookInstance": "0d2b6c0e-8f6c-4a3f-9a55-6e6a1f2b7c11",
        "context": {"userId": "Practitioner/1", "patientId": str(whom.key)},
    }
    answer = app.client.post(
        "/cds-services/echo", body, content_type="application/json", headers={"authorization": f"Bearer {app.token}"}
    )
    assert answer.status_code == 200, answer.content
    return [one["summary"] for one in answer.json()["cards"]]


def test_cards_are_of_the_patient_alone(client: Client, loop: Loop, other: Resident, echo: None) -> None:
    app = _app(client, loop.users["village"], loop, other, "patient/Patient.rs")
    assert _cards(app, other) == [str(other.key)]
    assert _cards(app, loop.resident) == []


def test_a_printed_report_is_of_the_patient_alone(client: Client, loop: Loop, other: Resident) -> None:
    order = signed(loop)
    app = _app(client, loop.users["village"], loop, other, "patient/Binary.rs")
    assert app.ask("GET", f"Binary/{order.key}").status_code == 404
    own = _app(client, loop.users["village"], loop, loop.resident, "patient/Binary.rs")
    assert own.ask("GET", f"Binary/{order.key}").content.startswith(b"%PDF")


def test_nobody_is_guessed_through_the_opening(client: Client, loop: Loop, other: Resident) -> None:
    make_resident(organization_id=loop.world.other_village, name="王五", number=ELSEWHERE, phone="19900007777")
    app = _app(client, loop.users["village"], loop, other, "patient/Patient.rs")
    for number in (ELSEWHERE, loop.resident.national_id, "439981198001010012"):
        answer = app.ask("POST", "Patient/$match", _of(number)).json()
        assert (answer["resourceType"], answer["total"]) == ("Bundle", 0), number
        assert "entry" not in answer, number
    # A hospital's own system hears that such a person is registered.
    lead = System(Client(), token_of(loop.world.village, "his"))
    assert lead.ask("POST", "Patient/$match", _of(ELSEWHERE)).json()["entry"]


def _of(number: str) -> dict[str, Any]:
    patient = {"resourceType": "Patient", "identifier": [{"system": systems.NATIONAL_ID, "value": number}]}
    return {"resourceType": "Parameters", "parameter": [{"name": "resource", "resource": patient}]}
