"""The pages of the loop from the village's upload to the acknowledged critical value, and who may not see them."""

import gzip
import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from doorstep.care.diagnosis import actions, queries
from doorstep.care.diagnosis.models import EcgOrder
from doorstep.care.diagnosis.tests.factories import (
    INFARCTION,
    Loop,
    claimed,
    make_loop,
    ordered,
    queued,
    recording_bytes,
    signed,
)
from doorstep.coordination.visits import actions as visits
from doorstep.kernel.access.actor import Purpose, system_actor
from doorstep.kernel.access.models import User
from doorstep.kernel.access.session import acting
from doorstep.site.accounts import MFA_SEEN

pytestmark = pytest.mark.django_db
BUDGET = 12
FORM = {
    "heart_rate": "72",
    "measurements_confirmed": "on",
    "findings": "sinus_rhythm",
    "findings_text": "窦性心律",
    "conclusion_text": "正常心电图",
    "critical_code": "",
}


@pytest.fixture
def loop() -> Loop:
    return make_loop()


def browser(user: User) -> Client:
    """A browser of this user, second factor passed."""
    client = Client()
    client.force_login(user)
    session = client.session
    session[MFA_SEEN] = True
    session.save()
    return client


def test_village_orders_and_uploads(loop: Loop) -> None:
    order = ordered(loop)
    client = browser(loop.users["village"])
    assert client.get(f"/ecg/orders/new/{order.visit_key}/").headers["Location"] == f"/ecg/orders/{order.key}/upload/"
    page = f"/ecg/orders/{order.key}/upload/"
    assert "把文件拖到这里" in client.get(page).content.decode()
    wrong = client.post(page, {"recording": SimpleUploadedFile("a.pdf", b"%PDF-1.4 hello")})
    assert wrong.status_code == 422
    assert "PDF 文件，不是心电图数据文件" in wrong.content.decode()
    missing = client.post(page, {})
    assert missing.status_code == 422
    assert "请选择心电图机导出的文件" in missing.content.decode()
    large = client.post(page, {"recording": SimpleUploadedFile("a.dcm", b"0" * (25 * 1024 * 1024))})
    assert large.status_code == 413
    assert "超过了 25 MB" in large.content.decode()
    sent = client.post(page, {"recording": SimpleUploadedFile("a.dcm", recording_bytes())})
    assert sent.headers["Location"] == f"/ecg/orders/{order.key}/"
    assert "待判读" in client.get(f"/ecg/orders/{order.key}/").content.decode()
    assert "周桂兰" in client.get("/ecg/orders/").content.decode()


def test_reader_walks_from_queue_to_signature(loop: Loop) -> None:
    order = queued(loop)
    client = browser(loop.users["reader"])
    assert "周桂兰" in client.get("/ecg/").content.decode()
    taken = client.post("/ecg/next/")
    assert taken.headers["Location"] == f"/ecg/orders/{order.key}/case/"
    page = client.get(taken.headers["Location"]).content.decode()
    assert "机器预读，仅供排序" in page
    assert f"/ecg/orders/{order.key}/sign/" in page
    key = queries_key(loop, order)
    wave = client.get(f"/ecg/recordings/{key}/wave.json")
    assert wave.headers["Content-Encoding"] == "gzip"
    assert len(json.loads(gzip.decompress(wave.content))["leads"]) == 12
    assert client.post(f"/ecg/orders/{order.key}/renew/").status_code == 204
    assert client.post(f"/ecg/orders/{order.key}/draft/", {**FORM, "conclusion_text": "草稿"}).status_code == 204
    assert "草稿" in client.get(taken.headers["Location"]).content.decode()
    assert client.post(f"/ecg/orders/{order.key}/draft/", {**FORM, "heart_rate": "abc"}).status_code == 422
    empty = client.post(f"/ecg/orders/{order.key}/sign/", {**FORM, "conclusion_text": "", "measurements_confirmed": ""})
    assert empty.status_code == 422
    assert "请填写诊断结论" in empty.content.decode()
    wrong = {"pr_ms": "abc", "heart_rate": "9999", "conclusion_text": "", "measurements_confirmed": ""}
    faulty = client.post(f"/ecg/orders/{order.key}/sign/", {**FORM, **wrong}).content.decode()
    for sentence in ("有 4 处", "请只填整数", "心室率应在", "请填写诊断结论", "核对后勾选"):
        assert sentence in faulty, sentence
    done = client.post(f"/ecg/orders/{order.key}/sign/", FORM)
    assert done.headers["Location"] == f"/ecg/orders/{order.key}/"
    assert "正常心电图" in client.get(done.headers["Location"]).content.decode()
    assert client.post("/ecg/next/").headers["Location"] == "/ecg/"
    assert "正常心电图" in client.get("/ecg/outcomes/").content.decode()


def test_the_machines_figures_come_into_an_open_case(loop: Loop) -> None:
    order = claimed(loop)
    client = browser(loop.users["reader"])
    with acting(system_actor(Purpose.PREREAD)):
        EcgOrder.objects.filter(pk=order.pk).update(preread_at=None, preread={})
    part = f"/ecg/orders/{order.key}/preread/"
    waiting = client.get(part, headers={"HX-Request": "true"}).content.decode()
    assert "正在预读" in waiting
    assert f'hx-get="{part}"' in waiting
    with acting(system_actor(Purpose.PREREAD)) as machine:
        found = {"usable": True, "measurements": {"heart_rate": 64.2, "pr_ms": 162}, "suspicions": []}
        actions.note_preread(order=order, preread=found, urgency=0, actor=machine)
    there = client.get(part, headers={"HX-Request": "true"}).content.decode()
    assert "data-figures='{" in there
    assert "&#34;heart_rate&#34;: 64" in there or '"heart_rate": 64' in there
    assert "hx-get" not in there
    assert browser(loop.users["village"]).get(part).status_code == 403


def test_second_reader_is_told_who_was_first(loop: Loop) -> None:
    order = claimed(loop)
    second = browser(loop.users["second"])
    refused = second.post(f"/ecg/orders/{order.key}/claim/")
    assert refused.status_code == 409
    assert "何静" in refused.content.decode()
    assert second.post(f"/ecg/orders/{order.key}/draft/", FORM).status_code == 409


def test_report_prints_with_a_code_that_verifies_without_a_name(loop: Loop) -> None:
    order = signed(loop)
    client = browser(loop.users["village"])
    printed = client.get(f"/ecg/orders/{order.key}/report.pdf")
    assert printed.content.startswith(b"%PDF")
    reader = loop.actor("reader")
    with acting(reader):
        key = queries.versions(order=order)[0].key
    page = Client().get(f"/verify/{key}/")
    assert page.status_code == 200
    assert "真实有效" in page.content.decode()
    assert "周桂兰" not in page.content.decode()
    assert Client().get(f"/verify/{order.key}/").status_code == 404


def test_critical_value_is_acknowledged_and_closed_on_its_page(loop: Loop) -> None:
    order = signed(loop, INFARCTION)
    client = browser(loop.users["village"])
    assert "周桂兰" in client.get("/ecg/critical/").content.decode()
    village = loop.actor("village")
    with acting(village):
        critical = queries.criticals_of(order=order)[0]
    address = f"/ecg/critical/{critical.key}/"
    assert "确认收到，立即处置" in client.get(address).content.decode()
    assert client.post(f"{address}acknowledge/").status_code == 302
    assert "登记处置" in client.get(address).content.decode()
    refused = client.post(f"{address}close/", {"action": "treated", "note": ""})
    assert refused.status_code == 422
    assert client.post(f"{address}close/", {"action": "referred", "note": "已上转县医院"}).status_code == 302
    page = client.get(f"/ecg/orders/{order.key}/").content.decode()
    assert "已处置" in page
    assert "确认收到" in page


def test_amend_on_its_page(loop: Loop) -> None:
    order = signed(loop)
    client = browser(loop.users["reader"])
    assert client.get(f"/ecg/orders/{order.key}/amend/").status_code == 200
    assert client.post(f"/ecg/orders/{order.key}/amend/", FORM).status_code == 422
    changed = {**FORM, "conclusion_text": "大致正常心电图", "reason": "措辞更正"}
    assert client.post(f"/ecg/orders/{order.key}/amend/", changed).status_code == 302
    assert "第 2 版" in client.get(f"/ecg/orders/{order.key}/").content.decode()


def test_foreign_actors_get_404_and_nobody_gets_a_500(loop: Loop) -> None:
    order = signed(loop, INFARCTION)
    village = loop.actor("village")
    with acting(village):
        critical = queries.criticals_of(order=order)[0]
        recording = queries.recording_key(order)
    reads = [
        f"/ecg/orders/{order.key}/",
        f"/ecg/orders/{order.key}/case/",
        f"/ecg/orders/{order.key}/report.pdf",
        f"/ecg/orders/{order.key}/upload/",
        f"/ecg/recordings/{recording}/wave.json",
        f"/ecg/recordings/{recording}/file/",
        f"/ecg/critical/{critical.key}/",
    ]
    writes = [
        f"/ecg/orders/{order.key}/{verb}/"
        for verb in ("claim", "renew", "draft", "sign", "release", "return", "cancel")
    ] + [f"/ecg/critical/{critical.key}/{verb}/" for verb in ("acknowledge", "close")]
    for client in (browser(loop.users["stranger"]), browser(loop.users["lead"]), Client()):
        for address in reads:
            assert client.get(address).status_code in (403, 404), address
        for address in writes:
            assert client.post(address, FORM | {"reason": "x", "action": "referred"}).status_code in (403, 404), address
    stranger = browser(loop.users["stranger"])
    assert {stranger.get(address).status_code for address in reads} == {404}


def test_lists_of_fifty_stay_within_their_queries(loop: Loop) -> None:
    order = queued(loop)
    with acting(system_actor(Purpose.IMPORT)):
        rows = []
        for number in range(49):
            copy = EcgOrder.objects.get(pk=order.pk)
            copy.pk, copy.fingerprint = None, f"{number:064d}"
            copy.key = type(order.key)(int=number + 1)
            copy.arrived_at = timezone.now()
            rows.append(copy)
        EcgOrder.objects.bulk_create(rows)
    for name, address in (
        ("reader", "/ecg/"),
        ("village", "/ecg/orders/"),
        ("reader", f"/ecg/orders/{order.key}/case/"),
    ):
        client = browser(loop.users[name])
        client.get(address)
        with CaptureQueriesContext(
            connection,
        ) as seen:
            page = client.get(address)
        assert page.status_code == 200
        asked = [one["sql"] for one in seen.captured_queries if "SAVEPOINT" not in one["sql"]]
        assert len(asked) <= BUDGET, "\n".join(asked)


def queries_key(loop: Loop, order: EcgOrder) -> object:
    """The key of an order's recording."""
    reader = loop.actor("reader")
    with acting(reader):
        return queries.recording_key(order)


def test_returned_recording_shows_its_reason_to_the_village(loop: Loop) -> None:
    order = claimed(loop)
    reader = loop.actor("reader")
    client = browser(loop.users["reader"])
    assert client.post(f"/ecg/orders/{order.key}/return/", {}).status_code == 422
    with acting(reader):
        actions.return_recording(order=order, reason="V1 导联脱落", actor=reader)
    village = browser(loop.users["village"])
    assert "V1 导联脱落" in village.get(f"/ecg/orders/{order.key}/upload/").content.decode()


def test_entry_of_the_record_draws_its_recording(loop: Loop) -> None:
    order = signed(loop)
    village = loop.actor("village")
    with acting(village):
        key = queries.recording_key(order)
    client = browser(loop.users["village"])
    record = f"/residents/{loop.resident.key}/record"
    for entry in (f"DiagnosticReport/{order.key}", f"DocumentReference/{key}"):
        page = client.get(f"{record}/{entry}/", headers={"hx-request": "true"}).content.decode()
        assert f'<ecg-viewer compact src="/ecg/recordings/{key}/wave.json">' in page
        assert "ecg" in page.split("</ecg-viewer>")[1]
    assert "ecg-viewer" not in client.get(f"{record}/ServiceRequest/{order.key}/").content.decode()


def test_an_order_for_chest_pain_is_proposed_as_urgent(loop: Loop) -> None:
    client, ticked = browser(loop.users["village"]), {}
    for complaint in ("胸闷 2 小时，伴出汗", "高血压复诊，无胸闷"):
        with acting(loop.actor("village")) as village:
            visit = visits.open_visit(resident_id=loop.resident.id, actor=village, complaint=complaint)
        page = client.get(f"/ecg/orders/new/{visit.key}/").content.decode()
        box = page.partition('name="urgent"')[2].partition(">")[0]
        ticked[complaint] = "checked" in box
        with acting(loop.actor("village")) as village:
            visits.finish(visit=visit, actor=village)
    assert list(ticked.values()) == [True, False]
