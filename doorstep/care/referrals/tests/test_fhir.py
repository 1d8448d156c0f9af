"""The resources of a referral in every state of the road, checked against R4."""

from typing import Any

import fhirkit
import pytest

from doorstep.care.referrals import actions, follow_up_states, queries, states
from doorstep.care.referrals.fhir import TASK_STATUS, follow_up_resources, referral_resources
from doorstep.care.referrals.plan_fhir import FOLLOW_UP_STATUS
from doorstep.care.referrals.tests.factories import GOOD, make_loop, referral_in
from doorstep.kernel.access.session import acting
from doorstep.kernel.record import queries as record

pytestmark = pytest.mark.django_db


def test_every_state_has_a_task_status() -> None:
    assert set(TASK_STATUS) == {state.code for state in states.REFERRAL.states}
    assert set(FOLLOW_UP_STATUS) == {state.code for state in follow_up_states.FOLLOW_UP.states}


def test_resources_are_valid_from_draft_to_follow_up() -> None:
    loop = make_loop()
    referral = referral_in(loop, "received_back")
    with acting(loop.family):
        published = referral_resources(queries.get(key=referral.key, actor=loop.family))
        types = [one.content["resourceType"] for one in published]
        assert types == ["ServiceRequest", "Task", "Encounter", "Composition", "CarePlan", "Goal", "List"]
        signed = record.read(type="Consent", fhir_id=str(referral.key))
        assert signed is not None
        assert faults(signed) == []
        for one in published:
            assert faults(one.content) == [], one.content["resourceType"]
        row = queries.follow_ups_of(referral=referral)[0]
        done = actions.complete_follow_up(
            follow_up=queries.get_follow_up(key=row.key, actor=loop.family), findings=GOOD, actor=loop.family
        )
        for one in follow_up_resources(done):
            assert faults(one.content) == [], one.content["resourceType"]
        goal = next(one.content for one in follow_up_resources(done) if one.content["resourceType"] == "Goal")
        pressure = record.read(type="Observation", fhir_id=str(row.key))
        form = record.read(type="Questionnaire", fhir_id="discharge-follow-up")
        answers = record.read(type="QuestionnaireResponse", fhir_id=str(row.key))
    assert form is not None
    assert faults(form) == []
    assert answers is not None
    assert answers["questionnaire"] == f"{form['url']}|{form['version']}"
    asked = {
        one["linkId"]: {part["valueCoding"]["code"] for part in one.get("answerOption", ())} for one in form["item"]
    }
    for one in answers["item"]:
        codes = {part["valueCoding"]["code"] for part in one["answer"] if "valueCoding" in part}
        assert codes <= asked[one["linkId"]]
    assert {one["linkId"]: one["answer"][0] for one in answers["item"]}["systolic"] == {"valueInteger": 128}
    assert pressure is not None
    assert [part["detailQuantity"]["value"] for part in goal["target"]] == [140, 90]
    assert goal["achievementStatus"]["coding"][0]["code"] == "achieved"
    assert goal["outcomeReference"][0]["reference"] == f"Observation/{row.key}"
    assert [part["valueQuantity"]["value"] for part in pressure["component"]] == [128, 78]


def faults(content: dict[str, Any]) -> list[str]:
    return [f"{issue.path}: {issue.message}" for issue in fhirkit.validate(content) if issue.severity == "error"]
