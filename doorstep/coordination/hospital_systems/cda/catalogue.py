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
