"""Files behind Attachments: bytes for whoever wants bytes, a Binary for whoever wants FHIR, and nothing for strangers."""

import base64
import hashlib
from typing import Any

import pytest
from django.test import Client

from doorstep.care.diagnosis import queries
from doorstep.care.diagnosis.tests.factories import Loop, make_loop, ordered, recording_bytes, signed
from doorstep.care.diagnosis.tests.test_views import browser
from doorstep.kernel.access.actor import Purpose, system_actor
from doorstep.kernel.access.session import acting
from doorstep.kernel.audit.models import AuditEntry
from tests.fhir.house import House, System, bundle, entry, make_house, token_of

pytestmark = pytest.mark.django_db
PDF = b"%PDF-1.4 discharge letter of nobody"
PICTURE = "image/png"
FHIR = "application/fhir+json"


@pytest.fixture
def house(client: Client) -> House:
    return make_house(client)


@pytest.fixture
def loop() -> Loop:
    return make_loop()


def sent(house: House, content: bytes = PDF, kind: str = "application/pdf", **headers: str) -> str:
    """The id of a file that the hospital sent as it is."""
    headers = {"X_Security_Context": house.patient, **headers}
    answer = house.own.ask("POST", "Binary", content, kind=kind, **headers)
    assert answer.status_code == 201, answer.content
    return str(answer.json()["id"])


def attachment(resource: dict[str, Any]) -> dict[str, Any]:
    """The one attachment of a report or document."""
    (found,) = resource.get("presentedForm") or [one["attachment"] for one in resource["content"]]
    return dict(found)


def test_a_file_goes_in_and_comes_out_as_it_is(house: House) -> None:
    key = sent(house)
    for accept in ("application/pdf", "*/*", ""):
        answer = house.own.ask("GET", f"Binary/{key}", accept=accept)
        assert answer.status_code == 200
        assert answer.content == PDF
        assert answer.headers["Content-Type"] == "application/pdf"
    assert answer.headers["ETag"] == 'W/"1"'
    assert house.own.ask("GET", f"Binary/{key}", if_none_match='W/"1"').status_code == 304
    head = house.own.ask("HEAD", f"Binary/{key}")
    assert (head.content, head.headers["Content-Length"]) == (b"", str(len(PDF)))


@pytest.mark.parametrize("way", [{"accept": FHIR}, {"accept": "application/json"}, {}])
def test_who_asks_for_fhir_gets_the_resource(house: House, way: dict[str, str]) -> None:
    key = sent(house)
    address = f"Binary/{key}" if way else f"Binary/{key}?_format=json"
    found = house.own.ask("GET", address, **way).json()
    assert found["resourceType"] == "Binary"
    assert found["contentType"] == "application/pdf"
    assert base64.b64decode(found["data"]) == PDF
    assert found["securityContext"]["reference"] == house.patient
    assert house.own.ask("GET", f"Binary/{key}/_history/1", accept=FHIR).json()["id"] == key


def test_put_makes_the_next_version(house: House) -> None:
    key = sent(house)
    changed = house.own.ask("PUT", f"Binary/{key}", b"%PDF second", kind="application/pdf")
    assert changed.status_code == 200
    assert house.own.ask("GET", f"Binary/{key}").content == b"%PDF second"
    stale = house.own.ask("PUT", f"Binary/{key}", b"%PDF third", kind="application/pdf", if_match='W/"1"')
    assert stale.status_code == 412
    assert house.own.ask("DELETE", f"Binary/{key}").status_code == 204
    assert house.own.ask("GET", f"Binary/{key}").status_code == 410


def test_what_could_run_is_only_handed_over(house: House) -> None:
    key = sent(house, b"<script>alert(1)</script>", "text/html")
    answer = house.own.ask("GET", f"Binary/{key}", accept="text/html")
    assert answer.headers["Content-Disposition"] == "attachment"
    assert answer.headers["Content-Security-Policy"] == "sandbox"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_strangers_and_wrong_sendings(house: House) -> None:
    key = sent(house)
    for accept in (FHIR, "application/pdf"):
        assert house.foreign.ask("GET", f"Binary/{key}", accept=accept).status_code == 404
    assert house.own.ask("GET", "Binary/none").status_code == 404
    empty = house.own.ask("POST", "Binary", b"", kind="application/pdf", X_Security_Context=house.patient)
    assert empty.status_code == 400
    nobody = "Patient/0b7a9a3e-5b6e-4f0c-9a55-0d8f2f1f0001"
    refused = house.own.ask("POST", "Binary", PDF, kind="application/pdf", X_Security_Context=nobody)
    assert refused.status_code == 422
    assert refused.json()["issue"][0]["expression"] == ["Binary.securityContext"]
    assert house.own.ask("PATCH", f"Binary/{key}", b"x", kind="application/pdf").status_code == 415


def test_a_document_and_its_file_in_one_transaction(house: House) -> None:
    """The document's address is that of the file in the Bundle, and in a batch a file is a resource."""
    file = "urn:uuid:0b7a9a3e-5b6e-4f0c-9a55-0d8f2f1f0011"
    binary = {
        "resourceType": "Binary",
        "contentType": PICTURE,
        "securityContext": {"reference": house.patient},
        "data": base64.b64encode(b"\x89PNG").decode(),
    }
    document = {
        "resourceType": "DocumentReference",
        "status": "current",
        "subject": {"reference": house.patient},
        "content": [{"attachment": {"contentType": PICTURE, "url": file}}],
    }
    both = bundle(
        "transaction", entry("POST", "Binary", binary, fullUrl=file), entry("POST", "DocumentReference", document)
    )
    written = house.own.ask("POST", "", both)
    assert written.status_code == 200, written.content
    place = written.json()["entry"][1]["response"]["location"].partition("/_history")[0]
    address = attachment(house.own.ask("GET", place.partition("/fhir/")[2] or place).json())["url"]
    assert house.own.ask("GET", address).content == b"\x89PNG"
    answered = house.own.ask("POST", "", bundle("batch", entry("GET", address))).json()["entry"][0]
    assert answered["resource"]["resourceType"] == "Binary"


def test_recording_and_report_of_the_house(loop: Loop, client: Client) -> None:
    """A hospital's system follows the addresses of an ECG's document and report with its token."""
    order = signed(loop)
    system = System(client, token_of(loop.world.village, "village-system"))
    with acting(loop.actor("village")):
        key = queries.recording_key(order)
    document = attachment(system.ask("GET", f"DocumentReference/{key}").json())
    recording = system.ask("GET", document["url"], accept=document["contentType"])
    assert recording.status_code == 200
    assert hashlib.sha256(recording.content).digest() == hashlib.sha256(recording_bytes()).digest()
    assert len(recording.content) == document["size"]
    report = attachment(system.ask("GET", f"DiagnosticReport/{order.key}").json())
    printed = system.ask("GET", report["url"], accept="application/pdf")
    assert printed.content.startswith(b"%PDF")
    assert printed.headers["Content-Type"] == "application/pdf"
    found = system.ask("GET", report["url"], accept=FHIR).json()
    assert found["securityContext"]["reference"] == f"Patient/{loop.resident.key}"
    stranger = System(client, token_of(loop.world.other_village, "other-system"))
    for address in (document["url"], report["url"]):
        assert stranger.ask("GET", address).status_code == 404
    with acting(system_actor(Purpose.VERIFY)):
        looks = AuditEntry.objects.filter(resident_id=loop.resident.pk, organization_id=loop.world.village)
        assert {"ecg.view", "ecg-order.print"} <= set(looks.values_list("action", flat=True))


def test_a_report_that_is_not_signed_has_no_file(loop: Loop, client: Client) -> None:
    order = ordered(loop)
    system = System(client, token_of(loop.world.village, "village-system"))
    assert system.ask("GET", f"Binary/{order.key}").status_code == 404


def test_the_page_of_an_entry_leads_to_its_file(loop: Loop) -> None:
    order = signed(loop)
    village = browser(loop.users["village"])
    address = f"/residents/files/{order.key}/"
    page = village.get(f"/residents/{loop.resident.key}/record/DiagnosticReport/{order.key}/").content.decode()
    assert f'href="{address}"' in page
    assert village.get(address).content.startswith(b"%PDF")
    assert browser(loop.users["stranger"]).get(address).status_code == 404
    assert Client().get(address).status_code == 403


def test_a_hospitals_file_opens_in_the_page(loop: Loop, client: Client) -> None:
    """What another hospital sent as a file is a click away for whoever may see the resident."""
    system = System(client, token_of(loop.world.village, "village-system"))
    patient = f"Patient/{loop.resident.key}"
    answer = system.ask("POST", "Binary", b"\x89PNG", kind=PICTURE, X_Security_Context=patient)
    key = answer.json()["id"]
    document = {
        "resourceType": "DocumentReference",
        "status": "current",
        "subject": {"reference": patient},
        "content": [{"attachment": {"contentType": PICTURE, "title": "胸片", "url": f"Binary/{key}"}}],
    }
    entry_id = system.ask("POST", "DocumentReference", document).json()["id"]
    village = browser(loop.users["village"])
    page = village.get(f"/residents/{loop.resident.key}/record/DocumentReference/{entry_id}/").content.decode()
    assert f'src="/residents/files/{key}/"' in page
    shown = village.get(f"/residents/files/{key}/")
    assert (shown.content, shown.headers["Content-Disposition"]) == (b"\x89PNG", "inline")


def test_a_file_of_nobody_is_its_hospitals_alone(house: House) -> None:
    answer = house.own.ask("POST", "Binary", PDF, kind="application/pdf")
    assert answer.status_code == 201
    key = answer.json()["id"]
    assert house.own.ask("GET", f"Binary/{key}").content == PDF
    assert house.foreign.ask("GET", f"Binary/{key}").status_code == 404
