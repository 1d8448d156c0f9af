"""Shared documents by token: handed in like a message, answered with what became of them, and read out again."""

from typing import Any
from uuid import UUID

import pytest
from django.test import Client
from django.urls import reverse

from doorstep.coordination.hospital_systems.cda.reading import parse
from doorstep.kernel.access import actions as access
from doorstep.kernel.access.actor import Purpose, system_actor
from doorstep.kernel.access.session import acting
from doorstep.kernel.exchange.models import Connection, Message
from doorstep.people.residents.tests.factories import World, make_resident, make_staff, make_world
from tests.exchange.factories import system
from tests.exchange.test_clients import KEY, _facts
from tests.exchange.test_documents import DOCUMENT, XXE
from tests.fhir.test_oauth import _ask, _assertion

pytestmark = pytest.mark.django_db
ADDRESS = "/fhir/DocumentReference/$cda"


@pytest.fixture
def world(db: None) -> World:
    made = make_world()
    make_resident(organization_id=made.village, panel_of=(made.lead,))
    return made


def _token(name: str, organization_id: int) -> dict[str, Any]:
    with acting(system_actor(Purpose.IMPORT)) as importer:
        token = access.issue_token(name=name, display="病历系统", organization_id=organization_id, actor=importer)
    return {"authorization": f"Bearer {token}"}


def _hand_in(client: Client, token: dict[str, Any], text: str | bytes, kind: str = "application/xml") -> Any:
    data = text if isinstance(text, bytes) else text.encode()
    return client.generic("POST", ADDRESS, data, content_type=kind, headers=token)


def test_a_document_handed_in_is_in_the_record_and_comes_out_again(client: Client, world: World) -> None:
    token = _token("emr", world.lead)
    made = _hand_in(client, token, DOCUMENT.replace("UTF-8", "GB18030").encode("gb18030"), "text/xml; charset=gb18030")
    assert made.status_code == 201, made.content.decode()
    reference = made["Location"].partition("/fhir/")[2].split("/_history")[0]
    again = _hand_in(client, token, DOCUMENT.replace("UTF-8", "GB18030").encode("gb18030"))
    assert (again.status_code, again["Location"]) == (200, made["Location"])
    sent = client.get(f"/fhir/{reference}/$cda", headers={**token, "accept": "application/xml"})
    assert (sent.status_code, parse(sent.content).number) == (200, "DOC-77")
    (entry,) = client.get("/fhir/Composition?type=C0007", headers=token).json()["entry"]
    doctor = Client()
    doctor.force_login(make_staff(name="王建国", organization_id=world.lead, role="lead_duty"))
    patient = entry["resource"]["subject"]["reference"].removeprefix("Patient/")
    shown = doctor.get(reverse("residents:entry", args=[patient, "Composition", entry["resource"]["id"]]))
    assert "只有本院懂的内容 &lt;script&gt;" in shown.content.decode()
    written = client.get(f"/fhir/Composition/{entry['resource']['id']}/$cda", headers=token)
    document = parse(written.content)
    assert (document.name, [one.title for one in document.sections]) == ("周桂兰", ["检验", "院内自定章节"])
    assert (document.sections[0].results[0].value, document.sections[0].results[0].unit) == ("5.6", "mmol/L")
    newer = _hand_in(client, token, DOCUMENT.replace('value="5.6"', 'value="6.1"').replace("113000", "123000"))
    assert (newer.status_code, newer["Location"].rpartition("/")[2]) == (201, "2")


def test_the_engineer_sees_what_was_handed_in_with_the_other_messages(client: Client, world: World) -> None:
    token = _token("emr", world.lead)
    broken = _hand_in(client, token, DOCUMENT[:900])
    assert broken.status_code == 422
    (issue,) = broken.json()["issue"]
    assert issue["details"]["coding"][0]["code"] == "xml-broken"
    assert "请让发送方重新生成后重发" in issue["diagnostics"]
    other = _hand_in(client, token, DOCUMENT.replace("周桂兰", "王小明").replace('"19630915"', '"19500101"'))
    assert (other.status_code, other.json()["issue"][0]["details"]["coding"][0]["code"]) == (422, "identity-mismatch")
    assert _hand_in(client, token, XXE + DOCUMENT.partition("?>")[2]).status_code == 422
    engineer = Client()
    engineer.force_login(make_staff(name="高工", organization_id=world.lead, role="engineer"))
    with acting(system()):
        connection = Connection.objects.get(kind="api")
        message = Message.objects.get(key=UUID(other["X-Message-Id"]))
    page = engineer.get(reverse("exchange:connection", args=[connection.key])).content.decode()
    for words in ("病历系统", "接口上传（FHIR）", "姓名与号码不符", "文档不完整"):
        assert words in page, words
    assert message.connection_id == connection.pk
    # The system is still one of those that call with keys of their own.
    assert "病历系统" in engineer.get("/exchange/systems/").content.decode()
    assert "病历系统" not in engineer.get("/exchange/new/").content.decode()


def test_a_document_of_somebody_out_of_sight_waits_and_goes_on(client: Client, world: World) -> None:
    token = _token("far", world.other_township)
    waiting = _hand_in(client, token, DOCUMENT)
    assert (waiting.status_code, waiting.json()["issue"][0]["severity"]) == (202, "warning")
    with acting(system()):
        assert Message.objects.get(key=UUID(waiting["X-Message-Id"])).state == "waiting"


@pytest.mark.parametrize(
    ("kind", "body", "status"),
    [
        ("application/json", DOCUMENT, 415),
        ("application/xml", "", 400),
        ("text/xml", "<a/>", 422),
        ("text/xml", "x" * 99, 422),
    ],
)
def test_what_is_no_document_is_refused_with_the_cure(
    client: Client, world: World, kind: str, body: str, status: int
) -> None:
    token = _token("emr", world.lead)
    refused = _hand_in(client, token, body, kind)
    assert (refused.status_code, refused.json()["resourceType"]) == (status, "OperationOutcome")
    assert client.get("/fhir/Composition/x/$cda", headers=token).status_code == 404
    assert client.get("/fhir/Patient/x/$cda", headers=token).status_code == 404
    assert client.get(ADDRESS, headers=token).status_code == 405


def test_scopes_must_cover_what_a_document_becomes(client: Client, world: World) -> None:
    client.force_login(make_staff(name="高工", organization_id=world.lead, role="engineer"))
    client.post("/exchange/systems/new/", _facts(world, scopes="system/DocumentReference.cruds"))
    machine = Client()
    given = _ask(machine, _assertion(KEY), "system/DocumentReference.cruds").json()["access_token"]
    refused = _hand_in(machine, {"authorization": f"Bearer {given}"}, DOCUMENT)
    assert (refused.status_code, "Composition.c" in refused.json()["issue"][0]["diagnostics"]) == (403, True)
