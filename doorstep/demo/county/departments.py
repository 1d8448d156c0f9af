"""Departments of the county's institutions: which kinds of house have which."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Department:
    """A department. `code` is the clinical subject of 医疗机构诊疗科目名录 (卫医发〔1994〕27号) where there is one
    [from memory, unverified], else a house code; `key` is stable and used to look it up."""

    id: int
    organization_id: int
    key: str
    code: str
    name: str
    name_en: str


# The key of each kind, then its code, Chinese and English name.
KINDS: dict[str, tuple[str, str, str]] = {
    "cardiology": ("03.04", "心内科", "Cardiology"),
    "neurology": ("03.07", "神经内科", "Neurology"),
    "endocrinology": ("03.08", "内分泌科", "Endocrinology"),
    "respiratory": ("03.01", "呼吸与危重症医学科", "Respiratory Medicine"),
    "gastroenterology": ("03.02", "消化内科", "Gastroenterology"),
    "nephrology": ("03.05", "肾内科", "Nephrology"),
    "general_surgery": ("04.01", "普外科", "General Surgery"),
    "orthopaedics": ("04.03", "骨科", "Orthopaedics"),
    "urology": ("04.04", "泌尿外科", "Urology"),
    "obstetrics": ("05.02", "产科", "Obstetrics"),
    "gynaecology": ("05.01", "妇科", "Gynaecology"),
    "paediatrics": ("07", "儿科", "Paediatrics"),
    "ophthalmology": ("10", "眼科", "Ophthalmology"),
    "psychiatry": ("15", "精神科", "Psychiatry"),
    "emergency": ("20", "急诊科", "Emergency Department"),
    "rehabilitation": ("21", "康复医学科", "Rehabilitation"),
    "intensive_care": ("28", "重症医学科", "Intensive Care"),
    "chinese_medicine": ("50", "中医科", "Chinese Medicine"),
    "internal_medicine": ("03", "内科", "Internal Medicine"),
    "surgery": ("04", "外科", "Surgery"),
    "general_practice": ("02", "全科医疗科", "General Practice"),
    "public_health": ("01", "公共卫生科", "Public Health"),
    "nursing": ("H01", "护理部", "Nursing"),
    "ecg": ("32.02", "心电图室", "ECG Room"),
    "imaging": ("32", "放射科", "Radiology"),
    "laboratory": ("30", "检验科", "Laboratory"),
    "referral": ("H02", "转诊中心", "Referral Office"),
    "registration": ("H03", "门诊部挂号处", "Registration"),
    "information": ("H04", "信息科", "Information Technology"),
    "administration": ("H05", "院办公室", "Administration"),
    "dispatch": ("H06", "调度科", "Dispatch"),
    "supervision": ("H07", "综合监督科", "Supervision"),
}

_OFFICE = (
    "nursing",
    "ecg",
    "imaging",
    "laboratory",
    "referral",
    "registration",
    "information",
    "administration",
)
LEAD = (*list(KINDS)[:18], *_OFFICE)
SECONDARY = (
    "internal_medicine", "surgery", "obstetrics", "paediatrics", "emergency", "rehabilitation", "chinese_medicine",
    "nursing", "ecg", "imaging", "laboratory", "referral", "registration", "administration",
)  # fmt: skip
PRIMARY = (
    "general_practice",
    "chinese_medicine",
    "public_health",
    "nursing",
    "ecg",
    "referral",
)

BY_TYPE: dict[str, tuple[str, ...]] = {
    "tertiary_hospital": LEAD,
    "secondary_hospital": SECONDARY,
    "township_center": PRIMARY,
    "community_center": PRIMARY,
    "emergency_center": ("dispatch", "administration"),
    "care_home": ("nursing", "administration"),
    "health_authority": ("supervision", "administration"),
    "partner_hospital": LEAD,
    "ecg_center": ("ecg",),
    "imaging_center": ("imaging",),
    "laboratory_center": ("laboratory",),
}


def departments_of(organization_id: int, kind: str, first_id: int) -> list[Department]:
    """The departments of one institution; kinds without departments (village clinics, stations) give none."""
    return [
        Department(first_id + offset, organization_id, key, *KINDS[key])
        for offset, key in enumerate(BY_TYPE.get(kind, ()))
    ]
