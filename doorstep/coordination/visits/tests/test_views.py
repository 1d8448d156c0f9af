"""The pages from a scan to a measured pressure, and their number of queries."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from doorstep.coordination.visits import actions
from doorstep.coordination.visits.models import Visit
from doorstep.kernel.access.models import User
from doorstep.kernel.access.session import acting
from doorstep.people.residents.models import Resident
from doorstep.people.residents.tests.factories import ZHOU_NUMBER, make_resident, make_staff, make_world
from doorstep.site.accounts import MFA_SEEN
from doorstep.site.actors import of_user

pytestmark = pytest.mark.django_db

BUDGET = 12


def signed_in(user: User) -> Client:
    """A browser of this user, second factor passed."""
    client = Client()
    client.force_login(user)
    session = client.session
    session[MFA_SEEN] = True
    session.save()
    return client


def _li() -> tuple[Client, User, Resident]:
    world = make_world()
    resident = make_resident(organization_id=world.village, panel_of=(world.village,))
    user = make_staff(name="李长河", organization_id=world.village, role="village_doctor")
    return signed_in(user), user, resident


def test_pages_from_scan_to_danger() -> None:
    client, _user, resident = _li()
    scanned = client.get("/residents/", {"q": ZHOU_NUMBER})
    assert scanned.headers["Location"] == f"/residents/{resident.key}/"
    page = client.get(scanned.headers["Location"])
    assert "周桂兰" in page.content.decode()
    assert ZHOU_NUMBER not in page.content.decode()
    opened = client.post(f"/visits/open/{resident.key}/", {"complaint": "头晕", "kind": "outpatient"})
    visit = opened.headers["Location"]
    # One press begins the referral of this visit; a second one leads to the same draft.
    begin = client.get(visit).content.decode().partition("/referrals/new/")[2].partition('"')[0]
    drafts = [client.post(f"/referrals/new/{begin}").headers["Location"] for _press in range(2)]
    assert drafts[0] == drafts[1]
    refused = client.post(f"{visit}vitals/", {"systolic": "1800", "temperature": "abc", "oxygen": "20", "weight": "1"})
    assert refused.status_code == 422
    for sentence in ("应在 40–300 mmHg", "请补填", "请只填数字", "应在 30–100 %", "1 kg 不常见", "有 5 处"):
        assert sentence in refused.content.decode(), sentence
    assert client.post(f"{visit}vitals/", {"systolic": "80", "diastolic": "90"}).status_code == 422
    doubtful = client.post(f"{visit}vitals/", {"systolic": "230", "diastolic": "120"})
    assert doubtful.status_code == 422
    assert "数值已核对" in doubtful.content.decode()
    saved = client.post(f"{visit}vitals/", {"systolic": "230", "diastolic": "120", "confirmed": "on"})
    assert saved.status_code == 302
    assert "达到危险水平" in client.get(visit).content.decode()
    assert "230/120" in client.get(f"/residents/{resident.key}/").content.decode()
    assert client.post(f"{visit}finish/").status_code == 302
    assert "已结束" in client.get("/visits/").content.decode()
    assert "230.0" not in client.get(visit).content.decode()


def test_open_twice_with_one_key_is_one_visit() -> None:
    client, _user, resident = _li()
    facts = {"complaint": "头晕", "kind": "outpatient", "idempotency_key": "k1"}
    first = client.post(f"/visits/open/{resident.key}/", facts)
    second = client.post(f"/visits/open/{resident.key}/", facts)
    assert first.headers["Location"] == second.headers["Location"]


def test_stranger_gets_not_found_and_presence_leads_in() -> None:
    world = make_world()
    resident = make_resident(organization_id=world.village, panel_of=(world.village,))
    stranger = signed_in(make_staff(name="赵远", organization_id=world.other_village, role="village_doctor"))
    assert stranger.get(f"/residents/{resident.key}/").status_code == 404
    assert stranger.post(f"/visits/open/{resident.key}/", {"kind": "outpatient"}).status_code == 404
    facts = {"number": ZHOU_NUMBER, "second": "phone", "name": "周桂兰", "last_four": "9999"}
    wrong = stranger.post("/residents/presence/", facts)
    unknown = stranger.post("/residents/presence/", {**facts, "number": "439981196309150043", "last_four": "1234"})
    assert (wrong.status_code, unknown.status_code) == (422, 422)
    assert "不相符" in wrong.content.decode()
    right = stranger.post("/residents/presence/", {**facts, "last_four": "1234"})
    assert right.status_code == 302
    assert "开始接诊" in stranger.get(right.headers["Location"]).content.decode()
    begun = stranger.post(
        right.headers["Location"].replace("/residents/presence/", "/visits/begin/"), {"kind": "outpatient"}
    )
    assert stranger.get(begun.headers["Location"]).status_code == 200
    assert stranger.get(f"/residents/{resident.key}/").status_code == 200


def test_pages_stay_within_the_budget_of_queries() -> None:
    client, user, resident = _li()
    actor = of_user(user)
    with acting(actor):
        visit = actions.open_visit(resident_id=resident.id, actor=actor, complaint="头晕")
        for _round in range(5):
            actions.record_vitals(visit=visit, actor=actor, systolic=150, diastolic=95, heart_rate=80)
    counted = {}
    for address in ("/residents/?q=zgl", f"/residents/{resident.key}/", "/visits/", f"/visits/{visit.key}/"):
        client.get(address)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert client.get(address).status_code == 200
        counted[address] = [query["sql"] for query in queries if not query["sql"].startswith(("SAVEPOINT", "RELEASE"))]
    frame = ("django_session", "access_user", "set_config", "mfa_authenticator")
    for address, statements in counted.items():
        own = [one for one in statements if not any(name in one for name in frame)]
        assert len(own) <= BUDGET, (address, own)


def test_void_asks_for_the_reason() -> None:
    client, user, resident = _li()
    actor = of_user(user)
    with acting(actor):
        visit = actions.open_visit(resident_id=resident.id, actor=actor)
    assert client.post(f"/visits/{visit.key}/void/", {"reason": ""}).status_code == 422
    assert client.post(f"/visits/{visit.key}/void/", {"reason": "选错了居民"}).status_code == 302
    with acting(actor):
        assert Visit.objects.get().state == "entered_in_error"


def test_who_was_registered_without_a_number_is_seen_at_once_by_the_whole_unit() -> None:
    world = make_world()
    nurse = signed_in(make_staff(name="钱护士", organization_id=world.village, role="nurse"))
    doctor = signed_in(make_staff(name="李长河", organization_id=world.village, role="village_doctor"))
    stranger = signed_in(make_staff(name="赵远", organization_id=world.other_village, role="village_doctor"))
    facts = {"gender": "male", "estimated_age": "60", "note": "高速路口，120 送来，左眉有疤"}
    record = nurse.post("/identity/unknown/", facts).headers["Location"]
    opening = f"/visits/open/{record.split('/')[-2]}/"
    assert doctor.get(opening).status_code == 200
    assert doctor.post(opening, {"kind": "emergency"}).headers["Location"].startswith("/visits/")
    assert stranger.get(opening).status_code == 404


def test_presence_that_was_proved_a_moment_ago_is_not_asked_for_again() -> None:
    world = make_world()
    resident = make_resident(organization_id=world.other_village)
    doctor = signed_in(make_staff(name="李长河", organization_id=world.village, role="village_doctor"))
    colleague = signed_in(make_staff(name="吴敏", organization_id=world.village, role="nurse"))
    facts = {"number": ZHOU_NUMBER, "second": "phone", "name": "周桂兰", "last_four": "1234"}
    doctor.post(doctor.post("/residents/presence/", facts).headers["Location"], {"then": "record"})
    opening = f"/visits/open/{resident.key}/"
    # It is the doctor's own: a colleague proves it again.
    assert colleague.get(opening).headers["Location"] == "/residents/presence/"
    assert doctor.post(opening, {"kind": "outpatient"}).headers["Location"].startswith("/visits/")
