"""Searching as a client does: every type of parameter with its modifiers and prefixes, chains, includes, pages, and the wall."""

import json
import uuid
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from doorstep.kernel.access.actor import Purpose, system_actor
from doorstep.kernel.access.session import acting
from doorstep.kernel.audit.models import AuditEntry
from doorstep.kernel.fhir.parameters import parameters
from doorstep.kernel.record import actions as record
from doorstep.kernel.record.publishing import Published, Row
from doorstep.kernel.terminology.models import CodeSystem, Concept
from tests.fhir.house import House, make_house

pytestmark = pytest.mark.django_db

LOINC, UCUM = "http://loinc.org", "http://unitsofmeasure.org"
Json = dict[str, Any]


def put(house: House, *resources: Json, of_resident: bool = True, sensitive: bool = False) -> None:
    """Write resources as the house itself does."""
    rows = [
        Row(
            published=Published(
                content={"id": str(uuid.uuid4()), **one},
                organization_id=house.world.lead,
                occurred_at=house.resident.created_at,
                sensitive=sensitive,
            ),
            resident_id=house.resident.pk if of_resident else None,
        )
        for one in resources
    ]
    with acting(system_actor(Purpose.IMPORT)) as actor:
        record.write(rows, actor=actor)


def found(house: House, type: str, query: str = "", *, foreign: bool = False, **headers: str) -> Json:
    """The Bundle of a search."""
    system = house.foreign if foreign else house.own
    answer = system.ask("GET", f"{type}?{query}", **headers)
    assert answer.status_code == 200, answer.content
    bundle: Json = answer.json()
    return bundle


def ids(house: House, type: str, query: str = "", **options: Any) -> list[str]:
    """The ids of the matches, in order."""
    entries = found(house, type, query, **options).get("entry", [])
    return [one["resource"]["id"] for one in entries if one["search"]["mode"] == "match"]


def pressure(house: House, id: str, systolic: float, diastolic: float, **more: Any) -> Json:
    parts = [("8480-6", systolic), ("8462-4", diastolic)]
    return {
        "resourceType": "Observation", "id": id, "status": "final",
        "category": [{"coding": [{"system": "urn:cat", "code": "vital-signs"}]}],
        "code": {"coding": [{"system": LOINC, "code": "85354-9", "display": "Blood pressure panel"}], "text": "血压"},
        "subject": {"reference": house.patient},
        "component": [
            {
                "code": {"coding": [{"system": LOINC, "code": code}]},
                "valueQuantity": {"value": value, "unit": "mmHg", "system": UCUM, "code": "mm[Hg]"},
            }
            for code, value in parts
        ],
        **more,
    }  # fmt: skip


def glucose(house: House, id: str, value: float, unit: str, at: str, **more: Any) -> Json:
    return {
        "resourceType": "Observation", "id": id, "status": "final",
        "identifier": [{"system": "urn:lis", "value": f"G-{id.removeprefix('g-')}", "type": {"coding": [{"system": "urn:t", "code": "FILL"}]}}],
        "code": {"coding": [{"system": LOINC, "code": "15074-8", "display": "Glucose in blood"}]},
        "subject": {"reference": house.patient}, "effectiveDateTime": at,
        "valueQuantity": {"value": value, "unit": unit, "system": UCUM, "code": unit}, **more,
    }  # fmt: skip


@pytest.fixture
def house(client: Client) -> House:
    """Two blood pressures, three glucoses, and what they refer to."""
    made = make_house(client)
    name = [{"text": made.resident.name}]
    put(
        made,
        {"resourceType": "Patient", "id": str(made.resident.key), "name": name, "birthDate": "1950-02-03"},
        pressure(made, "bp-high", 182, 95, effectiveDateTime="2026-03-01T08:00:00+08:00"),
        pressure(made, "bp-low", 118, 142, effectivePeriod={"start": "2026-03-02", "end": "2026-03-05"}),
        glucose(made, "g-one", 6.3, "mmol/L", "2026-01-10", meta={"tag": [{"system": "urn:tag", "code": "red"}]}),
        glucose(made, "g-two", 0.0125, "mol/L", "2026-02-10T10:00:00Z", performer=[{"reference": "Practitioner/li"}]),
        glucose(made, "g-three", 4.0, "mmol/L", "2025-12-31", status="amended"),
    )
    put(
        made,
        {"resourceType": "Practitioner", "id": "li", "name": [{"family": "Lǐ", "given": ["Hua"], "text": "李华"}]},
        {"resourceType": "Organization", "id": "hospital", "name": "禾川县人民医院", "alias": ["County Hospital"]},
        {"resourceType": "Organization", "id": "ward", "name": "Ward", "partOf": {"reference": "Organization/hospital"}},
        {"resourceType": "Location", "id": "here", "name": "门诊", "position": {"latitude": 31.0, "longitude": 121.0}},
        {
            "resourceType": "ValueSet", "id": "sugars", "status": "active", "url": "http://x.org/sets/sugars",
            "compose": {"include": [{"system": LOINC, "concept": [{"code": "15074-8"}]}]},
        },
        of_resident=False,
    )  # fmt: skip
    return made


GLUCOSES = {"g-one", "g-two", "g-three"}
PRESSURES = {"bp-high", "bp-low"}


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        # token
        ("code=15074-8", GLUCOSES),
        (f"code={LOINC}|15074-8", GLUCOSES),
        ("code=urn:other|15074-8", set()),
        ("code=|15074-8", set()),
        (f"code={LOINC}|", GLUCOSES | PRESSURES),
        ("code=15074-8,85354-9", GLUCOSES | PRESSURES),
        ("code=15074-8&status=amended", {"g-three"}),
        ("status=http://hl7.org/fhir/observation-status|amended", {"g-three"}),
        ("status:not=final", {"g-three"}),
        ("code:text=gluc", GLUCOSES),
        ("code:text=血压", PRESSURES),
        ("code:in=http://x.org/sets/sugars", GLUCOSES),
        ("code:not-in=ValueSet/sugars", PRESSURES),
        ("identifier=urn:lis|g-ONE", {"g-one"}),
        ("identifier:of-type=urn:t|FILL|G-two", {"g-two"}),
        ("_tag=urn:tag|red", {"g-one"}),
        ("_id=g-one,bp-low", {"g-one", "bp-low"}),
        ("category:missing=true", GLUCOSES),
        ("category:missing=false", PRESSURES),
        ("combo-code=8480-6", PRESSURES),
        # date
        ("date=2026-03-01", {"bp-high"}),
        ("date=2026-03", PRESSURES),
        ("date=ge2026-02-01&date=lt2026-03-01", {"g-two"}),
        ("date=lt2026", {"g-three"}),
        ("date=gt2026-03-04", {"bp-low"}),
        ("date=sa2026-03-01", {"bp-low"}),
        ("date=eb2026-01-11", {"g-one", "g-three"}),
        ("date=ne2026-03", GLUCOSES),
        ("date=2026-02-10T10:00:00Z", {"g-two"}),
        # quantity: 12.5 mmol/L are 0.0125 mol/L
        (f"value-quantity=gt6|{UCUM}|mmol/L", {"g-one", "g-two"}),
        (f"value-quantity=12.5|{UCUM}|mmol/L", {"g-two"}),
        ("value-quantity=6.3", {"g-one"}),
        ("value-quantity=6", {"g-one"}),
        ("value-quantity=6.3||mmol/L", {"g-one"}),
        ("value-quantity=ap6||mmol/L", {"g-one"}),
        ("value-quantity=lt5||mmol/L", {"g-three"}),
        # composite: the values of one component, not of two
        (f"component-code-value-quantity={LOINC}|8480-6$gt140", {"bp-high"}),
        (f"combo-code-value-quantity=8462-4$gt18|{UCUM}|kPa", {"bp-low"}),
        # reference, chains
        ("performer=Practitioner/li", {"g-two"}),
        ("performer:Practitioner=li", {"g-two"}),
        ("performer=http://testserver/fhir/Practitioner/li", {"g-two"}),
        ("performer:Practitioner.name=li", {"g-two"}),
        ("performer:Practitioner.family:exact=Lǐ", {"g-two"}),
        ("performer:Practitioner.name=wang", set()),
    ],
)
def test_search_observations(house: House, query: str, wanted: set[str]) -> None:
    assert set(ids(house, "Observation", query)) == wanted


@pytest.mark.parametrize(
    ("type", "query", "wanted"),
    [
        ("Organization", "name=禾川", {"hospital"}),
        ("Organization", "name=county", {"hospital"}),
        ("Organization", "name=hospital", set()),
        ("Organization", "name:contains=人民", {"hospital"}),
        ("Organization", "name:exact=ward", set()),
        ("Organization", "partof.name=禾川", {"ward"}),
        ("Organization", "_has:Organization:partof:name=ward", {"hospital"}),
        ("Practitioner", "phonetic=lihua", {"li"}),
        ("Practitioner", "_has:Observation:performer:code=15074-8", {"li"}),
        ("Practitioner", "_has:Observation:performer:status=amended", set()),
        ("Location", "near=31.01|121.0|2|km", {"here"}),
        ("Location", "near=32|121.0|2|km", set()),
        ("ValueSet", "url=http://x.org/sets/sugars", {"sugars"}),
        ("ValueSet", "url:below=http://x.org/", {"sugars"}),
        ("ValueSet", "url:above=http://x.org/sets/sugars/more", {"sugars"}),
    ],
)
def test_search_other_types(house: House, type: str, query: str, wanted: set[str]) -> None:
    assert set(ids(house, type, query)) & {"hospital", "ward", "li", "here", "sugars"} == wanted


def test_patient_and_subject_are_one(house: House) -> None:
    key = str(house.resident.key)
    everything = GLUCOSES | PRESSURES
    for query in (f"patient={key}", f"patient={house.patient}", f"subject={house.patient}", f"subject:Patient={key}"):
        assert set(ids(house, "Observation", query)) == everything
    assert ids(house, "Observation", f"subject=Group/{key}") == []
    assert set(ids(house, "Observation", "patient.name=" + quote(house.resident.name[:1]))) == everything


def test_code_below_takes_the_hierarchy_of_the_code_system(house: House) -> None:
    system = CodeSystem.objects.create(
        uri="urn:icd", version="1", name="icd", title_zh="病", title_en="icd", source="test"
    )
    for code, parent in (("E00-E90", ""), ("E11", "E00-E90"), ("E11.9", "E11")):
        Concept.objects.create(system=system, code=code, display_zh=code, parent=parent)
    condition = {"resourceType": "Condition", "id": "c", "code": {"coding": [{"system": "urn:icd", "code": "E11.9"}]}}
    put(house, {**condition, "subject": {"reference": house.patient}})
    assert ids(house, "Condition", "code:below=urn:icd|E00-E90") == ["c"]
    assert ids(house, "Condition", "code:above=urn:icd|E11.9") == ["c"]
    assert ids(house, "Condition", "code:below=urn:icd|E12") == []


def test_sort_include_and_summaries(house: House) -> None:
    assert ids(house, "Observation", "_sort=date") == ["g-three", "g-one", "g-two", "bp-high", "bp-low"]
    assert ids(house, "Observation", "_sort=-date") == ["bp-low", "bp-high", "g-two", "g-one", "g-three"]
    by_value = ids(house, "Observation", "_sort=-value-quantity,-date")
    assert by_value == ["g-one", "g-three", "g-two", "bp-low", "bp-high"]
    assert ids(house, "Observation", "_sort=status,_id")[0] == "g-three"
    bundle = found(
        house, "Observation", "_id=g-two&_include=Observation:performer&_include=Observation:subject:Patient"
    )
    modes = {one["resource"]["resourceType"]: one["search"]["mode"] for one in bundle["entry"]}
    assert modes == {"Observation": "match", "Practitioner": "include", "Patient": "include"}
    assert bundle["total"] == 1
    back = found(house, "Practitioner", "_id=li&_revinclude=Observation:performer&_include:iterate=Observation:patient")
    assert [one["resource"]["resourceType"] for one in back["entry"]] == ["Practitioner", "Observation", "Patient"]
    short = found(house, "Observation", "_id=g-one&_elements=status,code")["entry"][0]["resource"]
    assert set(short) == {"resourceType", "id", "meta", "status", "code"}
    assert short["meta"]["tag"][-1]["code"] == "SUBSETTED"
    for query in ("_summary=count", "_count=0"):
        counted = found(house, "Observation", query)
        assert counted["total"] == 5
        assert "entry" not in counted
    assert "category" not in found(house, "Observation", "_id=bp-low&_summary=true")["entry"][0]["resource"]


def test_post_answers_as_get_and_pages_hold_no_values(house: House) -> None:
    body = urlencode({"identifier": "urn:lis|G-one,urn:lis|G-two", "_count": "1"})
    form = "application/x-www-form-urlencoded"
    answer = house.own.ask("POST", "Observation/_search", body, kind=form)
    assert answer.status_code == 200
    bundle = answer.json()
    after = next(link["url"] for link in bundle["link"] if link["relation"] == "next")
    assert not [one for one in ("G-one", "G-two") if one in after]
    second = house.own.ask("GET", after.partition("/fhir/")[2]).json()
    both = {one["resource"]["id"] for part in (bundle, second) for one in part["entry"]}
    assert both == {"g-one", "g-two"}
    assert [link["relation"] for link in second["link"]] == ["self"]
    assert house.own.ask("GET", after.partition("/fhir/")[2].replace("Observation", "Task")).status_code == 400
    assert house.own.ask("POST", "Observation/_search", "{}").status_code == 415


@pytest.mark.parametrize(
    "sort", ["", "_sort=date", "_sort=-date", "_sort=value-quantity", "_sort=-_lastUpdated", "_sort=status,-date"]
)
def test_pages_never_shift_while_others_write(house: House, sort: str) -> None:
    before = ids(house, "Observation", sort)
    seen, path, count = [], f"Observation?_count=2&{sort}", 0
    while path:
        bundle = house.own.ask("GET", path).json()
        seen += [one["resource"]["id"] for one in bundle["entry"]]
        path = next((link["url"].partition("/fhir/")[2] for link in bundle["link"] if link["relation"] == "next"), "")
        count += 1
        put(house, glucose(house, f"new-{count}", 5 + count, "mmol/L", f"2026-02-{10 + count}"))
        put(house, pressure(house, f"late-{count}", 120, 80))
    assert len(seen) == len(set(seen))
    assert [one for one in seen if one in before] == before


def test_unknown_parameter_is_an_error_or_a_warning_and_never_silent(house: House) -> None:
    for query in (
        "cod=1",
        "code:inn=1",
        "subject:Patient.nam=x",
        "_has:Observation:nothing:code=1",
        "_sort=size",
        "_include=Observation:nobody",
        "_filter=x",
    ):
        refused = house.own.ask("GET", f"Observation?{query}")
        assert refused.status_code == 400, query
        assert refused.json()["issue"][0]["severity"] == "error"
        bundle = found(house, "Observation", f"{query}&_id=g-one", Prefer="handling=lenient")
        outcome = bundle["entry"][-1]
        assert outcome["search"]["mode"] == "outcome"
        assert outcome["resource"]["issue"][0]["severity"] == "warning"
        assert query.partition("=")[0].split(":")[0] not in bundle["link"][0]["url"]


def test_stranger_learns_nothing_by_matches_totals_chains_includes_or_sorting(house: House) -> None:
    name = quote(house.resident.name)
    for query in (
        "",
        "_total=accurate",
        "_sort=-date",
        "_summary=count",
        f"patient={house.resident.key}",
        f"patient.name={name}",
        "_tag=urn:tag|red",
    ):
        bundle = found(house, "Observation", query, foreign=True)
        assert bundle["total"] == 0
        assert "entry" not in bundle
    assert ids(house, "Practitioner", "_has:Observation:performer:code=15074-8", foreign=True) == []
    assert [
        one["resource"]["id"]
        for one in found(house, "Practitioner", "_id=li&_revinclude=Observation:performer", foreign=True)["entry"]
    ] == ["li"]
    # A shared resource that refers to a hidden one: the chain and the include end at the wall.
    put(house, {"resourceType": "Schedule", "id": "s", "actor": [{"reference": house.patient}]}, of_resident=False)
    assert ids(house, "Schedule", "_id=s", foreign=True) == ["s"]
    assert len(found(house, "Schedule", "_id=s&_include=Schedule:actor", foreign=True)["entry"]) == 1
    assert len(found(house, "Schedule", "_id=s&_include=Schedule:actor")["entry"]) == 2
    assert ids(house, "Schedule", f"actor:Patient.name={name}", foreign=True) == []
    assert ids(house, "Schedule", f"actor:Patient.name={name}") == ["s"]


def test_update_and_delete_leave_the_index(house: House) -> None:
    put(house, glucose(house, "g-one", 9.9, "mmol/L", "2026-01-11", status="cancelled"))
    assert ids(house, "Observation", "_tag=urn:tag|red") == []
    assert ids(house, "Observation", "value-quantity=6.3") == []
    assert ids(house, "Observation", "value-quantity=9.9&status=cancelled&date=2026-01-11") == ["g-one"]
    with acting(system_actor(Purpose.IMPORT)) as actor:
        gone = Published(
            content=glucose(house, "g-one", 9.9, "mmol/L", "2026-01-11"),
            organization_id=None,
            occurred_at=house.resident.created_at,
        )
        record.publish(gone, resident_id=house.resident.pk, actor=actor, deleted=True)
    assert "g-one" not in ids(house, "Observation")
    assert ids(house, "Observation", "identifier=urn:lis|G-one") == []


def test_each_resident_shown_sees_the_look(house: House) -> None:
    ids(house, "Observation", "code=15074-8")
    with acting(system_actor(Purpose.SEALING)):
        looks = AuditEntry.objects.filter(action="fhir.search", resident_id=house.resident.pk)
        assert [one.details["parameters"] for one in looks] == [["code"]]


def test_capability_names_the_parameters_of_the_table(house: House) -> None:
    resources = house.own.ask("GET", "metadata").json()["rest"][0]["resource"]
    one = next(resource for resource in resources if resource["type"] == "Observation")
    assert {known["name"] for known in one["searchParam"]} == set(parameters("Observation"))
    assert "Observation:subject" in one["searchInclude"]


WORDS = st.sampled_from(
    [*sorted(parameters("Observation")), "_sort", "_count", "_include", "_revinclude", "_elements", "_summary", "_total", "_cursor",
     "_has:Observation:subject:code", "subject.name", "subject:Patient.birthdate", "performer.name", "_list", "_type"]
)  # fmt: skip
MODIFIERS = st.sampled_from(
    [
        "",
        "",
        "",
        ":exact",
        ":contains",
        ":missing",
        ":not",
        ":in",
        ":below",
        ":text",
        ":identifier",
        ":Patient",
        ":iterate",
        ":of-type",
    ]
)
VALUES = st.one_of(
    st.text(max_size=30),
    st.sampled_from(["2026", "ge2026-01", "gt1e400", "-1e-300", "5.4|http://unitsofmeasure.org|mg", "|", "||", "$", "a$b", "\\", "\\,", ",", "true",
                     "Patient/1", "Observation:subject", "-date,code", "0", "99999999", "9999-12-31", "0001-01-01", "ap0001", "%00", "\x00", "\ud800", "'; --"]),
)  # fmt: skip


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pairs=st.lists(st.tuples(WORDS, MODIFIERS, VALUES), min_size=1, max_size=4), lenient=st.booleans())
def test_no_query_string_ends_in_a_fault(house: House, pairs: list[tuple[str, str, str]], lenient: bool) -> None:
    query = "&".join(
        f"{name}{modifier}={quote(value.encode('utf-8', 'surrogatepass'))}" for name, modifier, value in pairs
    )
    headers = {"Prefer": "handling=lenient"} if lenient else {}
    answer = house.own.ask("GET", f"Observation?{query}", **headers)
    assert answer.status_code in (200, 400, 503), (query, answer.content)
    assert json.loads(answer.content)["resourceType"] in ("Bundle", "OperationOutcome")
