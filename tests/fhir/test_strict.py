"""What an engineer who knows http.html and search.html of R4 tries first, each with the answer that the specification asks for."""

import gzip
import json
from typing import Any

import pytest
from django.test import Client

from doorstep.kernel.fhir import validation
from tests.fhir.house import House, bundle, entry, make_house

pytestmark = pytest.mark.django_db
_FHIR = "application/fhir+json"


@pytest.fixture
def house(client: Client) -> House:
    return make_house(client)


def _kept(house: House, **more: Any) -> dict[str, Any]:
    found: dict[str, Any] = house.own.ask("POST", "Observation", house.observation(**more)).json()
    return found


@pytest.mark.parametrize(
    ("accept", "status"),
    [
        (f"{_FHIR};q=0, application/xml", 406),
        (f"{_FHIR}; fhirVersion=3.0", 406),
        (f"{_FHIR}; fhirVersion=4.0", 200),
        (f"{_FHIR}; fhirVersion=5.0, {_FHIR}; fhirVersion=4.0; q=0.5", 200),
        ("application/fhir+xml, application/json;q=0.1", 200),
        ("text/turtle", 406),
    ],
)
def test_what_is_accepted_is_read_with_weight_and_version(house: House, accept: str, status: int) -> None:
    assert house.own.ask("GET", "Flag", accept=accept).status_code == status
    assert house.own.ask("GET", "metadata", accept=accept).status_code == status


def test_what_is_sent_is_json_of_r4_in_one_coding(house: House) -> None:
    body = json.dumps(house.observation())

    def status(text: str | bytes, kind: str = _FHIR, **headers: str) -> int:
        return int(house.own.ask("POST", "Observation", text, kind=kind, **headers).status_code)

    assert status(body, f"{_FHIR}; fhirVersion=4.0; charset=UTF-8") == 201
    assert status(body, f"{_FHIR}; fhirVersion=3.0") == 415
    assert status(body, f"{_FHIR}; charset=ISO-8859-1") == 415
    assert status(gzip.compress(body.encode()), content_encoding="gzip") == 201
    assert status(body, content_encoding="deflate") == 415
    # A name that stands twice: one reader takes the first value, another the last.
    twice = house.own.ask("POST", "Observation", body.replace('"status"', '"status": "amended", "status"', 1))
    assert (twice.status_code, "status" in twice.json()["issue"][0]["diagnostics"]) == (400, True)


def test_answers_without_content_are_of_no_kind_and_weights_of_codings_count(house: House) -> None:
    one = _kept(house)
    minimal = house.own.ask("POST", "Observation", house.observation(), prefer="return=minimal")
    unchanged = house.own.ask("GET", f"Observation/{one['id']}", if_none_match='W/"1"')
    gone = house.own.ask("DELETE", f"Observation/{one['id']}")
    assert [answer.status_code for answer in (minimal, unchanged, gone)] == [201, 304, 204]
    assert not any(answer.has_header("Content-Type") for answer in (minimal, unchanged, gone))
    plain = house.own.ask("GET", "metadata", accept_encoding="gzip;q=0")
    packed = house.own.ask("GET", "metadata", accept_encoding="br, gzip;q=0.5")
    assert (plain.has_header("Content-Encoding"), packed["Content-Encoding"]) == (False, "gzip")
    assert json.loads(gzip.decompress(packed.content)) == plain.json()


def test_metadata_says_by_mode_what_is_asked(house: House) -> None:
    terms = house.own.ask("GET", "metadata?mode=terminology").json()
    assert (terms["resourceType"], validation.problems(terms)) == ("TerminologyCapabilities", [])
    assert house.own.ask("GET", "metadata?mode=normative").json()["resourceType"] == "CapabilityStatement"
    assert house.own.ask("GET", "metadata?mode=nonsense").status_code == 400


def test_a_wrong_method_is_told_the_right_ones(house: House) -> None:
    every = "GET, HEAD, PUT, PATCH, DELETE"
    for method, path, allowed in (
        ("POST", "Observation/x", every),
        ("OPTIONS", "Observation", "GET, HEAD, POST, PUT, PATCH, DELETE"),
        ("POST", "Observation/x/_history/1", "GET, HEAD"),
        ("PUT", "Observation/_history", "GET, HEAD"),
        ("PUT", "Observation/_search", "POST"),
        ("DELETE", "metadata", "GET, HEAD"),
        ("DELETE", f"{house.patient}/Observation", "GET, HEAD"),
        ("GET", "Patient/$match", "POST"),
        ("GET", "Slot/$hold", "POST"),
        ("GET", "Observation/$validate", "POST"),
        ("POST", "AuditEvent", "GET, HEAD"),
        ("PUT", "Patient/x", "GET, HEAD"),
    ):
        kind, _, key = path.partition("/")
        body: dict[str, Any] | None = {"resourceType": kind, "id": key} if method in ("POST", "PUT") else None
        answer = house.own.ask(method, path, body)
        if method == "PUT" and kind == "Patient":
            body = {"resourceType": "Patient", "id": key, "name": [{"text": "张三"}]}
            answer = house.own.ask(method, path, body)
        assert (answer.status_code, answer.get("Allow")) == (405, allowed), (method, path, answer.content)


def test_conditions_of_updates_hold(house: House) -> None:
    one = _kept(house)
    address = f"Observation/{one['id']}"
    assert house.own.ask("PUT", address, {**one, "status": "amended"}, if_match="*").status_code == 200
    house.own.ask("DELETE", address)
    assert house.own.ask("PUT", address, one, if_match="*").status_code == 412
    mine = {**house.observation(), "id": "his-1"}
    assert house.own.ask("PUT", "Observation/his-1", mine).status_code == 201
    # The condition finds nothing, but something else stands under the id: it is not written over.
    nothing = "identifier=urn:x|none"
    assert house.own.ask("PUT", f"Observation?{nothing}", mine).status_code == 409
    whole = bundle("transaction", entry("PUT", f"Observation?{nothing}", mine))
    assert house.own.ask("POST", "", whole).status_code == 409
    changed = bundle("transaction", entry("PUT", "Observation/his-1", {**mine, "status": "amended"}, ifMatch="*"))
    assert house.own.ask("POST", "", changed).json()["entry"][0]["response"]["status"] == "200 OK"


def test_a_batch_asks_what_a_client_asks_alone(house: House) -> None:
    one = _kept(house)
    asked = bundle(
        "batch",
        entry("GET", f"http://testserver/fhir/Observation/{one['id']}"),
        entry("GET", "?_type=Observation&_count=1"),
        entry("GET", "http://other.example/fhir/Observation/1"),
        entry("POST", "?x=y", bundle("batch")),
    )
    found = house.own.ask("POST", "", asked).json()["entry"]
    assert [one["response"]["status"][:3] for one in found] == ["200", "200", "422", "404"]
    assert found[1]["resource"]["entry"][0]["resource"]["id"] == one["id"]


def test_what_a_search_cannot_mean_is_refused(house: House) -> None:
    for query in (
        "subject:Foo=1",
        "subject:Organization=1",
        "_elements=stauts",
        "_include=Observation:subjekt",
    ):
        answer = house.own.ask("GET", f"Observation?{query}")
        assert answer.status_code == 400, query
        assert answer.json()["issue"][0]["code"] == "not-supported"
    lenient = house.own.ask("GET", "Observation?_elements=stauts", prefer="handling=lenient").json()
    assert lenient["entry"][-1]["search"]["mode"] == "outcome"
    form = {"kind": "application/x-www-form-urlencoded"}
    assert house.own.ask("POST", "Observation/_search", "code=8867-4&_format=xml", **form).status_code == 406


def test_what_comes_along_comes_whole_and_a_star_brings_all(house: House) -> None:
    visit = {
        "resourceType": "Encounter",
        "status": "finished",
        "class": {"code": "AMB"},
        "subject": {"reference": house.patient},
    }
    stay = house.own.ask("POST", "Encounter", visit).json()
    _kept(house, encounter={"reference": f"Encounter/{stay['id']}"})
    for include in ("_include=Observation:encounter", "_include=*"):
        found = house.own.ask("GET", f"Observation?_elements=value&{include}").json()["entry"]
        by_type = {one["resource"]["resourceType"]: one["resource"] for one in found}
        assert by_type["Encounter"] == stay
        assert set(by_type["Observation"]) == {"resourceType", "id", "meta", "status", "code", "valueQuantity"}
    short = house.own.ask("GET", "Observation?_summary=true").json()["entry"][0]["resource"]
    assert short["valueQuantity"]["value"] == 72


def test_a_compartment_is_searched_whole_and_by_post(house: House) -> None:
    _kept(house)
    note = {"resourceType": "Flag", "status": "active", "code": {"text": "x"}, "subject": {"reference": house.patient}}
    house.own.ask("POST", "Flag", note)
    whole = house.own.ask("GET", f"{house.patient}/*?_sort=_lastUpdated").json()["entry"]
    assert [one["resource"]["resourceType"] for one in whole] == ["Observation", "Flag"]
    form = {"kind": "application/x-www-form-urlencoded"}
    assert house.own.ask("POST", f"{house.patient}/Observation/_search", "code=8867-4", **form).json()["total"] == 1
    assert house.own.ask("POST", f"{house.patient}/Observation/_search", "code=nothing", **form).json()["total"] == 0
    assert house.foreign.ask("GET", f"{house.patient}/*").json()["total"] == 0
    assert house.own.ask("GET", "Organization/x/*").status_code == 404
