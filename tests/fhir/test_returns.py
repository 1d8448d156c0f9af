"""A hospital that is not on Doorstep treats and sends home: Encounter, CarePlan, Communication, Task, and the change of a request."""

from typing import Any

import pytest
from django.test import Client

from doorstep.care.referrals.models import CaseQuestion, RecoveryPlan, Referral
from doorstep.kernel.access.actor import Purpose, system_actor
from doorstep.kernel.access.session import acting
from doorstep.kernel.fhir import systems
from tests.fhir.house import House, System, make_house, token_of
from tests.fhir.test_doors import _request
from tests.fhir.test_messages import message

pytestmark = pytest.mark.django_db


@pytest.fixture
def house(client: Client) -> House:
    return make_house(client)


def only() -> Referral:
    with acting(system_actor(Purpose.HANDLER)):
        return Referral.objects.get()


def accepted(house: House, client: Client) -> tuple[Referral, System]:
    village = System(client, token_of(house.world.village, "village"))
    answer = village.ask("POST", "$process-message", message("servicerequest-request", _request(house)))
    assert answer.status_code == 200, answer.content
    referral = only()
    task = {"resourceType": "Task", "id": str(referral.key), "status": "accepted", "intent": "order"}
    assert house.own.ask("PUT", f"Task/{referral.key}", task).status_code == 200
    return referral, village


def encounter(referral: Referral, status: str, kind: str = "IMP") -> dict[str, Any]:
    return {
        "resourceType": "Encounter",
        "status": status,
        "class": {"system": systems.ENCOUNTER_CLASS, "code": kind},
        "subject": {"reference": f"Patient/{referral.resident_key}"},
        "basedOn": [{"reference": f"ServiceRequest/{referral.key}"}],
        "location": [{"location": {"display": "心内一病区 12 床"}}],
    }


def plan(referral: Referral) -> dict[str, Any]:
    return {
        "resourceType": "CarePlan",
        "status": "active",
        "intent": "plan",
        "description": "急诊介入，植入支架 1 枚。",
        "subject": {"reference": f"Patient/{referral.resident_key}"},
        "supportingInfo": [{"reference": f"ServiceRequest/{referral.key}"}],
        "addresses": [{"reference": "#d"}],
        "contained": [
            {
                "resourceType": "Condition",
                "id": "d",
                "subject": {"reference": f"Patient/{referral.resident_key}"},
                "code": {"text": "急性下壁心肌梗死", "coding": [{"system": systems.ICD10, "code": "I21.1"}]},
            }
        ],
        "activity": [
            {
                "detail": {
                    "kind": "MedicationRequest",
                    "status": "in-progress",
                    "productCodeableConcept": {"text": "阿司匹林肠溶片"},
                    "description": "100 mg 每日一次",
                }
            },
            {"detail": {"kind": "Task", "status": "not-started", "description": "出院后第 7 天随访"}},
        ],
        "note": [{"text": "警示症状：胸痛；气促"}, {"text": "每日步行"}, {"text": "答疑：王主任 0731-2345678"}],
    }


def test_encounter_and_plan_bring_the_patient_home(house: House, client: Client) -> None:
    referral, village = accepted(house, client)
    assert house.foreign.ask("POST", "Encounter", encounter(referral, "arrived")).status_code in (404, 422)
    assert only().state == "accepted"
    answer = house.own.ask("POST", "Encounter", encounter(referral, "arrived"))
    assert answer.status_code == 201, answer.content
    assert answer["Location"].split("/Encounter/")[1].startswith(str(referral.key))
    assert only().state == "arrived"
    inside = {**encounter(referral, "in-progress"), "id": str(referral.key)}
    assert house.own.ask("PUT", f"Encounter/{referral.key}", inside).status_code == 200
    assert (only().state, only().ward) == ("admitted", "心内一病区 12 床")
    early = house.own.ask("PUT", f"Encounter/{referral.key}", {**inside, "status": "finished"})
    assert early.status_code == 409
    without = {**plan(referral), "note": []}
    assert house.own.ask("POST", "CarePlan", without).status_code == 422
    assert only().state == "admitted"
    home = house.own.ask("POST", "CarePlan", plan(referral))
    assert home.status_code == 201, home.content
    found = only()
    assert (found.state, found.discharge_code, found.receiver_id) == ("handed_back", "I21.1", house.world.township)
    with acting(system_actor(Purpose.HANDLER)):
        kept = RecoveryPlan.objects.get()
    assert (kept.follow_up_days, kept.warning_signs, kept.contact_phone) == ([7], ["胸痛", "气促"], "0731-2345678")
    assert kept.medicines[0]["name"] == "阿司匹林肠溶片"
    assert house.own.ask("PUT", f"Encounter/{referral.key}", {**inside, "status": "finished"}).status_code == 200
    _asked_and_answered(house, village, found)


def _asked_and_answered(house: House, village: System, referral: Referral) -> None:
    question = {
        "resourceType": "Communication",
        "status": "in-progress",
        "basedOn": [{"reference": f"ServiceRequest/{referral.key}"}],
        "payload": [{"contentString": "服药后牙龈出血，是否停药？"}],
    }
    asked = village.ask("POST", "Communication", question)
    assert asked.status_code == 201, asked.content
    with acting(system_actor(Purpose.HANDLER)):
        key = CaseQuestion.objects.get().key
    answer = {**question, "status": "completed", "inResponseTo": [{"reference": f"Communication/{key}"}]}
    said = house.own.ask("POST", "Communication", {**answer, "payload": [{"contentString": "减量，三天后复查。"}]})
    assert said.status_code in (200, 201), said.content
    with acting(system_actor(Purpose.HANDLER)):
        found = CaseQuestion.objects.get()
    assert (found.state, found.answer) == ("answered", "减量，三天后复查。")


def test_a_returned_request_is_changed_by_message(house: House, client: Client) -> None:
    village = System(client, token_of(house.world.village, "village"))
    village.ask("POST", "$process-message", message("servicerequest-request", _request(house)))
    referral = only()
    hold = {
        "resourceType": "Task", "id": str(referral.key), "status": "on-hold", "intent": "order", "note": [{"text": "请补充心电图"}],
    }  # fmt: skip
    assert house.own.ask("POST", "$process-message", message("servicerequest-response", hold)).status_code == 200
    assert only().state == "returned"
    changed = {
        **_request(house),
        "id": str(referral.key),
        "status": "active",
        "note": [{"text": "已补心电图，ST 段抬高"}],
    }
    answer = village.ask("POST", "$process-message", message("servicerequest-update", changed))
    assert answer.status_code == 200, answer.content
    assert (only().state, only().present_illness) == ("submitted", "已补心电图，ST 段抬高")
