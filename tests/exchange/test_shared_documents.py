"""Shared documents with whole bodies: what they say is in the record as what it is, secret where it is secret, and goes out the same."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from doorstep.coordination.hospital_systems.cda.reading import Document, parse
from doorstep.coordination.hospital_systems.cda.secrets import labels_in
from doorstep.kernel.access.session import acting
from doorstep.kernel.record.models import Resource
from doorstep.people.residents.tests.factories import ZHOU_NUMBER, World, make_resident, make_staff, make_world
from tests.exchange import shared_documents as made
from tests.exchange.factories import system
from tests.exchange.test_document_api import _hand_in, _token


@pytest.fixture
def world(db: None) -> World:
    found = make_world()
    make_resident(organization_id=found.village, panel_of=(found.lead,))
    return found


def _bring(client: Client, world: World, text: str) -> dict[str, Any]:
    """Hand a document in; returns the token."""
    token = _token("emr", world.lead)
    answered = _hand_in(client, token, text)
    assert answered.status_code == 201, answered.content
    return token


def _observations() -> dict[str, dict[str, Any]]:
    with acting(system()):
        found = Resource.objects.filter(type="Observation").values_list("content", flat=True)
        return {one["code"]["text"]: one for one in found}


def _composition() -> tuple[dict[str, Any], bool]:
    with acting(system()):
        row = Resource.objects.get(type="Composition")
        return row.content, row.sensitive


def _words(composition: dict[str, Any]) -> dict[str, str]:
    return {one["title"]: one["text"]["div"] for one in composition["section"]}


def test_values_stand_in_the_record_as_what_they_are(client: Client, world: World) -> None:
    _bring(client, world, made.discharge(ZHOU_NUMBER))
    found = _observations()
    assert found["入院日期时间"]["valueDateTime"] == "2026-05-01T08:30:00+08:00"
    assert found["出院日期"]["valueDateTime"] == "2026-05-10"
    assert found["治愈标志"]["valueBoolean"] is True
    # A bed's number is no measurement.
    assert found["床号"]["valueString"] == "0312"
    assert found["实际住院天数"]["valueQuantity"]["value"] == 9
    (coding,) = found["入院诊断编码"]["valueCodeableConcept"]["coding"]
    assert (coding["system"], coding["code"]) == ("http://hl7.org/fhir/sid/icd-10", "I10")
    composition, sensitive = _composition()
    assert not sensitive
    words = _words(composition)
    # LOINC's English words are no heading for a doctor here, and a section without text says what its entries say.
    assert list(words) == ["入院诊断", "出院诊断", "出院用药"]
    assert "入院日期时间：2026-05-01 08:30" in words["入院诊断"]
    assert "治愈标志：是" in words["出院诊断"]
    assert "氨氯地平片，5mg（2026-05-10）" in words["出院用药"]


def test_an_allergen_beside_the_observation_is_not_lost(client: Client, world: World) -> None:
    _bring(client, world, made.outpatient(ZHOU_NUMBER))
    assert "过敏史：青霉素，皮疹" in _words(_composition()[0])["过敏史"]
    assert _observations()["过敏史"]["valueString"] == "青霉素，皮疹"


def test_laboratory_values_keep_mark_range_and_bound(client: Client, world: World) -> None:
    _bring(client, world, made.laboratory(ZHOU_NUMBER))
    found = _observations()
    sugar = found["空腹血糖"]
    assert (sugar["valueQuantity"]["value"], sugar["valueQuantity"]["code"]) == (7.85, "mmol/L")
    assert sugar["interpretation"][0]["coding"][0]["code"] == "H"
    assert sugar["referenceRange"][0]["high"]["value"] == 6.1
    assert found["丙肝抗体"]["referenceRange"] == [{"text": "阴性"}]
    # Less than 0.01 is not 0.01.
    assert (found["肌钙蛋白"]["valueQuantity"]["value"], found["肌钙蛋白"]["valueQuantity"]["comparator"]) == (
        0.01,
        "<",
    )
    assert "空腹血糖：7.85 mmol/L ↑（参考 3.9–6.1）" in _words(_composition()[0])["检查与检验"]
    # A picture is in the document and no result.
    assert "图" not in found


@pytest.mark.parametrize(
    "text", [made.discharge(ZHOU_NUMBER), made.laboratory(ZHOU_NUMBER), made.outpatient(ZHOU_NUMBER)]
)
def test_what_came_in_goes_out_with_the_same_results(client: Client, world: World, text: str) -> None:
    token = _bring(client, world, text)
    answered = client.get(f"/fhir/Composition/{_composition()[0]['id']}/$cda", headers=token)
    assert answered.status_code == 200, answered.content

    def told(document: Document) -> set[tuple[Any, ...]]:
        return {
            (
                one.code.display,
                one.sort,
                one.value,
                one.unit,
                one.least,
                one.most,
                one.flag,
                one.low,
                one.high,
                one.span,
            )
            for section in document.sections
            for one in section.results
        }

    def coded(document: Document) -> set[tuple[str, str]]:
        found = [one.answer for section in document.sections for one in section.results if one.answer]
        return {(one.code, one.system) for one in found}

    before, after = parse(text.encode()), parse(answered.content)
    assert told(after) == told(before)
    assert coded(after) == coded(before)


@pytest.mark.parametrize(
    ("facts", "labels"),
    [
        ({"secrecy": "R"}, {"R"}),
        ({"secrecy": "V"}, {"V"}),
        ({"code": "B20.900", "name": "人类免疫缺陷病毒病"}, {"R", "HIV"}),
        ({"code": "F20.900", "name": "精神分裂症", "secrecy": "N"}, {"R", "PSY"}),
    ],
)
def test_a_secret_document_is_veiled_in_every_part(
    client: Client, world: World, facts: dict[str, str], labels: set[str]
) -> None:
    token = _bring(client, world, made.discharge(ZHOU_NUMBER, **facts))
    with acting(system()):
        written = Resource.objects.filter(type__in=["Composition", "DocumentReference", "Observation"])
        assert written.count() > 5
        for one in written:
            assert one.sensitive, one.content
            assert {label["code"] for label in one.content["meta"]["security"]} == labels
    composition, _sensitive = _composition()
    out = client.get(f"/fhir/Composition/{composition['id']}/$cda", headers=token)
    assert parse(out.content).secrecy == composition["confidentiality"]
    assert composition["confidentiality"] in labels


def test_a_document_without_set_goes_by_its_own_number() -> None:
    assert parse(made.discharge(ZHOU_NUMBER, number="DIS-77").encode()).number == "DIS-77"


def test_a_doctor_reads_marks_beside_the_words_and_the_document_as_it_was_sent(client: Client, world: World) -> None:
    text = made.laboratory(ZHOU_NUMBER)
    _bring(client, world, text)
    composition, _sensitive = _composition()
    with acting(system()):
        reference = Resource.objects.get(type="DocumentReference").content["id"]
    doctor = Client()
    doctor.force_login(make_staff(name="王建国", organization_id=world.lead, role="specialist"))
    patient = composition["subject"]["reference"].removeprefix("Patient/")
    shown = doctor.get(reverse("residents:entry", args=[patient, "Composition", composition["id"]])).content.decode()
    assert "7.85 mmol/L" in shown
    assert "偏高" in shown
    original = doctor.get(reverse("residents:entry", args=[patient, "DocumentReference", reference])).content.decode()
    assert "原件保存在出具单位" not in original
    address = reverse("exchange:document", args=[reference])
    assert address in original
    assert doctor.get(address).content == text.encode()
    stranger = Client()
    stranger.force_login(make_staff(name="外院", organization_id=world.other_township, role="specialist"))
    assert stranger.get(address).status_code == 404


def test_figures_keep_the_places_that_were_written(client: Client, world: World) -> None:
    text = made.laboratory(ZHOU_NUMBER).replace('"7.85"', '"7.80"').replace('"3.9"', '"3.90"').replace('"6.1"', '"6.0"')
    _bring(client, world, text)
    with acting(system()), connection.cursor() as cursor:
        cursor.execute("SELECT content::text FROM record_resource WHERE content #>> '{code,text}' = '空腹血糖'")
        stored = cursor.fetchone()[0]
    assert '"value": 7.80' in stored
    assert '"value": 3.90' in stored
    assert '"value": 6.0' in stored


@pytest.mark.parametrize(
    ("said", "labels"),
    [
        ("头晕三日。既往：HIV 抗体阳性，抑郁症，规律服药", {"HIV", "PSY"}),
        ("否认肝炎、肺结核等传染病史；梅毒螺旋体抗体：阴性，HIV（-）", set()),
        ("HIV 抗体 0.05 S/CO（参考 <1.00），无精神分裂症家族史", set()),
        ("梅毒螺旋体抗体 12.6 S/CO 阳性（参考 阴性）", {"STD"}),
        ("肺结核待排", {"tuberculosis"}),
        ("ARCHIVE 号 12", set()),
        ("抑郁症 体温36.5℃", {"PSY"}),
        ("HIV 感染者 体重 52.5 kg", {"HIV"}),
        ("HIV 病毒载量 1.2×10^3", {"HIV"}),
        ("HIV 抗体 0.05 S/CO", set()),
        ("抑郁症 否认自杀", {"PSY"}),
        ("未见肺结核", set()),
    ],
)
def test_a_diagnosis_that_is_not_said_aloud_is_known_by_its_words(said: str, labels: set[str]) -> None:
    assert labels_in(iter([said])) == labels


def test_a_document_that_names_one_in_words_alone_is_veiled_in_every_part(client: Client, world: World) -> None:
    text = made.discharge(ZHOU_NUMBER).replace("头晕三日，血压 186/112 mmHg", "头晕三日。既往：抑郁症，规律服药")
    _bring(client, world, text)
    composition, sensitive = _composition()
    assert (sensitive, composition["confidentiality"]) == (True, "R")
    with acting(system()):
        kinds = ("Composition", "DocumentReference", "Observation")
        assert set(Resource.objects.filter(type__in=kinds).values_list("sensitive", flat=True)) == {True}
