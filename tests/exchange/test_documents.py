"""Shared documents and tables: in from a folder, out again, and nothing that XML could do besides."""

import base64
import os
import time
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from doorstep.coordination.hospital_systems import faults
from doorstep.coordination.hospital_systems.cda.made import of_report, of_visit
from doorstep.coordination.hospital_systems.cda.reading import Document, parse
from doorstep.coordination.hospital_systems.cda.writing import Custodian, Subject, to_cda
from doorstep.kernel.access.actor import Purpose, system_actor
from doorstep.kernel.access.session import acting
from doorstep.kernel.exchange import actions, folders
from doorstep.kernel.exchange.formats import Fault
from doorstep.kernel.exchange.models import Connection, Message
from doorstep.kernel.exchange.queries import health_of
from doorstep.kernel.fhir.validation import problems
from doorstep.kernel.record.models import Resource
from doorstep.people.residents.tests.factories import ZHOU_NUMBER, World, make_resident, make_staff, make_world
from tests.exchange.factories import system, work

DOCUMENT = f"""<?xml version="1.0" encoding="UTF-8"?>
<ClinicalDocument xmlns="urn:hl7-org:v3" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
  <realmCode code="CN"/><typeId root="2.16.840.1.113883.1.3" extension="POCD_MT000040"/>
  <id root="2.16.156.10011.1.1" extension="DOC-77"/>
  <code code="C0007" codeSystem="2.16.156.10011.2.4" displayName="检验报告"/>
  <title>检验报告</title><effectiveTime value="20260501113000"/>
  <recordTarget><patientRole><id root="2.16.156.10011.1.12" extension="ZY001"/>
    <patient><id root="2.16.156.10011.1.3" extension="{ZHOU_NUMBER}"/><name>周桂兰</name><birthTime value="19630915"/></patient>
    <providerOrganization><id root="2.16.156.10011.1.5" extension="ORG1"/><name>禾川县人民医院</name></providerOrganization>
  </patientRole></recordTarget>
  <author><assignedAuthor><assignedPerson><name>李检验</name></assignedPerson></assignedAuthor></author>
  <component><structuredBody>
    <component><section><code code="30954-2" codeSystem="2.16.840.1.113883.6.1" displayName="STUDIES SUMMARY"/><title>检验</title>
      <text><table><tr><th>项目</th><td>空腹血糖</td></tr></table></text>
      <entry><observation classCode="OBS" moodCode="EVN"><code code="GLU" displayName="空腹血糖"/>
        <value xsi:type="PQ" value="5.6" unit="mmol/L"/></observation></entry></section></component>
    <component><section><code code="X-9" codeSystem="1.2.3" displayName="院内自定章节"/><text>只有本院懂的内容 &lt;script&gt;</text></section></component>
  </structuredBody></component>
</ClinicalDocument>"""
XXE = '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/hostname">]>'
LAUGHS = '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;">]>'


def test_parse_reads_header_sections_and_results() -> None:
    document = parse(DOCUMENT.encode())
    assert (document.number, document.code.code, document.author) == ("DOC-77", "C0007", "李检验")
    assert document.numbers == ("ZY001", ZHOU_NUMBER)
    known, own = document.sections
    assert known.text == "项目 空腹血糖"
    assert (known.results[0].value, known.results[0].unit) == ("5.6", "mmol/L")
    assert (own.code.code, own.code.system, own.text) == ("X-9", "1.2.3", "只有本院懂的内容 <script>")


@pytest.mark.parametrize(
    "text",
    [
        XXE + DOCUMENT.partition("?>")[2].replace("周桂兰", "&x;"),
        LAUGHS + DOCUMENT.partition("?>")[2].replace("周桂兰", "&c;"),
        LAUGHS + DOCUMENT.partition("?>")[2].replace('extension="DOC-77"', 'extension="&c;"'),
        '<!DOCTYPE a SYSTEM "http://127.0.0.1:9/a.dtd">' + DOCUMENT.partition("?>")[2],
        "<a/>",
        "no xml",
        "",
        DOCUMENT[:300],
        "<a>" * 5000,
    ],
)
def test_parse_refuses_entities_document_types_and_what_is_no_document(text: str) -> None:
    started = time.monotonic()
    with pytest.raises(Fault) as refused:
        parse(text.encode())
    expected = "xml-doctype" if "<!DOCTYPE" in text else "xml-other" if text == "<a/>" else "xml-broken"
    assert refused.value.kind == expected
    assert time.monotonic() - started < 2


def test_parse_refuses_a_document_of_countless_elements_before_it_is_read() -> None:
    with pytest.raises(Fault) as refused:
        parse(DOCUMENT.replace("</ClinicalDocument>", "<a/>" * 200_001 + "</ClinicalDocument>").encode())
    assert (refused.value.kind, refused.value.facts["most"]) == ("xml-crowded", "200000")


def test_to_cda_gives_what_parse_reads_again() -> None:
    composition: dict[str, Any] = {
        "resourceType": "Composition",
        "id": "0f7d5b4e-0000-4000-8000-000000000001",
        "type": {"coding": [{"system": "http://loinc.org", "code": "18842-5"}]},
        "title": "出院小结",
        "date": "2026-05-01T03:30:00+00:00",
        "author": [{"reference": "Practitioner/9", "display": "王建国"}],
        "section": [
            {"title": "入院诊断", "code": {"coding": [{"system": "http://loinc.org", "code": "46241-6"}]},
             "text": {"div": "<div><p>高血压 &lt;3级&gt;</p><p>冠心病</p></div>"}},
            {"title": "院内自定", "text": {"div": "<div><p>随便什么</p></div>"}},
        ],
    }  # fmt: skip
    subject = Subject(
        number=ZHOU_NUMBER, record_number="", name="周桂兰", gender="female", birth_date=date(1963, 9, 15)
    )
    document = parse(to_cda(composition, subject=subject, custodian=Custodian(code="H", name="禾川县人民医院")))
    assert (document.code.code, document.title, document.author) == ("C0053", "出院小结", "王建国")
    assert (document.numbers, document.birth_date) == ((ZHOU_NUMBER,), date(1963, 9, 15))
    assert document.written_at is not None
    assert document.written_at.isoformat() == "2026-05-01T11:30:00+08:00"
    assert [(one.title, one.text) for one in document.sections] == [
        ("入院诊断", "高血压 <3级>\n冠心病"),
        ("院内自定", "随便什么"),
    ]


def test_reports_and_visits_go_out_as_documents_with_their_results() -> None:
    systolic = {"code": {"text": "收缩压"}, "valueQuantity": {"value": 150, "unit": "mmHg"}}
    pressure = {"resourceType": "Observation", "id": "p", "code": {"text": "血压"}, "component": [systolic]}
    rate = {
        "resourceType": "Observation", "id": "r", "code": {"coding": [{"system": "http://loinc.org", "code": "8867-4", "display": "心率"}]},
        "valueQuantity": {"value": 72.5, "unit": "次/分"}, "effectiveDateTime": "2026-05-01T03:30:00+00:00",
        "referenceRange": [{"low": {"value": 60, "unit": "次/分"}, "high": {"value": 100, "unit": "次/分"}}],
    }  # fmt: skip
    report = {"resourceType": "DiagnosticReport", "id": "d", "code": {"text": "心电图报告"}, "conclusion": "窦性心律 <正常>",
              "issued": "2026-05-01T03:30:00+00:00", "resultsInterpreter": [{"display": "许明哲"}]}  # fmt: skip
    visit = {"resourceType": "Encounter", "id": "e", "class": {"code": "AMB"}, "period": {"start": "2026-05-01T03:00:00+00:00"},
             "reasonCode": [{"text": "胸闷半天"}], "serviceProvider": {"display": "石桥村卫生室"}}  # fmt: skip
    subject = Subject(number="", record_number="L1", name="周桂兰", gender="female", birth_date=date(1963, 9, 15))
    keeper = Custodian(code="H", name="禾川县人民医院")
    named = {"Observation/r": rate, "Observation/p": pressure}

    def read(composition: Any) -> Document:
        return parse(to_cda(composition, subject=subject, custodian=keeper, results=named))

    examination = read(of_report(report, [rate]))
    assert (examination.code.code, examination.author, examination.sections[1].text) == (
        "C0006",
        "许明哲",
        "窦性心律 <正常>",
    )
    (found,) = examination.sections[0].results
    assert (found.code.code, found.value, found.unit, found.low, found.high) == ("8867-4", "72.5", "次/分", "60", "100")
    laboratory = read(of_report({**report, "category": [{"coding": [{"code": "LAB"}]}]}, []))
    assert (laboratory.code.code, len(laboratory.sections)) == ("C0007", 1)
    note = read(of_visit(visit, [{"code": {"text": "高血压"}}], [pressure]))
    assert (note.code.code, note.author) == ("C0002", "石桥村卫生室")
    assert [one.text for one in note.sections] == ["胸闷半天", "血压：收缩压 150 mmHg", "高血压"]
    assert ("150", "mmHg") in {(one.value, one.unit) for one in note.sections[1].results}
    assert of_visit({**visit, "class": {"code": "IMP"}}, [], []) is None


@pytest.fixture
def folder(world: World, settings: Any, tmp_path: Path) -> tuple[Connection, Path]:
    settings.DATA = tmp_path
    with acting(system_actor(Purpose.IMPORT)) as importer:
        made = actions.connect(
            kind=Connection.Kind.FOLDER,
            organization_id=world.lead,
            consortium_id=None,
            settings=actions.Settings(name="检验科导出"),
            actor=importer,
        )
    place = folders.folder_of(made) / "in"
    place.mkdir(parents=True)
    return made, place


@pytest.fixture
def world(db: None) -> World:
    made = make_world()
    make_resident(organization_id=made.village, panel_of=(made.lead,))
    return made


def save(place: Path, name: str, data: bytes) -> None:
    path = place / name
    path.write_bytes(data)
    os.utime(path, (time.time() - 10, time.time() - 10))


def resources(kind: str) -> list[dict[str, Any]]:
    with acting(system()):
        return [row.content for row in Resource.objects.filter(type=kind).order_by("id")]


def test_document_of_the_folder_becomes_composition_reference_and_results(folder: tuple[Connection, Path]) -> None:
    connection, place = folder
    save(place, "report.xml", DOCUMENT.replace("UTF-8", "GB18030").encode("gb18030"))
    assert folders.look() == 1
    save(place, "again.xml", DOCUMENT.replace("UTF-8", "GB18030").encode("gb18030"))
    assert folders.look() == 1
    work(connection)
    (composition,) = resources("Composition")
    (reference,) = resources("DocumentReference")
    (glucose,) = resources("Observation")
    assert [section["title"] for section in composition["section"]] == ["检验", "院内自定章节"]
    assert "&lt;script&gt;" in composition["section"][1]["text"]["div"]
    assert composition["section"][0]["entry"] == [{"reference": f"Observation/{glucose['id']}"}]
    attachment = base64.b64decode(reference["content"][0]["attachment"]["data"])
    assert parse(attachment).number == "DOC-77"
    for one in (composition, reference, glucose):
        assert problems(one) == []
    assert [path.name.split("-", 2)[2] for path in sorted((place.parent / "done").iterdir())] == [
        "again.xml",
        "report.xml",
    ]


def test_table_of_the_folder_becomes_a_message_a_row(folder: tuple[Connection, Path]) -> None:
    connection, place = folder
    lines = [
        "身份证号,姓名,报告号,项目代码,项目名称,结果,单位,报告时间",
        f"{ZHOU_NUMBER},周桂兰,R1,GLU,空腹血糖,5.6,mmol/L,2026-05-01 11:30:00",
        f"{ZHOU_NUMBER},周桂兰,R1,HCV,丙肝抗体,阴性,,2026-05-01 11:30:00",
        f"{ZHOU_NUMBER},周桂兰,R1,K,钾,,mmol/L,2026-05-01 11:30:00",
    ]
    save(place, "结果.csv", "\n".join(lines).encode("gb18030"))
    save(place, "~$open.xlsx", b"x")
    save(place, "broken.xlsx", b"not a workbook")
    assert folders.look() == 2
    work(connection)
    assert [
        one.get("valueQuantity", {}).get("value") or one.get("valueString") for one in resources("Observation")
    ] == [5.6, "阴性"]
    with acting(system()):
        failed = set(Message.objects.filter(state="failed").values_list("type", "error_kind", "error_place"))
    assert failed == {("TABLE^results", "field-missing", "结果"), ("TABLE^unreadable", "file-broken", "文件")}
    assert [path.name.split("-", 2)[2] for path in (place.parent / "failed").iterdir()] == ["broken.xlsx"]


def test_file_that_is_still_written_is_left(folder: tuple[Connection, Path]) -> None:
    _connection, place = folder
    (place / "half.csv").write_bytes(b"a,b")
    assert folders.look() == 0
    # A slow copy may pause for longer: whoever has the file open is waited for.
    save(place, "slow.csv", b"a,b")
    with (place / "slow.csv").open("ab"):
        os.utime(place / "slow.csv", (time.time() - 10, time.time() - 10))
        assert folders.look() == 0
    assert folders.look() == 1


@pytest.mark.parametrize(
    "case",
    [
        ("列名.csv", "证件,姓名\n1,2", "file-columns", "第 1 行"),
        ("空.csv", "", "file-empty", "文件"),
        ("只有列名.csv", "身份证号,报告号,项目名称,结果,报告时间\n", "file-empty", "文件"),
        ("说明.docx", "PK", "file-kind", "文件"),
        ("半份.xml", DOCUMENT[:900], "xml-broken", "ClinicalDocument"),
        ("标签.xml", DOCUMENT.replace("</title>", "</titel>", 1), "xml-wrong", "ClinicalDocument"),
        ("无号.xml", DOCUMENT.replace(' extension="DOC-77"', ""), "field-missing", "ClinicalDocument.id"),
        ("错号.csv", "身份证号,就诊号,就诊类别,就诊时间\n439981196303128807,V1,门诊,2026-05-01 11:30:00", "id-number-invalid", "身份证号"),
        ("别人.csv", f"身份证号,姓名,出生日期,就诊号,就诊类别,就诊时间\n{ZHOU_NUMBER},王小明,1950-01-01,V1,门诊,2026-05-01 11:30:00", "identity-mismatch", "姓名"),
        ("体检.csv", f"身份证号,就诊号,就诊类别,就诊时间\n\n{ZHOU_NUMBER},V1,体检,2026-05-01 11:30:00", "value-unknown", "就诊类别"),
    ],
)  # fmt: skip
def test_file_with_a_fault_says_what_and_where(
    client: Client, world: World, folder: tuple[Connection, Path], case: tuple[str, str, str, str]
) -> None:
    (connection, _place), (name, data, kind, place) = folder, case
    client.force_login(make_staff(name="高工", organization_id=world.lead, role="engineer"))
    file = SimpleUploadedFile(name, data.encode())
    answer = client.post(reverse("exchange:upload", args=[connection.key]), {"given": [file]})
    if not data:
        assert (answer.status_code, "选中的文件是空的" in answer.content.decode()) == (422, True)
        save(_place, name, b"")
        assert folders.look() == 1
    work(connection)
    with acting(system()):
        (message,) = Message.objects.all()
        assert (message.state, message.error_kind, message.error_place) == ("failed", kind, place)
    page = client.get(reverse("exchange:message", args=[message.key])).content.decode()
    assert faults.title_of(kind) in page
    assert ZHOU_NUMBER not in page
    assert "王小明" not in page
    if name == "体检.csv":
        for words in ("体检.csv 第 3 行", "只能填：门诊、急诊、住院", "2026-05-01 11:30:00"):
            assert words in page, words


def test_an_empty_file_among_others_is_told_by_its_name(
    client: Client, world: World, folder: tuple[Connection, Path]
) -> None:
    connection, _place = folder
    client.force_login(make_staff(name="高工", organization_id=world.lead, role="engineer"))
    files = [SimpleUploadedFile("report.xml", DOCUMENT.encode()), SimpleUploadedFile("leer.xml", b"")]
    said = client.post(
        reverse("exchange:upload", args=[connection.key]), {"given": files}, follow=True
    ).content.decode()
    assert "“report.xml”已收下" in said
    assert "“leer.xml”是空的" in said
    with acting(system()):
        assert Message.objects.count() == 1


def test_a_folder_that_is_watched_is_alive_without_files(folder: tuple[Connection, Path]) -> None:
    connection, _place = folder
    folders.look()
    with acting(system()):
        (health,) = health_of([Connection.objects.get(pk=connection.pk)])
    assert (health.alive, health.last_message_at) == (True, None)


def test_file_of_a_page_is_taken_once(client: Client, world: World, folder: tuple[Connection, Path]) -> None:
    connection, _place = folder
    client.force_login(make_staff(name="高工", organization_id=world.lead, role="engineer"))
    address = reverse("exchange:upload", args=[connection.key])
    for _time in range(2):
        files = [SimpleUploadedFile("report.xml", DOCUMENT.encode()), SimpleUploadedFile("bad.docx", b"PK")]
        answer = client.post(address, {"given": files}, follow=True)
        said = answer.content.decode()
        assert ("“report.xml”以前收过" in said) == (_time == 1)
    assert answer.redirect_chain
    work(connection)
    with acting(system()):
        assert sorted(Message.objects.values_list("state", "duplicates")) == [("applied", 1), ("failed", 1)]
    page = client.get(reverse("exchange:message", args=[Message.objects.get(state="applied").key]))
    assert "院内自定章节" in page.content.decode()
    assert "只有本院懂的内容" not in page.content.decode()
    assert client.post(address, {}).status_code == 422
    blank = client.get(reverse("exchange:blank-table", args=["results"])).content.decode("utf-8-sig")
    assert blank.startswith("身份证号,报告号,项目名称,结果,报告时间,姓名")
    client.force_login(make_staff(name="外工", organization_id=world.other_township, role="engineer"))
    assert client.post(address, {"given": [SimpleUploadedFile("a.csv", b"a")]}).status_code == 404


def test_document_goes_out_to_those_who_may_see_it(
    client: Client, world: World, folder: tuple[Connection, Path]
) -> None:
    connection, place = folder
    save(place, "report.xml", DOCUMENT.encode())
    folders.look()
    work(connection)
    address = reverse("exchange:document", args=[resources("Composition")[0]["id"]])
    client.force_login(make_staff(name="王医生", organization_id=world.lead, role="specialist"))
    answer = client.get(address)
    document = parse(answer.content)
    assert (answer.status_code, document.code.code, document.numbers) == (200, "C0007", (ZHOU_NUMBER,))
    assert document.sections[1].text == "只有本院懂的内容 <script>"
    # What came as a number goes out as one.
    (glucose,) = document.sections[0].results
    assert (glucose.code.display, glucose.value, glucose.unit) == ("空腹血糖", "5.6", "mmol/L")
    client.force_login(make_staff(name="外院", organization_id=world.other_township, role="specialist"))
    assert client.get(address).status_code == 404
    client.force_login(make_staff(name="高工", organization_id=world.lead, role="engineer"))
    assert client.get(address).status_code == 403
