"""Diseases as the record groups by: chapters of ICD-10, and the families whose whole course a doctor wants to see at once."""

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

# First code, last code, name: the chapters of ICD-10 (WHO, ICD-10 2019; Chinese names after GB/T 14396-2016, from memory).
CHAPTERS: tuple[tuple[str, str, Any], ...] = (
    ("A00", "B99", _("传染病和寄生虫病")),
    ("C00", "D48", _("肿瘤")),
    ("D50", "D89", _("血液及造血器官疾病和免疫疾患")),
    ("E00", "E90", _("内分泌、营养和代谢疾病")),
    ("F00", "F99", _("精神和行为障碍")),
    ("G00", "G99", _("神经系统疾病")),
    ("H00", "H59", _("眼和附器疾病")),
    ("H60", "H95", _("耳和乳突疾病")),
    ("I00", "I99", _("循环系统疾病")),
    ("J00", "J99", _("呼吸系统疾病")),
    ("K00", "K93", _("消化系统疾病")),
    ("L00", "L99", _("皮肤和皮下组织疾病")),
    ("M00", "M99", _("肌肉骨骼系统和结缔组织疾病")),
    ("N00", "N99", _("泌尿生殖系统疾病")),
    ("O00", "O99", _("妊娠、分娩和产褥期")),
    ("P00", "P96", _("起源于围生期的情况")),
    ("Q00", "Q99", _("先天性畸形和染色体异常")),
    ("R00", "R99", _("症状、体征和检验异常")),
    ("S00", "T98", _("损伤、中毒和外因的后果")),
    ("U00", "U99", _("特殊目的编码")),
    ("V01", "Y98", _("疾病和死亡的外因")),
    ("Z00", "Z99", _("影响健康状态的因素")),
)


def chapter_of(code: str) -> Any:
    """The name of the chapter of an ICD-10 code; 未编码 for what is none."""
    stem = code[:3].upper()
    return next((name for first, last, name in CHAPTERS if first <= stem <= last), _("未编码的诊断"))


@dataclass(frozen=True, slots=True)
class Family:
    """A disease with all that belongs to its course: three-character stems of diagnoses and medicines, analytes, other codes.

    Which medicines and values belong to a disease is the house's own choice for a filter, not a statement of medicine.
    """

    key: str
    name: Any
    diagnoses: tuple[str, ...]
    medicines: tuple[str, ...]
    analytes: tuple[str, ...]
    studies: tuple[str, ...] = ()

    @property
    def stems(self) -> tuple[str, ...]:
        """Every stem: of ICD-10 and of ATC."""
        return self.diagnoses + self.medicines


def _span(letter: str, first: int, last: int) -> tuple[str, ...]:
    return tuple(f"{letter}{number:02d}" for number in range(first, last + 1))


_ECG = ("34534-8", "11524-6")
FAMILIES: tuple[Family, ...] = (
    Family(
        "hypertension", _("高血压"), _span("I", 10, 15), ("C02", "C03", "C07", "C08", "C09"),
        ("pressure", "pulse", "weight", "creatinine", "gfr", "potassium", "albuminuria"), _ECG,
    ),
    Family(
        "diabetes", _("糖尿病"), _span("E", 10, 14), ("A10",),
        ("glucose-fasting", "glucose", "glucose-after", "hba1c", "weight", "bmi", "albuminuria", "creatinine", "gfr"),
    ),
    Family(
        "coronary", _("冠心病"), _span("I", 20, 25), ("B01", "C01", "C07", "C10"),
        ("pressure", "pulse", "ldl", "cholesterol", "bnp"), (*_ECG, "42148-7"),
    ),
    Family("stroke", _("脑卒中"), _span("I", 60, 69), ("B01", "C10"), ("pressure", "ldl", "inr"), ("30799-1",)),
    Family(
        "kidney", _("慢性肾脏病"), _span("N", 17, 19), ("V03", "B03"),
        ("creatinine", "gfr", "urea", "urate", "potassium", "albuminuria", "haemoglobin", "pressure"),
    ),
    Family("lung", _("慢阻肺"), _span("J", 40, 44), ("R03",), ("oxygen", "fev1", "fev1-share"), ("36643-5", "24627-2")),
)  # fmt: skip
BY_KEY = {family.key: family for family in FAMILIES}


def families_of(codes: set[str]) -> list[Family]:
    """The families that a resident's diagnoses belong to, in the order of the table."""
    stems = {code[:3].upper() for code in codes}
    return [family for family in FAMILIES if stems.intersection(family.diagnoses)]
