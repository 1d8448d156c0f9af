"""The kinds of shared documents and their numbers (WS/T 500-2016; root and identifiers as in its header specification)."""

from dataclasses import dataclass

NAMESPACE = "urn:hl7-org:v3"
DOCUMENT_CODES = "2.16.156.10011.2.4"
DOCUMENT_IDS = "2.16.156.10011.1.1"
TEMPLATES = "2.16.156.10011.2.1.1"
NATIONAL_ID = "2.16.156.10011.1.3"
ORGANIZATION_CODE = "2.16.156.10011.1.5"
STAFF_NUMBER = "2.16.156.10011.1.7"
GENDER = "2.16.156.10011.2.3.3.4"
LOINC = "2.16.840.1.113883.6.1"
# ICD-10: the table of WS/T 500's value domains, and HL7's own number. What a system of codes is called, is told by few numbers.
ICD10 = ("2.16.156.10011.2.3.3.11", "2.16.840.1.113883.6.3", "2.16.156.10011.2.3.3.11.3")
CONFIDENTIALITY = "2.16.840.1.113883.5.25"
INTERPRETATION = "2.16.840.1.113883.5.83"
DATA_ELEMENTS = "2.16.156.10011.2.2.1"
# Data elements of WS 363 whose value is a code of ICD-10, whatever system their sender names (DE05.01.024.00 疾病诊断编码).
DIAGNOSIS_CODES = frozenset({"DE05.01.024.00"})


# Sections whose sender gives the code and LOINC's English words alone, as the samples of WS/T 500 do.
SECTIONS = {
    "10154-3": "主诉",
    "10164-2": "现病史",
    "11348-0": "既往史",
    "48765-2": "过敏史",
    "10160-0": "用药史",
    "11369-6": "预防接种史",
    "10157-6": "家族史",
    "29762-2": "个人史",
    "29545-1": "体格检查",
    "8716-3": "生命体征",
    "30954-2": "检查与检验",
    "29548-5": "诊断",
    "46241-6": "入院诊断",
    "8648-8": "诊疗经过",
    "11535-2": "出院诊断",
    "10183-2": "出院用药",
    "18776-5": "治疗计划",
    "47519-4": "手术与操作",
    "48768-6": "费用",
}


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of document: its number, name, the LOINC code of the same, and whether its parts are test results."""

    code: str
    title: str
    loinc: str
    loinc_name: str
    template: str
    results: bool = False


# Numbers beyond C0049 are from memory of the series' table of contents: docs/open-checks.md.
KINDS = {
    kind.code: kind
    for kind in (
        Kind("C0002", "门（急）诊病历", "34108-1", "Outpatient Note", f"{TEMPLATES}.22"),
        Kind("C0006", "检查报告", "18748-4", "Diagnostic imaging study", f"{TEMPLATES}.26", results=True),
        Kind("C0007", "检验报告", "11502-2", "Laboratory report", f"{TEMPLATES}.27", results=True),
        Kind("C0049", "出院记录", "18842-5", "Discharge summary", f"{TEMPLATES}.69"),
        Kind("C0053", "出院小结", "18842-5", "Discharge summary", f"{TEMPLATES}.73"),
    )
}
