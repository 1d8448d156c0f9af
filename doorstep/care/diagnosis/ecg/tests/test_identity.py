from dataclasses import replace
from datetime import date

import pytest

from doorstep.care.diagnosis.ecg.identity import Mismatch, check_identity, same_name
from doorstep.care.diagnosis.ecg.recording import PatientFacts
from doorstep.care.diagnosis.ecg.tests.factories import WANG, recording


def check(patient: PatientFacts) -> Mismatch | None:
    source = replace(recording(), patient=patient)
    return check_identity(source, national_id=WANG.national_id, name="王小明", birth_date=date(1960, 3, 7), sex="male")


@pytest.mark.parametrize(
    "name", ["王小明", "王 小明", "WANG^XIAOMING", "Xiaoming Wang", "xiao ming wang", "Wang^XiaoMing=王^小明"]
)
def test_same_name_accepts(name: str) -> None:
    assert same_name(name, "王小明")


@pytest.mark.parametrize("name", ["李小明", "LI^XIAOMING", "Wang", "", "Wang Xiaohong"])
def test_same_name_rejects(name: str) -> None:
    assert not same_name(name, "王小明")


def test_same_name_knows_polyphones_and_umlauts() -> None:
    assert same_name("SHAN^XIONG", "单雄")
    assert same_name("LYU^LAN", "吕兰")
    assert same_name("Lu Lan", "吕兰")


def test_check_identity_same_id_decides() -> None:
    assert check(replace(WANG, name="someone else")) is None


@pytest.mark.parametrize(
    ("patient", "fact", "refuses"),
    [
        (replace(WANG, national_id="110101195001011234"), "national_id", True),
        (PatientFacts(name="李雷", birth_date=WANG.birth_date), "name", True),
        (PatientFacts(name="WANG XIAOMING", birth_date=date(1961, 3, 7)), "birth_date", True),
        (PatientFacts(name="WANG XIAOMING", birth_date=WANG.birth_date, sex="female"), "sex", False),
        (PatientFacts(name="王小明"), "birth_date", False),
        (PatientFacts(name="Anonymous", patient_id="42"), "nothing", False),
    ],
)
def test_check_identity_finds(patient: PatientFacts, fact: str, refuses: bool) -> None:
    found = check(patient)
    assert found is not None
    assert (found.fact, found.refuses) == (fact, refuses)


def test_check_identity_name_and_birth_date_agree() -> None:
    assert check(PatientFacts(name="Wang Xiaoming", birth_date=WANG.birth_date, sex="male")) is None
