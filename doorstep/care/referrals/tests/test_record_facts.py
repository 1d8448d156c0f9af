"""What the record says to the criteria: nothing that was struck out, healed, denied, of another unit, or buried under newer values."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from doorstep.care.referrals.record_facts import Known, judged_of, known_of, up_facts
from doorstep.care.referrals.tests.factories import Loop, make_loop
from doorstep.kernel.access.actor import Purpose, system_actor
from doorstep.kernel.access.session import acting
from doorstep.kernel.fhir import elements, systems
from doorstep.kernel.record import actions as record
from doorstep.kernel.record.publishing import Published

pytestmark = pytest.mark.django_db

_CLINICAL = "http://terminology.hl7.org/CodeSystem/condition-clinical"
_VERIFICATION = "http://terminology.hl7.org/CodeSystem/condition-ver-status"


def put(loop: Loop, *contents: dict[str, Any], at: datetime) -> None:
    """Write entries of 周桂兰's record as a hospital's system does."""
    actor = system_actor(Purpose.IMPORT)
    with acting(actor):
        for content in contents:
            record.publish(
                Published(
                    content=content, organization_id=loop.world.lead, occurred_at=at, category="test", episode="visit/9"
                ),
                resident_id=loop.resident.pk,
                actor=actor,
            )


def observation(id: str, code: str, value: float, unit: str, *, at: datetime, **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "Observation", "id": id, "status": "final", "code": {"coding": [{"system": systems.LOINC, "code": code}]},
        "valueQuantity": {"value": value, "unit": unit, "code": unit, "system": "http://unitsofmeasure.org"},
        "effectiveDateTime": elements.instant(at), **more,
    }  # fmt: skip


def pressure(id: str, high: float, low: float, *, at: datetime, unit: str = "mm[Hg]", **more: Any) -> dict[str, Any]:
    parts = [
        {"code": {"coding": [{"system": systems.LOINC, "code": code}]}, "valueQuantity": {"value": value, "code": unit}}
        for code, value in (("8480-6", high), ("8462-4", low))
    ]
    return {
        "resourceType": "Observation", "id": id, "status": "final",
        "code": {"coding": [{"system": systems.LOINC, "code": "85354-9"}]}, "component": parts,
        "effectiveDateTime": elements.instant(at), **more,
    }  # fmt: skip


def condition(id: str, code: str, text: str, *, on: date | None = None, **states: str) -> dict[str, Any]:
    found: dict[str, Any] = {
        "resourceType": "Condition", "id": id,
        "code": {"text": text, "coding": [{"system": systems.ICD10, "code": code}] if code else []},
    }  # fmt: skip
    if "clinical" in states:
        found["clinicalStatus"] = {"coding": [{"system": _CLINICAL, "code": states["clinical"]}]}
    if "verification" in states:
        found["verificationStatus"] = {"coding": [{"system": _VERIFICATION, "code": states["verification"]}]}
    return found


def facts_of(loop: Loop) -> dict[str, Any]:
    """What the criteria look at today."""
    with acting(system_actor(Purpose.IMPORT)):
        known = judged_of(resident_id=loop.resident.pk, origin_reference="")
    return facts(known)


def facts(known: Known, *, day: date | None = None, born: date = date(1957, 3, 2)) -> dict[str, Any]:
    found = up_facts(known, birth_date=born, symptoms=None, critical=False, day=day or timezone.localdate())
    return {name: fact.value for name, fact in found.items()}


def test_a_value_that_was_struck_out_sends_nobody() -> None:
    loop, now = make_loop(), timezone.now()
    put(loop, pressure("bp-good", 132, 84, at=now), at=now)
    put(
        loop,
        pressure("bp-wrong", 214, 126, at=now, status="entered-in-error"),
        observation("glucose-wrong", "15074-8", 28.0, "mmol/L", at=now, status="cancelled"),
        at=now + timedelta(minutes=1),
    )
    found = facts_of(loop)
    assert (found["systolic"], found["diastolic"]) == (132, 84)
    assert "glucose" not in found


def test_a_value_counts_in_its_unit_or_not_at_all() -> None:
    loop, now = make_loop(), timezone.now()
    put(
        loop,
        # 98 mg/dL are 5.4 mmol/L, 99.1 °F are 37.3 ℃, 17.3 kPa are 130 mmHg.
        observation("g", "15074-8", 98, "mg/dL", at=now),
        observation("t", "8310-5", 99.1, "[degF]", at=now),
        observation("h", "4548-4", 48, "mmol/mol", at=now),
        observation("p", "8867-4", 78, "次/分", at=now),
        pressure("bp-kpa", 17.3, 11.2, at=now, unit="kPa"),
        at=now,
    )
    found = facts_of(loop)
    assert "glucose" not in found
    assert found["temperature"] == 37.3
    assert "hba1c" not in found
    assert found["pulse"] == 78
    assert (found["systolic"], found["diastolic"]) == (130, 84)


def test_a_laboratorys_glucose_is_a_glucose() -> None:
    loop, now = make_loop(), timezone.now()
    put(loop, observation("plasma", "14749-6", 27.4, "mmol/L", at=now), at=now)
    assert facts_of(loop)["glucose"] == 27.4


def test_problems_stay_known_beneath_many_newer_values() -> None:
    loop, now = make_loop(), timezone.now()
    allergy = {"resourceType": "AllergyIntolerance", "id": "penicillin", "code": {"text": "青霉素"}}
    put(loop, condition("pregnancy", "Z34.900", "妊娠监督"), allergy, at=now - timedelta(days=90))
    put(loop, *(observation(f"lab-{n}", "2823-3", 4.1, "mmol/L", at=now) for n in range(170)), at=now)
    found = facts_of(loop)
    assert found["pregnant"] is True
    assert found["hypertension"] is True
    with acting(system_actor(Purpose.IMPORT)):
        known = known_of(resident_id=loop.resident.pk, origin_reference="", actor=system_actor(Purpose.IMPORT))
    assert any(code.startswith("I10") for code, _text in known.active)
    assert known.allergies == ("青霉素",)


def test_a_pregnancy_ends() -> None:
    loop, now = make_loop(), timezone.now()
    put(loop, condition("old", "Z34.900", "妊娠监督"), at=now - timedelta(days=3 * 365))
    assert facts_of(loop).get("pregnant") is not True
    put(loop, condition("new", "O26.900", "孕 30 周", clinical="resolved"), at=now - timedelta(days=20))
    assert facts_of(loop).get("pregnant") is not True
    put(loop, condition("now", "O13.x00", "妊娠期高血压"), at=now - timedelta(days=20))
    assert facts_of(loop)["pregnant"] is True


@pytest.mark.parametrize(
    ("name", "code", "text", "known"),
    [
        ("diabetes", "E11.900", "2 型糖尿病", True),
        ("diabetes", "E14.900", "糖尿病", True),
        ("diabetes", "E10.900", "1 型糖尿病", True),
        ("diabetes", "", "糖尿病", True),
        ("diabetes", "Z83.300", "糖尿病家族史", False),
        ("diabetes", "", "糖尿病家族史", False),
        ("diabetes", "", "糖尿病？待排除", False),
        ("hypertension", "I11.900", "高血压性心脏病", True),
        ("hypertension", "I27.000", "原发性肺动脉高血压", False),
        ("hypertension", "", "肺动脉高血压", False),
        ("hypertension", "", "高血压 2 级，肺动脉高压", True),
        ("pregnant", "", "妊娠 28 周", True),
        ("pregnant", "Z35.900", "高危妊娠监督", True),
        ("pregnant", "", "异位妊娠史", False),
        ("copd", "J44.900", "慢性阻塞性肺病", True),
        ("copd", "", "慢阻肺", True),
    ],
)
def test_a_problem_is_what_its_code_says_else_its_words(name: str, code: str, text: str, known: bool) -> None:
    day = timezone.localdate()
    assert (facts(Known(problems=((code, text, day),))).get(name) is True) is known


def test_what_was_refuted_is_no_problem() -> None:
    loop, now = make_loop(), timezone.now()
    put(loop, condition("dm", "E11.900", "2 型糖尿病", verification="refuted"), at=now)
    assert "diabetes" not in facts_of(loop)


def test_one_exacerbation_seen_by_two_hospitals_is_one() -> None:
    day = date(2026, 3, 2)
    seen = (day - timedelta(days=3), day - timedelta(days=4), day - timedelta(days=20))
    assert facts(Known(exacerbations=seen), day=day)["exacerbations"] == 1
    assert facts(Known(exacerbations=(*seen, day - timedelta(days=120))), day=day)["exacerbations"] == 2


def test_the_form_says_what_is_taken_and_what_is_true() -> None:
    loop, now = make_loop(), timezone.now()
    warfarin = {
        "resourceType": "MedicationStatement", "id": "warfarin", "status": "stopped",
        "medicationCodeableConcept": {"text": "华法林钠片 3 mg"},
    }  # fmt: skip
    amoxicillin = {
        "resourceType": "MedicationRequest", "id": "amoxicillin", "status": "completed", "intent": "order",
        "medicationCodeableConcept": {"text": "阿莫西林胶囊 0.5 g"},
    }  # fmt: skip
    put(loop, warfarin, amoxicillin, condition("dm", "E11.900", "2 型糖尿病", verification="refuted"), at=now)
    with acting(system_actor(Purpose.IMPORT)):
        known = known_of(resident_id=loop.resident.pk, origin_reference="", actor=system_actor(Purpose.IMPORT))
    assert known.medicines == ("氨氯地平片 5 mg 每日 1 次",)
    assert [text for _code, text in known.conditions] == ["原发性高血压"]
