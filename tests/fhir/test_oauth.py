"""OAuth 2: SMART Backend Services, codes with PKCE, scopes, rotation, revocation, introspection, limits."""

import base64
import hashlib
import json
import time
import uuid
from datetime import date
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client
from jwcrypto.jwk import JWK, JWKSet
from jwcrypto.jwt import JWT
from oauth2_provider.models import AccessToken, Application, RefreshToken

from doorstep.kernel.access import actions as access
from doorstep.kernel.access.actor import Purpose, system_actor
from doorstep.kernel.access.models import User
from doorstep.kernel.access.session import acting
from doorstep.people.residents.actions import publish
from doorstep.people.residents.models import ResidentAccount
from doorstep.people.residents.tests.factories import make_staff
from doorstep.people.workforce.models import Practitioner
from doorstep.site.oauth.scopes import kept
from tests.fhir.house import House, System, bundle, entry, make_house

pytestmark = pytest.mark.django_db
TOKEN = "http://testserver/oauth/token"


@pytest.fixture
def house(client: Client) -> House:
    return make_house(client)


def _system(house: House, scopes: str) -> JWK:
    key = JWK.generate(kty="EC", crv="P-384", kid="k1")
    public = {"keys": [json.loads(key.export_public())]}
    with acting(system_actor(Purpose.IMPORT)) as actor:
        access.register_keys(
            name="lab", display="检验系统", organization_id=house.world.lead, jwks=public, scopes=scopes, actor=actor
        )
        Application.objects.create(
            client_id="lab",
            name="检验系统",
            client_type=Application.CLIENT_CONFIDENTIAL,
            authorization_grant_type=Application.GRANT_CLIENT_CREDENTIALS,
        )
    return key


def _assertion(key: JWK, **changes: Any) -> str:
    claims = {"iss": "lab", "sub": "lab", "aud": TOKEN, "exp": int(time.time()) + 120, "jti": uuid.uuid4().hex}
    token = JWT(header={"alg": "ES384", "typ": "JWT", "kid": "k1"}, claims={**claims, **changes})
    token.make_signed_token(key)
    return str(token.serialize())


def _ask(client: Client, assertion: str, scope: str) -> Any:
    return client.post(
        "/oauth/token",
        {
            "grant_type": "client_credentials",
            "scope": scope,
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": assertion,
        },
    )


def test_a_backend_service_gets_a_token_by_its_key_and_acts_as_its_hospital(house: House, client: Client) -> None:
    key = _system(house, "system/Observation.crs system/Encounter.rs")
    assertion = _assertion(key)
    given = _ask(client, assertion, "system/Observation.rs")
    assert given.status_code == 200, given.content
    assert given.json()["expires_in"] == 300
    lab = System(client, given.json()["access_token"])
    assert lab.ask("GET", "Observation").status_code == 200
    assert lab.ask("GET", "Encounter").status_code == 403
    assert lab.ask("POST", "Observation", house.observation()).status_code == 403
    assert _ask(client, assertion, "system/Observation.rs").status_code == 401
    for wrong in (
        _assertion(JWK.generate(kty="EC", crv="P-384", kid="k1")),
        _assertion(key, aud="http://elsewhere/token"),
        _assertion(key, exp=int(time.time()) - 120),
        _assertion(key, exp=int(time.time()) + 86_400),
        _assertion(key, iss="his", sub="his"),
        "x.y.z",
    ):
        assert _ask(client, wrong, "system/Observation.rs").status_code == 401
    for scope in ("system/Patient.rs", "system/*.rs", "patient/*.rs", "nonsense"):
        assert _ask(client, _assertion(key), scope).status_code == 400
    writer = _ask(client, _assertion(key), "system/Observation.crs").json()["access_token"]
    assert System(client, writer).ask("POST", "Observation", house.observation()).status_code == 201


def _app() -> Application:
    return Application.objects.create(
        client_id="phone-app",
        name="健康手机应用",
        redirect_uris="https://app.example/back",
        client_type=Application.CLIENT_PUBLIC,
        authorization_grant_type=Application.GRANT_AUTHORIZATION_CODE,
    )


def _resident_account(house: House) -> User:
    with acting(system_actor(Purpose.IMPORT)):
        user = User.objects.create_user("zhou", password="correct-horse-9", kind=User.Kind.RESIDENT)
        ResidentAccount.objects.create(user=user, resident=house.resident, since=date(2024, 1, 1))
    return user


def test_a_residents_app_reads_the_own_record_and_nothing_else(house: House, client: Client) -> None:
    made = house.own.ask("POST", "Observation", house.observation()).json()
    _app()
    client.force_login(_resident_account(house))
    verifier = "v" * 64
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    asked = {
        "response_type": "code",
        "client_id": "phone-app",
        "redirect_uri": "https://app.example/back",
        "scope": "launch/patient patient/Observation.rs offline_access",
        "state": "s1",
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }
    page = client.get("/oauth/authorize", asked)
    assert page.status_code == 200
    assert "健康手机应用" in page.content.decode()
    answer = client.post("/oauth/authorize", {**asked, "allow": "Authorize"})
    assert answer.status_code == 302, answer.content
    code = parse_qs(urlsplit(answer["Location"]).query)["code"][0]
    client.logout()
    exchange = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": "https://app.example/back",
        "client_id": "phone-app",
    }
    assert client.post("/oauth/token", {**exchange, "code_verifier": "w" * 64}).status_code == 400
    given = client.post("/oauth/token", {**exchange, "code_verifier": verifier}).json()
    assert given["patient"] == str(house.resident.key)
    app = System(client, given["access_token"])
    assert app.ask("GET", f"Observation/{made['id']}").status_code == 200
    assert app.ask("GET", "Encounter").status_code == 403
    assert app.ask("DELETE", f"Observation/{made['id']}").status_code == 403
    renewed = client.post(
        "/oauth/token",
        {"grant_type": "refresh_token", "refresh_token": given["refresh_token"], "client_id": "phone-app"},
    )
    assert renewed.status_code == 200
    assert app.ask("GET", f"Observation/{made['id']}").status_code == 401
    again = client.post(
        "/oauth/token",
        {"grant_type": "refresh_token", "refresh_token": given["refresh_token"], "client_id": "phone-app"},
    )
    assert again.status_code == 400
    # Who sends a used token again may be a thief: the whole family ends.
    later = System(client, renewed.json()["access_token"])
    assert later.ask("GET", "Observation").status_code == 401


def _signed_in(client: Client, user: User, scope: str, **more: str) -> dict[str, Any]:
    """The answer of a token for a person who agreed to the phone app's wish."""
    client.force_login(user)
    verifier = "v" * 64
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    back = "https://app.example/back"
    asked = {
        "response_type": "code", "client_id": "phone-app", "redirect_uri": back, "scope": scope,
        "state": "s1", "code_challenge": challenge, "code_challenge_method": "S256", **more,
    }  # fmt: skip
    answer = client.post("/oauth/authorize", {**asked, "allow": "Authorize"})
    code = parse_qs(urlsplit(answer["Location"]).query)["code"][0]
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": back, "client_id": "phone-app"}
    given: dict[str, Any] = Client().post("/oauth/token", {**form, "code_verifier": verifier}).json()
    return given


def test_openid_says_who_signed_in_by_the_house_key(house: House, client: Client) -> None:
    found = client.get("/fhir/.well-known/openid-configuration").json()
    assert found["issuer"] == "http://testserver/fhir"
    keys = JWKSet.from_json(client.get(urlsplit(found["jwks_uri"]).path).content.decode())
    assert "RSA" in str(keys.export(private_keys=False))
    assert "private" not in client.get("/fhir/.well-known/jwks.json").content.decode()
    _app()
    doctor = make_staff(name="王敏", organization_id=house.world.lead, role="specialist")
    with acting(system_actor(Purpose.IMPORT)):
        key = Practitioner.objects.get(user=doctor).key
    people = {_resident_account(house): f"Patient/{house.resident.key}", doctor: f"Practitioner/{key}"}
    for user, who in people.items():
        given = _signed_in(client, user, "openid fhirUser offline_access patient/*.rs", nonce="n-0S6")
        token = JWT(jwt=given["id_token"], key=keys, algs=["RS256"])
        claims = json.loads(token.claims)
        assert claims["fhirUser"] == f"http://testserver/fhir/{who}"
        assert (claims["iss"], claims["aud"], claims["nonce"]) == (found["issuer"], "phone-app", "n-0S6")
        # Two readings of the clock, each in whole seconds.
        assert claims["exp"] - claims["iat"] in (300, 301)
        told = client.get("/oauth/userinfo", headers={"authorization": f"Bearer {given['access_token']}"})
        assert told.json() == {"sub": claims["sub"], "fhirUser": claims["fhirUser"]}
        half = hashlib.sha256(given["access_token"].encode()).digest()[:16]
        assert claims["at_hash"] == base64.urlsafe_b64encode(half).rstrip(b"=").decode()
        form = {"grant_type": "refresh_token", "refresh_token": given["refresh_token"], "client_id": "phone-app"}
        again = client.post("/oauth/token", form).json()
        assert json.loads(JWT(jwt=again["id_token"], key=keys, algs=["RS256"]).claims)["sub"] == claims["sub"]
        # Who somebody is opens no record.
        assert System(client, given["id_token"]).ask("GET", "Observation").status_code == 401
    # What is kept of tokens opens nothing.
    assert {*AccessToken.objects.values_list("token", flat=True)} == {""}
    assert {*RefreshToken.objects.values_list("token", flat=True)} == {""}
    assert "id_token" not in _signed_in(client, doctor, "patient/*.rs")
    bare = _signed_in(client, doctor, "openid")
    assert client.get("/oauth/userinfo").status_code == 401
    mute = _signed_in(client, doctor, "patient/*.rs")["access_token"]
    assert client.get("/oauth/userinfo", headers={"authorization": f"Bearer {mute}"}).status_code == 401
    assert found["userinfo_endpoint"] == "http://testserver/oauth/userinfo"
    assert "fhirUser" not in json.loads(JWT(jwt=bare["id_token"], key=keys, algs=["RS256"]).claims)


def test_codes_need_pkce_and_a_login(house: House, client: Client) -> None:
    _app()
    asked = {
        "response_type": "code",
        "client_id": "phone-app",
        "redirect_uri": "https://app.example/back",
        "scope": "patient/*.rs",
        "state": "s1",
    }
    assert "/accounts/login" in client.get("/oauth/authorize", asked)["Location"]
    client.force_login(_resident_account(house))
    refused = client.get("/oauth/authorize", asked)
    assert "error=invalid_request" in refused["Location"]
    good = {**asked, "code_challenge": "c" * 43, "code_challenge_method": "S256", "aud": "http://testserver/fhir"}
    assert client.get("/oauth/authorize", good).status_code == 200
    for wrong, error in (
        ({"code_challenge_method": "plain"}, "invalid_request"),
        # What S256 makes is 43 characters long (RFC 7636, 4.2).
        ({"code_challenge": "abc"}, "invalid_request"),
        ({"code_challenge": "!" * 43}, "invalid_request"),
        ({"code_challenge": "c" * 44}, "invalid_request"),
        # SMART App Launch 2.0 asks for it.
        ({"state": ""}, "invalid_request"),
        ({"aud": "https://elsewhere.example/fhir"}, "invalid_request"),
        ({"scope": "patient/Nonsense.rs"}, "invalid_scope"),
        ({"scope": "patient/*.cruds"}, "invalid_scope"),
    ):
        told = client.get("/oauth/authorize", {**good, **wrong})
        assert told.status_code == 302, wrong
        assert f"error={error}" in told["Location"], wrong
    for wrong, words in (
        ({"client_id": "nobody"}, "没有在本系统登记"),
        ({"redirect_uri": "https://evil.example/"}, "没有登记的地址"),
    ):
        assert words in client.get("/oauth/authorize", {**good, **wrong}).content.decode(), wrong


def test_a_resident_reads_what_an_app_asks_for_and_ends_it(house: House, client: Client) -> None:
    _app()
    user = _resident_account(house)
    scope = "openid fhirUser launch/patient offline_access patient/Observation.rs patient/Condition.r"
    given = _signed_in(client, user, scope)
    app = System(Client(), given["access_token"])
    assert app.ask("GET", "Observation").status_code == 200
    page = client.get("/me/looks/").content.decode()
    for words in ("健康手机应用", "知道您是谁；", "查看测量与检验结果；查看诊断与健康问题"):
        assert words in page, words
    assert "知道您是谁；知道您是谁" not in page
    assert client.post("/me/apps/phone-app/stop/").status_code == 302
    assert app.ask("GET", "Observation").status_code == 401
    renewal = {"grant_type": "refresh_token", "refresh_token": given["refresh_token"], "client_id": "phone-app"}
    assert Client().post("/oauth/token", renewal).status_code == 400
    assert "我授权的应用" not in client.get("/me/looks/").content.decode()
    assert client.post("/me/apps/phone-app/stop/").status_code == 404


def test_the_person_narrows_what_an_app_asked_for(house: House, client: Client) -> None:
    _app()
    user = _resident_account(house)
    scope = "openid launch/patient offline_access patient/Observation.rs patient/Condition.r"
    given = _signed_in(client, user, scope, chosen="1", line="测量与检验结果")
    assert given["scope"].split() == ["openid", "launch/patient", "patient/Observation.rs"]
    assert "refresh_token" not in given
    app = System(Client(), given["access_token"])
    assert app.ask("GET", "Observation").status_code == 200
    assert app.ask("GET", "Condition").status_code == 403


def test_no_reference_leads_past_the_scopes(house: House, client: Client) -> None:
    """An app that was let in for measurements reads through them neither the person nor a diagnosis, and guesses none."""
    _app()
    user = _resident_account(house)
    with acting(system_actor(Purpose.IMPORT)) as system:
        publish(house.resident, actor=system)
    house.own.ask("POST", "Observation", house.observation())
    problem = {"resourceType": "Condition", "subject": {"reference": house.patient}, "code": {"text": "高血压"}}
    assert house.own.ask("POST", "Condition", problem).status_code == 201
    app = System(Client(), _signed_in(client, user, "launch/patient patient/Observation.rs")["access_token"])
    assert app.ask("GET", "Observation").json()["total"] == 1
    for query in (
        "_include=Observation:subject",
        "_include=Observation:patient",
        "_include=Observation:encounter",
        "_revinclude=Condition:evidence-detail",
        "_include:iterate=Observation:subject:Patient",
        "subject:Patient.name=x",
        "patient.birthdate=1963-09-15",
        "subject:Patient._has:Condition:patient:code=x",
        "_has:Condition:evidence-detail:code=x",
        "_list=x",
    ):
        for prefer in ("handling=strict", "handling=lenient"):
            answer = app.ask("GET", f"Observation?{query}", prefer=prefer)
            assert (answer.status_code, answer.json()["issue"][0]["code"]) == (403, "forbidden"), query
        inside = app.ask("POST", "", bundle("batch", entry("GET", f"Observation?{query}"))).json()["entry"][0]
        assert inside["response"]["status"].startswith("403"), query
    # Of a reference to any type comes along what the app may read.
    found = app.ask("GET", "Observation?_include=*&_include=Observation:has-member").json()
    assert {one["resource"]["resourceType"] for one in found["entry"]} == {"Observation"}
    both = System(
        Client(), _signed_in(client, user, "launch/patient patient/Observation.rs patient/Patient.r")["access_token"]
    )
    along = both.ask("GET", "Observation?_include=Observation:subject").json()
    assert {one["resource"]["resourceType"] for one in along["entry"]} == {"Observation", "Patient"}
    # Reading is not searching: by what a chain finds a name could be guessed.
    assert both.ask("GET", "Observation?patient.name=x").status_code == 403


def test_everything_is_narrowed_to_kinds(house: House, client: Client) -> None:
    _app()
    user = _resident_account(house)
    client.force_login(user)
    given = _signed_in(client, user, "launch/patient patient/*.rs", chosen="1", line="就诊记录")
    assert given["scope"].split() == ["launch/patient", "patient/Encounter.rs"]
    # Nothing that was not asked for is given, whatever the form says.
    assert (
        kept("patient/Observation.r", ["测量与检验结果", "就诊记录", "健康档案的全部内容", "offline_access"])
        == "patient/Observation.r"
    )


@pytest.mark.parametrize("scope", ["patient/Observation.rs", "patient/*.rs", "offline_access patient/Observation.rs"])
def test_who_leaves_nothing_ticked_lets_nobody_in(house: House, client: Client, scope: str) -> None:
    _app()
    client.force_login(_resident_account(house))
    asked = {
        "response_type": "code",
        "client_id": "phone-app",
        "redirect_uri": "https://app.example/back",
        "scope": scope,
        "state": "s1",
        "code_challenge": "c" * 43,
        "code_challenge_method": "S256",
    }
    answer = client.post("/oauth/authorize", {**asked, "chosen": "1", "allow": "Authorize"})
    assert answer.status_code == 302
    told = parse_qs(urlsplit(answer["Location"]).query)
    assert "code" not in told
    assert (told["error"], told["state"]) == (["access_denied"], ["s1"])


def test_revocation_and_introspection(house: House, client: Client) -> None:
    key = _system(house, "system/*.rs")
    token = _ask(client, _assertion(key), "system/*.rs introspection").json()["access_token"]
    told = client.post("/oauth/introspect", {"token": token}, headers={"authorization": f"Bearer {token}"})
    assert told.json()["active"] is True
    assert client.post("/oauth/introspect", {"token": token}).status_code in (401, 403)
    revoked = client.post(
        "/oauth/revoke",
        {
            "token": token,
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": _assertion(key, aud="http://testserver/oauth/revoke"),
        },
    )
    assert revoked.status_code == 200
    assert System(client, token).ask("GET", "Observation").status_code == 401


def test_smart_configuration_is_open(client: Client) -> None:
    found = client.get("/fhir/.well-known/smart-configuration").json()
    assert found["token_endpoint"] == TOKEN
    assert "client-confidential-asymmetric" in found["capabilities"]
    assert "sso-openid-connect" in found["capabilities"]
    assert found["jwks_uri"] == "http://testserver/fhir/.well-known/jwks.json"


def test_a_client_that_asks_too_often_is_told_when_to_come_again(house: House, settings: Any) -> None:
    settings.FHIR_REQUESTS_A_MINUTE = 12
    slow = System(house.own.client, house.own.token)
    answers = [slow.ask("GET", "Observation?_id=x") for _ in range(5)]
    late = [one for one in answers if one.status_code == 429]
    assert late
    assert int(late[0]["Retry-After"]) >= 1
    assert house.foreign.ask("GET", "Observation?_id=x").status_code == 200
