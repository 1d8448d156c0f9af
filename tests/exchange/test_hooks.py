"""CDS Hooks: discovery for all, cards for those who may see the patient, and a sentence for everything else."""

import uuid
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

from doorstep.kernel.access import actions as access
from doorstep.kernel.access.session import acting
from doorstep.kernel.audit.models import AuditEntry
from doorstep.kernel.hooks import registry
from doorstep.kernel.hooks.registry import Card, Service
from tests.access.scene import Scene, make_scene
from tests.exchange.factories import system

pytestmark = pytest.mark.django_db
ADDRESS = "/cds-services/contract-benefits"


@pytest.fixture
def scene() -> Scene:
    return make_scene()


def _token(organization_id: int) -> dict[str, str]:
    with acting(system()) as actor:
        token = access.issue_token(
            name=f"s{organization_id}", display="HIS", organization_id=organization_id, actor=actor
        )
    return {"Authorization": f"Bearer {token}"}


def _call(client: Client, headers: dict[str, str], address: str = ADDRESS, **changed: Any) -> HttpResponse:
    body = {
        "hook": "patient-view",
        "hookInstance": str(uuid.uuid4()),
        "context": {"userId": "Practitioner/1"},
        **changed,
    }
    return client.post(address, body, content_type="application/json", headers=headers)  # type: ignore[return-value]


def test_discovery_tells_every_service(client: Client) -> None:
    (service,) = [one for one in client.get("/cds-services").json()["services"] if one["id"] == "contract-benefits"]
    assert service["hook"] == "patient-view"
    assert service["prefetch"] == {"patient": "Patient/{{context.patientId}}"}


def test_call_answers_with_cards_of_those_in_sight_and_notes_the_look(client: Client, scene: Scene) -> None:
    resident, world = scene.loop.resident, scene.loop.world

    def answer(asked: registry.Asked, _actor: object) -> list[Card]:
        assert asked.resident_id == resident.pk
        return [
            Card(summary="长" * 200, indicator="info", source="试", detail="说明", links=(("看", "http://127.0.0.1/"),))
        ]

    before = registry.services()
    registry.install([*before, Service(id="trial", hook="order-sign", title="t", description="d", answer=answer)])
    try:
        context = {"patientId": str(resident.key), "userId": "Practitioner/1"}
        own = _call(client, _token(world.village), "/cds-services/trial", hook="order-sign", context=context)
        foreign = _call(client, _token(world.other_village), "/cds-services/trial", hook="order-sign", context=context)
    finally:
        registry.install(before)
    (card,) = own.json()["cards"]  # type: ignore[attr-defined]
    assert (len(card["summary"]), card["indicator"], card["source"]["label"]) == (140, "info", "试")
    assert (foreign.status_code, foreign.json()) == (200, {"cards": []})  # type: ignore[attr-defined]
    with acting(system()):
        assert AuditEntry.objects.filter(action="cds.order-sign", resident_id=resident.pk).count() == 1


def test_benefits_card_needs_a_contract(client: Client, scene: Scene) -> None:
    context = {"patientId": str(scene.loop.resident.key)}
    answer = _call(client, _token(scene.loop.world.village), context=context)
    assert (answer.status_code, answer.json()) == (200, {"cards": []})  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"hook": "order-sign"}, 400),
        ({"hookInstance": "no key"}, 400),
        ({"context": {}}, 400),
        ({"context": None}, 400),
        ({"context": {"patientId": 7}}, 400),
    ],
)
def test_wrong_call_is_told(client: Client, scene: Scene, changed: dict[str, Any], status: int) -> None:
    assert _call(client, _token(scene.loop.world.village), **changed).status_code == status


def test_call_without_token_or_of_an_unknown_service_is_refused(client: Client, scene: Scene) -> None:
    assert _call(client, {}).status_code == 401
    assert _call(client, _token(scene.loop.world.village), "/cds-services/none").status_code == 404
