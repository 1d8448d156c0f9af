"""fhirclient (PyPI, the SMART group's own): a backend service, and an app of a resident by a code with PKCE."""

from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from fhirclient.client import FHIRClient
from fhirclient.models.bundle import Bundle
from fhirclient.models.observation import Observation
from fhirclient.models.patient import Patient
from fhirclient.server import FHIRNotFoundException, FHIRPermissionDeniedException, FHIRUnauthorizedException

from tests.fhir_clients.browsing import Browser
from tests.fhir_clients.running import PASSWORD, REDIRECT, Service


@pytest.fixture(scope="module")
def smart(running: Service) -> FHIRClient:
    """A backend service that has signed in."""
    settings = {
        "app_id": "fhirclient",
        "api_base": running.base,
        "jwt_token": running.assertion("fhirclient"),
        "scope": "system/*.cruds",
        "patient_id": running.patient,
    }
    client = FHIRClient(settings=settings)
    # Its models refuse whatever R4 does not know: reading the statement is a test of it.
    assert client.prepare() is False
    client.authorize()
    assert client.ready
    return client


def test_fhirclient_reads_searches_and_pages_by_strict_models(running: Service, smart: FHIRClient) -> None:
    statement = smart.server.capabilityStatement
    assert statement.fhirVersion == "4.0.1"
    assert {one.type for one in statement.rest[0].resource} > {"Patient", "Observation", "CarePlan"}
    made = Bundle(running.observations(12, note=[{"text": "fhirclient"}])).create(smart.server)
    assert made["type"] == "transaction-response"
    assert smart.patient.birthDate.date.isoformat() == "1963-09-15"
    found = Observation.where({"patient": running.patient, "_count": "5"}).perform_resources_iter(smart.server)
    ids = [one.id for one in found]
    assert len(ids) == len(set(ids)) >= 12
    search = Observation.where({"patient.birthdate": "1963-09-15", "_include": "Observation:subject"})
    kinds = {one.resource.resource_type for page in search.perform_iter(smart.server) for one in page.entry}
    assert kinds == {"Observation", "Patient"}
    everything = smart.server.request_json(f"Patient/{running.patient}/$everything")
    assert len(Bundle(everything).entry) > 12


def test_fhirclient_writes_changes_and_deletes(running: Service, smart: FHIRClient) -> None:
    observation = Observation(running.observation())
    answer = observation.create(smart.server)
    assert answer["meta"]["versionId"] == "1"
    stored = Observation.read(answer["id"], smart.server)
    assert stored.valueQuantity.value == 72
    stored.status = "amended"
    stored.update(smart.server)
    again = Observation.read(answer["id"], smart.server)
    assert (again.status, again.meta.versionId) == ("amended", "2")
    assert again.delete() is None
    with pytest.raises(requests.HTTPError) as gone:
        Observation.read(answer["id"], smart.server)
    assert _answer(gone.value).status_code == 410


def test_fhirclient_understands_every_refusal(running: Service, smart: FHIRClient) -> None:
    wrong = Observation(running.observation(status="nonsense"))
    with pytest.raises(requests.HTTPError) as invalid:
        wrong.create(smart.server)
    assert _answer(invalid.value).status_code == 422
    assert _answer(invalid.value).json()["issue"][0]["expression"] == ["Observation.status"]
    with pytest.raises(FHIRNotFoundException):
        Patient.read("nowhere", smart.server)
    with pytest.raises(requests.HTTPError):
        list(Observation.where({"misspelt": "x"}).perform_iter(smart.server))
    nobody = FHIRClient(settings={"app_id": "x", "api_base": running.base, "patient_id": "x"})
    nobody.prepare()
    with pytest.raises(FHIRUnauthorizedException):
        Observation.read("x", nobody.server)


def test_fhirclient_is_let_in_by_a_resident_and_renews_itself(running: Service) -> None:
    app = FHIRClient(
        settings={
            "app_id": "record-app",
            "api_base": running.base,
            "redirect_uri": REDIRECT,
            "scope": "patient/Patient.read patient/Observation.read offline_access",
        }
    )
    app.prepare()
    with Browser(running.base) as person:
        person.sign_in("zhou", PASSWORD)
        address = person.agree(app.authorize_url)
    assert urlsplit(address).netloc == urlsplit(REDIRECT).netloc
    app.handle_callback(address)
    assert app.patient_id == running.patient
    assert app.patient.name[0].text == "周桂兰"
    _reads_the_own_record_alone(app, running)
    first = app.server.auth.access_token
    assert app.reauthorize()
    assert app.server.auth.access_token != first
    _reads_the_own_record_alone(app, running)


def _reads_the_own_record_alone(app: FHIRClient, running: Service) -> None:
    found: list[Any] = list(Observation.where({"_count": "5"}).perform_resources_iter(app.server))
    assert {one.subject.reference for one in found} <= {f"Patient/{running.patient}"}
    with pytest.raises(FHIRPermissionDeniedException):
        app.server.request_json("Encounter")
    with pytest.raises(FHIRPermissionDeniedException):
        Observation(running.observation()).create(app.server)


def _answer(error: requests.HTTPError) -> requests.Response:
    assert error.response is not None
    return error.response
