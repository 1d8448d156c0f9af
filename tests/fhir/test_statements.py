"""What a machine's request sends to the database, and that the shortcuts of searches see what the wall lets through."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext, override_settings

from doorstep.kernel.access import actions as access
from doorstep.kernel.access.actor import Actor, Purpose, system_actor
from doorstep.kernel.access.models import ApiClient, CareRelationship
from doorstep.kernel.access.session import acting
from doorstep.kernel.audit.models import AuditEntry
from doorstep.kernel.fhir import systems
from doorstep.kernel.fhir.outcome import FhirRefused
from doorstep.kernel.record import actions as record
from doorstep.kernel.record.adding import add
from doorstep.kernel.record.models import Resource
from doorstep.kernel.record.publishing import Published, Row
from doorstep.kernel.record.search import prepare
from doorstep.kernel.record.search_facts import facts_of
from doorstep.people.residents.models import Resident
from doorstep.people.residents.tests.factories import make_resident
from doorstep.site.actors import of_client
from tests.fhir.house import House, bundle, entry, make_house, searched

pytestmark = pytest.mark.django_db

_TRANSACTION = ("BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE")
LOOKED = datetime(2026, 5, 1, tzinfo=UTC)


@pytest.fixture
def house(client: Client) -> House:
    return make_house(client)


def _others(house: House, count: int) -> list[Resident]:
    """More residents whom the hospital sees."""
    unit = house.world.lead
    return [
        make_resident(organization_id=unit, name=f"张{number}", number="", phone="", panel_of=(unit,))
        for number in range(count)
    ]


def _published(content: dict[str, Any]) -> Published:
    return Published(content=content, organization_id=None, occurred_at=LOOKED)


def _publish(resident: Resident | None, fhir_id: str, actor: Actor, **more: Any) -> None:
    content = {
        "resourceType": "Observation",
        "id": fhir_id,
        "status": "final",
        "code": {"coding": [{"system": systems.LOINC, "code": "8867-4"}], "text": "心率"},
        "effectiveDateTime": "2026-05-01T08:00:00+08:00",
        "valueQuantity": {"value": 72, "unit": "/min", "system": systems.UCUM, "code": "/min"},
    }
    if resident is not None:
        content["subject"] = {"reference": f"Patient/{resident.key}"}
    published = Published(content=content, occurred_at=LOOKED, **{"organization_id": None, **more})
    record.publish(published, resident_id=resident.pk if resident else None, actor=actor)


def _statements(house: House, method: str, path: str, body: Any = None) -> tuple[Any, list[str]]:
    with CaptureQueriesContext(connection) as captured:
        answer = house.own.ask(method, path, body)
    assert answer.status_code == 200, answer.content
    return answer.json(), [one["sql"] for one in captured.captured_queries if not one["sql"].startswith(_TRANSACTION)]


def _looks(action: str) -> list[int | None]:
    with acting(system_actor(Purpose.SEALING)):
        return list(
            AuditEntry.objects.filter(action=action).order_by("resident_id").values_list("resident_id", flat=True)
        )


@pytest.mark.django_db(transaction=True)
def test_read_and_search_are_one_statement_with_token_and_looks(house: House) -> None:
    people = [house.resident, *_others(house, 4)]
    with acting(system_actor(Purpose.IMPORT)) as system:
        for number, person in enumerate(people):
            _publish(person, f"seen-{number}", system)
    # The first request of a process learns whose token it is.
    assert house.own.ask("GET", "Observation/seen-0").status_code == 200
    body, sent = _statements(house, "GET", "Observation/seen-1")
    assert (body["id"], len(sent)) == ("seen-1", 1)
    assert _looks("fhir.read") == [people[0].pk, people[1].pk]
    body, sent = _statements(house, "GET", "Observation?status=final&_include=Observation:subject")
    assert (body["total"], len(body["entry"]), len(sent)) == (5, 5, 1)
    assert _looks("fhir.search") == sorted(person.pk for person in people)
    # What nobody may see leaves no look; what a search asked of a patient in vain does.
    assert house.foreign.ask("GET", "Observation/seen-0").status_code == 404
    assert house.own.ask("GET", "Observation/nothing").status_code == 404
    assert len(_looks("fhir.read")) == 2
    _, sent = _statements(house, "GET", f"Condition?patient={people[2].key}")
    assert len(sent) <= 1
    assert _looks("fhir.search").count(people[2].pk) <= 2


@pytest.mark.django_db(transaction=True)
def test_a_revoked_token_is_refused_although_it_was_known(house: House) -> None:
    assert house.own.ask("GET", "Observation/nothing").status_code == 404
    with acting(system_actor(Purpose.IMPORT)):
        ApiClient.objects.filter(name="his").update(revoked_at=LOOKED)
    assert house.own.ask("GET", "Observation/nothing").status_code == 401
    assert house.own.ask("GET", "Observation?status=final").status_code == 401


@pytest.mark.django_db(transaction=True)
def test_a_write_of_a_known_system_counts_once_against_its_limit(house: House) -> None:
    assert house.own.ask("GET", "Observation/nothing").status_code == 404
    # Ten seconds' worth may come at once: here a single request, whichever ways are tried for it.
    with override_settings(FHIR_REQUESTS_A_MINUTE=6):
        assert [house.own.ask("POST", "Observation", {}).status_code for _ in range(2)] == [400, 429]


@pytest.mark.django_db(transaction=True)
def test_refusals_of_a_known_system_are_those_of_the_view(house: House) -> None:
    for _ in range(2):
        assert house.own.ask("GET", "Observation?misspelt=1").status_code == 400
        assert house.own.ask("GET", "Nothing/1").status_code == 404
        assert house.own.ask("GET", "Observation/x", accept="text/html").status_code == 406
        assert house.own.ask("GET", "Observation?code:in=http://nowhere").status_code == 400
        assert house.own.ask("GET", "Observation?_id=a%00b").status_code == 400
        assert house.own.ask("GET", f"{house.patient}?_summary=nothing").status_code in (400, 404)


def test_a_bundle_sends_as_many_statements_for_many_patients_as_for_one(house: House) -> None:
    people = _others(house, 12)

    def sent(count: int) -> int:
        entries = [
            entry("POST", "Observation", house.observation(subject={"reference": f"Patient/{person.key}"}))
            for person in people[:count]
        ]
        body, statements = _statements(house, "POST", "", bundle("transaction", *entries))
        assert len(body["entry"]) == count
        return len(statements)

    assert sent(12) == sent(1) <= 4
    assert set(_looks("fhir.create")) == {person.pk for person in people}


@pytest.fixture
def sights(house: House) -> tuple[House, Actor]:
    """Entries of every kind of resident: seen whole, for an episode, no longer, never; sensitive, shared, the hospital's own."""
    unit = house.world.lead
    part, past, never = (
        make_resident(organization_id=unit, name=name, number="", phone="") for name in ("李一", "李二", "李三")
    )
    with acting(system_actor(Purpose.IMPORT)) as system:
        opening: dict[str, Any] = {"organization_id": unit, "reason": CareRelationship.Reason.REFERRAL, "actor": system}
        access.open_relationship(
            resident_id=part.pk, scope=CareRelationship.Scope.EPISODE, episode="referral/1", **opening
        )
        access.open_relationship(resident_id=past.pk, closes_at=LOOKED, **opening)
        for name, person in (
            ("whole", house.resident),
            ("part", part),
            ("past", past),
            ("never", never),
            ("shared", None),
        ):
            _publish(person, name, system)
            _publish(person, f"{name}-episode", system, episode="referral/1")
            _publish(person, f"{name}-sensitive", system, sensitive=True)
            _publish(person, f"{name}-own", system, sensitive=True, organization_id=unit)
        for known in (house.resident, part, never):
            patient = {"resourceType": "Patient", "id": str(known.key), "name": [{"text": "周桂兰"}]}
            record.publish(_published(patient), resident_id=known.pk, actor=system)
    actor = of_client(house.own.token)
    assert actor is not None
    return house, actor


def _know_many(house: House) -> None:
    """More relationships than access_sight gathers: the wall is asked of each row instead."""
    with acting(system_actor(Purpose.IMPORT)), connection.cursor() as cursor:
        cursor.execute(
            "SELECT access_open(n, %s, NULL, 'referral', 'full', '', '', false, NULL, '', NULL)"
            " FROM generate_series(900000, 901100) n",
            [house.world.lead],
        )


def _begin_with(**settings: int) -> None:
    """How many are tried before a search comes to its other beginnings."""
    with connection.cursor() as cursor:
        for name, value in settings.items():
            cursor.execute("SELECT set_config(%s, %s, true)", [f"doorstep.{name}", str(value)])


@pytest.mark.parametrize(("many", "newest"), [(False, 2000), (True, 2000), (True, 1)])
def test_a_search_finds_what_row_level_security_shows(sights: tuple[House, Actor], many: bool, newest: int) -> None:
    house, actor = sights
    _begin_with(newest=newest)
    if many:
        _know_many(house)
    with acting(actor):
        shown = set(Resource.objects.filter(type="Observation", deleted=False).values_list("fhir_id", flat=True))
        assert shown == {
            "whole", "whole-episode", "whole-own", "part-episode", "part-own", "shared", "shared-episode", "shared-own",
        }  # fmt: skip
        for pairs in (
            [],
            [("status", "final")],
            [("_sort", "date")],
            [("code", "8867-4")],
            [("value-quantity", "gt70")],
            [("value-quantity", f"gt70|{systems.UCUM}|/min"), ("_sort", "_lastUpdated")],
            [("code-value-quantity", "8867-4$lt80"), ("status", "final")],
            [("date", "ge2026-05-01"), ("value-quantity", "72")],
            [("date", "2026-05"), ("code:text", "心")],
            [("date", "ge2026-04-30"), ("date", "lt2026-05-03")],
            [("date", "2026-05-01"), ("code", "8867-4")],
            [("_id", ",".join(sorted(shown | {"never", "part"})))],
        ):
            found = searched("Observation", pairs, actor=actor)
            assert {one["resource"]["id"] for one in found["entry"]} == shown, pairs
            assert found["total"] == len(shown)
        for pairs in ([("patient.name", "周")], [("value-quantity", "gt70"), ("patient.name", "周")]):
            found = searched("Observation", pairs, actor=actor)
            assert {one["resource"]["id"] for one in found["entry"]} == {"whole", "whole-episode", "whole-own"}, pairs
        with pytest.raises(FhirRefused):
            searched("Observation", [("nothing", "1")], actor=actor)


def _paged(pairs: list[tuple[str, str]], actor: Actor) -> list[str]:
    """The ids of all pages of two."""
    found: list[str] = []
    asked = [*pairs, ("_count", "2")]
    while asked:
        body = searched("Observation", asked, actor=actor)
        found += [one["resource"]["id"] for one in body.get("entry", ())]
        more = [link["url"] for link in body["link"] if link["relation"] == "next"]
        asked = [("_cursor", more[0].partition("_cursor=")[2])] if more else []
    return found


@pytest.mark.parametrize("begin", [{}, {"newest": 1}, {"newest": 1, "named": 1, "passed": 0}])
def test_pages_of_amounts_and_names_are_those_of_row_level_security(
    sights: tuple[House, Actor], begin: dict[str, int]
) -> None:
    house, actor = sights
    _know_many(house)
    _begin_with(**begin)
    with acting(actor):
        seen = Resource.objects.filter(type="Observation", deleted=False).order_by("-id")
        every = list(seen.values_list("fhir_id", flat=True))
        named = list(seen.filter(resident_id=house.resident.pk).values_list("fhir_id", flat=True))
        assert (len(every), len(named)) == (8, 3)
        unit = f"{systems.UCUM}|/min"
        for value in (
            f"gt70|{unit}",
            f"72|{unit}",
            f"ge72|{unit}",
            f"lt73|{unit}",
            f"eb73|{unit}",
            f"ne71|{unit}",
            "ap72",
        ):
            for code in ([], [("code", "8867-4")], [("code", f"{systems.LOINC}|8867-4")], [("code", "1,8867-4")]):
                assert _paged([("value-quantity", value), *code], actor) == every, (value, code)
        for value in (f"gt72|{unit}", f"71|{unit}", f"ne72|{unit}", "lt72"):
            assert _paged([("value-quantity", value), ("code", "8867-4")], actor) == [], value
        assert _paged([("value-quantity", "72"), ("code", "1")], actor) == []
        for names in ([("patient.name", "周")], [("subject:Patient.name", "周桂"), ("code", "8867-4")]):
            assert _paged(names, actor) == named
            assert sorted(_paged([*names, ("_sort", "_lastUpdated")], actor)) == sorted(named)
        assert _paged([("patient.name", "李")], actor) == []


def test_a_name_leads_to_what_came_from_a_merged_record(sights: tuple[House, Actor]) -> None:
    house, actor = sights
    _know_many(house)
    _begin_with(newest=1, named=1)
    with acting(system_actor(Purpose.IMPORT)):
        # An entry that stands with the person's other record and still names the former one.
        former = Resource.objects.get(fhir_id="never").resident_id
        Resource.objects.filter(fhir_id="never").update(resident_id=house.resident.pk)
    with acting(system_actor(Purpose.MERGE)), connection.cursor() as cursor:
        cursor.execute("SELECT access_merge(%s, %s)", [former, house.resident.pk])
    with acting(actor):
        assert "never" in _paged([("patient.name", "周")], actor)


def test_an_amount_goes_with_its_resource_to_another_resident(sights: tuple[House, Actor]) -> None:
    house, actor = sights
    with acting(system_actor(Purpose.IMPORT)):
        Resource.objects.filter(fhir_id="never").update(resident_id=house.resident.pk)
    with acting(actor):
        found = searched("Observation", [("value-quantity", "gt70")], actor=actor)
    assert "never" in {one["resource"]["id"] for one in found["entry"]}


def _touched(pairs: list[tuple[str, str]]) -> int:
    """Pages that a search reads, planned before."""
    query = prepare("Observation", pairs, base="").arguments[0]
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) SELECT * FROM record_search(%s)", [query])
        cursor.execute("EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) SELECT * FROM record_search(%s)", [query])
        plan = cursor.fetchone()[0][0]["Plan"]
    return int(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"])


def test_a_search_of_few_residents_passes_over_everybody_else_s_values(sights: tuple[House, Actor]) -> None:
    _house, actor = sights
    content = {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": systems.LOINC, "code": "8867-4"}]},
    }
    value = {"value": 99, "unit": "/min", "system": systems.UCUM, "code": "/min"}
    strangers = [
        {**content, "id": f"stranger-{one}", "valueQuantity": value, "effectiveDateTime": "2026-05-02"}
        for one in range(1500)
    ]
    asked = (
        [("value-quantity", "gt50")],
        [("code", "8867-4")],
        [("date", "ge2026-05-01")],
        [("code", "8867-4"), ("date", "2026-05-02")],
    )
    with acting(actor):
        before = [_touched(pairs) for pairs in asked]
    with acting(system_actor(Purpose.IMPORT)) as system:
        rows = [
            (Row(published=_published(one), resident_id=800_000 + place), facts_of(one))
            for place, one in enumerate(strangers)
        ]
        add(rows, actor=system, now=LOOKED)
    with acting(actor):
        # To look at the 1,500 entries of others takes four pages each. What the own ones take differs with what other tests left there.
        for pairs, earlier in zip(asked, before, strict=True):
            assert _touched(pairs) - earlier < 2_500, pairs
