"""Groups of the house: described in the record, their members asked anew behind the wall; and Lists of what stands."""

from datetime import date

import pytest
from django.test import Client

from doorstep.care.contracts.groups import publish_team_panels
from doorstep.care.contracts.models import Contract
from doorstep.kernel.access.actor import ANONYMOUS, Purpose, system_actor
from doorstep.kernel.access.session import acting, bind
from doorstep.kernel.audit.models import AuditEntry
from doorstep.kernel.fhir import systems, validation
from doorstep.kernel.record import bulk
from doorstep.kernel.record.models import BulkExport
from doorstep.people.organizations.models import Organization
from doorstep.people.residents.actions import publish
from doorstep.people.residents.groups import publish_key_groups
from doorstep.people.residents.models import Group
from doorstep.people.residents.standing import publish_lists
from doorstep.people.residents.tests.factories import make_resident, make_staff
from doorstep.people.workforce.models import Practitioner, Team
from tests.fhir.house import House, System, make_house, token_of

pytestmark = pytest.mark.django_db
_OTHER = "439981197001010019"


@pytest.fixture
def house(client: Client) -> House:
    house = make_house(client)
    with acting(system_actor(Purpose.IMPORT)) as actor:
        publish(house.resident, actor=actor)
    return house


def _member(house: House, *codes: str) -> str:
    """The resident joins groups; returns the id of the village's group of the first."""
    with acting(system_actor(Purpose.IMPORT)) as actor:
        for code in codes:
            Group.objects.create(resident=house.resident, code=code, since=date(2026, 1, 1))
        publish_key_groups(actor=actor)
        unit = Organization.objects.get(pk=house.world.village)
    return f"{unit.key}-{codes[0]}"


def _ids(found: dict[str, object]) -> list[str]:
    entries = found.get("entry", [])
    assert isinstance(entries, list)
    return sorted(f"{one['resource']['resourceType']}/{one['resource']['id']}" for one in entries)


def test_a_key_group_names_the_members_whom_the_reader_may_see(house: House) -> None:
    key = _member(house, "hypertension", "mental")
    with acting(system_actor(Purpose.IMPORT)):
        # Of the village's panel, and of nobody else's: the county hospital may not know this person.
        stranger = make_resident(
            organization_id=house.world.village, name="陈阿婆", number=_OTHER, phone="", panel_of=(house.world.village,)
        )
        Group.objects.create(resident=stranger, code="hypertension", since=date(2026, 1, 1))
    village = System(house.own.client, token_of(house.world.village, "village"))
    found = village.ask("GET", f"Group/{key}").json()
    assert validation.problems(found) == []
    assert (found["quantity"], found["member"]) == (1, [{"entity": {"reference": house.patient}}])
    assert "tag" not in found["meta"]
    assert found["name"] == "石桥村卫生室：高血压患者"
    bind(ANONYMOUS)
    with acting(system_actor(Purpose.IMPORT)):
        looked = AuditEntry.objects.filter(subject=f"Group/{key}", resident_id=house.resident.pk)
        assert looked.count() == 1
    for system in (house.foreign,):
        assert system.ask("GET", f"Group/{key}").status_code == 404
        assert system.ask("GET", f"Group/{key}/$export", prefer="respond-async").status_code == 404
        assert _ids(system.ask("GET", f"Group?member={house.patient}").json()) == []
    # Who is in a group that is not said aloud is asked as a sensitive entry.
    silent = village.ask("GET", f"Group/{key.replace('hypertension', 'mental')}").json()
    assert "member" not in silent
    assert silent["quantity"] == 0
    assert "mental" not in str(village.ask("GET", f"Group?member={house.patient}").json())


def test_groups_are_searched_by_what_they_are_and_by_their_members(house: House) -> None:
    key = _member(house, "hypertension")
    village = System(house.own.client, token_of(house.world.village, "village"))
    unit = key.removesuffix("-hypertension")
    mine = [f"Group/{key}"]
    for query in (
        f"code={systems.KEY_GROUP}|hypertension",
        f"member={house.patient}",
        f"member:Patient={house.resident.key}",
        f"member=http://testserver/fhir/{house.patient}&type=person",
        f"identifier={systems.GROUP}|{key}",
        f"managing-entity=Organization/{unit}&code=hypertension&actual=true",
    ):
        assert _ids(village.ask("GET", f"Group?{query}").json()) == mine, query
    assert _ids(village.ask("GET", "Group?member=Patient/nobody").json()) == []
    shown = village.ask("GET", f"Group?_id={key}").json()["entry"][0]["resource"]
    assert shown["meta"]["tag"][0]["code"] == "SUBSETTED"
    assert "member" not in shown
    assert village.ask("GET", "Patient?_has:Group:member:code=nothing").json()["total"] == 0
    for query in (f"_has:Group:member:_id={key}", "_has:Group:member:code=hypertension"):
        assert _ids(village.ask("GET", f"Patient?{query}").json()) == [house.patient], query
    assert house.own.ask("PUT", f"Group/{key}", shown).status_code == 404
    refused = village.ask("PUT", f"Group/{key}", shown)
    assert (refused.status_code, refused.json()["issue"][0]["code"]) == (403, "forbidden")
    assert village.ask("DELETE", f"Group/{key}").status_code == 403
    assert village.ask("GET", "Group?code:misspelt=x").status_code == 400


def test_members_come_along_and_groups_know_whether_they_have_any(house: House) -> None:
    key = _member(house, "hypertension", "mental")
    with acting(system_actor(Purpose.IMPORT)):
        stranger = make_resident(
            organization_id=house.world.village, name="陈阿婆", number=_OTHER, phone="", panel_of=(house.world.village,)
        )
        publish(stranger, actor=system_actor(Purpose.IMPORT))
        Group.objects.create(resident=stranger, code="copd", since=date(2026, 1, 1))
    village = System(house.own.client, token_of(house.world.village, "village"))
    mine, silent = f"Group/{key}", f"Group/{key.replace('hypertension', 'mental')}"
    for query in (
        "_include=Group:member",
        "_include=Group:member:Patient",
        "_include=*",
        "_include:iterate=Group:member",
    ):
        found = village.ask("GET", f"Group?_id={key}&{query}").json()
        assert {mine, house.patient} <= set(_ids(found)), query
        assert {one["search"]["mode"] for one in found["entry"]} == {"match", "include"}
    for query in ("_include=Group:member:Device", "_revinclude=Group:member", "_include=Group:managing-entity"):
        assert house.patient not in _ids(village.ask("GET", f"Group?_id={key}&{query}").json()), query
    # The page has one entry: what comes along is that of the page, and the next one brings its own.
    first = village.ask("GET", "Group?_count=1&_include=Group:member&_sort=_id").json()
    pages, met = 1, set(_ids(first))
    while following := next((one["url"] for one in first["link"] if one["relation"] == "next"), None):
        first = village.ask("GET", following.split("/fhir/")[1]).json()
        pages, met = pages + 1, met | set(_ids(first))
        assert sum(one["search"]["mode"] == "match" for one in first["entry"]) == 1
    assert pages > 10
    assert house.patient in met
    assert village.ask("GET", f"Group?_id={key}&_summary=count&_include=Group:member").json()["total"] == 1
    # Whose group is not said aloud is no member to this reader, neither here nor there.
    assert house.patient not in _ids(
        village.ask("GET", f"Group?_id={silent.rpartition('/')[2]}&_include=Group:member").json()
    )
    along = _ids(village.ask("GET", f"Patient?_id={house.resident.key}&_revinclude=Group:member").json())
    assert mine in along
    assert silent not in along
    peopled = _ids(village.ask("GET", "Group?member:missing=false").json())
    assert mine in peopled
    assert silent not in peopled
    empty = _ids(village.ask("GET", "Group?member:missing=true&_count=200").json())
    assert silent in empty
    assert mine not in empty
    assert f"Group/{key.replace('hypertension', 'copd')}" in (peopled if _is_seen(village, stranger.key) else empty)
    refused = village.ask("GET", "Group?member:missing=perhaps")
    assert refused.status_code == 400


def _is_seen(system: System, key: object) -> bool:
    """Whether this reader may see somebody of the panel who was never there."""
    return int(system.ask("GET", f"Patient/{key}").status_code) == 200


def test_an_export_of_a_key_group_holds_its_members_alone(house: House) -> None:
    key = _member(house, "diabetes")
    village = System(house.own.client, token_of(house.world.village, "village"))
    village.ask("POST", "Observation", house.observation())
    counts = []
    for one in (key, key.replace("diabetes", "copd")):
        begun = village.ask("GET", f"Group/{one}/$export?_type=Observation", prefer="respond-async")
        assert begun.status_code == 202, begun.content
        with acting(system_actor(Purpose.IMPORT)):
            number = BulkExport.objects.get(key=begun["Content-Location"].rpartition("/")[2]).pk
        bulk.work(number)
        bind(ANONYMOUS)
        manifest = village.ask("GET", begun["Content-Location"].split("/fhir/")[1]).json()
        counts.append(sum(line["count"] for line in manifest["output"]))
    assert counts == [1, 0]


def test_the_panel_of_a_team_follows_its_contracts(house: House) -> None:
    leader = make_staff(name="方敏", organization_id=house.world.township, role="family-doctor")
    with acting(system_actor(Purpose.IMPORT)) as actor:
        team = Team.objects.create(
            organization_id=house.world.village, name="石桥团队", leader=Practitioner.objects.get(user=leader)
        )
        publish_team_panels(actor=actor)
    village = System(house.own.client, token_of(house.world.village, "village"))
    before = village.ask("GET", f"Group/{team.key}").json()
    assert (before["quantity"], before["name"]) == (0, "石桥团队：签约居民")
    with acting(system_actor(Purpose.IMPORT)):
        Contract.objects.create(
            resident=house.resident, team=team, organization_id=house.world.village, state="active", term_years=1,
            signing_organization_id=house.world.village, starts_on=date(2020, 1, 1), ends_on=date(2099, 1, 1),
            package_code="basic", signed_at=house.resident.created_at, signer_name="周桂兰", consortium_id=house.world.consortium_id,
        )  # fmt: skip
    assert village.ask("GET", f"Group/{team.key}").json()["quantity"] == 1
    assert _ids(village.ask("GET", f"Group?member={house.patient}").json()) == [f"Group/{team.key}"]
    assert house.foreign.ask("GET", f"Group/{team.key}").status_code == 404


def _condition(house: House, code: str, status: str = "active", **more: object) -> dict[str, object]:
    clinical = "http://terminology.hl7.org/CodeSystem/condition-clinical"
    return {
        "resourceType": "Condition",
        "clinicalStatus": {"coding": [{"system": clinical, "code": status}]},
        "code": {"coding": [{"system": systems.ICD10, "code": code}], "text": code},
        "subject": {"reference": house.patient},
        **more,
    }


def test_lists_say_what_stands_and_follow_it(house: House) -> None:
    def problems() -> list[str]:
        query = f"List?patient={house.patient}&code={systems.LOINC}|11450-4"
        bind(ANONYMOUS)
        found = house.own.ask("GET", query).json()["entry"]
        assert len(found) == 1
        assert validation.problems(found[0]["resource"]) == []
        return [one["item"]["display"] for one in found[0]["resource"].get("entry", [])]

    first = house.own.ask("POST", "Condition", _condition(house, "I10")).json()
    assert problems() == ["I10"]
    house.own.ask("POST", "Condition", _condition(house, "E11.9", recordedDate="2026-02-01"))
    house.own.ask("POST", "Condition", _condition(house, "I10", recordedDate="2026-03-01"))
    house.own.ask("POST", "Condition", _condition(house, "J06.9", "resolved", abatementDateTime="2026-03-01"))
    # A diagnosis that is not said aloud stands on no list.
    house.own.ask("POST", "Condition", _condition(house, "B20"))
    assert sorted(problems()) == ["E11.9", "I10"]
    house.own.ask(
        "PUT",
        f"Condition/{first['id']}",
        {**first, "clinicalStatus": _condition(house, "I10", "inactive")["clinicalStatus"]},
    )
    assert sorted(problems()) == ["E11.9", "I10"]
    for one in house.own.ask("GET", f"Condition?patient={house.patient}").json()["entry"]:
        house.own.ask("DELETE", f"Condition/{one['resource']['id']}")
    assert problems() == []
    assert _ids(house.foreign.ask("GET", f"List?patient={house.patient}").json()) == []


def test_a_list_of_medicines_stays_the_version_that_says_the_same(house: House) -> None:
    house.own.ask(
        "POST",
        "MedicationStatement",
        {
            "resourceType": "MedicationStatement",
            "status": "active",
            "medicationCodeableConcept": {"text": "氨氯地平片 5mg"},
            "subject": {"reference": house.patient},
        },
    )
    taken = house.own.ask("GET", f"List?subject={house.patient}&code=10160-0&status=current").json()["entry"][0][
        "resource"
    ]
    assert [one["item"]["display"] for one in taken["entry"]] == ["氨氯地平片 5mg"]
    with acting(system_actor(Purpose.IMPORT)) as actor:
        assert publish_lists(actor=actor) == 1
    assert taken["meta"]["versionId"] == house.own.ask("GET", f"List/{taken['id']}").json()["meta"]["versionId"]
