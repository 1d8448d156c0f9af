"""The national forms 双向转诊（转出）单 and 双向转诊（回转）单 (国家基本公共卫生服务规范（第三版）) as PDF with a QR code."""

import base64
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from django.utils import timezone, translation

from doorstep.care.referrals import down_aims, expecting, texts
from doorstep.care.referrals.destination import bound_for
from doorstep.care.referrals.models import RecoveryPlan, Referral
from doorstep.care.referrals.paper_words import ENGLISH, both
from doorstep.kernel.files.printing import code_svg, typeset
from doorstep.kernel.web import formats
from doorstep.people.residents.models import Resident

_PNG: Final = "data:image/png;base64,"
_PNG_HEAD: Final = b"\x89PNG\r\n\x1a\n"
_TEMPLATE: Final = Path(__file__).with_name("paper.typ")


def referral_form(referral: Referral, *, token: str) -> bytes:
    """The form that goes with the patient; the code holds the signed key and nothing of the person."""
    # The form is Chinese whoever prints it.
    with translation.override("zh-hans"):
        bound, pregnancy = bound_for(referral), expecting.words_of(referral)
    arrangement = (
        ("接诊安排", referral.appointment_text or "由转诊中心安排"),
        ("预计到院", _moment(referral.expected_at)),
        ("患者须知", referral.instructions),
    )
    return _compile(
        title="双向转诊（转出）单",
        request="因病情需要，需转入贵单位，请予以接诊。",
        referral=referral,
        token=token,
        scan="到院扫码报到",
        to=_name(referral.target),
        rows=[
            ("转诊类型", str(Referral.Kind(referral.kind).label) + ("（危急）" if referral.critical else "")),
            ("转入科室", bound),
            ("初步印象", f"{referral.impression} {referral.impression_code}".strip()),
            ("主要现病史（转出原因）", referral.present_illness),
            ("主要既往史", referral.history),
            *([("妊娠与哺乳", pregnancy)] if referral.pregnancy else []),
            ("治疗经过", referral.treatment),
            ("随附资料", "、".join(line["title"] for line in referral.packet)),
            *arrangement,
            ("知情同意", f"{referral.consent_signer}（{texts.RELATIONS.get(referral.consent_relation, '')}）"
             f" {_moment(referral.consent_signed_at)}"),
        ],
        foot=[
            ("转诊医师", f"{referral.referrer.name} {referral.referrer_phone}".strip()),
            ("审核医师", referral.reviewer.name if referral.reviewer else "—"),
            ("转出机构", _name(referral.source)),
            ("日期", _moment(referral.submitted_at)),
        ],
        at=referral.accepted_at or referral.created_at,
    )  # fmt: skip


def return_form(referral: Referral, plan: RecoveryPlan, *, token: str) -> bytes:
    """The form that goes home with the patient: summary, medicines, follow-ups, warning signs, who answers.

    Its code opens the case at the unit that takes the patient back; it says nothing of the patient.
    """
    medicines = "\n".join(_medicine(line) for line in plan.medicines)
    return _compile(
        title="双向转诊（回转）单",
        request="因病情稳定，现转回贵单位，请予以接诊。",
        referral=referral,
        token=token,
        scan="承接机构扫码查看",
        to=_name(referral.receiver) if referral.receiver else "基层承接机构",
        rows=[
            ("去向", down_aims.AIMS[referral.goes_to].text if referral.goes_to else "—"),
            ("诊断结果", f"{referral.discharge_diagnosis} {referral.discharge_code}".strip()),
            ("住院病案号", referral.inpatient_number or "—"),
            ("主要检查结果", referral.findings),
            ("治疗经过", referral.discharge_summary),
            ("用药方案", medicines or "无"),
            ("随访安排", "、".join(f"出院后第 {day} 天" for day in plan.follow_up_days)),
            ("血压目标", f"<{plan.target_systolic}/{plan.target_diastolic} mmHg" if plan.target_systolic else "—"),
            ("康复建议", "\n".join(part for part in (plan.rehabilitation, plan.diet) if part)),
            ("警示症状", "；".join(plan.warning_signs)),
            ("答疑", f"{plan.contact_name} {plan.contact_phone}"),
        ],
        foot=[
            ("主管医师", referral.attending.name if referral.attending else "—"),
            ("电话", plan.contact_phone),
            ("机构", _name(referral.target)),
            ("日期", _moment(referral.discharged_at)),
        ],
        at=referral.discharged_at or referral.created_at,
    )


def _compile(
    *,
    title: str,
    request: str,
    referral: Referral,
    token: str,
    scan: str,
    to: str,
    rows: list[tuple[str, str]],
    foot: list[tuple[str, str]],
    at: datetime,
) -> bytes:
    in_english = (translation.get_language() or "").startswith("en")
    # The form is Chinese whoever prints it, and a newborn of three days is not "0 岁".
    with translation.override("zh-hans"):
        age = formats.age(referral.patient_birth_date, timezone.localdate(at))
    facts: dict[str, Any] = {
        "title": title,
        "title_en": ENGLISH.get(title, "") if in_english else "",
        "request": request,
        "number": referral.number,
        "to": to,
        "name": referral.patient_name,
        "sex": str(Resident.Gender(referral.patient_gender).label),
        "stub": [
            [both("档案编号", english=in_english), referral.record_number or "—"],
            [both("联系电话", english=in_english), referral.patient_phone or "—"],
            [both("家庭住址", english=in_english), referral.patient_address or "—"],
        ],
        "age": age,
        "rows": [[both(label, english=in_english), text or "—"] for label, text in rows],
        "foot": [[both(label, english=in_english), text] for label, text in foot],
        "coded": bool(token),
        "scan": scan,
        "signed": bool(drawn := _signature(referral.consent_signature)),
    }
    return typeset(
        _TEMPLATE, facts=facts, at=at, drawings={"code": code_svg(token) if token else "", "signature": drawn}
    )


def _signature(kept: str) -> str:
    """The signature that was drawn on the page as a drawing of the paper; "" when nothing, or nothing that can be read, was kept."""
    if not kept.startswith(_PNG):
        return ""
    try:
        head = base64.b64decode(kept.removeprefix(_PNG), validate=True)[: len(_PNG_HEAD)]
    except ValueError:
        return ""
    if head != _PNG_HEAD:
        return ""
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 600 180" width="600" height="180">'
        f'<image width="600" height="180" href="{kept}"/></svg>'
    )


def _name(organization: Any) -> str:
    return organization.name if organization else "—"


def _moment(value: datetime | None) -> str:
    return f"{timezone.localtime(value):%Y-%m-%d %H:%M}" if value else "—"


def _medicine(line: Mapping[str, Any]) -> str:
    """A line of treatment as people read it: the strength of a tablet beside the dose would be read as twice as much."""
    dose = str(line.get("dose") or "").strip()
    parts = (
        str(line.get("name") or ""),
        f"每次 {dose}" if dose and not dose.startswith("每") else dose,
        texts.FREQUENCIES.get(str(line.get("frequency")), ""),
        f"共 {line['days']} 天" if line.get("days") else "",
    )
    words = "，".join(part for part in parts if part)
    return f"{words}（{line['note']}）" if line.get("note") else words
