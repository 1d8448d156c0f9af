"""What the labels of the national referral forms are called in English.

The form is Chinese by law and for whoever receives the patient; printed from an English page it carries the English beside its labels, so
that a colleague or a family who reads no Chinese finds the medicines and the warning signs. What doctors wrote stays as they wrote it.
"""

from typing import Final

ENGLISH: Final[dict[str, str]] = {
    "双向转诊（转出）单": "Two-way referral form: going out",
    "双向转诊（回转）单": "Two-way referral form: coming back",
    "档案编号": "Record number",
    "联系电话": "Telephone",
    "家庭住址": "Address",
    "转诊类型": "Kind",
    "转入科室": "To department",
    "初步印象": "Impression",
    "主要现病史（转出原因）": "Present illness (reason)",
    "主要既往史": "Past history",
    "妊娠与哺乳": "Pregnancy and nursing",
    "治疗经过": "Treatment",
    "随附资料": "Papers sent along",
    "接诊安排": "Arrangement",
    "预计到院": "Expected",
    "患者须知": "Instructions",
    "知情同意": "Consent",
    "转诊医师": "Referring doctor",
    "审核医师": "Reviewing doctor",
    "转出机构": "From",
    "日期": "Date",
    "去向": "Goes to",
    "诊断结果": "Diagnosis",
    "住院病案号": "Inpatient number",
    "主要检查结果": "Findings",
    "用药方案": "Medicines",
    "随访安排": "Follow-ups",
    "血压目标": "Target pressure",
    "康复建议": "Rehabilitation",
    "警示症状": "Warning signs",
    "答疑": "Questions to",
    "主管医师": "Attending doctor",
    "电话": "Telephone",
    "机构": "Unit",
}


def both(label: str, *, english: bool) -> str:
    """A label as it is printed: with the English beside it where the page is read in English."""
    # A form is never refused to a patient for want of a translation; a test holds every label of the forms against the table.
    return f"{label} {ENGLISH[label]}" if english and label in ENGLISH else label
