"""An entry that is coded with a diagnosis that is not said aloud is labelled when it is written, and veiled by the database."""

from dataclasses import replace
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from doorstep.kernel.access import actions as access
from doorstep.kernel.access.actor import Purpose, system_actor
from doorstep.kernel.access.session import acting
from doorstep.kernel.fhir import systems
from doorstep.kernel.record.models import Resource
from doorstep.kernel.terminology import sensitivity
from doorstep.people.residents import actions as residents
from doorstep.people.residents import queries
from doorstep.people.residents.models import Group
from doorstep.people.residents.tests.factories import make_staff
from doorstep.site.actors import of_user
from tests.fhir.house import House, bundle, entry, make_house

pytestmark = pytest.mark.django_db


@pytest.fixture
def house(client: Client) -> House:
    return make_house(client)


def _condition(house: House, code: str, system: str = systems.ICD10) -> dict[str, Any]:
    concept = {"coding": [{"system": system, "code": code}], "text": "x"}
    return {"resourceType": "Condition", "subject": {"reference": house.patient}, "code": concept}


@pytest.mark.parametrize(
    ("code", "labels"),
    [
        ("F20.000", ("PSY",)), ("F32", ("PSY",)), ("F17.2", ()), ("F03", ()), ("F70", ()), ("B20.1", ("HIV",)), ("Z21", ("HIV",)), ("A53.900", ("STD",)),
        ("A15.0", ("tuberculosis",)), ("A20", ()), ("O04.9", ("SEX",)), ("Z30.0", ("SEX",)), ("I10", ()), ("f20", ("PSY",)), ("", ()), ("A1", ()), ("A5", ()),
    ],
)  # fmt: skip
def test_labels_of_codes(code: str, labels: tuple[str, ...]) -> None:
    found = sensitivity.labels_of(
        {"resourceType": "Condition", "code": {"coding": [{"system": systems.ICD10, "code": code}]}}
    )
    assert found == labels


def test_labels_keep_what_the_sender_said() -> None:
    strict = {"system": sensitivity.CONFIDENTIALITY, "code": "V"}
    made = sensitivity.labelled({"resourceType": "Condition", "meta": {"security": [strict]}}, ("HIV",), house="urn:h")
    assert made["meta"]["security"] == [strict, {"system": sensitivity.SENSITIVITY, "code": "HIV"}]
    assert sensitivity.labelled(made, ("HIV",), house="urn:h") is made


def test_an_entry_with_such_a_diagnosis_is_veiled_from_all_but_its_writer(house: House) -> None:
    made = house.own.ask("POST", "Condition", _condition(house, "F20.000"))
    assert made.status_code == 201, made.content
    security = [one["code"] for one in made.json()["meta"]["security"]]
    assert security == ["R", "PSY"]
    tied = house.own.ask("POST", "", bundle("transaction", entry("POST", "Condition", _condition(house, "A15.0"))))
    assert tied.status_code == 200, tied.content
    plain = house.own.ask("POST", "Condition", _condition(house, "I10")).json()
    assert "security" not in plain["meta"]
    # As a client that sends it again: nothing has changed.
    again = house.own.ask(
        "PUT", f"Condition/{made.json()['id']}", {**_condition(house, "F20.000"), "id": made.json()["id"]}
    )
    assert again.json()["meta"]["versionId"] == "1"
    labelled = house.own.ask("GET", f"Condition?_security={sensitivity.SENSITIVITY}|PSY").json()
    assert [one["resource"]["id"] for one in labelled["entry"]] == [made.json()["id"]]
    doctor = of_user(make_staff(name="王敏", organization_id=house.world.lead, role="specialist"))
    with acting(doctor):
        assert [row.fhir_id for row in Resource.objects.filter(type="Condition")] == [plain["id"]]
    request = house.own.ask("POST", "ServiceRequest", {
        "resourceType": "ServiceRequest", "status": "active", "intent": "order", "subject": {"reference": house.patient},
        "reasonCode": [_condition(house, "F20.000")["code"]],
    })  # fmt: skip
    # What asks somebody to act is read by whom it asks.
    assert "security" not in request.json()["meta"]


def test_groups_that_say_a_diagnosis_are_kept_by_the_database(house: House) -> None:
    resident, unit = house.resident, house.world.village
    doctor = of_user(make_staff(name="李长河", organization_id=unit, role="village_doctor"))
    with acting(system_actor(Purpose.IMPORT)):
        Group.objects.create(resident=resident, code="mental", since=resident.birth_date)
        Group.objects.create(resident=resident, code="hypertension", since=resident.birth_date)
    with acting(doctor):
        assert _codes() == {"hypertension"}
        assert [code for code, _label in queries.banner(queries.get_by_key(resident.key, doctor)).groups] == [
            "hypertension"
        ]
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM residents_group WHERE code = 'mental'")
            assert cursor.fetchone()[0] == 0
        # Changing what one sees leaves what one does not see, and does not double it.
        residents.change(
            resident=resident, actor=doctor, phone=resident.phone, address="x", groups=["diabetes", "mental"]
        )
        assert _codes() == {"diabetes"}
    assert _live() == ["diabetes", "mental"]
    opened = replace(doctor, session="s1")
    with acting(opened):
        access.open_sensitive(resident_id=resident.pk, purpose="treatment", words="本次用药需要核对", actor=opened)
        assert _codes() == {"diabetes", "mental"}
    with acting(doctor):
        # Another session of the same person has opened nothing.
        assert _codes() == {"diabetes"}


def _codes() -> set[str]:
    return set(Group.objects.filter(until__isnull=True).values_list("code", flat=True))


def _live() -> list[str]:
    with acting(system_actor(Purpose.IMPORT)):
        return sorted(Group.objects.filter(until__isnull=True).values_list("code", flat=True))
