"""A hospital's system says with its referral whether the patient is pregnant: contained, or in the message."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from doorstep.kernel.access.actor import Purpose, system_actor
from doorstep.kernel.access.session import acting
from doorstep.kernel.fhir import systems
from doorstep.people.residents.models import Resident
from tests.fhir.house import House, System, make_house, token_of
from tests.fhir.test_doors import _request
from tests.fhir.test_messages import message, only

pytestmark = pytest.mark.django_db
WEEKS = 31


@pytest.fixture
def house(client: Client) -> House:
    """The house, whose patient is 28."""
    made = make_house(client)
    with acting(system_actor(Purpose.IMPORT)):
        Resident.objects.update(birth_date=timezone.localdate() - timedelta(days=28 * 365 + 60))
    return made


def _observation(code: str = "LA15173-0", **changes: Any) -> dict[str, Any]:
    since = timezone.localdate() - timedelta(weeks=WEEKS)
    return {
        "resourceType": "Observation",
        "id": "p",
        "status": "final",
        "code": {"coding": [{"system": systems.LOINC, "code": "82810-3"}]},
        "effectiveDateTime": timezone.now().isoformat(),
        "valueCodeableConcept": {"coding": [{"system": systems.LOINC, "code": code}]},
        "component": [
            {
                "code": {"coding": [{"system": systems.LOINC, "code": "8665-2"}]},
                "valueDateTime": since.isoformat(),
            }
        ],
        **changes,
    }


def _undated(code: str = "LA15173-0") -> dict[str, Any]:
    return {name: value for name, value in _observation(code).items() if name != "component"}


def _sent(house: House, observation: dict[str, Any], **changes: Any) -> dict[str, Any]:
    request = {
        "reasonCode": [{"text": "头痛"}], "contained": [observation], "supportingInfo": [{"reference": "#p"}], **changes,
    }  # fmt: skip
    return _request(house, **request)


def _village(house: House, client: Client) -> System:
    return System(client, token_of(house.world.village, "village"))


def test_a_contained_observation_fills_the_form_and_goes_into_the_record(house: House, client: Client) -> None:
    village = _village(house, client)
    made = village.ask("POST", "ServiceRequest", _sent(house, _observation()))
    assert made.status_code == 201, made.content
    referral = only()
    since = timezone.localdate() - timedelta(weeks=WEEKS)
    assert (referral.state, referral.pregnancy, referral.last_period_on) == ("submitted", "pregnant", since)
    read = village.ask("GET", f"ServiceRequest/{referral.key}").json()
    assert {"reference": f"Observation/{referral.key}"}.items() <= read["supportingInfo"][-1].items()
    written = village.ask("GET", f"Observation/{referral.key}").json()
    assert written["component"][0]["valueDateTime"] == since.isoformat()


def test_criteria_of_a_sent_referral_read_the_pregnancy(house: House, client: Client) -> None:
    pressure = {
        "resourceType": "Observation", "status": "final", "subject": {"reference": house.patient},
        "effectiveDateTime": timezone.now().isoformat(),
        "code": {"coding": [{"system": systems.LOINC, "code": "85354-9"}]},
        "component": [
            {
                "code": {"coding": [{"system": systems.LOINC, "code": code}]},
                "valueQuantity": {"value": value, "unit": "mmHg", "system": systems.UCUM, "code": "mm[Hg]"},
            }
            for code, value in (("8480-6", 148), ("8462-4", 92))
        ],
    }  # fmt: skip
    village = _village(house, client)
    assert village.ask("POST", "Observation", pressure).status_code == 201
    assert village.ask("POST", "ServiceRequest", _sent(house, _observation())).status_code == 201
    met = {row["code"]: row["met"] for row in only().criteria}
    assert met["pregnant-pressure"] is True


def test_a_message_may_carry_it_in_an_entry_of_its_own(house: House, client: Client) -> None:
    told = _observation(id="obs-1")
    focus = {**_request(house), "supportingInfo": [{"reference": "Observation/obs-1"}]}
    sent = message("servicerequest-request", focus, number="p-1")
    sent["entry"].append({"fullUrl": "https://his.example/fhir/Observation/obs-1", "resource": told})
    answered = _village(house, client).ask("POST", "$process-message", sent)
    assert answered.status_code == 200, answered.content
    assert only().pregnancy == "pregnant"


def test_what_is_not_named_struck_out_or_too_old_says_nothing_and_not_pregnant_counts_today(
    house: House, client: Client
) -> None:
    village = _village(house, client)
    ago = (timezone.now() - timedelta(weeks=60)).isoformat()
    told: list[dict[str, Any]] = [
        {"status": "entered-in-error"}, {"effectiveDateTime": ago}, {"code": {"text": "其他"}},
    ]  # fmt: skip
    sent = {**_sent(house, _observation()), "status": "draft"}
    made = village.ask("POST", "ServiceRequest", {**sent, "contained": [{**_undated(), **told[0]}]})
    assert made.status_code == 201, made.content
    key = only().key
    for changes in told[1:]:
        again = {**sent, "id": str(key), "contained": [{**_undated(), **changes}]}
        assert village.ask("PUT", f"ServiceRequest/{key}", again).status_code == 200
        assert only().pregnancy == ""
    last = {**sent, "id": str(key), "contained": [_undated("LA26683-5")]}
    assert village.ask("PUT", f"ServiceRequest/{key}", last).status_code == 200
    assert only().pregnancy == "no"


def test_a_man_cannot_be_sent_as_pregnant(house: House, client: Client) -> None:
    with acting(system_actor(Purpose.IMPORT)):
        Resident.objects.update(gender="male")
    answer = _village(house, client).ask("POST", "ServiceRequest", _sent(house, _observation()))
    assert answer.status_code == 422
    assert "性别或年龄不适用" in answer.content.decode()
