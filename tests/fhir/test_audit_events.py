"""The trail as AuditEvents: who may see what, every parameter of R4 with what it finds and what it does not, pages, forms."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from django.test import Client
from django.utils import timezone
from oauth2_provider.models import AccessToken, Application, set_token_value

from doorstep.kernel.access import agreements
from doorstep.kernel.access.actor import Purpose, system_actor
from doorstep.kernel.access.models import User
from doorstep.kernel.access.session import acting
from doorstep.kernel.audit import actions as audit
from doorstep.kernel.fhir.moments import CHINA
from doorstep.kernel.fhir.parameters import parameters
from doorstep.kernel.fhir.validation import problems
from doorstep.people.organizations.models import Organization
from doorstep.people.residents.actions import publish
from doorstep.people.residents.models import ResidentAccount
from doorstep.people.residents.tests.factories import make_resident, make_staff
from doorstep.people.workforce.directory import publish_directory
from tests.fhir.house import House, System, bundle, entry, make_house

pytestmark = pytest.mark.django_db


@pytest.fixture
def house(client: Client) -> House:
    return make_house(client)


def _events(answer: Any) -> list[dict[str, Any]]:
    assert answer.status_code == 200, answer.content
    return [one["resource"] for one in answer.json().get("entry", [])]


def test_a_system_reads_its_own_acts_and_nobody_elses(house: House) -> None:
    made = house.own.ask("POST", "Observation", house.observation()).json()
    house.own.ask("GET", f"Observation/{made['id']}")
    house.foreign.ask("GET", "Observation?_id=x")
    found = _events(house.own.ask("GET", f"AuditEvent?patient={house.patient}&_sort=date"))
    assert [one["subtype"][0]["code"] for one in found] == ["fhir.create", "fhir.read"]
    assert [one["action"] for one in found] == ["C", "R"]
    read = found[1]
    assert read["type"]["code"] == "rest"
    assert [one["what"]["reference"] for one in read["entity"]] == [house.patient, f"Observation/{made['id']}"]
    with acting(system_actor(Purpose.IMPORT)):
        unit = Organization.objects.get(pk=house.world.lead).key
    assert read["agent"][1]["who"]["reference"] == f"Organization/{unit}"
    for one in _events(house.own.ask("GET", "AuditEvent")):
        assert problems(one) == [], one
        assert one["agent"][0]["altId"] == read["agent"][0]["altId"]
    # One by its id; another's is not there, as what never was.
    assert house.own.ask("GET", f"AuditEvent/{read['id']}").json() == read
    for key in (read["id"], "999999999", "x"):
        assert house.foreign.ask("GET", f"AuditEvent/{key}").status_code == 404
    assert {one["agent"][0]["name"] for one in _events(house.foreign.ask("GET", "AuditEvent"))} == {"foreign"}
    # A question to the trail is in the trail.
    last = _events(house.own.ask("GET", "AuditEvent?entity-name=AuditEvent"))
    assert last[0]["entity"][0]["detail"][0]["valueString"]
    assert house.own.ask("GET", "AuditEvent/x/_history").status_code in (200, 404)


def test_every_parameter_finds_what_matches_and_nothing_else(house: House) -> None:
    made = house.own.ask("POST", "Observation", house.observation()).json()
    house.own.ask("GET", f"Observation/{made['id']}")
    house.own.ask("GET", "Observation?code=8867-4")
    with acting(system_actor(Purpose.IMPORT)):
        unit = Organization.objects.get(pk=house.world.lead).key
    mine = _events(house.own.ask("GET", "AuditEvent?_sort=date"))
    created, read = mine[0], mine[1]
    agent = read["agent"][0]
    # A day is one in China: from 16:00 UTC on the instant is written under the day before.
    day = datetime.fromisoformat(read["recorded"]).astimezone(CHINA).date().isoformat()
    right = {
        "_id": read["id"], "_lastUpdated": day, "date": f"ge{day}", "patient": house.patient,
        "entity": f"Observation/{made['id']}", "agent": f"Organization/{unit}", "agent-name": agent["name"][:2].upper(),
        "agent-role": "client", "address": agent["network"]["address"], "altid": agent["altId"], "subtype": "fhir.read",
        "action": "http://hl7.org/fhir/audit-event-action|R", "outcome": "0", "site": "doorstep", "type": "rest",
        "entity-type": "1", "entity-role": "4",
    }  # fmt: skip
    wrong = {
        "_id": created["id"], "_lastUpdated": "lt2020", "date": "2020-01-01", "patient": "Patient/x", "entity": "Observation/x",
        "agent": "Organization/x", "agent-name": "nobody", "agent-role": "doctor", "address": "10.9.9.9", "altid": "1",
        "subtype": "fhir.create", "action": "C", "outcome": "8", "site": "elsewhere", "type": "110110", "entity-type": "3",
        "entity-role": "9", "entity-name": "Observation", "policy": "urn:x", "source": "Device/x", "_tag": "x", "_profile": "urn:x",
        "_security": "x",
    }  # fmt: skip
    assert {*parameters("AuditEvent")} - {*wrong} <= {"_source"}

    def ids(query: str) -> set[str]:
        return {one["id"] for one in _events(house.own.ask("GET", f"AuditEvent?_count=200&{query}"))}

    for code, value in right.items():
        assert read["id"] in ids(f"{code}={quote(value)}"), (code, value)
        assert read["id"] in ids(f"{code}:missing=false"), code
        assert read["id"] not in ids(f"{code}:missing=true"), code
    for code, value in wrong.items():
        assert read["id"] not in ids(f"{code}={quote(value)}"), (code, value)
    assert read["id"] in ids("policy:missing=true")
    assert read["id"] in ids("subtype:not=fhir.create")
    assert read["id"] not in ids("subtype:not=fhir.read")
    assert read["id"] in ids(f"agent-name:contains={quote(agent['name'][1:])}&agent-name:exact={quote(agent['name'])}")
    assert read["id"] in ids("subtype=fhir.create,fhir.read&action=R")
    assert read["id"] not in ids("subtype=fhir.create&subtype=fhir.read")


def test_chains_ask_the_record_whom_they_mean(house: House) -> None:
    with acting(system_actor(Purpose.IMPORT)) as system:
        publish(house.resident, actor=system)
        publish_directory(actor=system)
    made = house.own.ask("POST", "Observation", house.observation()).json()
    house.own.ask("GET", f"Observation/{made['id']}")
    own = house.own.ask("GET", house.patient).json()

    def subtypes(query: str) -> set[str]:
        found = _events(house.own.ask("GET", f"AuditEvent?_count=200&{query}"))
        return {one["subtype"][0]["code"] for one in found}

    for query in (
        f"patient.name={quote(own['name'][0]['text'])}",
        f"patient:Patient.birthdate={own['birthDate']}",
        f"entity:Patient.gender={own['gender']}",
        "entity:Observation.code=8867-4",
    ):
        assert {"fhir.create", "fhir.read"} <= subtypes(query), query
    for query in (
        "patient.name=nobody",
        "entity:Observation.code=9999-9",
        "agent.identifier=nobody",
        "agent:Organization.name=nobody",
    ):
        assert subtypes(query) == set(), query
    assert "fhir.read" in subtypes("agent.name:contains=" + quote("医"))
    # Whom the asker may not see is found by nobody's name.
    house.foreign.ask("GET", house.patient)
    assert _events(house.foreign.ask("GET", f"AuditEvent?patient.name={quote(own['name'][0]['text'])}")) == []


def test_what_the_trail_names_comes_along_once(house: House) -> None:
    with acting(system_actor(Purpose.IMPORT)) as system:
        publish(house.resident, actor=system)
        publish_directory(actor=system)
    made = house.own.ask("POST", "Observation", house.observation()).json()
    for _turn in range(3):
        house.own.ask("GET", f"Observation/{made['id']}")
    answer = house.own.ask(
        "GET", "AuditEvent?subtype=fhir.read&_include=AuditEvent:patient&_include=AuditEvent:entity:Observation"
    ).json()
    modes = {(one["search"]["mode"], one["resource"]["resourceType"]) for one in answer["entry"]}
    assert modes == {("match", "AuditEvent"), ("include", "Patient"), ("include", "Observation")}
    assert len(answer["entry"]) == answer["total"] + 2 == 5
    everything = house.own.ask("GET", "AuditEvent?subtype=fhir.read&_include=*").json()
    assert {one["resource"]["resourceType"] for one in everything["entry"]} >= {
        "AuditEvent",
        "Patient",
        "Observation",
        "Organization",
    }
    assert house.foreign.ask("GET", "AuditEvent?_include=AuditEvent:patient").status_code == 200


def test_pages_forms_and_parts(house: House) -> None:
    for number in range(7):
        house.own.ask("GET", f"Observation?_id=x{number}")
    first = house.own.ask(
        "GET", "AuditEvent?subtype=fhir.search&entity-name=Observation&_count=3&_total=accurate"
    ).json()
    assert (first["total"], len(first["entry"])) == (7, 3)
    seen = [one["resource"]["id"] for one in first["entry"]]
    page = first
    while following := [one["url"] for one in page["link"] if one["relation"] == "next"]:
        house.own.ask("GET", "Observation?_id=more")
        parts = urlsplit(following[0])
        page = house.own.ask("GET", f"{parts.path.removeprefix('/fhir/')}?{parts.query}").json()
        seen += [one["resource"]["id"] for one in page["entry"]]
    assert len(seen) == len(set(seen)) == 7
    posted = house.own.ask("POST", "AuditEvent/_search", "patient=x&_count=1", kind="application/x-www-form-urlencoded")
    assert posted.json()["total"] == 0
    counted = house.own.ask("GET", "AuditEvent?_summary=count").json()
    assert counted["total"] > 7
    assert "entry" not in counted
    short = _events(house.own.ask("GET", "AuditEvent?_elements=action&_count=1"))[0]
    assert short["meta"]["tag"][0]["code"] == "SUBSETTED"
    assert "entity" not in short
    inside = house.own.ask("POST", "", bundle("batch", entry("GET", "AuditEvent?_count=1"))).json()["entry"][0]
    assert inside["resource"]["entry"][0]["resource"]["resourceType"] == "AuditEvent"
    made = house.own.ask("POST", "Observation", house.observation()).json()
    within = _events(house.own.ask("GET", f"{house.patient}/AuditEvent?_count=5"))
    assert f"Observation/{made['id']}" in str(within)


def test_what_cannot_be_asked_is_refused_and_nobody_writes(house: House) -> None:
    for query in ("nonsense=1", "date=soon", "_sort=agent", "patient.nonsense=x", "_count=x", "_summary=x", "agent-name=", "_include=AuditEvent:nonsense",
                  "entity.code=x", "patient.birthdate=soon", "date.name=x", "agent:Observation.code=x", "_include=Observation:subject",
                  "action:text=x", "date=zz2020-01-01", "_cursor=x", "_total=x", "date:missing=x"):  # fmt: skip
        answer = house.own.ask("GET", f"AuditEvent?{query}")
        assert (answer.status_code, answer.json()["resourceType"]) == (400, "OperationOutcome"), query
    lenient = house.own.ask("GET", "AuditEvent?nonsense=1&_count=1", prefer="handling=lenient").json()
    assert [one["search"]["mode"] for one in lenient["entry"]] == ["match", "outcome"]
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        answer = house.own.ask(
            method, "AuditEvent/1" if method != "POST" else "AuditEvent", {"resourceType": "AuditEvent"}
        )
        assert (answer.status_code, answer["Allow"]) == (405, "GET, HEAD"), method
    assert System(Client(), "x").ask("GET", "AuditEvent").status_code == 401


def test_an_entry_of_every_act_is_a_valid_resource(house: House) -> None:
    acts = ("referral.accept", "record.view", "account.make", "", "fhir.search", "resident.merge", "cds.order-sign")
    with acting(system_actor(Purpose.IMPORT)) as system:
        actor = replace(system, organization_id=house.world.lead)
        for act in acts:
            audit.record(
                action=act or "x", actor=actor, subject="referral/1", resident_id=house.resident.pk, basis="visit"
            )
    auditor = _app_of(make_staff(name="审计", organization_id=house.world.lead, role="auditor"), "user/AuditEvent.rs")
    found = _events(auditor.ask("GET", "AuditEvent"))
    assert all(problems(one) == [] for one in found)
    assert {"referral.accept", "cds.order-sign"} < {one["subtype"][0]["code"] for one in found}


def _app_of(user: User, scope: str, resident_id: int = 0) -> System:
    app, _ = Application.objects.get_or_create(
        client_id="looks-app",
        defaults={
            "client_type": Application.CLIENT_PUBLIC,
            "authorization_grant_type": Application.GRANT_AUTHORIZATION_CODE,
            "redirect_uris": "https://app.example/back",
        },
    )
    raw = f"token-of-{user.pk}"
    token = AccessToken(user=user, application=app, scope=scope, expires=timezone.now() + timedelta(minutes=5))
    set_token_value(token, raw)
    token.save()
    if resident_id:
        with acting(system_actor(Purpose.IMPORT)):
            agreed = agreements.agree(user_id=user.pk, client="looks-app", resident_id=resident_id, code_id=0)
            agreements.carry(agreed, access_id=token.pk, family=None)
    return System(Client(), raw)


def test_a_resident_sees_who_looked_an_auditor_the_units_and_a_doctor_the_own_acts(house: House) -> None:
    made = house.own.ask("POST", "Observation", house.observation()).json()
    house.own.ask("GET", f"Observation/{made['id']}")
    house.foreign.ask("GET", "Observation?_id=x")
    lead = (house.world.lead,)
    other = make_resident(organization_id=house.world.village, name="李四", number="439981196309150035", panel_of=lead)
    with acting(system_actor(Purpose.IMPORT)) as actor:
        audit.record(action="record.view", actor=actor, subject="resident/x", resident_id=other.pk)
        user = User.objects.create_user("zhou", password="correct-horse-9", kind=User.Kind.RESIDENT)
        ResidentAccount.objects.create(user=user, resident=house.resident, since=date(2024, 1, 1))
    resident = _app_of(user, "patient/AuditEvent.rs", house.resident.pk)
    seen = _events(resident.ask("GET", "AuditEvent?_sort=date"))
    assert [one["subtype"][0]["code"] for one in seen][:2] == ["fhir.create", "fhir.read"]
    assert {one["entity"][0]["what"]["reference"] for one in seen} == {house.patient}
    assert _events(resident.ask("GET", f"AuditEvent?patient=Patient/{other.key}")) == []
    auditor = _app_of(make_staff(name="审计", organization_id=house.world.lead, role="auditor"), "user/AuditEvent.rs")
    names = {one["agent"][0]["name"] for one in _events(auditor.ask("GET", "AuditEvent"))}
    assert {"his", "foreign"} < names
    below = _app_of(make_staff(name="卫生院审计", organization_id=house.world.township, role="auditor"), "user/*.rs")
    assert {one["agent"][0]["name"] for one in _events(below.ask("GET", "AuditEvent"))} == {"卫生院审计（looks-app）"}
    doctor = _app_of(make_staff(name="王敏", organization_id=house.world.lead, role="specialist"), "user/AuditEvent.rs")
    assert {one["agent"][0]["name"] for one in _events(doctor.ask("GET", "AuditEvent"))} == {"王敏（looks-app）"}
    narrow = _app_of(
        make_staff(name="李明", organization_id=house.world.lead, role="specialist"), "user/Observation.rs"
    )
    assert narrow.ask("GET", "AuditEvent").status_code == 403
