"""Referrals as messages: sent, answered, withdrawn, and sent twice."""

import uuid
from typing import Any

import pytest
from django.test import Client

from doorstep.care.referrals.models import Referral
from doorstep.kernel.access.actor import Purpose, system_actor
from doorstep.kernel.access.session import acting
from tests.fhir.house import House, System, make_house, token_of
from tests.fhir.test_doors import _request

pytestmark = pytest.mark.django_db


@pytest.fixture
def house(client: Client) -> House:
    return make_house(client)


def message(event: str, focus: dict[str, Any], *, number: str = "") -> dict[str, Any]:
    address = f"urn:uuid:{uuid.uuid4()}"
    header = {
        "resourceType": "MessageHeader",
        "id": number or str(uuid.uuid4()),
        "eventCoding": {"system": "x", "code": event},
        "source": {"endpoint": "https://his.example/fhir"},
        "focus": [{"reference": address}],
    }
    entries = [{"fullUrl": f"urn:uuid:{uuid.uuid4()}", "resource": header}, {"fullUrl": address, "resource": focus}]
    return {"resourceType": "Bundle", "type": "message", "entry": entries}


def only() -> Referral:
    with acting(system_actor(Purpose.HANDLER)):
        return Referral.objects.get()


def test_a_message_refers_once_and_is_answered_by_the_hospital(house: House, client: Client) -> None:
    village = System(client, token_of(house.world.village, "village"))
    sent = message("servicerequest-request", _request(house), number="m-1")
    first = village.ask("POST", "$process-message", sent)
    assert first.status_code == 200, first.content
    referral = only()
    assert referral.state == "submitted"
    again = village.ask("POST", "$process-message", sent)
    header = again.json()["entry"][0]["resource"]
    assert header["response"] == {"identifier": "m-1", "code": "ok"}
    assert header["focus"][0]["reference"].endswith(f"ServiceRequest/{referral.key}")
    assert only().pk == referral.pk
    task = {"resourceType": "Task", "id": str(referral.key), "status": "accepted", "intent": "order"}
    assert house.foreign.ask("POST", "$process-message", message("servicerequest-response", task)).status_code == 404
    answered = house.own.ask("POST", "$process-message", message("servicerequest-response", task))
    assert answered.status_code == 200, answered.content
    assert only().state == "accepted"
    cancel = {**_cancelled(referral), "note": [{"text": "患者改变主意"}]}
    assert village.ask("POST", "$process-message", message("servicerequest-cancel", cancel)).status_code == 200
    assert only().state == "withdrawn"
    late = house.own.ask("POST", "$process-message", message("servicerequest-response", task))
    assert late.status_code == 409
    assert "已撤回" in late.json()["issue"][0]["diagnostics"]


def _encounter(referral: Referral, status: str) -> dict[str, Any]:
    return {
        "resourceType": "Encounter",
        "status": status,
        "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "IMP"},
        "subject": {"reference": f"Patient/{referral.resident_key}"},
        "basedOn": [{"reference": f"ServiceRequest/{referral.key}"}],
    }


def test_messages_in_the_wrong_order_twice_and_after_the_end_change_nothing(house: House, client: Client) -> None:
    """A hospital that is not on Doorstep discharges before it accepts, says everything twice, and declines who is in the house."""
    village = System(client, token_of(house.world.village, "village"))
    assert (
        village.ask("POST", "$process-message", message("servicerequest-request", _request(house))).status_code == 200
    )
    referral = only()

    def say(event: str, focus: dict[str, Any], number: str = "") -> Any:
        return house.own.ask("POST", "$process-message", message(event, focus, number=number))

    # A discharge before anybody came: refused with the sentence of the page, nothing done.
    early = say("encounter-discharged", _encounter(referral, "finished"))
    assert early.status_code in (409, 422), early.content
    assert early.json()["issue"][0]["diagnostics"]
    assert only().state == "submitted"
    task = {"resourceType": "Task", "id": str(referral.key), "status": "accepted", "intent": "order"}
    accept = message("servicerequest-response", task, number="a-1")
    assert [house.own.ask("POST", "$process-message", accept).status_code for _again in range(2)] == [200, 200]
    # The same act under a new number is another act, and the state refuses it.
    assert say("servicerequest-response", task, "a-2").status_code == 409
    arrived = message("encounter-arrived", _encounter(referral, "arrived"), number="b-1")
    assert [house.own.ask("POST", "$process-message", arrived).status_code for _again in range(2)] == [200, 200]
    assert only().state == "arrived"
    # Who is in the house cannot be withdrawn by the sender any more, nor declined by the hospital.
    revoked = village.ask("POST", "$process-message", message("servicerequest-cancel", _cancelled(referral)))
    assert revoked.status_code in (409, 422), revoked.content
    declined = {**task, "status": "rejected", "statusReason": {"text": "没有床位"}}
    assert say("servicerequest-response", declined).status_code in (409, 422)
    assert only().state == "arrived"


def test_a_message_without_header_or_focus_is_refused(house: House) -> None:
    good = message("servicerequest-request", {"resourceType": "ServiceRequest"})
    for broken in (
        {**good, "type": "transaction"},
        {**good, "entry": good["entry"][1:]},
        {**good, "entry": good["entry"][:1]},
        message("something-else", {"resourceType": "ServiceRequest"}),
        message("servicerequest-response", {"resourceType": "Task", "status": "accepted"}),
    ):
        assert house.own.ask("POST", "$process-message", broken).status_code == 422


def _cancelled(referral: Referral) -> dict[str, Any]:
    return {"resourceType": "ServiceRequest", "id": str(referral.key), "status": "revoked", "intent": "order"}
