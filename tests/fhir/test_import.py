"""Bulk import: lines of a hospital system as that system itself would write them, resumable, with every refusal at its place."""

import json
import uuid
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from doorstep.kernel.access.actor import ANONYMOUS, Purpose, system_actor
from doorstep.kernel.access.session import acting, bind
from doorstep.kernel.audit.models import AuditEntry
from doorstep.kernel.record import importing, lines
from doorstep.kernel.record.models import BulkImport, BulkLine, Resource, ResourceVersion
from tests.fhir.house import House, make_house

pytestmark = pytest.mark.django_db
LATER = {"prefer": "respond-async"}
NDJSON = "application/fhir+ndjson"


@pytest.fixture
def house(client: Client) -> House:
    return make_house(client)


def ndjson(*resources: Any) -> str:
    return "".join(f"{one if isinstance(one, str) else json.dumps(one)}\n" for one in resources)


@contextmanager
def system() -> Iterator[None]:
    with acting(system_actor(Purpose.IMPORT)):
        yield
    bind(ANONYMOUS)


def import_id(address: str) -> int:
    with system():
        return int(BulkImport.objects.get(key=address.rpartition("/")[2]).pk)


def finished(house: House, answer: Any) -> dict[str, Any]:
    assert answer.status_code == 202, answer.content
    path = answer["Content-Location"].split("/fhir/")[1]
    importing.work(import_id(path), base="http://testserver/fhir/")
    bind(ANONYMOUS)
    done = house.own.ask("GET", path)
    assert done.status_code == 200, done.content
    manifest: dict[str, Any] = done.json()
    return manifest


def outcomes(house: House, manifest: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        json.loads(line)
        for one in manifest["error"]
        for line in house.own.ask("GET", one["url"].split("/fhir/")[1]).content.decode().splitlines()
    ]


def refusals(house: House, manifest: dict[str, Any]) -> dict[int, tuple[str, str]]:
    """Line -> code and place of its first issue."""
    issues = [one["issue"][0] for one in outcomes(house, manifest)]
    return {one["extension"][0]["valueInteger"]: (one["code"], one.get("expression", [""])[0]) for one in issues}


def test_lines_are_stored_as_the_system_itself_would_and_refused_at_line_and_place(house: House) -> None:
    encounter = {
        "resourceType": "Encounter",
        "id": "his-e1",
        "status": "finished",
        "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"},
        "subject": {"reference": house.patient},
    }
    named = [{"system": "urn:his", "value": "17"}]
    body = ndjson(
        # Names what stands further down, and is written once that is there.
        house.observation(id="his-1", encounter={"reference": "Encounter/his-e1"}),
        encounter,
        house.observation(status="nothing"),
        "{not json",
        "",
        house.observation(id="another-1"),
        house.observation(encounter={"reference": "Encounter/his-gone"}),
        house.observation(identifier=named),
        house.observation(identifier=named, status="amended"),
        house.observation(subject={"reference": f"Patient/{uuid.uuid4()}"}),
        {"resourceType": "AuditEvent"},
        house.observation(valueQuantity={"value": 7.20, "unit": "mmol/L"}),
    )
    manifest = finished(house, house.own.ask("POST", "$import", body, kind=NDJSON, **LATER))
    assert refusals(house, manifest) == {
        3: ("code-invalid", "Observation.status"),
        4: ("structure", ""),
        6: ("not-found", "Observation"),
        7: ("not-found", "Observation.encounter"),
        10: ("not-found", "Observation.subject"),
        11: ("not-supported", "AuditEvent"),
    }
    assert manifest["extension"]["counts"] == {"lines": 11, "created": 4, "updated": 1, "unchanged": 0, "refused": 6}
    assert house.own.ask("GET", "Observation/his-1").json()["meta"]["versionId"] == "1"
    amended = house.own.ask("GET", "Observation?identifier=urn:his|17").json()["entry"]
    assert [(one["resource"]["status"], one["resource"]["meta"]["versionId"]) for one in amended] == [("amended", "2")]
    found = house.own.ask(
        "GET", f"Observation?patient={house.resident.key}&code=8867-4&value-quantity=72&_summary=count"
    )
    assert found.json()["total"] == 2
    assert house.foreign.ask("GET", "Observation/his-1").status_code == 404
    with system():
        entries = AuditEntry.objects.filter(action="fhir.import", resident_id=house.resident.pk)
        assert sum(count for one in entries for count in one.details.values()) == 5
        assert ResourceVersion.objects.filter(resource__fhir_id="his-1").filter(written_by_id__lt=0).count() == 1
    again = finished(house, house.own.ask("POST", "$import", ndjson(encounter), kind=NDJSON, **LATER))
    assert again["extension"]["counts"]["unchanged"] == 1


def test_a_manifest_names_parts_and_binaries_and_nothing_is_fetched(house: House) -> None:
    lines_of = [ndjson(house.observation(id=f"his-{number}")) for number in range(3)]
    binary = {"resourceType": "Binary", "contentType": NDJSON, "data": b64encode(lines_of[0].encode()).decode()}
    kept = house.own.ask("POST", "Binary", binary).json()["id"]
    listed = [{"type": "Observation", "url": f"Binary/{kept}"}, {"url": f"http://testserver/fhir/Binary/{kept}"}]
    manifest = finished(house, house.own.ask("POST", "$import", {"inputFormat": NDJSON, "input": listed}, **LATER))
    assert manifest["extension"]["counts"] == {"lines": 2, "created": 1, "updated": 0, "unchanged": 1, "refused": 0}
    parameters = {
        "resourceType": "Parameters",
        "parameter": [
            {"name": "inputFormat", "valueCode": NDJSON},
            {"name": "inputSource", "valueUri": "https://his.example.org"},
            *(
                {"name": "input", "part": [{"name": "type", "valueCode": type}, {"name": "url", "valueUri": url}]}
                for type, url in (("Observation", "cid:one"), ("Encounter", "cid:two"))
            ),
        ],
    }
    sent = house.own.client.post(
        "/fhir/$import",
        {
            "manifest": json.dumps(parameters),
            "one": SimpleUploadedFile("one.ndjson", lines_of[1].encode()),
            "two": lines_of[2],
        },
        headers={"authorization": f"Bearer {house.own.token}", **LATER},
    )
    manifest = finished(house, sent)
    assert [(one["inputUrl"], one["count"]) for one in manifest["error"]] == [("cid:two", 1)]
    assert refusals(house, manifest) == {1: ("invalid", "Encounter.resourceType")}
    for wrong in (
        "http://169.254.169.254/latest",
        "file:///etc/passwd",
        "cid:three",
        "Binary/none",
        "Observation/his-1",
    ):
        refused = house.own.ask("POST", "$import", {"input": [{"type": "Observation", "url": wrong}]}, **LATER)
        assert refused.status_code in (400, 404), wrong
        assert refused.json()["issue"][0]["expression"] == ["Parameters.input[0].url"]


def test_an_import_says_what_it_cannot_take(house: House) -> None:
    body = ndjson(house.observation())
    assert house.own.ask("POST", "$import", body, kind=NDJSON).status_code == 400
    assert house.own.ask("POST", "$import", "\n", kind=NDJSON, **LATER).status_code == 400
    assert house.own.ask("GET", "$import", **LATER).status_code == 405
    assert house.own.ask("POST", "$import", {"input": []}, **LATER).status_code == 400
    assert house.own.ask("POST", "$import", {"input": [], "mode": "x"}, **LATER).status_code == 400
    assert house.own.ask("POST", "$import", {"inputFormat": "text/csv"}, **LATER).status_code == 400
    assert house.own.ask("POST", "$import", [1], **LATER).status_code == 400
    begun = house.own.ask("POST", "$import", body, kind=NDJSON, **LATER)
    path = begun["Content-Location"].split("/fhir/")[1]
    running = house.own.ask("GET", path)
    assert (running.status_code, running["X-Progress"]) == (202, "0 lines, 0 refused, 0 waiting")
    assert house.foreign.ask("GET", path).status_code == 404
    assert house.foreign.ask("DELETE", path).status_code == 404
    assert house.own.ask("DELETE", path).status_code == 202
    assert house.own.ask("GET", path).status_code == 404
    importing.work(import_id(path))
    with system():
        assert not Resource.objects.filter(type="Observation").exists()


def test_a_killed_import_goes_on_where_it_stood_and_writes_nothing_twice(house: House) -> None:
    """Without ids and identifiers a line that is written again would be a resource more."""
    body = ndjson(*(house.observation(note=[{"text": f"第 {number} 次"}]) for number in range(7)))
    with patch.object(importing, "LINES", 2):
        begun = house.own.ask("POST", "$import", body, kind=NDJSON, **LATER)
    load = import_id(begun["Content-Location"])
    importing.step(load)
    real = lines.store_each
    killed = patch.object(lines, "store_each", side_effect=lambda *given, **named: (real(*given, **named), 1 / 0))
    with killed, pytest.raises(ZeroDivisionError):
        importing.work(load)
    bind(ANONYMOUS)
    assert house.own.ask("GET", begun["Content-Location"].split("/fhir/")[1])["X-Progress"].startswith("2 lines")
    assert finished(house, begun)["extension"]["counts"]["created"] == 7
    with system():
        notes = [
            one["note"][0]["text"]
            for one in Resource.objects.filter(type="Observation").values_list("content", flat=True)
        ]
    assert sorted(notes) == [f"第 {number} 次" for number in range(7)]


def condition(house: House, code: str) -> dict[str, Any]:
    coding = {"system": "http://hl7.org/fhir/sid/icd-10", "code": code, "display": code}
    return {"resourceType": "Condition", "code": {"coding": [coding]}, "subject": {"reference": house.patient}}


def problem_lists() -> list[dict[str, Any]]:
    with system():
        return [row.content for row in Resource.objects.filter(type="List", deleted=False)]


def test_the_list_of_problems_follows_once_when_all_lines_are_written(house: House) -> None:
    codes = ["I10", "E11.9", "J44.9", "N18.3", "I50.9"]
    answer = house.own.ask("POST", "$import", ndjson(*(condition(house, one) for one in codes)), kind=NDJSON, **LATER)
    assert answer.status_code == 202, answer.content
    load_id = import_id(answer["Content-Location"])
    real = lines.store_each
    killed = patch.object(lines, "store_each", side_effect=lambda *given, **named: (real(*given, **named), 1 / 0))
    with killed, pytest.raises(ZeroDivisionError):
        importing.step(load_id)
    assert importing.step(load_id)
    # Written, and remembered with the batch: whoever goes on after a kill makes the list.
    assert problem_lists() == []
    importing.work(load_id)
    [found] = problem_lists()
    assert {one["item"]["display"] for one in found["entry"]} == set(codes)
    assert found["meta"]["versionId"] == "1"
    with system():
        load = BulkImport.objects.get(pk=load_id)
        assert (load.state, load.created, load.pieces.count()) == ("done", len(codes), 0)


def test_the_list_of_problems_follows_also_from_an_import_that_is_cancelled(house: House) -> None:
    with patch.object(importing, "LINES", 2):
        body = ndjson(*(condition(house, one) for one in ("I10", "E11.9", "J44.9")))
        answer = house.own.ask("POST", "$import", body, kind=NDJSON, **LATER)
    load_id = import_id(answer["Content-Location"])
    importing.step(load_id)
    bind(ANONYMOUS)
    assert house.own.ask("DELETE", answer["Content-Location"].split("/fhir/")[1]).status_code == 202
    assert problem_lists() == []
    importing.work(load_id)
    [found] = problem_lists()
    assert {one["item"]["display"] for one in found["entry"]} == {"I10", "E11.9"}
    with system():
        load = BulkImport.objects.get(pk=load_id)
        assert (load.state, load.pieces.count()) == ("cancelled", 0)


def test_what_the_database_refuses_holds_up_no_other_line(house: House) -> None:
    """An id that another unit's resource of another resident has, unseen: a conflict that only the database knows."""
    taken = {"resourceType": "Basic", "id": "his-9", "code": {"text": "x"}}
    with system():
        Resource.objects.create(type="Basic", fhir_id="his-9", ref=9, content=taken, sensitive=True, received=True)
    body = ndjson(*(taken | {"id": f"his-{number}"} for number in range(8, 12)))
    manifest = finished(house, house.own.ask("POST", "$import", body, kind=NDJSON, **LATER))
    assert set(refusals(house, manifest)) == {2}
    assert manifest["extension"]["counts"]["created"] == 3


def test_the_operators_command_takes_a_file_once_and_goes_on_after_a_kill(
    house: House, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "his.ndjson"
    good = [house.observation(note=[{"text": f"第 {number} 次"}]) for number in range(5)]
    file.write_text("\n" + ndjson(*good[:3], house.observation(status=None), *good[3:]).removesuffix("\n"))
    with patch.object(importing, "LINES", 2), patch.object(importing, "BYTES", 100_000):
        real = importing._take
        done: list[int] = []

        def killed(*given: Any, **named: Any) -> None:
            real(*given, **named)
            done.append(1)
            assert len(done) < 3

        with patch.object(importing, "_take", killed), pytest.raises(AssertionError):
            call_command("import_ndjson", str(file), system="his")
        call_command("import_ndjson", str(file), system="his")
    said = capsys.readouterr().out
    assert "going on at line 6" in said
    assert "5 created, 0 updated, 0 unchanged, 1 refused" in said
    (refused,) = (tmp_path / "his.ndjson.errors").read_text().splitlines()
    assert json.loads(refused)["issue"][0]["expression"] == ["Observation.status"]
    assert "line 5" in json.loads(refused)["issue"][0]["diagnostics"]
    call_command("import_ndjson", str(file), system="his")
    assert "nothing was written again" in capsys.readouterr().out
    with system():
        assert Resource.objects.filter(type="Observation").count() == 5
    for wrong in ((str(file), "nobody"), (str(tmp_path / "none"), "his")):
        with pytest.raises(CommandError):
            call_command("import_ndjson", wrong[0], system=wrong[1])


def test_an_import_that_ended_long_ago_is_forgotten_and_what_it_wrote_stays(house: House, settings: Any) -> None:
    lines = ndjson({"resourceType": "Observation", "status": "final"}, "{ no json")
    answer = house.own.ask("POST", "$import", lines, kind=NDJSON, **LATER)
    path = answer["Content-Location"].split("/fhir/")[1]
    finished(house, answer)
    waiting = house.own.ask("POST", "$import", lines, kind=NDJSON, **LATER)["Content-Location"].split("/fhir/")[1]
    assert importing.forget(actor=system_actor(Purpose.IMPORT)) == 0
    bind(ANONYMOUS)
    assert house.own.ask("GET", path).status_code == 200
    with system():
        written = Resource.objects.count()
        long_ago = timezone.now() - timedelta(days=settings.IMPORT_KEPT_DAYS, minutes=1)
        BulkImport.objects.filter(finished_at__isnull=False).update(finished_at=long_ago)
        BulkImport.objects.update(requested_at=long_ago)
    assert importing.forget(actor=system_actor(Purpose.IMPORT)) == 1
    bind(ANONYMOUS)
    assert house.own.ask("GET", path).status_code == 404
    # One that still waits is nobody's rubbish.
    assert house.own.ask("GET", waiting).status_code == 202
    with system():
        assert Resource.objects.count() == written
        assert not BulkLine.objects.filter(bulk_import__finished_at__isnull=False).exists()
        assert AuditEntry.objects.filter(action="fhir.import-forget").count() == 1
