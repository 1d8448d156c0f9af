"""What is followed over time, by LOINC code; units are harmonised by UCUM within one code, and only where that is exact."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any

from django.utils.translation import gettext_lazy as _

from doorstep.kernel.fhir import systems
from doorstep.kernel.fhir.units import canonical

SYSTOLIC, DIASTOLIC = "8480-6", "8462-4"
# A factor of more digits than this is not a plain shift of units: the value is shown as the laboratory sent it.
_DIGITS = 9


@dataclass(frozen=True, slots=True)
class Analyte:
    """One value followed over time. `codes`: LOINC code to the UCUM unit in which its values are drawn.

    Two codes of one analyte may have different units (µmol/L and mg/dL need the molar mass, % and mmol/mol of HbA1c an equation):
    their values then stand on different scales and are never turned into each other.
    """

    key: str
    name: Any
    codes: Mapping[str, str]
    group: str
    # LOINC codes and names of the components of a panel.
    parts: tuple[tuple[str, Any], ...] = ()


GROUPS: dict[str, Any] = {
    "vital": _("体征"),
    "sugar": _("血糖"),
    "lipid": _("血脂"),
    "kidney": _("肾功能与电解质"),
    "other": _("其他检验与检查"),
}
_ALL = (
    Analyte("pressure", _("血压"), {"85354-9": "mm[Hg]", "55284-4": "mm[Hg]"}, "vital",
            ((SYSTOLIC, _("收缩压")), (DIASTOLIC, _("舒张压")))),
    Analyte("pulse", _("心率"), {"8867-4": "/min"}, "vital"),
    Analyte("oxygen", _("血氧饱和度"), {"2708-6": "%", "59408-5": "%"}, "vital"),
    Analyte("temperature", _("体温"), {"8310-5": "Cel"}, "vital"),
    Analyte("weight", _("体重"), {"29463-7": "kg"}, "vital"),
    Analyte("bmi", _("体质指数"), {"39156-5": "kg/m2"}, "vital"),
    Analyte("waist", _("腰围"), {"8280-0": "cm"}, "vital"),
    Analyte("glucose-fasting", _("空腹血糖"), {"14771-0": "mmol/L", "1558-6": "mg/dL"}, "sugar"),
    Analyte("glucose", _("血糖（随机）"), {"15074-8": "mmol/L", "14749-6": "mmol/L", "2339-0": "mg/dL"}, "sugar"),
    Analyte("glucose-after", _("餐后 2 小时血糖"), {"14760-3": "mmol/L"}, "sugar"),
    Analyte("hba1c", _("糖化血红蛋白"), {"4548-4": "%", "59261-8": "mmol/mol"}, "sugar"),
    Analyte("cholesterol", _("总胆固醇"), {"14647-2": "mmol/L", "2093-3": "mg/dL"}, "lipid"),
    Analyte("triglyceride", _("甘油三酯"), {"14927-8": "mmol/L", "2571-8": "mg/dL"}, "lipid"),
    Analyte("ldl", _("低密度脂蛋白胆固醇"), {"22748-8": "mmol/L", "2089-1": "mg/dL"}, "lipid"),
    Analyte("hdl", _("高密度脂蛋白胆固醇"), {"14646-4": "mmol/L", "2085-9": "mg/dL"}, "lipid"),
    Analyte("creatinine", _("肌酐"), {"14682-9": "umol/L", "2160-0": "mg/dL"}, "kidney"),
    Analyte("gfr", _("估算肾小球滤过率"),
            {"33914-3": "mL/min/{1.73_m2}", "62238-1": "mL/min/{1.73_m2}", "98979-8": "mL/min/{1.73_m2}"}, "kidney"),
    Analyte("urea", _("尿素"), {"22664-7": "mmol/L"}, "kidney"),
    Analyte("urate", _("尿酸"), {"14933-6": "umol/L"}, "kidney"),
    Analyte("potassium", _("钾"), {"2823-3": "mmol/L"}, "kidney"),
    Analyte("albuminuria", _("尿微量白蛋白/肌酐"), {"14959-1": "mg/g"}, "kidney"),
    Analyte("haemoglobin", _("血红蛋白"), {"718-7": "g/L"}, "other"),
    Analyte("alt", _("丙氨酸氨基转移酶"), {"1742-6": "U/L"}, "other"),
    Analyte("tsh", _("促甲状腺激素"), {"3016-3": "m[IU]/L"}, "other"),
    Analyte("inr", _("国际标准化比值"), {"6301-6": "{INR}"}, "other"),
    Analyte("bnp", _("N 末端 B 型利钠肽原"), {"33762-6": "pg/mL"}, "other"),
    Analyte("fev1", _("第一秒用力呼气量"), {"20150-9": "L"}, "other"),
    Analyte("fev1-share", _("一秒率"), {"19926-5": "%"}, "other"),
)  # fmt: skip
ANALYTES = {one.key: one for one in _ALL}
OF_CODE = {code: one for one in _ALL for code in one.codes}
SERIES = tuple((systems.LOINC, code) for code in OF_CODE)

# How a unit is written on a page, by its UCUM code.
_WRITTEN: dict[str, Any] = {
    "mm[Hg]": "mmHg",
    "/min": _("次/分"),
    "Cel": "℃",
    "umol/L": "µmol/L",
    "kg/m2": "kg/m²",
    "mL/min/{1.73_m2}": "mL/min/1.73m²",
    "{INR}": "",
    "m[IU]/L": "mIU/L",
}


def written(unit: str) -> str:
    """A UCUM unit as a page writes it."""
    return str(_WRITTEN.get(unit, unit))


@lru_cache(maxsize=1024)
def factor(sent: str, wanted: str) -> Decimal | None:
    """By what a value in one UCUM unit is multiplied to stand in the other; None where that is not exact."""
    if sent == wanted:
        return Decimal(1)
    one, other = canonical(sent), canonical(wanted)
    if one is None or other is None or one.name != other.name or one.offset or other.offset or not other.factor:
        return None
    # UCUM cancels mmol/mol to a pure number: the 48 mmol/mol of an HbA1c of 6.5 % would be drawn as 4.8 %.
    if ("mol" in sent) != ("mol" in wanted):
        return None
    ratio = (one.factor / other.factor).normalize()
    return ratio if len(ratio.as_tuple().digits) <= _DIGITS else None
