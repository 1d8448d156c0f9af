"""The pages from a draft to an ended contract, and their number of queries."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from doorstep.care.contracts.models import Contract
from doorstep.care.contracts.tests.factories import Signing, make_signing, sign_with
from doorstep.coordination.visits import actions as visits
from doorstep.kernel.access.models import User
from doorstep.kernel.access.session import acting
from doorstep.people.residents.tests.factories import ZHOU_NUMBER
from doorstep.site.accounts import MFA_SEEN

pytestmark = pytest.mark.django_db

BUDGET = 12


def signed_in(username: str) -> Client:
    """A browser of this user, second factor passed."""
    client = Client()
    client.force_login(User.objects.get(username=username))
    session = client.session
    session[MFA_SEEN] = True
    session.save()
    return client


def _seen(signing: Signing) -> None:
    with acting(signing.family_doctor) as chen:
        visits.open_visit(resident_id=signing.resident.id, actor=chen, presence_id=signing.prove(chen))


def _facts(signing: Signing) -> dict[str, object]:
    terms = signing.terms()
    return {
        "team": terms.team_id,
        "secondary_hospital": terms.secondary_hospital_id,
        "tertiary_hospital": terms.tertiary_hospital_id,
        "starts_on": terms.starts_on.isoformat(),
        "term_years": 2,
        "package_code": "primary",
        "sign_mode": "person",
    }


def test_pages_from_draft_to_end() -> None:
    signing = make_signing()
    _seen(signing)
    client = signed_in("chen")
    page = client.get("/contracts/new/", {"resident": str(signing.resident.key)}).content.decode()
    assert "禾川县第二人民医院" in page
    wrong = client.post(f"/contracts/new/{signing.resident.key}/", {**_facts(signing), "starts_on": "2020-01-01"})
    assert wrong.status_code == 422
    assert "生效日期不能早于今天" in wrong.content.decode()
    drafted = client.post(f"/contracts/new/{signing.resident.key}/", _facts(signing))
    address = drafted.headers["Location"]
    assert "已核实居民本人到场" in client.get(address).content.decode()
    refused = client.post(f"{address}sign/", {"signer_name": "周桂兰"})
    assert refused.status_code == 422
    assert "征得同意" in refused.content.decode()
    signed = client.post(f"{address}sign/", {"signer_name": "周桂兰", "consents_to_record": "on"})
    assert signed.status_code == 302
    page = client.get(address).content.decode()
    assert "先诊疗后付费、免挂号费、免起付线" in page
    assert "已满 60 周岁" in page
    again = client.post(f"/contracts/new/{signing.resident.key}/", _facts(signing))
    assert again.status_code == 422
    assert "已与石桥团队签约" in again.content.decode()
    assert client.post(f"{address}terminate/", {"ending": "moved"}).status_code == 422
    ended = client.post(f"{address}terminate/", {"ending": "moved", "reason": "迁往外县"})
    assert ended.headers["Location"] == "/contracts/"


def test_sign_proves_presence_in_the_same_form() -> None:
    signing = make_signing()
    _seen(signing)
    client = signed_in("chen")
    address = client.post(f"/contracts/new/{signing.resident.key}/", _facts(signing)).headers["Location"]
    with acting(signing.family_doctor):
        other = Contract.objects.get()
    assert other.state == "draft"
    facts = {"signer_name": "周桂兰", "consents_to_record": "on"}
    presence = {"number": ZHOU_NUMBER, "second": "phone", "name": "周桂兰", "last_four": "1234"}
    assert client.post(f"{address}sign/", {**facts, **presence}).status_code == 302


def test_pages_stay_inside_their_number_of_queries() -> None:
    signing = make_signing()
    contract = sign_with(signing, signing.family_doctor)
    client = signed_in("chen")
    for address in (
        "/contracts/",
        "/contracts/?show=30",
        f"/contracts/{contract.key}/",
        f"/contracts/{contract.key}/renew/",
    ):
        with CaptureQueriesContext(
            connection,
        ) as captured:
            assert client.get(address).status_code == 200
        work = [query for query in captured if not query["sql"].startswith(("SAVEPOINT", "RELEASE", "BEGIN"))]
        assert len(work) <= BUDGET, (address, [query["sql"][:90] for query in work])


def test_a_stranger_finds_no_contract() -> None:
    signing = make_signing()
    contract = sign_with(signing, signing.family_doctor)
    client = signed_in("zhao")
    assert client.get(f"/contracts/{contract.key}/").status_code == 404
    assert client.get(f"/contracts/new/{signing.resident.key}/").status_code == 404
    assert client.post(f"/contracts/{contract.key}/terminate/", {"ending": "moved", "reason": "x"}).status_code == 404
    assert "周桂兰" not in client.get("/contracts/").content.decode()
