"""Systems are registered by their public keys on a page; what cannot be is told at its field, and ending is at once."""

import json
import time
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from jwcrypto.jwk import JWK
from jwcrypto.jwt import JWT
from pytest_django import Settings

from doorstep.coordination.hospital_systems import key_sets
from doorstep.coordination.hospital_systems.clients import keys_fault, scopes_fault
from doorstep.kernel.access.models import ApiClient
from doorstep.kernel.subscriptions.endpoints import Endpoint
from doorstep.kernel.subscriptions.sending import HEARD, Answer
from doorstep.people.residents.tests.factories import World, make_staff, make_world
from tests.fhir.test_oauth import TOKEN, _ask, _assertion
from tests.subscriptions.receiver import listening

pytestmark = pytest.mark.django_db
KEY = JWK.generate(kty="EC", crv="P-384", kid="k1")
ADDRESS = "/exchange/systems/new/"


def _public(key: JWK) -> str:
    return json.dumps({"keys": [json.loads(key.export_public())]})


@pytest.fixture
def world(client: Client) -> World:
    made = make_world()
    client.force_login(make_staff(name="高工", organization_id=made.lead, role="engineer"))
    return made


def _facts(world: World, **changed: Any) -> dict[str, Any]:
    facts = {"display": "检验系统", "name": "lab", "organization": world.lead, "keys": _public(KEY)}
    return {**facts, "scopes": "system/Observation.crs\nsystem/Encounter.rs", **changed}


def test_a_system_that_was_registered_on_the_page_gets_tokens_until_it_is_stopped(client: Client, world: World) -> None:
    file = SimpleUploadedFile("keys.json", _public(KEY).encode(), content_type="application/json")
    made = client.post(ADDRESS, _facts(world, keys="", keys_file=file))
    assert (made.status_code, made["Location"]) == (302, "/exchange/systems/lab/keys/"), made.content.decode()
    page = client.get("/exchange/systems/lab/keys/").content.decode()
    for words in ("http://testserver/oauth/token", "system/Observation.crs system/Encounter.rs", "k1", "ES384"):
        assert words in page, words
    machine = Client()
    given = _ask(machine, _assertion(KEY), "system/Observation.rs")
    bearer = {"authorization": f"Bearer {given.json()['access_token']}"}
    assert machine.get("/fhir/Observation", headers=bearer).status_code == 200
    other = JWK.generate(kty="EC", crv="P-384", kid="k1")
    renewed = client.post(
        "/exchange/systems/lab/keys/", _facts(world, keys=_public(other), scopes="system/Observation.rs")
    )
    assert renewed.status_code == 302, renewed.content.decode()
    assert machine.get("/fhir/Observation", headers=bearer).status_code == 401
    assert _ask(machine, _assertion(KEY), "system/Observation.rs").status_code == 401
    again = _ask(machine, _assertion(other), "system/Observation.rs")
    bearer = {"authorization": f"Bearer {again.json()['access_token']}"}
    assert client.post("/exchange/systems/lab/stop/").status_code == 302
    assert machine.get("/fhir/Observation", headers=bearer).status_code == 401
    assert _ask(machine, _assertion(other), "system/Observation.rs").status_code == 401
    assert "检验系统" not in client.get("/exchange/systems/").content.decode().partition("ds-table")[2]


def test_a_key_is_changed_without_an_outage(client: Client, world: World) -> None:
    old, new = (JWK.generate(kty="EC", crv="P-384", kid=name) for name in ("k1", "k2"))
    both = json.dumps({"keys": [json.loads(key.export_public()) for key in (old, new)]})
    scopes, keys = "system/Observation.rs", "/exchange/systems/lab/keys/"
    assert client.post(ADDRESS, _facts(world, keys=_public(old), scopes=scopes)).status_code == 302
    machine = Client()
    given = _ask(machine, _assertion(old), scopes).json()["access_token"]

    def answer() -> int:
        return machine.get("/fhir/Observation", headers={"authorization": f"Bearer {given}"}).status_code

    assert client.post(keys, _facts(world, keys=both, scopes=scopes)).status_code == 302
    assert answer() == 200
    assert _ask(machine, _assertion(old), scopes).status_code == 200
    assert client.post(keys, _facts(world, keys=_public(new), scopes=scopes, keep="on")).status_code == 302
    assert answer() == 200
    refused = _ask(machine, _assertion(old), scopes)
    assert (refused.status_code, refused.json()["error"]) == (401, "invalid_client")
    # Without the wish to keep them, a key that is taken away ends what it may have signed.
    assert client.post(keys, _facts(world, keys=both, scopes=scopes)).status_code == 302
    assert client.post(keys, _facts(world, keys=_public(new), scopes=scopes)).status_code == 302
    assert answer() == 401


def test_keys_at_an_address_are_read_and_read_again_when_a_new_one_signs(client: Client, world: World) -> None:
    old, new = (JWK.generate(kty="EC", crv="P-384", kid=name) for name in ("k1", "k2"))
    scopes, machine = "system/Observation.rs", Client()

    def ask(key: JWK) -> int:
        made = JWT(
            header={"alg": "ES384", "typ": "JWT", "kid": key["kid"]},
            claims={"iss": "lab", "sub": "lab", "aud": TOKEN, "exp": int(time.time()) + 120, "jti": uuid.uuid4().hex},
        )
        made.make_signed_token(key)
        return int(_ask(machine, str(made.serialize()), scopes).status_code)

    with listening() as published:
        published.content = _public(old).encode()
        address = f"http://127.0.0.1:{published.port}/jwks.json"
        facts = _facts(world, keys="", scopes=scopes, jku=address, follows_jku="on")
        assert client.post(ADDRESS, facts).status_code == 302
        assert (ask(old), ask(new)) == (200, 401)
        published.content = _public(new).encode()
        # Read a moment ago: whoever invents keys does not make us ask again and again.
        assert (ask(new), len(published.heard)) == (401, 1)
        ApiClient.objects.update(keys_read_at=timezone.now() - timedelta(minutes=2))
        assert (ask(new), ask(old)) == (200, 401)
        ApiClient.objects.update(keys_read_at=timezone.now() - timedelta(minutes=2))
        published.status = 500
        assert (ask(old), ask(new)) == (401, 200)
        for content, words in ((b"{}", "不是 JWKS"), (b"x" * 70_000, "太大"), (b"\xff\xfe", "不是公钥集")):
            published.status, published.content = 200, content
            answer = client.post(ADDRESS, {**facts, "name": "other"})
            assert (answer.status_code, words in answer.content.decode()) == (422, True)
    for address, words in (
        ("", "请填写公钥地址"),
        ("http://lis.example.cn/jwks.json", "https://"),
        ("https://169.254.169.254/jwks.json", "不允许的地址"),
        ("https://100.100.100.200/jwks.json", "不允许的地址"),
        ("https://10.1.2.3/jwks.json", "在内部网络"),
        ("https://[fc00::1]/jwks.json", "在内部网络"),
    ):
        answer = client.post(ADDRESS, {**facts, "name": "other", "jku": address})
        assert (answer.status_code, words in answer.content.decode()) == (422, True), address


@pytest.mark.parametrize(
    ("named", "inside"),
    [("10.1.2.3", True), ("10.1.2.3:8443", True), ("10.1.2.4", False), ("10.1.2.3:443", False)],
)
def test_an_internal_network_is_asked_for_keys_only_at_hosts_that_the_operator_named(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, named: str, inside: bool
) -> None:
    settings.KEY_HOSTS, asked = [named], []

    def fetched(endpoint: Endpoint, **_bounds: int) -> tuple[Answer, bytes]:
        asked.append(endpoint)
        return HEARD, _public(KEY).encode()

    monkeypatch.setattr(key_sets, "fetch", fetched)
    key_sets.read("https://10.1.2.3:8443/jwks.json")
    assert [one.public for one in asked] == [not inside]


def test_an_assertion_that_is_not_believed_says_which_part(client: Client, world: World) -> None:
    assert client.post(ADDRESS, _facts(world)).status_code == 302
    machine, once = Client(), _assertion(KEY)
    assert _ask(machine, once, "system/Observation.rs").status_code == 200
    for assertion, words in (
        (once, "jti 已用过"),
        (_assertion(KEY, aud="https://elsewhere.example/token"), "aud 不是本地址"),
        (_assertion(KEY, exp=int(time.time()) + 3600), "exp 超过 5 分钟"),
        (_assertion(KEY, exp=int(time.time()) - 3600), "签名、期限或必要声明不对"),
        (_assertion(JWK.generate(kty="EC", crv="P-384", kid="k1")), "签名、期限或必要声明不对"),
        (_assertion(KEY, iss="nobody", sub="nobody"), "没有登记这个 iss"),
        ("abc", "不是合法的 JWT"),
    ):
        answer = _ask(machine, assertion, "system/Observation.rs")
        assert answer.status_code == 401, words
        assert words in answer.json()["error_description"]


def test_a_system_that_cannot_be_is_told_at_its_field(client: Client, world: World) -> None:
    assert client.post(ADDRESS, _facts(world)).status_code == 302
    for changed, words in (
        ({}, "这个编号已被使用"),
        ({"name": "空 格"}, "只能用字母"),
        ({"name": "b", "keys": "{"}, "不是 JWKS"),
        ({"name": "b", "keys": ""}, "请选择公钥文件"),
        ({"name": "b", "scopes": "patient/*.rs"}, "不是系统的范围"),
        ({"name": "b", "organization": world.authority}, ""),
    ):
        answer = client.post(ADDRESS, _facts(world, **changed))
        assert answer.status_code == 422, changed
        assert words in answer.content.decode(), changed
    assert list(ApiClient.objects.values_list("name", flat=True)) == ["lab"]
    client.force_login(make_staff(name="外工", organization_id=world.other_township, role="engineer"))
    for address in ("/exchange/systems/lab/keys/", "/exchange/systems/lab/stop/"):
        assert client.post(address, _facts(world)).status_code == 404, address


def test_keys_and_scopes_say_what_is_wrong() -> None:
    weak, mute = JWK.generate(kty="RSA", size=1024, kid="a"), JWK.generate(kty="EC", crv="P-384")
    for text, words in (
        (json.dumps({"keys": []}), "空的"),
        (json.dumps({"keys": [json.loads(KEY.export_private())]}), "私钥"),
        (json.dumps({"keys": [{"kty": "oct", "k": "AAAA", "kid": "s"}]}), "私钥"),
        (_public(weak), "2048"),
        (_public(JWK.generate(kty="EC", crv="P-256", kid="p")), "P-384"),
        (json.dumps({"keys": [{**json.loads(mute.export_public()), "kid": None}]}), "kid"),
        ("[]", "不是 JWKS"),
        ("null", "不是 JWKS"),
    ):
        assert words in keys_fault(text), text
    assert keys_fault(_public(JWK.generate(kty="RSA", size=2048, kid="r"))) == ""
    for text, words in (
        ("", "至少"),
        ("system/Observaton.rs", "Observaton"),
        ("system/Observation.sr", "不是系统的范围"),
    ):
        assert words in scopes_fault(text), text
