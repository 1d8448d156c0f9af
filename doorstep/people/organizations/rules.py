"""Pure rules of organisations: codes, positions, and what fits below what."""

import re
from decimal import Decimal

from stdnum.cn import uscc

# The mainland and its islands, in degrees: a position outside was typed wrongly, mostly with the two figures exchanged.
LATITUDES = (Decimal("3.8"), Decimal("53.6"))
LONGITUDES = (Decimal("73.4"), Decimal("135.1"))
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{1,29}")
# 医疗机构基本标准 grades hospitals; the tier decides to whom a patient is sent up.
LEVELS: dict[str, int] = {
    "三级甲等": 3,
    "三级乙等": 3,
    "三级丙等": 3,
    "三级(未定等)": 3,
    "二级甲等": 2,
    "二级乙等": 2,
    "二级丙等": 2,
    "二级(未定等)": 2,
    "一级甲等": 1,
    "一级乙等": 1,
    "一级丙等": 1,
    "一级(未定等)": 1,
    "未定级": 1,
}


def is_code(text: str) -> bool:
    """Whether a text can be a unit's code: 2 to 30 letters, digits and dashes."""
    return bool(_CODE.fullmatch(text))


def is_credit_code(text: str) -> bool:
    """Whether a text is a unified social credit code with its check character (GB 32100-2015)."""
    return len(text) == 18 and bool(uscc.is_valid(text))


def position_faults(latitude: Decimal | None, longitude: Decimal | None) -> dict[str, str]:
    """What is wrong with a position in degrees: "missing", "outside" or "exchanged" by field."""
    if latitude is None and longitude is None:
        return {}
    if latitude is None or longitude is None:
        return {"latitude" if latitude is None else "longitude": "missing"}
    if _in(latitude, LONGITUDES) and _in(longitude, LATITUDES):
        return {"latitude": "exchanged"}
    found = {"latitude": (latitude, LATITUDES), "longitude": (longitude, LONGITUDES)}
    return {name: "outside" for name, (value, bounds) in found.items() if not _in(value, bounds)}


def tier_of(*, kind: str, level: str) -> int:
    """The tier of a unit: 0 for an authority, that of its level, 1 for all without one."""
    return 0 if kind == "authority" else LEVELS.get(level, 1)


def _in(value: Decimal, bounds: tuple[Decimal, Decimal]) -> bool:
    return bounds[0] <= value <= bounds[1]


# First figures of 医疗机构诊疗科目名录 (卫医发〔1994〕27号) to which nobody is sent to be treated: prevention, pathology, laboratory, images.
_NO_PATIENTS = frozenset({"01", "30", "31", "32"})
# Names of offices and services; the catalogue of clinical subjects does not number them.
_OFFICES = (
    "信息", "办公室", "护理部", "挂号", "转诊中心", "医务", "财务", "人事", "后勤", "总务", "设备科", "医保", "调度", "监督", "药剂", "药房",
    "检验", "放射科", "病理", "心电图室", "超声科", "影像", "公共卫生",
)  # fmt: skip


def sees_patients(*, code: str, name: str) -> bool:
    """Whether a patient can be sent to a department to be treated: by the number of the national catalogue, else by its name."""
    if code[:2].isdecimal():
        return code[:2] not in _NO_PATIENTS
    return not any(word in name for word in _OFFICES)
