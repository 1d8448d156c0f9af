"""An app of a resident sees the one person who was chosen on the page of consent, and nobody else of the family."""

import base64
import hashlib
from datetime import date
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from django.db import connection
from django.test import Client
from oauth2_provider.models import Application

from doorstep.kernel.access.actor import Purpose, system_actor
from doorstep.kernel.access.models import User
from doorstep.kernel.access.session import acting
from doorstep.people.residents.models import Resident, ResidentAccount
from doorstep.people.residents.tests.factories import make_resident
from tests.fhir.house import House, System, make_house

pytestmark = pytest.mark.django_db
BACK = "https://app.example/back"
VERIFIER = "v" * 64
SCOPE = "openid fhirUser launch/patient offline_access patient/Observation.rs"


@pytest.fixture
def house(client: Client) -> House:
    Application.objects.create(
        client_id="phone-app",
        name="健康手机应用",
        redirect_uris=BACK,
        client_type=Application.CLIENT_PUBLIC,
        authorization_grant_type=Application.GRANT_AUTHORIZATION_CODE,
    )
    return make_house(client)


@pytest.fixture
def children(house: House) -> tuple[Resident, Resident]:
    def child(name: str, number: str) -> Resident:
        return make_resident(
            organization_id=house.world.village,
            name=name,
            number=number,
            phone="19900005678",
            panel_of=(house.world.lead,),
        )

    return child("周小满", "439981201801010018"), child("周小雪", "439981202001010017")


@pytest.fixture
def mother(house: House, children: tuple[Resident, Resident]) -> User:
    with acting(system_actor(Purpose.IMPORT)):
        user = User.objects.create_user("zhou", password="correct-horse-9", kind=User.Kind.RESIDENT)
        ResidentAccount.objects.create(user=user, resident=house.resident, since=date(2024, 1, 1))
        for one in children:
            ResidentAccount.objects.create(user=user, resident=one, relation="child", since=date(2024, 1, 1))
    return user


def _asked(scope: str = SCOPE, **more: str) -> dict[str, str]:
    challenge = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
    return {
        "response_type": "code",
        "client_id": "phone-app",
        "redirect_uri": BACK,
        "scope": scope,
        "state": "s1",
        "code_challenge": challenge,
        "code_challenge_method": "S256",
        **more,
    }


def _agree(client: Client, person: Resident | None, scope: str = SCOPE) -> Any:
    asked = _asked(scope)
    chosen = {"person": str(person.key)} if person else {}
    return client.post(f"/oauth/authorize?{urlencode(asked)}", {**asked, **chosen, "allow": "Authorize"})


def _exchange(answer: Any) -> Any:
    assert answer.status_code == 302, answer.content.decode()
    code = parse_qs(urlsplit(answer["Location"]).query)["code"][0]
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": BACK, "client_id": "phone-app"}
    return Client().post("/oauth/token", {**form, "code_verifier": VERIFIER})


def _renew(given: dict[str, Any]) -> Any:
    form = {"grant_type": "refresh_token", "refresh_token": given["refresh_token"], "client_id": "phone-app"}
    return Client().post("/oauth/token", form)


def _measured(house: House, person: Resident) -> str:
    told = house.own.ask("POST", "Observation", house.observation(subject={"reference": f"Patient/{person.key}"}))
    return str(told.json()["id"])


def _sees(token: str) -> set[str]:
    found = System(Client(), token).ask("GET", "Observation").json()
    return {one["resource"]["id"] for one in found.get("entry", [])}


def test_the_mother_chooses_whose_record_and_the_tokens_stay_with_it(
    house: House, client: Client, mother: User, children: tuple[Resident, Resident]
) -> None:
    people = (house.resident, *children)
    values = {one.pk: _measured(house, one) for one in people}
    client.force_login(mother)
    page = client.get("/oauth/authorize", _asked()).content.decode()
    for one in people:
        assert f'value="{one.key}"' in page
        assert one.name in page
    for one in people:
        given = _exchange(_agree(client, one)).json()
        assert given["patient"] == str(one.key)
        assert _sees(given["access_token"]) == {values[one.pk]}
        renewed = _renew(given).json()
        assert renewed["patient"] == str(one.key)
        assert _sees(renewed["access_token"]) == {values[one.pk]}
        # Who signed in is the mother, whoever's record it is.
        told = client.get("/oauth/userinfo", headers={"authorization": f"Bearer {renewed['access_token']}"}).json()
        assert told["fhirUser"] == f"http://testserver/fhir/Patient/{house.resident.key}"


def test_of_several_nobody_is_taken_for_granted(house: House, client: Client, mother: User) -> None:
    client.force_login(mother)
    page = _agree(client, None)
    assert page.status_code == 422
    assert "请选择要授权查看谁的健康档案" in page.content.decode()
    # An app may not skip the page either, though it was let in before.
    _exchange(_agree(client, house.resident))
    assert client.get("/oauth/authorize", _asked(approval_prompt="auto")).status_code == 200
    # Who refuses need not choose.
    asked = _asked()
    refused = client.post(f"/oauth/authorize?{urlencode(asked)}", asked)
    assert "error=access_denied" in refused["Location"]


def test_a_stranger_cannot_be_chosen(house: House, client: Client, mother: User) -> None:
    stranger = make_resident(
        organization_id=house.world.village, name="李四", number="439981197001010011", phone="19900005679"
    )
    client.force_login(mother)
    assert _agree(client, stranger).status_code == 404


def test_introspection_names_the_patient(
    house: House, client: Client, mother: User, children: tuple[Resident, Resident]
) -> None:
    client.force_login(mother)
    token = _exchange(_agree(client, children[1])).json()["access_token"]
    Application.objects.create(
        client_id="lab", name="检验", client_secret="s3cret", client_type=Application.CLIENT_CONFIDENTIAL,
        authorization_grant_type=Application.GRANT_CLIENT_CREDENTIALS,
    )  # fmt: skip
    basic = {"authorization": "Basic " + base64.b64encode(b"lab:s3cret").decode()}
    told = client.post("/oauth/introspect", {"token": token}, headers=basic).json()
    assert (told["active"], told["patient"]) == (True, str(children[1].key))


def test_with_the_link_ends_what_the_app_was_given(
    house: House, client: Client, mother: User, children: tuple[Resident, Resident]
) -> None:
    client.force_login(mother)
    given = _exchange(_agree(client, children[0])).json()
    waiting = _agree(client, children[0])
    with acting(system_actor(Purpose.IMPORT)):
        ResidentAccount.objects.filter(resident=children[0]).delete()
    assert System(Client(), given["access_token"]).ask("GET", "Observation").status_code == 401
    assert _renew(given).json()["error"] == "invalid_grant"
    assert _exchange(waiting).json()["error"] == "invalid_grant"


def test_stopping_an_app_for_one_child_leaves_it_to_the_other(
    house: House, client: Client, mother: User, children: tuple[Resident, Resident]
) -> None:
    client.force_login(mother)
    first, second = (_exchange(_agree(client, one)).json() for one in children)
    assert "我授权的应用" not in client.get("/me/looks/").content.decode()
    client.post(f"/me/family/{children[0].key}/")
    assert "健康手机应用" in client.get("/me/looks/").content.decode()
    assert client.post("/me/apps/phone-app/stop/").status_code == 302
    assert System(Client(), first["access_token"]).ask("GET", "Observation").status_code == 401
    assert _renew(first).status_code == 400
    assert System(Client(), second["access_token"]).ask("GET", "Observation").status_code == 200
    assert client.post("/me/apps/phone-app/stop/").status_code == 404


def test_an_app_let_in_to_a_record_that_was_merged_is_still_stopped(
    house: House, client: Client, mother: User, children: tuple[Resident, Resident]
) -> None:
    client.force_login(mother)
    former, standing = children
    given = _exchange(_agree(client, former)).json()
    with acting(system_actor(Purpose.MERGE)), connection.cursor() as cursor:
        cursor.execute("SELECT access_merge(%s, %s)", [former.pk, standing.pk])
    assert System(Client(), given["access_token"]).ask("GET", "Observation").status_code == 200
    client.post(f"/me/family/{standing.key}/")
    assert "健康手机应用" in client.get("/me/looks/").content.decode()
    assert client.post("/me/apps/phone-app/stop/").status_code == 302
    assert System(Client(), given["access_token"]).ask("GET", "Observation").status_code == 401
    assert _renew(given).status_code == 400


def test_who_is_acted_for_sees_the_looks_of_who_acts_and_of_the_app(
    house: House, client: Client, mother: User, children: tuple[Resident, Resident]
) -> None:
    """A daughter's looks and her app's reads stood nowhere where her mother could see them."""
    with acting(system_actor(Purpose.IMPORT)):
        own = User.objects.create_user("xiaoman", password="correct-horse-9", kind=User.Kind.RESIDENT)
        ResidentAccount.objects.create(user=own, resident=children[0], since=date(2024, 1, 1))
        User.objects.filter(pk=mother.pk).update(first_name="周桂兰")
    _measured(house, children[0])
    client.force_login(mother)
    client.post(f"/me/family/{children[0].key}/")
    client.get("/me/record/")
    given = _exchange(_agree(client, children[0])).json()
    System(Client(), given["access_token"]).ask("GET", "Observation")
    client.force_login(own)
    client.get("/me/record/")
    page = client.get("/me/looks/").content.decode()
    for words in (
        "周桂兰",
        "周桂兰（健康手机应用）",
        "授权一个应用查看档案",
        "经授权的应用读取了档案",
        "查看了健康档案",
        "通过信息系统写入了档案",
    ):
        assert words in page, words
    # The own looks on the pages are no news.
    assert page.count("查看了健康档案") == 1
