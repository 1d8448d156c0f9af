"""Read, vread, history, create, update, patch, delete and their conditions."""

import gzip
import json
import uuid
from typing import Any

import pytest
from django.test import Client

from doorstep.kernel.access.actor import Purpose, system_actor
from doorstep.kernel.access.session import acting
from doorstep.kernel.audit.models import AuditEntry
from doorstep.kernel.fhir.validation import problems
from doorstep.kernel.record import history
from doorstep.kernel.record.models import Resource
from doorstep.people.residents.actions import publish
from tests.fhir.house import House, make_house

pytestmark = pytest.mark.django_db


@pytest.fixture
def house(client: Client) -> House:
    return make_house(client)


def _created(house: House, **changes: Any) -> str:
    answer = house.own.ask("POST", "Observation", house.observation(**changes))
    assert answer.status_code == 201, answer.content
    return f"Observation/{answer.json()['id']}"


def test_create_answers_with_location_etag_and_the_resource(house: House) -> None:
    answer = house.own.ask("POST", "Observation", house.observation(id="mine"))
    made = answer.json()
    assert answer.status_code == 201
    assert made["id"] != "mine"
    assert answer["Location"].endswith(f"/fhir/Observation/{made['id']}/_history/1")
    assert answer["ETag"] == 'W/"1"'
    assert made["meta"]["versionId"] == "1"
    assert house.own.ask("GET", f"Observation/{made['id']}").json() == made


def test_decimals_come_back_as_they_were_written(house: House) -> None:
    text = json.dumps(house.observation()).replace('"value": 72', '"value": 7.2000')
    path = f"Observation/{house.own.ask('POST', 'Observation', text).json()['id']}"
    assert b'"value": 7.2000' in house.own.ask("GET", path).content
    assert b'"value": 7.2000' in house.own.ask("GET", f"{path}/_history").content


def test_update_makes_a_version_and_an_equal_one_none(house: House) -> None:
    path = _created(house)
    body = house.own.ask("GET", path).json()
    changed = {**body, "status": "amended"}
    assert house.own.ask("PUT", path, changed).json()["meta"]["versionId"] == "2"
    again = house.own.ask("PUT", path, changed)
    assert (again.status_code, again["ETag"]) == (200, 'W/"2"')
    assert house.own.ask("GET", f"{path}/_history/1").json() == body
    assert house.own.ask("GET", f"{path}/_history/3").status_code == 404


def test_if_match_guards_against_lost_updates(house: House) -> None:
    path = _created(house)
    body = {**house.own.ask("GET", path).json(), "status": "amended"}
    assert house.own.ask("PUT", path, body, if_match='W/"2"').status_code == 412
    assert house.own.ask("PUT", path, body, if_match='W/"1"').status_code == 200
    assert house.own.ask("DELETE", path, if_match='W/"1"').status_code == 412
    assert house.own.ask("PUT", path, body, if_match="three").status_code == 400


def test_conditional_reads(house: House) -> None:
    path = _created(house)
    first = house.own.ask("GET", path)
    assert house.own.ask("GET", path, if_none_match=first["ETag"]).status_code == 304
    assert house.own.ask("GET", path, if_none_match='W/"7"').status_code == 200
    assert house.own.ask("GET", path, if_modified_since=first["Last-Modified"]).status_code == 304
    assert house.own.ask("GET", path, if_modified_since="Thu, 01 Jan 2026 00:00:00 GMT").status_code == 200


def test_update_as_create_takes_only_ids_of_the_client(house: House) -> None:
    named = house.observation(id="his-7")
    assert house.own.ask("PUT", "Observation/his-7", named).status_code == 201
    assert house.own.ask("PUT", "Observation/his-7", named, if_none_match="*").status_code == 412
    for strange in ("7", "foreign-7", str(uuid.uuid4())):
        answer = house.own.ask("PUT", f"Observation/{strange}", house.observation(id=strange))
        assert answer.status_code == 404
    assert house.own.ask("PUT", "Observation/his-8", named).status_code == 400


def test_delete_leaves_history_and_an_update_brings_it_back(house: House) -> None:
    path = _created(house)
    body = house.own.ask("GET", path).json()
    assert house.own.ask("DELETE", path).status_code == 204
    assert house.own.ask("DELETE", path).status_code == 204
    assert house.own.ask("GET", path).status_code == 410
    assert house.own.ask("GET", f"{path}/_history/2").status_code == 410
    assert house.own.ask("GET", f"{path}/_history/1").status_code == 200
    assert house.own.ask("GET", f"Observation?_id={path.split('/')[1]}").json()["total"] == 0
    assert house.own.ask("PUT", path, body).status_code == 201
    assert house.own.ask("GET", path).json()["meta"]["versionId"] == "3"
    history = house.own.ask("GET", f"{path}/_history").json()
    assert [one["request"]["method"] for one in history["entry"]] == ["PUT", "DELETE", "POST"]
    assert ["resource" in one for one in history["entry"]] == [True, False, True]


def test_json_patch(house: House) -> None:
    path = _created(house)
    steps = [
        {"op": "test", "path": "/status", "value": "final"},
        {"op": "replace", "path": "/status", "value": "amended"},
        {"op": "add", "path": "/note", "value": [{"text": "复核"}]},
    ]
    kind = "application/json-patch+json"
    answer = house.own.ask("PATCH", path, steps, kind=kind, if_match='W/"1"')
    assert answer.status_code == 200, answer.content
    assert (answer.json()["status"], answer.json()["note"]) == ("amended", [{"text": "复核"}])
    for wrong in (steps, [{"op": "remove", "path": "/nothing"}], [{"op": "replace", "path": "/id", "value": "x"}], [1]):
        assert house.own.ask("PATCH", path, wrong, kind=kind).status_code == 422
    missing = house.own.ask("PATCH", path, [{"op": "remove", "path": "/status"}], kind=kind)
    assert missing.json()["issue"][0]["expression"] == ["Observation.status"]


def test_fhirpath_patch(house: House) -> None:
    path = _created(house, category=[{"text": "a"}, {"text": "b"}])

    def operation(**parts: Any) -> dict[str, Any]:
        rows = [
            {"name": name, **(value if isinstance(value, dict) else {"valueString": value})}
            for name, value in parts.items()
        ]
        return {"name": "operation", "part": rows}

    body = {
        "resourceType": "Parameters",
        "parameter": [
            operation(type="replace", path="Observation.status", value={"valueCode": "amended"}),
            operation(type="add", path="Observation", name="note", value={"valueAnnotation": {"text": "复核"}}),
            operation(type="delete", path="Observation.category.where(text = 'a')"),
        ],
    }
    changed = house.own.ask("PATCH", path, body).json()
    assert (changed["status"], changed["note"], changed["category"]) == ("amended", [{"text": "复核"}], [{"text": "b"}])
    slow = {"resourceType": "Parameters", "parameter": [operation(type="delete", path="code.where(matches('(a+)+$'))")]}
    assert house.own.ask("PATCH", path, slow).status_code == 422


def test_conditional_create_update_and_delete(house: House) -> None:
    mark = {"system": "urn:his", "value": "o-9"}
    body = house.observation(identifier=[mark])
    condition = "identifier=urn:his|o-9"
    first = house.own.ask("POST", "Observation", body, if_none_exist=condition)
    second = house.own.ask("POST", "Observation", {**body, "status": "amended"}, if_none_exist=condition)
    assert (first.status_code, second.status_code) == (201, 200)
    assert second.json()["status"] == "final"
    updated = house.own.ask("PUT", f"Observation?{condition}", {**body, "status": "amended"})
    assert (updated.status_code, updated.json()["id"]) == (200, first.json()["id"])
    fresh = house.observation(identifier=[{"system": "urn:his", "value": "o-10"}])
    assert house.own.ask("PUT", "Observation?identifier=urn:his|o-10", fresh).status_code == 201
    several = f"Observation?patient={house.patient}"
    assert house.own.ask("PUT", several, body).status_code == 412
    assert house.own.ask("POST", "Observation", body, if_none_exist=f"patient={house.patient}").status_code == 412
    assert house.own.ask("DELETE", f"Observation?{condition}").status_code == 204
    assert house.own.ask("GET", f"Observation/{first.json()['id']}").status_code == 410
    assert house.own.ask("DELETE", "Observation").status_code == 412


def test_prefer_shapes_the_answer(house: House) -> None:
    minimal = house.own.ask("POST", "Observation", house.observation(), prefer="return=minimal")
    assert (minimal.status_code, minimal.content) == (201, b"")
    outcome = house.own.ask("POST", "Observation", house.observation(), prefer="return=OperationOutcome")
    assert outcome.json()["resourceType"] == "OperationOutcome"


def test_formats(house: House) -> None:
    path = _created(house)
    assert house.own.ask("GET", path, accept="application/fhir+xml").status_code == 406
    assert house.own.ask("GET", f"{path}?_format=xml").status_code == 406
    assert house.own.ask("GET", f"{path}?_format=application/fhir%2Bjson", accept="text/html").status_code == 200
    assert house.own.ask("POST", "Observation", "<Observation/>", kind="application/fhir+xml").status_code == 415
    head = house.own.ask("HEAD", path)
    assert (head.status_code, head.content, head["ETag"]) == (200, b"", 'W/"1"')
    packed = house.own.ask("GET", "metadata", accept_encoding="gzip")
    assert packed.status_code == 200
    listed = house.own.ask("GET", f"{path}/_history", accept_encoding="gzip")
    text = gzip.decompress(listed.content) if listed.get("Content-Encoding") == "gzip" else listed.content
    assert json.loads(text)["total"] == 1


def test_summary_and_elements_of_a_read(house: House) -> None:
    path = _created(house, note=[{"text": "x"}])
    short = house.own.ask("GET", f"{path}?_elements=status").json()
    assert set(short) == {"resourceType", "id", "meta", "status", "code"}
    assert short["meta"]["tag"][0]["code"] == "SUBSETTED"
    assert "note" not in house.own.ask("GET", f"{path}?_summary=true").json()
    assert house.own.ask("GET", f"{path}?_summary=much").status_code == 400


def test_history_pages_do_not_shift_while_others_write(house: House) -> None:
    paths = [_created(house, status=status) for status in ("final", "amended", "registered")]
    first = house.own.ask("GET", "Observation/_history?_count=2").json()
    _created(house)
    link = next(one["url"] for one in first["link"] if one["relation"] == "next")
    second = house.own.ask("GET", link.split("/fhir/")[1]).json()
    seen = [one["fullUrl"].split("/fhir/")[1] for one in (*first["entry"], *second["entry"])]
    assert seen == paths[::-1]
    everything = house.own.ask("GET", "_history?_count=200&_since=2026-01-01T00:00:00Z").json()
    assert {*paths} <= {one["fullUrl"].split("/fhir/")[1] for one in everything["entry"]}
    assert "entry" not in house.own.ask("GET", "_history?_since=2199-01-01T00:00:00Z").json()
    assert house.own.ask("GET", "_history?_sincee=2026").status_code == 400
    current = house.own.ask("GET", f"{paths[0]}/_history?_at=2199").json()
    assert len(current["entry"]) == 1


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
def test_not_there_and_not_yours_answer_alike(house: House, method: str) -> None:
    path = _created(house)
    absent = f"Observation/{uuid.uuid4()}"
    answers = []
    for one in (path, absent):
        body: Any = None
        if method == "PUT":
            body = house.observation(id=one.split("/")[1], subject=None)
        elif method == "PATCH":
            body = [{"op": "replace", "path": "/status", "value": "final"}]
        kind = "application/json-patch+json" if method == "PATCH" else "application/fhir+json"
        answer = house.foreign.ask(method, one, body, kind=kind)
        answers.append((answer.status_code, answer.content.replace(one.split("/")[1].encode(), b"")))
    assert answers[0] == answers[1]
    assert answers[0][0] == 404
    for path_of in (path, absent):
        assert house.foreign.ask("GET", f"{path_of}/_history").status_code == 404
        assert house.foreign.ask("GET", f"{path_of}/_history/1").status_code == 404


def test_a_reference_to_what_is_hidden_is_refused_like_one_to_nothing(house: House) -> None:
    path = _created(house)
    answers = []
    for target in (path, f"Observation/{uuid.uuid4()}"):
        body = house.observation(subject=None, hasMember=[{"reference": target}])
        answer = house.foreign.ask("POST", "Observation", body)
        assert answer.status_code == 422
        assert answer.json()["issue"][0]["expression"] == ["Observation.hasMember[0]"]
        answers.append(answer.content.replace(target.encode(), b""))
    assert answers[0] == answers[1]


def test_what_a_hospital_sends_without_a_resident_is_its_own(house: House) -> None:
    listed = {"resourceType": "List", "status": "current", "mode": "working", "title": "会诊名单"}
    path = f"List/{house.own.ask('POST', 'List', listed).json()['id']}"
    assert house.own.ask("GET", path).status_code == 200
    assert house.foreign.ask("GET", path).status_code == 404
    place = {"resourceType": "Location", "name": "心电图室"}
    shared = f"Location/{house.own.ask('POST', 'Location', place).json()['id']}"
    assert house.foreign.ask("GET", shared).status_code == 200
    assert house.foreign.ask("PUT", shared, {**place, "id": shared.split("/")[1]}).status_code == 403


def test_what_our_actions_wrote_is_not_changed_behind_their_back(house: House) -> None:
    with acting(system_actor(Purpose.IMPORT)) as actor:
        publish(house.resident, actor=actor)
    patient = house.own.ask("GET", house.patient)
    assert patient.status_code == 200
    assert house.own.ask("PUT", house.patient, patient.json()).status_code == 403
    assert house.own.ask("POST", "Patient", {"resourceType": "Patient"}).status_code == 403
    assert house.own.ask("DELETE", house.patient).status_code in (404, 405)


def test_reads_and_writes_leave_their_trace(house: House) -> None:
    path = _created(house)
    house.own.ask("GET", path)
    house.own.ask("GET", f"{path}/_history")
    house.own.ask("DELETE", path)
    with acting(system_actor(Purpose.SEALING)):
        found = set(AuditEntry.objects.filter(resident_id=house.resident.id).values_list("action", flat=True))
    assert found >= {"fhir.create", "fhir.read", "fhir.history", "fhir.delete"}


def test_the_capability_statement_is_valid_and_says_what_is_offered(house: House) -> None:
    statement = json.loads(house.own.ask("GET", "metadata").content)
    assert problems(statement) == []
    kinds = {one["type"]: one for one in statement["rest"][0]["resource"]}
    assert {"code": "patch"} in kinds["Observation"]["interaction"]
    assert {"code": "create"} in kinds["Patient"]["interaction"]
    assert {"code": "delete"} not in kinds["Patient"]["interaction"]
    assert (kinds["Patient"]["updateCreate"], kinds["Patient"]["conditionalDelete"]) == (False, "not-supported")


def test_a_create_with_a_condition_in_its_address_makes_one(house: House) -> None:
    first = house.own.ask("POST", "Observation?code=8867-4&date=2026-05-01", house.observation())
    assert first.status_code == 201
    again = house.own.ask("POST", "Observation?code=8867-4&date=2026-05-01", house.observation())
    assert (again.status_code, again.json()["id"]) == (200, first.json()["id"])
    assert house.own.ask("POST", "Observation?misspelt=x", house.observation()).status_code == 400


def test_the_changed_members_alone_are_a_patch(house: House) -> None:
    made = house.own.ask("POST", "Observation", house.observation(note=[{"text": "x"}])).json()
    changes = {"status": "amended", "note": None, "valueQuantity": {"value": 80}}
    for kind in ("application/merge-patch+json", "application/json", "application/fhir+json"):
        patched = house.own.ask("PATCH", f"Observation/{made['id']}", changes, kind=kind)
        assert patched.status_code == 200, patched.content
    changed = patched.json()
    assert (changed["status"], changed["valueQuantity"]["value"], changed["valueQuantity"]["unit"]) == (
        "amended",
        80,
        "/min",
    )
    assert "note" not in changed
    assert changed["meta"]["versionId"] == "2"
    merge = "application/merge-patch+json"
    assert house.own.ask("PATCH", f"Observation/{made['id']}", {"id": "x"}, kind=merge).status_code == 422
    assert house.own.ask("PATCH", f"Observation/{made['id']}", ["x"], kind=merge).status_code == 400
    assert house.own.ask("PATCH", f"Observation/{made['id']}", {"status": "nonsense"}, kind=merge).status_code == 422


def test_a_compartment_holds_what_concerns_its_patient(house: House) -> None:
    made = house.own.ask("POST", "Observation", house.observation()).json()
    found = house.own.ask("GET", f"{house.patient}/Observation?code=8867-4").json()
    assert [one["resource"]["id"] for one in found["entry"]] == [made["id"]]
    assert house.foreign.ask("GET", f"{house.patient}/Observation").json()["total"] == 0
    for missing in ("Organization", "Nothing", "x"):
        assert house.own.ask("GET", f"{house.patient}/{missing}").status_code == 404
    assert house.own.ask("GET", "Practitioner/x/Observation").status_code == 404
    assert house.own.ask("POST", f"{house.patient}/Observation", house.observation()).status_code == 405


def test_a_history_of_many_is_a_look_at_each_resident_shown(house: House) -> None:
    """It stood in the trail as one line of nobody: whoever looked at it did not show on the resident's own page."""
    _created(house)
    for path in ("Observation/_history", "_history"):
        assert house.own.ask("GET", path).status_code == 200
    assert house.foreign.ask("GET", "Observation/_history").status_code == 200
    with acting(system_actor(Purpose.IMPORT)):
        looks = AuditEntry.objects.filter(action="fhir.history").order_by("id")
        seen = list(looks.values_list("subject", "organization_id", "resident_id"))
    world, resident = house.world, house.resident.pk
    assert seen == [
        ("Observation", world.lead, resident),
        ("*", world.lead, resident),
        ("Observation", world.other_township, None),
    ]


@pytest.mark.parametrize("at", ["Observation/_history", "_history"])
def test_what_others_write_most_is_found_by_whom_the_client_knows(
    house: House, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    """Passing over everybody's versions took longer than a client waits: both ways show the same, page by page."""
    paths = [_created(house, status=status) for status in ("final", "amended", "registered")]
    newest_first = paths[::-1]

    def pages() -> list[str]:
        seen, address = [], f"{at}?_count=1"
        while address:
            found = house.own.ask("GET", address).json()
            seen += [one["fullUrl"].split("/fhir/")[1] for one in found.get("entry", [])]
            following = [one["url"] for one in found["link"] if one["relation"] == "next"]
            address = following[0].split("/fhir/")[1] if following else ""
        return seen

    plain = pages()
    monkeypatch.setattr(history, "_NEWEST", 0)
    assert pages() == plain
    assert [one for one in plain if one.startswith("Observation/")] == newest_first
    assert not set(paths) & {
        one["fullUrl"].split("/fhir/")[1] for one in house.foreign.ask("GET", at).json().get("entry", [])
    }
    assert house.own.ask("GET", f"{at}?_since=2199-01-01").json().get("entry") is None
    assert len(house.own.ask("GET", f"{at}?_since=2026-01-01").json()["entry"]) == len(plain)
    with acting(system_actor(Purpose.IMPORT)):
        # What was last written before is not even looked at.
        Resource.objects.filter(fhir_id=paths[0].rpartition("/")[2]).update(updated_at="2025-06-01T00:00:00Z")
    assert len(house.own.ask("GET", f"{at}?_since=2026-01-01").json()["entry"]) == len(plain) - 1
    with acting(system_actor(Purpose.IMPORT)):
        assert AuditEntry.objects.filter(action="fhir.history", resident_id=house.resident.pk).count() >= len(paths)


def test_a_list_is_a_json_patch_whatever_it_is_called(house: House) -> None:
    key = house.own.ask("POST", "Observation", house.observation()).json()["id"]
    steps = [{"op": "replace", "path": "/status", "value": "amended"}]
    for kind in ("application/json", "application/fhir+json"):
        changed = house.own.ask("PATCH", f"Observation/{key}", steps, kind=kind)
        assert changed.status_code == 200, changed.content
        assert changed.json()["status"] == "amended"


def test_a_read_passes_over_nothing_that_is_misspelt(house: House) -> None:
    made = house.own.ask("POST", "Observation", house.observation()).json()
    for address in (f"Observation/{made['id']}", f"Observation/{made['id']}/_history/1"):
        refused = house.own.ask("GET", f"{address}?_sumary=true")
        assert refused.status_code == 400
        assert "_summary" in refused.json()["issue"][0]["diagnostics"]
        assert house.own.ask("GET", f"{address}?_sumary=true", prefer="handling=lenient").status_code == 200
        assert house.own.ask("GET", f"{address}?_summary=true&_format=json&_pretty=true").status_code == 200
