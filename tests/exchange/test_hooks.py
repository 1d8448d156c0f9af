"""CDS Hooks: discovery for all, cards for those who may see the patient, and a sentence for everything else."""

import json
import time
import uuid
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest
from django.apps import apps
from django.http import HttpResponse
from django.test import Client
from jwcrypto.jwk import JWK
from jwcrypto.jwt import JWT
from pytest_django import DjangoDbBlocker

from doorstep.care.diagnosis import fhir as ecg
from doorstep.kernel.access import actions as access
from doorstep.kernel.access.session import acting
from doorstep.kernel.audit.models import AuditEntry
from doorstep.kernel.fhir.definitions import resource_types
from doorstep.kernel.hooks import registry
from doorstep.kernel.hooks.registry import Card, Service
from doorstep.site.accounts import MFA_SEEN
from tests.access.scene import Scene, kept_scene
from tests.exchange.factories import system

pytestmark = pytest.mark.django_db
ADDRESS = "/cds-services/contract-benefits"
_BENEFITS = "Patient.r Contract.rs Coverage.rs"
_RECOGNITION = "Patient.r DiagnosticReport.rs"


@pytest.fixture(scope="module")
def made(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Scene]:
    with kept_scene(django_db_blocker) as scene:
        yield scene


@pytest.fixture
def scene(made: Scene) -> Scene:
    return deepcopy(made)


def _token(organization_id: int) -> dict[str, str]:
    with acting(system()) as actor:
        token = access.issue_token(
            name=f"s{organization_id}", display="HIS", organization_id=organization_id, actor=actor
        )
    return {"Authorization": f"Bearer {token}"}


def _call(client: Client, headers: dict[str, str], address: str = ADDRESS, **changed: Any) -> HttpResponse:
    body = {
        "hook": "patient-view",
        "hookInstance": str(uuid.uuid4()),
        "context": {"userId": "Practitioner/1"},
        **changed,
    }
    return client.post(address, body, content_type="application/json", headers=headers)  # type: ignore[return-value]


def test_discovery_tells_every_service(client: Client) -> None:
    (service,) = [one for one in client.get("/cds-services").json()["services"] if one["id"] == "contract-benefits"]
    assert service["hook"] == "patient-view"
    assert service["prefetch"] == {"patient": "Patient/{{context.patientId}}"}


def test_discovery_says_what_a_card_tells_and_which_scopes_it_needs(client: Client) -> None:
    found = {one["id"]: one.get("usageRequirements", "") for one in client.get("/cds-services").json()["services"]}
    for name, words in found.items():
        assert "Patient.r" in words, name
        assert "范围" in words, name
    assert "Contract.rs" in found["contract-benefits"]
    assert "Coverage.rs" in found["contract-benefits"]
    assert "DiagnosticReport.rs" in found["recognition-sign"]
    # A new service says what it tells, or is not installed.
    for one in registry.services():
        assert set(one.discloses) <= resource_types(), one.id
        assert one.discloses, one.id


@pytest.mark.parametrize(
    ("service", "hook", "enough", "missing"),
    [
        ("contract-benefits", "patient-view", _BENEFITS, "Contract.rs"),
        ("contract-benefits", "patient-view", _BENEFITS, "Coverage.rs"),
        ("contract-benefits-select", "order-select", _BENEFITS, "Contract.rs"),
        ("recognition-select", "order-select", _RECOGNITION, "DiagnosticReport.rs"),
        ("recognition-sign", "order-sign", _RECOGNITION, "DiagnosticReport.rs"),
        ("recognition-sign", "order-sign", _RECOGNITION, "Patient.r"),
    ],
)
def test_a_card_is_for_those_who_may_read_what_it_tells(
    scene: Scene, service: str, hook: str, enough: str, missing: str
) -> None:
    client = Client()
    drafts = {"draftOrders": {"resourceType": "Bundle"}, "selections": []}
    context = {"patientId": str(scene.loop.resident.key), **drafts}
    whole, address = [f"system/{one}" for one in enough.split()], f"/cds-services/{service}"
    aud = f"http://testserver{address}"
    less = [one for one in whole if one != f"system/{missing}"]
    half = [f"system/{missing.removesuffix('s')}"] if missing.endswith("s") else []
    for scopes in (less, [*less, *half]):
        if scopes == whole:
            continue
        his = _Signer(scene.loop.world.village, " ".join(scopes))
        answer = _call(client, his.sign(aud=aud), address, hook=hook, context=context)
        assert answer.status_code == 403, scopes
        (issue,) = answer.json()["issue"]  # type: ignore[attr-defined]
        assert missing in issue["diagnostics"]
    his = _Signer(scene.loop.world.village, " ".join(whole))
    assert _call(client, his.sign(aud=aud), address, hook=hook, context=context).status_code == 200


def test_call_answers_with_cards_of_those_in_sight_and_notes_the_look(client: Client, scene: Scene) -> None:
    resident, world = scene.loop.resident, scene.loop.world

    def answer(asked: registry.Asked, _actor: object) -> list[Card]:
        assert asked.resident_id == resident.pk
        return [
            Card(
                summary="长" * 200,
                indicator="info",
                source="试",
                detail="说明",
                links=(("看", "/x"),),
                lines=(("名", "a*b"),),
            )
        ]

    before = registry.services()
    registry.install(
        [
            *before,
            Service(id="trial", hook="order-sign", title="t", description="d", discloses=("Task",), answer=answer),
        ]
    )
    try:
        drafts: dict[str, Any] = {"resourceType": "Bundle"}
        context = {"patientId": str(resident.key), "userId": "Practitioner/1", "draftOrders": drafts}
        own = _call(client, _token(world.village), "/cds-services/trial", hook="order-sign", context=context)
        foreign = _call(client, _token(world.other_village), "/cds-services/trial", hook="order-sign", context=context)
    finally:
        registry.install(before)
    (card,) = own.json()["cards"]  # type: ignore[attr-defined]
    assert (len(card["summary"]), card["indicator"], card["source"]["label"]) == (140, "info", "试")
    assert card["links"] == [{"label": "看", "url": "http://testserver/x", "type": "absolute"}]
    assert card["detail"] == "说明\n\n- **名**：a\\*b"
    assert (foreign.status_code, foreign.json()) == (200, {"cards": []})  # type: ignore[attr-defined]
    with acting(system()):
        assert AuditEntry.objects.filter(action="cds.order-sign", resident_id=resident.pk).count() == 1


def test_benefits_card_needs_a_contract(client: Client, scene: Scene) -> None:
    context = {"patientId": str(scene.loop.resident.key)}
    answer = _call(client, _token(scene.loop.world.village), context=context)
    assert (answer.status_code, answer.json()) == (200, {"cards": []})  # type: ignore[attr-defined]


def test_benefits_card_leads_to_the_contract(client: Client, scene: Scene) -> None:
    resident, village = scene.loop.resident, scene.loop.world.village
    with acting(system()):
        contract = apps.get_model("contracts", "Contract").objects.filter(resident=resident).first()
        assert contract is not None
        signed = {"state": "active", "signed_at": contract.created_at, "signer_name": resident.name}
        type(contract).objects.filter(pk=contract.pk).update(**signed)
    headers, drafts = _token(village), {"resourceType": "Bundle"}
    context = {"patientId": f"Patient/{resident.key}", "draftOrders": drafts, "selections": []}
    asked: dict[str, Any] = {
        "prefetch": {"patient": {"resourceType": "Patient", "id": "somebody-else"}, "other": None},
        "fhirServer": "https://his.example/fhir",
        "fhirAuthorization": {"access_token": "x", "token_type": "Bearer", "expires_in": 300, "scope": "patient/*.rs"},
    }
    for address, hook in ((ADDRESS, "patient-view"), (f"{ADDRESS}-select", "order-select")):
        answer = _call(client, headers, address, hook=hook, context=context, **asked)
        (card,) = answer.json()["cards"]  # type: ignore[attr-defined]
        (link,) = card["links"]
        assert (link["label"], link["type"]) == ("查看签约与权益", "absolute")
        assert link["url"] == f"http://testserver/residents/{resident.key}/record/Contract/{contract.key}/"
        assert card["summary"].startswith("签约居民（")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"null",
        b'"x"',
        b"{",
        b"\xff\xfe",
        b'{"hook": ["patient-view"]}',
        b'{"hook": "patient-view", "hookInstance": "%(key)s", "context": {"patientId": "a\\u0000b"}}',
        b'{"hook": "patient-view", "hookInstance": "%(key)s", "context": {"patientId": "../../x?y=1|z"}}',
        b'{"hook": "patient-view", "hookInstance": {"a": 1}, "context": {"patientId": "x"}}',
        b'{"hook": "patient-view", "hookInstance": "%(key)s", "context": {"patientId": "x"}, "prefetch": [1]}',
        b'{"hook": "patient-view", "hookInstance": "%(key)s", "context": {"patientId": "x"}, "fhirAuthorization": 7}',
    ],
)
def test_a_malformed_call_is_never_an_error_of_ours(client: Client, scene: Scene, body: bytes) -> None:
    body = body.replace(b"%(key)s", str(uuid.uuid4()).encode())
    headers = _token(scene.loop.world.village)
    answer = client.post(ADDRESS, body, content_type="application/json", headers=headers)
    assert answer.status_code in (200, 400)
    if answer.status_code == 200:
        assert answer.json() == {"cards": []}


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"hook": "order-sign"}, 400),
        ({"hookInstance": "no key"}, 400),
        ({"context": {}}, 400),
        ({"context": None}, 400),
        ({"context": {"patientId": 7}}, 400),
    ],
)
def test_wrong_call_is_told(client: Client, scene: Scene, changed: dict[str, Any], status: int) -> None:
    assert _call(client, _token(scene.loop.world.village), **changed).status_code == status


@pytest.mark.parametrize(
    ("service", "hook", "changed"),
    [
        ("recognition-sign", "order-sign", {}),
        ("recognition-sign", "order-sign", {"draftOrders": [1, 2]}),
        ("recognition-sign", "order-sign", {"draftOrders": {"resourceType": "Bundle", "entry": {}}}),
        ("recognition-select", "order-select", {"draftOrders": {"resourceType": "Bundle"}}),
        ("recognition-select", "order-select", {"draftOrders": {"resourceType": "Bundle"}, "selections": "x"}),
    ],
)
def test_orders_that_cannot_be_read_are_no_silence(
    client: Client, scene: Scene, service: str, hook: str, changed: dict[str, Any]
) -> None:
    context = {"patientId": str(scene.loop.resident.key), **changed}
    answer = _call(client, _token(scene.loop.world.village), f"/cds-services/{service}", hook=hook, context=context)
    assert answer.status_code == 400


def test_call_without_token_or_of_an_unknown_service_is_refused(client: Client, scene: Scene) -> None:
    assert _call(client, {}).status_code == 401
    assert _call(client, _token(scene.loop.world.village), "/cds-services/none").status_code == 404


def _drafts(*codes: dict[str, Any]) -> dict[str, Any]:
    entries = [
        {
            "resource": {
                "resourceType": "ServiceRequest",
                "id": f"d{at}",
                "status": "draft",
                "intent": "order",
                "code": one,
            }
        }
        for at, one in enumerate(codes)
    ]
    return {"resourceType": "Bundle", "type": "collection", "entry": [*entries, "no entry", {"resource": 3}]}


def test_recognition_says_the_same_here_and_elsewhere(client: Client, scene: Scene) -> None:
    resident, world = scene.loop.resident, scene.loop.world
    headers = _token(world.village)
    chest = {"coding": [{"system": "http://loinc.org", "code": "36643-5"}], "text": "胸部X线"}
    drafts = {"patientId": str(resident.key), "draftOrders": _drafts(ecg.ORDERED, chest)}

    def cards(service: str, hook: str, context: dict[str, Any], who: dict[str, str] = headers) -> list[dict[str, Any]]:
        answer = _call(client, who, f"/cds-services/{service}", hook=hook, context=context)
        assert answer.status_code == 200, answer.content
        found: list[dict[str, Any]] = answer.json()["cards"]  # type: ignore[attr-defined]
        return found

    (card,) = cards("recognition-sign", "order-sign", drafts)
    # A dangerous result does not ask to leave out the next examination.
    assert card["indicator"] == "critical"
    assert "不必重复" not in card["summary"]
    assert "7 天内已有心电图报告（" in card["summary"]
    assert "急性下壁心肌梗死可能" in card["detail"]
    assert "口径待核" in card["detail"]
    assert "危急值" in card["detail"]
    assert card["links"][0]["url"].startswith(f"http://testserver/residents/{resident.key}/record/DiagnosticReport/")
    assert cards("recognition-select", "order-select", {**drafts, "selections": ["ServiceRequest/d1"]}) == []
    (chosen,) = cards("recognition-select", "order-select", {**drafts, "selections": ["ServiceRequest/d0"]})
    assert chosen["summary"] == card["summary"]
    # A stranger is not told that there is a result.
    assert cards("recognition-sign", "order-sign", drafts, _token(world.other_village)) == []
    client.force_login(scene.loop.users["village"])
    session = client.session
    session[MFA_SEEN] = True
    session.save()
    page = client.get(f"/ecg/orders/new/{scene.keywords['visit']['key']}/")
    assert page.status_code == 200
    assert card["summary"] in page.content.decode()


class _Signer:
    """A system that signs its calls; by default with all that the cards of benefits tell."""

    def __init__(
        self, organization_id: int, scopes: str = "system/Patient.rs system/Contract.rs system/Coverage.rs"
    ) -> None:
        self.key = JWK.generate(kty="EC", crv="P-384", kid="c1")
        with acting(system()) as actor:
            access.register_keys(
                name="his", display="HIS", organization_id=organization_id, actor=actor, scopes=scopes,
                jwks={"keys": [json.loads(self.key.export_public())]}, issuer="https://his.example", jku="https://his.example/k",
            )  # fmt: skip

    def sign(self, *, header: dict[str, Any] | None = None, key: JWK | None = None, **changed: Any) -> dict[str, str]:
        now = int(time.time())
        claims = {
            "iss": "https://his.example", "aud": f"http://testserver{ADDRESS}", "iat": now, "exp": now + 200,
            "jti": uuid.uuid4().hex, **changed,
        }  # fmt: skip
        head = {"alg": "ES384", "typ": "JWT", "kid": "c1", **(header or {})}
        token = JWT(header=head, claims={name: one for name, one in claims.items() if one is not None})
        token.make_signed_token(key or self.key)
        return {"Authorization": f"Bearer {token.serialize()}"}


def test_a_signed_call_is_believed_once_and_strangers_are_told_why_not(client: Client, scene: Scene) -> None:
    his = _Signer(scene.loop.world.village)
    context = {"patientId": str(scene.loop.resident.key)}
    good = his.sign(header={"jku": "https://his.example/k"})
    assert _call(client, good, context=context).status_code == 200
    listed = his.sign(aud=["https://other.example", f"https://testserver{ADDRESS}"])
    assert _call(client, listed, context=context).status_code == 200
    now = int(time.time())
    wrong = {
        "jti 已用过": good,
        "iss": his.sign(iss="https://stranger.example"),
        "aud": his.sign(aud="http://testserver/cds-services/other"),
        "5 分钟": his.sign(exp=now + 3600),
        "签名": his.sign(key=JWK.generate(kty="EC", crv="P-384", kid="c1")),
        "声明": his.sign(jti=None),
        "iat 在将来": his.sign(iat=now + 120),
        "缺少 iat": his.sign(iat=None),
        "jku": his.sign(header={"jku": "https://evil.example/k"}),
        "期限": his.sign(exp=now - 120),
        "不是合法的 JWT": {"Authorization": "Bearer a.b.c"},
    }
    for word, headers in wrong.items():
        answer = _call(client, headers, context=context)
        assert answer.status_code == 401, word
        body = answer.json()  # type: ignore[attr-defined]
        assert body["resourceType"] == "OperationOutcome"
        assert word in body["issue"][0]["diagnostics"]
    # A JWT opens the cards and nothing else.
    assert client.get("/fhir/Patient", headers=his.sign()).status_code == 401
