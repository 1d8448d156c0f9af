"""OAuth 2: what ends a token before its time, and what no token is given for (RFC 6749, 7009, 7662, 9700; SMART App Launch 2)."""

import base64
import hashlib
from datetime import date
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client
from django.utils import timezone
from oauth2_provider.models import Application, RefreshToken
from psycopg.types.range import DateRange

from doorstep.kernel.access.actor import Purpose, system_actor
from doorstep.kernel.access.models import ApiClient, User
from doorstep.kernel.access.session import acting
from doorstep.people.residents.tests.factories import make_staff
from doorstep.people.workforce.models import Post
from tests.fhir.house import House, System, make_house

pytestmark = pytest.mark.django_db
BACK = "https://app.example/back"
VERIFIER = "v" * 64
SCOPE = "openid offline_access user/Observation.rs"


@pytest.fixture
def house(client: Client) -> House:
    return make_house(client)


@pytest.fixture
def doctor(house: House) -> User:
    Application.objects.create(
        client_id="phone-app",
        name="随访应用",
        redirect_uris=BACK,
        client_type=Application.CLIENT_PUBLIC,
        authorization_grant_type=Application.GRANT_AUTHORIZATION_CODE,
    )
    return make_staff(name="王敏", organization_id=house.world.lead, role="specialist")


def _code(client: Client, user: User, scope: str = SCOPE, verifier: str = VERIFIER) -> str:
    client.force_login(user)
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    asked = {
        "response_type": "code", "client_id": "phone-app", "redirect_uri": BACK, "scope": scope, "state": "s1",
        "code_challenge": challenge, "code_challenge_method": "S256", "allow": "Authorize",
    }  # fmt: skip
    answer = client.post("/oauth/authorize", asked)
    return parse_qs(urlsplit(answer["Location"]).query)["code"][0]


def _exchange(code: str, **more: str) -> Any:
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": BACK, "client_id": "phone-app"}
    return Client().post("/oauth/token", {**form, "code_verifier": VERIFIER, **more})


def _renewed(token: str) -> Any:
    form = {"grant_type": "refresh_token", "refresh_token": token, "client_id": "phone-app"}
    return Client().post("/oauth/token", form)


def _reads(token: str) -> int:
    return int(System(Client(), token).ask("GET", "Observation?_id=x").status_code)


def test_a_code_that_comes_twice_ends_every_token_that_it_gave(client: Client, doctor: User) -> None:
    code, other = _code(client, doctor), _code(client, doctor)
    given, bystander = _exchange(code).json(), _exchange(other).json()
    assert _reads(given["access_token"]) == 200
    again = _exchange(code)
    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")
    assert _reads(given["access_token"]) == 401
    assert _renewed(given["refresh_token"]).status_code == 400
    # What another code gave goes on.
    assert _reads(bystander["access_token"]) == 200
    # Also the tokens that were renewed meanwhile end.
    later = _renewed(bystander["refresh_token"]).json()
    assert _reads(later["access_token"]) == 200
    assert _exchange(other).status_code == 400
    assert _reads(later["access_token"]) == 401
    assert _renewed(later["refresh_token"]).status_code == 400


def test_without_the_wish_for_it_nothing_renews_and_a_second_use_ends_the_token(client: Client, doctor: User) -> None:
    code = _code(client, doctor, "openid user/Observation.rs")
    given = _exchange(code).json()
    assert "refresh_token" not in given
    assert _reads(given["access_token"]) == 200
    assert not RefreshToken.objects.filter(revoked=None).exists()
    assert _exchange(code).status_code == 400
    assert _reads(given["access_token"]) == 401


def test_a_wrong_verifier_or_address_gives_nothing_and_a_code_is_not_lost_by_it(client: Client, doctor: User) -> None:
    code = _code(client, doctor)
    assert _exchange(code, code_verifier="w" * 64).status_code == 400
    assert _exchange(code, redirect_uri="https://evil.example/").status_code == 400
    assert _exchange(code, code_verifier="").status_code == 400
    assert _exchange(code).status_code == 200


def test_a_token_dies_with_the_account_and_with_the_last_post(client: Client, doctor: User) -> None:
    given = _exchange(_code(client, doctor)).json()
    token = given["access_token"]
    caller = _exchange(_code(client, doctor)).json()["access_token"]
    assert _reads(token) == 200
    with acting(system_actor(Purpose.IMPORT)):
        held = Post.objects.filter(practitioner__user=doctor)
        assert held.update(period=DateRange(date(2019, 1, 1), date(2020, 1, 1))) == 1
    assert _reads(token) == 401
    with acting(system_actor(Purpose.IMPORT)):
        held.update(period=DateRange(date(2019, 1, 1), None))
    assert _reads(token) == 200
    with acting(system_actor(Purpose.IMPORT)):
        User.objects.filter(pk=doctor.pk).update(is_active=False)
    assert _reads(token) == 401
    assert _reads(caller) == 401


def test_introspection_is_for_registered_clients_and_knows_who_is_gone(client: Client, doctor: User) -> None:
    token = _exchange(_code(client, doctor)).json()["access_token"]
    for headers in ({}, {"authorization": "Bearer x"}, {"authorization": f"Bearer {token}"}):
        assert client.post("/oauth/introspect", {"token": token}, headers=headers).status_code in (401, 403)
    # A public app has no secret by which anybody could know it.
    assert client.post("/oauth/introspect", {"token": token, "client_id": "phone-app"}).status_code in (401, 403)
    Application.objects.create(
        client_id="lab", name="检验", client_secret="s3cret", client_type=Application.CLIENT_CONFIDENTIAL,
        authorization_grant_type=Application.GRANT_CLIENT_CREDENTIALS,
    )  # fmt: skip
    basic = {"authorization": "Basic " + base64.b64encode(b"lab:s3cret").decode()}
    told = client.post("/oauth/introspect", {"token": token}, headers=basic).json()
    assert (told["active"], told["client_id"], told["scope"]) == (True, "phone-app", SCOPE)
    assert client.post("/oauth/introspect", {"token": "nobody's"}, headers=basic).json() == {"active": False}
    with acting(system_actor(Purpose.IMPORT)):
        User.objects.filter(pk=doctor.pk).update(is_active=False)
    assert client.post("/oauth/introspect", {"token": token}, headers=basic).json() == {"active": False}


def test_system_scopes_are_no_persons_and_persons_scopes_no_systems(client: Client, doctor: User) -> None:
    client.force_login(doctor)
    asked = {
        "response_type": "code", "client_id": "phone-app", "redirect_uri": BACK, "state": "s1",
        "code_challenge": "c" * 43, "code_challenge_method": "S256",
    }  # fmt: skip
    for scope in ("system/*.rs", "launch/patient system/Observation.rs", "user/*.c", "user/Patient.u", "introspection"):
        assert "error=invalid_scope" in client.get("/oauth/authorize", {**asked, "scope": scope})["Location"], scope


def test_a_system_that_was_stopped_has_no_token_any_more(house: House) -> None:
    assert _reads(house.own.token) == 200
    with acting(system_actor(Purpose.IMPORT)):
        ApiClient.objects.filter(name="his").update(revoked_at=timezone.now())
    assert _reads(house.own.token) == 401


@pytest.mark.parametrize("verifier", ["abc", "v" * 129, "v" * 42 + "!"])
def test_a_verifier_that_is_too_short_too_long_or_oddly_spelt_gets_no_token(
    client: Client, doctor: User, verifier: str
) -> None:
    told = _exchange(_code(client, doctor, verifier=verifier), code_verifier=verifier)
    assert (told.status_code, told.json()["error"]) == (400, "invalid_request")
    assert "code_verifier" in told.json()["error_description"]
