"""The engineer's pages: what they show, what they do, and what they never show."""

import io
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from python_calamine import CalamineWorkbook

from doorstep.kernel.access.session import acting
from doorstep.kernel.audit.models import AuditEntry
from doorstep.kernel.exchange.missing import gaps_in
from doorstep.kernel.exchange.models import CodeMapping, Connection, Message
from doorstep.people.residents.tests.factories import ZHOU_NUMBER, World, make_resident, make_staff, make_world
from tests.exchange.factories import adt, header, make_connection, oru, pid, system, take, work

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> World:
    return make_world()


@pytest.fixture
def his(world: World) -> Connection:
    make_resident(organization_id=world.village, panel_of=(world.lead,))
    return make_connection(world.lead)


@pytest.fixture
def engineer(client: Client, world: World) -> Client:
    client.force_login(make_staff(name="高工", organization_id=world.lead, role="engineer"))
    return client


def test_connections_show_health_errors_and_strangers(engineer: Client, his: Connection) -> None:
    take(his, adt("A01", "M1", at="20260501080500"), "\r".join([header("ADT^A01", "M2"), pid(), "PV1|1|I"]))
    page = engineer.get(reverse("exchange:connections")).content.decode()
    assert "HIS 接口" in page
    assert "缺少就诊号 1" in page


def test_new_registers_a_sender_that_is_taken_at_once(engineer: Client, world: World) -> None:
    facts = {
        "name": "检验系统",
        "organization": world.lead,
        "kind": "mllp",
        "application": "LIS",
        "encoding": "gb18030",
    }
    answer = engineer.post(reverse("exchange:new"), {**facts, "addresses": "10.1.0.0/16\nnot one"})
    assert answer.status_code == 422
    assert "not one" in answer.content.decode()
    assert engineer.post(reverse("exchange:new"), {**facts, "addresses": "10.1.0.0/16"}).status_code == 302
    assert engineer.post(reverse("exchange:new"), facts).status_code == 422
    foreign = engineer.post(reverse("exchange:new"), {**facts, "application": "X", "organization": world.authority})
    assert foreign.status_code == 422
    with acting(system()):
        made = Connection.objects.get()
        assert (made.addresses, made.client.organization_id) == (["10.1.0.0/16"], world.lead)


def test_the_forms_of_a_connection_open_without_a_word_on_addresses(engineer: Client, his: Connection) -> None:
    for address in (reverse("exchange:new"), reverse("exchange:connection", args=[his.key])):
        page = engineer.get(address)
        assert page.status_code == 200
        assert "确认不限定来源地址" not in page.content.decode()
    with acting(system()):
        Connection.objects.filter(pk=his.pk).update(addresses=["0.0.0.0/0"])
    assert "确认不限定来源地址" in engineer.get(reverse("exchange:connection", args=[his.key])).content.decode()


@pytest.mark.parametrize("range", ["0.0.0.0/0", "::/0", "0.0.0.0/1\n128.0.0.0/1"])
def test_a_range_that_bounds_nobody_wants_a_word_and_stays_on_the_list(
    engineer: Client, world: World, range: str
) -> None:
    facts = {
        "name": "检验系统",
        "organization": world.lead,
        "kind": "mllp",
        "application": "LIS",
        "encoding": "auto",
        "addresses": range,
    }
    asked = engineer.post(reverse("exchange:new"), facts)
    assert asked.status_code == 422
    assert "确认不限定来源地址" in asked.content.decode()
    with acting(system()):
        assert not Connection.objects.exists()
    assert engineer.post(reverse("exchange:new"), {**facts, "any_address": "on"}).status_code == 302
    page = engineer.get(reverse("exchange:connections")).content.decode()
    assert "来源未限定的发送方" in page
    with acting(system()):
        made = Connection.objects.get()
    # Nor does a sender that had an address lose it by a slip.
    settings = reverse("exchange:connection", args=[made.key])
    assert engineer.post(settings, {**facts, "addresses": "10.1.2.3"}).status_code == 302
    assert engineer.post(settings, facts).status_code == 422
    with acting(system()):
        assert Connection.objects.get().addresses == ["10.1.2.3/32"]


def test_message_shows_its_form_and_veils_the_person(engineer: Client, his: Connection) -> None:
    (message,) = take(his, oru("L1"))
    page = engineer.get(reverse("exchange:message", args=[message.key])).content.decode()
    assert "GLU^空腹血糖^L" in page
    assert "ORU^R01" in page
    for secret in ("周桂兰", ZHOU_NUMBER, "19630915", "5.6", "阴性"):
        assert secret not in page
    with acting(system()):
        assert AuditEntry.objects.filter(action="exchange.view", resident_id=message.resident_id).count() == 1


def test_message_shows_escapes_readable_beside_the_raw_text(engineer: Client, his: Connection) -> None:
    (message,) = take(his, oru("L1").replace("GLU^空腹血糖^L", "GLU^血糖\\T\\乳酸\\.br\\第二行<b>^L"))
    page = engineer.get(reverse("exchange:message", args=[message.key])).content.decode()
    assert "<code>GLU^血糖\\T\\乳酸\\.br\\第二行&lt;b&gt;^L</code>" in page
    assert "GLU^血糖&amp;乳酸\n第二行&lt;b&gt;^L" in page
    assert page.count("读作") == 1, "MSH-2 names the separators and is none of them"


def test_error_is_told_with_place_and_cure(engineer: Client, his: Connection) -> None:
    (message,) = take(his, "\r".join([header("ORU^R01", "E"), pid(), "OBR|1|1|2|GLU^x" + "|" * 21 + "??"]))
    page = engineer.get(reverse("exchange:message", args=[message.key])).content.decode()
    assert "代码“??”没有对照" in page
    assert "OBR-25" in page


def test_decided_code_and_replay_of_its_kind_finish_the_message(engineer: Client, his: Connection) -> None:
    (message,) = take(his, "\r".join([header("ORU^R01", "E"), pid(), "OBR|1|1|2|GLU^x" + "|" * 21 + "??"]))
    with acting(system()):
        code = CodeMapping.objects.get(table="report-status")
    assert code.seen == 1
    decided = engineer.post(
        reverse("exchange:decide", args=[his.key, code.key]),
        {"target_system": "http://hl7.org/fhir/status", "target_code": "final", "target_display": "正式"},
    )
    assert decided.status_code == 302
    engineer.post(reverse("exchange:act", args=[his.key, "replay"]), {"kind": "code-unknown"})
    work(his)
    with acting(system()):
        after = Message.objects.get(pk=message.pk)
        assert (after.state, after.replays, after.error_kind) == ("applied", 1, "")


def test_messages_are_found_by_control_id_and_whole_number_only(engineer: Client, his: Connection) -> None:
    take(his, adt("A01", "M1", at="20260501080500"), adt("A08", "M2", at="20260501090500"))
    address = reverse("exchange:messages")

    def found(**query: str) -> int:
        return engineer.get(address, query).content.decode().count("exchange/messages/")

    everything = found()
    assert found(control_id="M1") == everything - 1
    assert found(patient=ZHOU_NUMBER) == everything
    assert found(patient=ZHOU_NUMBER[:10]) == found(control_id="none") == everything - 2
    assert found(state="failed") == everything - 2
    with acting(system()):
        assert AuditEntry.objects.filter(action="exchange.search-patient").count() == 2


def test_pause_keeps_and_resume_works(engineer: Client, his: Connection) -> None:
    engineer.post(reverse("exchange:act", args=[his.key, "pause"]))
    (message,) = take(his, adt("A01", "M1", at="20260501080500"))
    assert message.state == "received"
    engineer.post(reverse("exchange:act", args=[his.key, "resume"]))
    work(his)
    with acting(system()):
        assert Message.objects.get().state == "applied"


def test_engineer_of_another_hospital_finds_nothing(client: Client, world: World, his: Connection) -> None:
    (message,) = take(his, adt("A01", "M1", at="20260501080500"))
    client.force_login(make_staff(name="别工", organization_id=world.other_township, role="engineer"))
    for address in (
        reverse("exchange:connection", args=[his.key]),
        reverse("exchange:codes", args=[his.key]),
        reverse("exchange:message", args=[message.key]),
    ):
        assert client.get(address).status_code == 404
    assert "HIS 接口" not in client.get(reverse("exchange:connections")).content.decode()
    assert str(message.key) not in client.get(reverse("exchange:messages"), {"patient": ZHOU_NUMBER}).content.decode()


def test_merge_notice_leads_to_both_records_or_is_dismissed(client: Client, world: World, his: Connection) -> None:
    make_resident(
        organization_id=world.village,
        name="周桂芳",
        number="439981196309150043",
        phone="19900009999",
        panel_of=(world.lead,),
    )
    take(his, adt("A01", "M1", at="20260501080500"))
    take(his, adt("A01", "M2", at="20260501080500", own="88", number="439981196309150043", name="周桂芳", visit="ZY2"))
    take(his, "\r".join([header("ADT^A40", "M3"), "EVN|A40|20260502", pid(), "MRG|88^^^HIS^PI"]))
    client.force_login(make_staff(name="档案员", organization_id=world.lead, role="records_officer"))
    home = client.get("/").content.decode()
    key = home.split("/exchange/merges/")[1].split("/")[0]
    page = client.get(reverse("exchange:merge-notice", args=[key])).content.decode()
    assert "周桂兰" in page
    assert "周桂芳" in page
    assert "/identity/" in page
    assert client.post(reverse("exchange:dismiss", args=[key]), {"reason": ""}).status_code == 422
    assert client.post(reverse("exchange:dismiss", args=[key]), {"reason": "身份证不同"}).status_code == 302
    assert "不是同一人" in client.get(reverse("exchange:merge-notice", args=[key])).content.decode()


def test_gaps_in_finds_holes_of_dense_numberings_alone() -> None:
    now = timezone.now()

    def holes(*ids: str) -> list[tuple[str, str, int]]:
        return [(one.first, one.last, one.count) for one in gaps_in([(control_id, now) for control_id in ids])]

    assert holes("A0008", "A0009", "A0012", "A0010") == [("A0011", "A0011", 1)]
    assert holes("998", "999", "1000", "1003", "1004", "1005", "1006") == [("1001", "1002", 2)]
    # Times, random numbers, and a sequence that begins anew are no loss.
    assert holes("20260501080500", "20260501080731", "20260501081244") == []
    assert holes("M1", "M2", "M3", "M900001", "M900002") == []
    assert holes("x", "") == []
    # Two systems of a hospital that count together.
    told = gaps_in([(f"S{number}", now) for number in (1, 2, 5, 7, 8)], ["S3", "S6"])
    assert [(one.first, one.last) for one in told] == [("S4", "S4")]


def test_missing_lists_what_the_sender_is_asked_for_as_page_and_file(engineer: Client, his: Connection) -> None:
    later = [adt("A01", f"S00{number}", at="20260501080500") for number in (1, 2, 5, 6, 7)]
    take(his, *later, "\r".join([header("ADT^A01", "BAD"), pid(), "PV1|1|I"]))
    address = reverse("exchange:missing", args=[his.key])
    page = engineer.get(address).content.decode()
    assert "<code>S003</code></td><td><code>S004</code>" in page
    assert "BAD" in page
    assert "缺少就诊号" in page
    assert engineer.get(address, {"since": "2026-05-02T00:00", "until": "2026-05-01T00:00"}).status_code == 422
    now = timezone.localtime()
    span = {
        "since": f"{now - timedelta(hours=1):%Y-%m-%dT%H:%M}",
        "until": f"{now + timedelta(minutes=1):%Y-%m-%dT%H:%M}",
    }
    file = engineer.get(address, {**span, "file": "1"})
    sheet = CalamineWorkbook.from_filelike(io.BytesIO(file.content)).get_sheet_by_index(0).to_python()
    assert [row[:3] for row in sheet[1:]] == [["S003", "S004", 2.0], ["BAD", "BAD", 1.0]]


def test_a_code_that_must_mean_something_is_chosen_from_a_list(engineer: Client, his: Connection) -> None:
    text = adt("A01", "Z1", at="20260501103000").replace("PV1|1|I|", "PV1|1|ZZ|")
    (stopped,) = take(his, text)
    assert (stopped.state, stopped.error_kind) == ("failed", "code-unknown")
    address = reverse("exchange:codes", args=[his.key]) + "?open=1"
    page = engineer.get(address).content.decode()
    for words in ("对照后才能入档", "门诊 AMB", "住院 IMP"):
        assert words in page, words
    with acting(system()):
        code = CodeMapping.objects.get(local_code="ZZ")
    decide = reverse("exchange:decide", args=[his.key, code.key])
    facts = {"target_system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "target_display": ""}
    wrong = engineer.post(decide, {**facts, "target_code": "住院"})
    assert (wrong.status_code, "请从列表中选择含义" in wrong.content.decode()) == (422, True)
    assert engineer.post(decide, {**facts, "target_code": "IMP"}).status_code == 302
    assert engineer.post(reverse("exchange:replay", args=[stopped.key])).status_code == 302
    work(his)
    with acting(system()):
        assert Message.objects.get(pk=stopped.pk).state == "applied"
