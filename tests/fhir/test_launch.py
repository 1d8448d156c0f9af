"""SMART EHR launch: an app is opened from a record's page, is told for whom, and sees nobody else."""

import base64
import hashlib
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from doorstep.kernel.access.actor import Purpose, system_actor
from doorstep.kernel.access.models import Launch, User
from doorstep.kernel.access.session import acting
from doorstep.people.residents.tests.factories import make_resident, make_staff
from doorstep.people.workforce import accounts
from doorstep.people.workforce.models import Practitioner
from doorstep.site.accounts import AccountAdapter
from tests.fhir.house import House, System, make_house

pytestmark = pytest.mark.django_db
VERIFIER = "v" * 64
BACK = "https://charts.example/back"


@pytest.fixture
def house(client: Client) -> House:
    made = make_house(client)
    call_command(
        "register_app", "charts", display="趋势图", redirect=BACK, launch="https://charts.example/open", stdout=_Quiet()
    )
    return made


class _Quiet:
    def write(self, _text: str) -> None:
        """Say nothing."""


@pytest.fixture
def doctor(house: House) -> User:
    return make_staff(name="王敏", organization_id=house.world.lead, role="specialist")


def _open(client: Client, house: House) -> str:
    """Open the app on the record's page; returns the launch parameter."""
    record = client.get(f"/residents/{house.resident.key}/")
    address = f"/residents/{house.resident.key}/apps/charts/"
    assert address in record.content.decode()
    page = client.get(address)
    assert page.status_code == 200
    assert "form-action 'self' https://charts.example" in page["Content-Security-Policy"]
    # What rings elsewhere rings here too: the live process is not locked out.
    assert "connect-src 'self'" in page["Content-Security-Policy"]
    opened = client.post(address)
    assert opened.status_code == 302, opened.content
    parts = urlsplit(opened["Location"])
    assert f"{parts.scheme}://{parts.netloc}{parts.path}" == "https://charts.example/open"
    told = parse_qs(parts.query)
    assert told["iss"] == ["http://testserver/fhir"]
    return told["launch"][0]


def _agree(client: Client, launch: str, scope: str = "launch patient/Observation.rs offline_access") -> Any:
    challenge = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
    asked = {
        "response_type": "code",
        "client_id": "charts",
        "redirect_uri": BACK,
        "scope": scope,
        "state": "s1",
        "aud": "http://testserver/fhir",
        "launch": launch,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }
    page = client.get("/oauth/authorize", asked)
    if page.status_code != 200:
        return page
    kept = {name: value for name, value in asked.items() if name not in ("launch", "aud")}
    return client.post(f"/oauth/authorize?{urlencode(asked)}", {**kept, "allow": "Authorize"})


def _token(client: Client, answer: Any) -> dict[str, Any]:
    assert answer.status_code == 302, answer.content
    found = parse_qs(urlsplit(answer["Location"]).query)
    assert "code" in found, found
    form = {
        "grant_type": "authorization_code",
        "code": found["code"][0],
        "redirect_uri": BACK,
        "client_id": "charts",
        "code_verifier": VERIFIER,
    }
    given: dict[str, Any] = Client().post("/oauth/token", form).json()
    return given


def test_an_app_that_was_opened_sees_its_patient_alone(house: House, client: Client, doctor: User) -> None:
    other = make_resident(
        organization_id=house.world.village,
        name="李四",
        number="439981197001010011",
        phone="19900005678",
        panel_of=(house.world.lead,),
    )
    mine = house.own.ask("POST", "Observation", house.observation()).json()
    others = house.own.ask(
        "POST", "Observation", house.observation(subject={"reference": f"Patient/{other.key}"})
    ).json()
    client.force_login(doctor)
    given = _token(client, _agree(client, _open(client, house)))
    assert (given["patient"], given["need_patient_banner"]) == (str(house.resident.key), True)
    app = System(Client(), given["access_token"])
    assert app.ask("GET", f"Observation/{mine['id']}").status_code == 200
    assert app.ask("GET", f"Observation/{others['id']}").status_code == 404
    found = app.ask("GET", "Observation").json()
    assert [one["resource"]["id"] for one in found["entry"]] == [mine["id"]]
    assert app.ask("GET", "Encounter").status_code == 403
    assert app.ask("POST", "Observation", house.observation()).status_code == 403
    form = {"grant_type": "refresh_token", "refresh_token": given["refresh_token"], "client_id": "charts"}
    renewed = Client().post("/oauth/token", form).json()
    assert renewed["patient"] == str(house.resident.key)
    again = System(Client(), renewed["access_token"])
    assert again.ask("GET", f"Observation/{mine['id']}").status_code == 200
    assert again.ask("GET", f"Observation/{others['id']}").status_code == 404


def test_scopes_of_the_person_see_what_the_person_sees(house: House, client: Client, doctor: User) -> None:
    mine = house.own.ask("POST", "Observation", house.observation()).json()
    client.force_login(doctor)
    given = _token(client, _agree(client, _open(client, house), "launch user/Observation.rs"))
    assert given["patient"] == str(house.resident.key)
    assert System(Client(), given["access_token"]).ask("GET", f"Observation/{mine['id']}").status_code == 200
    # Without an opening a token of staff has no patient, so scopes of a patient give nothing.
    standalone = _token(client, _agree(client, "", "patient/Observation.rs"))
    assert "patient" not in standalone
    assert System(Client(), standalone["access_token"]).ask("GET", "Observation").status_code == 403


def test_a_launch_is_good_once_for_minutes_for_its_person_and_app(house: House, client: Client, doctor: User) -> None:
    client.force_login(doctor)
    launch = _open(client, house)
    _token(client, _agree(client, launch))
    for wrong in (launch, "made-up", ""):
        assert "error=invalid_request" in _agree(client, wrong)["Location"], wrong
    late = _open(client, house)
    with acting(system_actor(Purpose.IMPORT)):
        Launch.objects.filter(used_at__isnull=True).update(expires_at=timezone.now() - timedelta(seconds=1))
    assert "error=invalid_request" in _agree(client, late)["Location"]
    stolen = _open(client, house)
    client.force_login(make_staff(name="赵远", organization_id=house.world.lead, role="specialist"))
    assert "error=invalid_request" in _agree(client, stolen)["Location"]


@pytest.mark.parametrize("how", ["renewed", "locked", "changed"])
def test_with_the_password_end_the_apps_that_it_let_in(house: House, client: Client, doctor: User, how: str) -> None:
    client.force_login(doctor)
    given = _token(client, _agree(client, _open(client, house), "launch user/Observation.rs offline_access"))
    app = System(Client(), given["access_token"])
    assert app.ask("GET", "Observation").status_code == 200
    with acting(system_actor(Purpose.IMPORT)) as system:
        person = Practitioner.objects.get(user=doctor)
        if how == "renewed":
            accounts.renew(practitioner=person, factors=False, actor=system)
        elif how == "locked":
            accounts.lock(practitioner=person, reason="账号异常", actor=system)
            accounts.unlock(practitioner=person, actor=system)
        else:
            AccountAdapter().set_password(doctor, "another-horse-10")
    assert app.ask("GET", "Observation").status_code == 401
    form = {"grant_type": "refresh_token", "refresh_token": given["refresh_token"], "client_id": "charts"}
    assert Client().post("/oauth/token", form).status_code == 400


def test_a_stranger_opens_no_app(house: House, client: Client) -> None:
    address = f"/residents/{house.resident.key}/apps/charts/"
    client.force_login(make_staff(name="赵远", organization_id=house.world.other_township, role="village_doctor"))
    assert client.post(address).status_code == 404
    client.force_login(make_staff(name="王敏", organization_id=house.world.lead, role="specialist"))
    assert client.post(address.replace("charts", "nothing")).status_code == 404


def test_register_app_refuses_half_an_address() -> None:
    with pytest.raises(CommandError):
        call_command("register_app", "charts", display="趋势图", redirect="back", stdout=_Quiet())
