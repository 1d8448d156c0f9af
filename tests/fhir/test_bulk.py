"""Bulk export: a job in pieces, resumable, behind the wall of the hospital that asked."""

import json
import uuid
from dataclasses import replace
from datetime import timedelta
from typing import Any
from unittest.mock import patch
from urllib.parse import quote

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone
from django.utils.http import http_date

from doorstep.kernel.access import actions as access
from doorstep.kernel.access.actor import ANONYMOUS, ActorKind, Purpose, system_actor
from doorstep.kernel.access.models import CareRelationship
from doorstep.kernel.access.session import acting, bind
from doorstep.kernel.audit.models import AuditEntry
from doorstep.kernel.fhir.outcome import FhirRefused
from doorstep.kernel.record import bulk, search
from doorstep.kernel.record.models import BulkExport, BulkFile
from tests.fhir.house import House, make_house

pytestmark = pytest.mark.django_db
LATER = {"prefer": "respond-async"}


@pytest.fixture
def house(client: Client) -> House:
    return make_house(client)


def _export_id(address: str) -> int:
    with acting(system_actor(Purpose.IMPORT)):
        return int(BulkExport.objects.get(key=address.rpartition("/")[2]).pk)


def test_an_export_goes_on_where_it_stood_and_gives_each_line_once(house: House) -> None:
    made = {house.own.ask("POST", "Observation", house.observation()).json()["id"] for _ in range(5)}
    begun = house.own.ask("GET", "$export?_type=Observation,Encounter", **LATER)
    assert begun.status_code == 202, begun.content
    path = begun["Content-Location"].split("/fhir/")[1]
    assert house.own.ask("GET", path).status_code == 202
    export_id = _export_id(path)
    with patch.object(bulk, "LINES", 2):
        # One piece, then the worker dies; another one goes on.
        bulk.step(export_id)
        bulk.step(export_id)
        bulk.work(export_id)
    bind(ANONYMOUS)
    done = house.own.ask("GET", path)
    assert done.status_code == 200
    manifest = done.json()
    assert [one["count"] for one in manifest["output"]] == [2, 2, 1]
    lines = [
        json.loads(line)["id"]
        for one in manifest["output"]
        for line in house.own.ask("GET", one["url"].split("/fhir/")[1], accept="application/fhir+ndjson")
        .content.decode()
        .splitlines()
    ]
    assert (len(lines), set(lines)) == (5, made)
    assert house.foreign.ask("GET", path).status_code == 404
    assert house.foreign.ask("GET", manifest["output"][0]["url"].split("/fhir/")[1]).status_code == 404
    assert house.own.ask("DELETE", path).status_code == 202
    assert house.own.ask("GET", path).status_code == 404


def test_a_file_ends_with_the_line_that_passes_its_bytes_and_nothing_is_left_out(house: House) -> None:
    words = {"note": [{"text": "随访所见" * 200}]}
    made = {house.own.ask("POST", "Observation", house.observation(**words)).json()["id"] for _ in range(4)}
    path = house.own.ask("GET", "$export?_type=Observation", **LATER)["Content-Location"].split("/fhir/")[1]
    with patch.object(bulk, "BYTES", 1):
        bulk.work(_export_id(path))
    bind(ANONYMOUS)
    output = house.own.ask("GET", path).json()["output"]
    assert [one["count"] for one in output] == [1, 1, 1, 1]
    files = [house.own.ask("GET", one["url"].split("/fhir/")[1], accept="application/fhir+ndjson") for one in output]
    assert {json.loads(one.content)["id"] for one in files} == made


def test_only_the_end_of_an_export_waits_for_the_disk(house: House) -> None:
    house.own.ask("POST", "Observation", house.observation())
    export_id = _export_id(house.own.ask("GET", "$export?_type=Observation", **LATER)["Content-Location"])
    waits = []
    with connection.cursor() as cursor:
        going = True
        while going:
            # The test is one transaction for all steps: what a step asked for is taken back before the next.
            cursor.execute("SET LOCAL synchronous_commit TO on")
            going = bulk.step(export_id)
            cursor.execute("SHOW synchronous_commit")
            waits.append(cursor.fetchone()[0])
    # One piece, the end of the type, the end of the export.
    assert waits == ["off", "off", "on"]


@pytest.mark.parametrize("only", [False, True])
def test_residents_seen_whole_are_those_of_whom_each_ordinary_entry_may_be_read(house: House, only: bool) -> None:
    """The wall asked in one go says yes to nobody to whom the wall asked one by one says no; without an app for one resident it says
    the same of all whom a relationship opens."""
    lead, ids = house.world.lead, [house.resident.pk, *range(900_001, 900_006)]
    kinds: list[dict[str, Any]] = [
        {},
        {"closes_at": timezone.now()},
        {"scope": CareRelationship.Scope.EPISODE, "episode": "visit/1"},
        {"organization_id": house.world.other_township},
    ]
    with acting(system_actor(Purpose.IMPORT)) as system:
        for number, kind in zip(ids[1:], kinds, strict=False):
            given = {"organization_id": lead, "reason": CareRelationship.Reason.REFERRAL, **kind}
            access.open_relationship(resident_id=number, actor=system, **given)
    actor = replace(ANONYMOUS, user_id=-1, kind=ActorKind.CLIENT, record_reach=(lead,))
    with acting(replace(actor, only_resident_id=ids[1]) if only else actor), connection.cursor() as cursor:
        cursor.execute("SELECT access_whole(%s)", [ids])
        whole = {row[0] for row in cursor.fetchall()}
        cursor.execute("SELECT r FROM unnest(%s::bigint[]) r WHERE access_may_read(r, NULL, '', '', false)", [ids])
        one_by_one = {row[0] for row in cursor.fetchall()}
    assert whole == one_by_one
    assert ids[1] in whole
    assert whole.isdisjoint(ids[2:])


def test_an_export_holds_only_what_the_hospital_may_read(house: House) -> None:
    house.own.ask("POST", "Observation", house.observation())
    begun = house.foreign.ask("GET", "Patient/$export?_type=Observation", **LATER)
    bulk.work(_export_id(begun["Content-Location"]))
    bind(ANONYMOUS)
    assert house.foreign.ask("GET", begun["Content-Location"].split("/fhir/")[1]).json()["output"] == []


def test_an_export_of_a_group_holds_its_members_alone(house: House) -> None:
    house.own.ask("POST", "Observation", house.observation())
    with_member = {
        "resourceType": "Group",
        "type": "person",
        "actual": True,
        "member": [{"entity": {"reference": house.patient}}],
    }
    counts = []
    for body in (with_member, {**with_member, "member": None}):
        group = house.own.ask("POST", "Group", {name: value for name, value in body.items() if value}).json()
        begun = house.own.ask("GET", f"Group/{group['id']}/$export?_type=Observation", **LATER)
        assert begun.status_code == 202, begun.content
        bulk.work(_export_id(begun["Content-Location"]))
        bind(ANONYMOUS)
        counts.append(len(house.own.ask("GET", begun["Content-Location"].split("/fhir/")[1]).json()["output"]))
    assert counts == [1, 0]


def test_an_export_says_what_it_cannot_do(house: House) -> None:
    assert house.own.ask("GET", "$export").status_code == 400
    assert house.own.ask("GET", "$export?_type=Nothing", **LATER).status_code == 400
    assert house.own.ask("GET", "$export?_outputFormat=csv", **LATER).status_code == 400
    assert house.own.ask("GET", f"Group/{uuid.uuid4()}/$export", **LATER).status_code == 404


def test_a_type_filter_gives_what_its_searches_find(house: House) -> None:
    for status in ("final", "amended", "cancelled"):
        house.own.ask("POST", "Observation", house.observation(status=status))
    narrowed = {
        "$export?_type=Observation&_typeFilter=Observation%3Fstatus%3Dfinal%252Camended": 2,
        "$export?_type=Observation&_typeFilter=Observation%3Fstatus%3Dfinal,amended": 2,
        "$export?_type=Observation&_typeFilter=Observation%3Fstatus%3Dfinal,Observation%3Fstatus%3Dcancelled": 2,
        "$export?_type=Observation&_typeFilter=Observation%3Fstatus%3Dpreliminary": 0,
        "$export?_type=Observation&_type=Encounter&_typeFilter=Observation%3Fstatus%3Dfinal": 1,
    }
    for path, count in narrowed.items():
        begun = house.own.ask("GET", path, **LATER)
        assert begun.status_code == 202, begun.content
        bulk.work(_export_id(begun["Content-Location"]))
        bind(ANONYMOUS)
        output = house.own.ask("GET", begun["Content-Location"].split("/fhir/")[1]).json()["output"]
        assert sum(one["count"] for one in output) == count, path
    for wrong in (
        "status=final",
        "Nothing?status=final",
        "Encounter?status=finished",
        "Observation?misspelt=x",
        "Observation?_sort=date",
    ):
        refused = house.own.ask("GET", f"$export?_type=Observation&_typeFilter={quote(wrong)}", **LATER)
        assert refused.status_code == 400, wrong


def test_an_export_is_begun_by_post_and_under_lenience(house: House) -> None:
    asked = {
        "resourceType": "Parameters",
        "parameter": [
            {"name": "_type", "valueString": "Observation"},
            {"name": "_since", "valueInstant": "2026-01-01T00:00:00Z"},
        ],
    }
    assert house.own.ask("POST", "$export", asked, **LATER).status_code == 202
    assert house.own.ask("POST", "$export", [], **LATER).status_code == 400
    assert house.own.ask("GET", "$export?organizeOutputBy=Patient", **LATER).status_code == 400
    assert (
        house.own.ask("GET", "$export?organizeOutputBy=Patient", prefer="respond-async, handling=lenient").status_code
        == 202
    )


def test_a_search_that_asks_too_much_ends_an_export_with_its_reason(house: House) -> None:
    house.own.ask("POST", "Observation", house.observation())
    begun = house.own.ask("GET", "$export?_type=Observation&_typeFilter=Observation%3Fstatus%3Dfinal", **LATER)
    refusal = FhirRefused(400, "too-costly", "查询耗时过长")
    with patch.object(search, "matching", side_effect=refusal):
        bulk.work(_export_id(begun["Content-Location"]))
    bind(ANONYMOUS)
    told = house.own.ask("GET", begun["Content-Location"].split("/fhir/")[1])
    assert told.status_code == 422
    assert told.json()["issue"][0]["diagnostics"] == "查询耗时过长"


def test_files_go_when_their_time_is_over_also_after_a_kill(house: House, settings: Any) -> None:
    for _ in range(3):
        house.own.ask("POST", "Observation", house.observation())
    path = house.own.ask("GET", "$export?_type=Observation", **LATER)["Content-Location"].split("/fhir/")[1]
    export_id = _export_id(path)
    with patch.object(bulk, "LINES", 1):
        bulk.work(export_id)
    bind(ANONYMOUS)
    done = house.own.ask("GET", path)
    url = done.json()["output"][0]["url"].split("/fhir/")[1]
    with acting(system_actor(Purpose.IMPORT)):
        finished = BulkExport.objects.get(pk=export_id).finished_at
    assert finished is not None
    assert done["Expires"] == http_date((finished + timedelta(hours=settings.EXPORT_KEPT_HOURS)).timestamp())
    worker = system_actor(Purpose.EXPORT)
    assert bulk.expire(actor=worker) == 0
    with acting(system_actor(Purpose.IMPORT)):
        BulkExport.objects.filter(pk=export_id).update(
            finished_at=finished - timedelta(hours=settings.EXPORT_KEPT_HOURS)
        )
    # Nobody fetches what is over, though the worker has not come by yet.
    bind(ANONYMOUS)
    assert (house.own.ask("GET", path).status_code, house.own.ask("GET", url).status_code) == (404, 404)
    taken: list[int] = []

    def killed(actor: Any) -> Any:
        taken.append(1)
        if len(taken) == 3:
            raise KeyboardInterrupt
        return acting(actor)

    with patch.object(bulk, "_AT_ONCE", 1), patch.object(bulk, "acting", killed), pytest.raises(KeyboardInterrupt):
        bulk.expire(actor=worker)
    with acting(system_actor(Purpose.IMPORT)):
        left = BulkExport.objects.get(pk=export_id)
        assert (left.state, left.files.count()) == ("expired", 2)
    assert bulk.expire(actor=worker) == 2
    assert bulk.expire(actor=worker) == 0


def test_an_export_that_nobody_finishes_is_closed_and_its_job_writes_no_more(house: House, settings: Any) -> None:
    house.own.ask("POST", "Observation", house.observation())
    path = house.own.ask("GET", "$export?_type=Observation", **LATER)["Content-Location"].split("/fhir/")[1]
    export_id = _export_id(path)
    with acting(system_actor(Purpose.IMPORT)):
        long_ago = timezone.now() - timedelta(hours=settings.EXPORT_KEPT_HOURS + 1)
        BulkExport.objects.filter(pk=export_id).update(requested_at=long_ago)
    assert bulk.expire(actor=system_actor(Purpose.EXPORT)) == 0
    assert bulk.step(export_id) is False
    bind(ANONYMOUS)
    assert house.own.ask("GET", path).status_code == 404
    with acting(system_actor(Purpose.IMPORT)):
        assert BulkExport.objects.get(pk=export_id).files.count() == 0


@pytest.mark.parametrize("more", ["", "&_typeFilter=Observation?status=final"])
def test_whoever_is_in_the_files_of_an_export_reads_it_once_when_it_is_finished(house: House, more: str) -> None:
    for _ in range(3):
        house.own.ask("POST", "Observation", house.observation())
    path = house.own.ask("GET", f"$export?_type=Observation,Encounter{more}", **LATER)["Content-Location"].split(
        "/fhir/"
    )[1]
    export_id = _export_id(path)

    def told() -> list[tuple[int | None, str]]:
        with acting(system_actor(Purpose.SEALING)):
            found = AuditEntry.objects.filter(action="fhir.export", resident_id__isnull=False)
            return [(one.resident_id, one.subject.partition("/")[0]) for one in found]

    with patch.object(bulk, "LINES", 2):
        bulk.step(export_id)
        bulk.step(export_id)
        with acting(system_actor(Purpose.IMPORT)):
            begun = BulkFile.objects.get(export_id=export_id).pk
        bind(ANONYMOUS)
        # Before the end no file can be fetched, so nobody has to be told of it.
        assert house.own.ask("GET", f"{path}/{begun}").status_code == 404
        assert told() == []
        bulk.work(export_id)
    bind(ANONYMOUS)
    assert house.own.ask("GET", f"{path}/{begun}", accept="application/fhir+ndjson").status_code == 200
    assert told() == [(house.resident.pk, "export")]
