"""档案编号, 家庭住址 and 联系电话 of the stub of 双向转诊单 (国家基本公共卫生服务规范（第三版）): prefilled, checked, told.

They stand on the form as they were when it was sent: a later move or a new number changes the register, not the paper.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

from django.utils.translation import gettext as _

from doorstep.care.referrals.models import Referral
from doorstep.kernel.fhir import systems
from doorstep.kernel.fhir.elements import Json, extension
from doorstep.people.residents.models import Resident

FIELDS: Final = ("record_number", "patient_phone", "patient_address")
# Mobile, or landline with its area code and extension; 健康档案编号 has 17 digits, temporary ones letters as well.
PHONE: Final = re.compile(r"\+?[0-9][0-9 \-]{4,22}[0-9]")
NUMBER: Final = re.compile(r"[0-9A-Za-z\-]{4,24}")
# The parts of the FHIR extension, and the field of each.
_PARTS: Final = {"record-number": "record_number", "phone": "patient_phone", "address": "patient_address"}


def of_register(resident: Resident) -> dict[str, str]:
    """What the register knows now."""
    return {
        "record_number": resident.record_number,
        "patient_phone": resident.phone[:30],
        "patient_address": resident.address[:200],
    }


def faults(referral: Referral) -> dict[str, object]:
    """What is wrong with the form's contact, by field; whom nobody can name, or who goes by the green channel, may have none."""
    found: dict[str, object] = {}
    if referral.patient_phone and PHONE.fullmatch(referral.patient_phone) is None:
        found["patient_phone"] = _("联系电话应为手机号码，或带区号的座机号码。")
    if referral.record_number and NUMBER.fullmatch(referral.record_number) is None:
        found["record_number"] = _("档案编号由数字、字母和短横线组成，不超过 24 位。")
    at_once = referral.critical or referral.kind == Referral.Kind.GREEN
    unreachable = not referral.patient_phone.strip() and not referral.patient_address.strip()
    if unreachable and not at_once and not referral.resident.unidentified:
        found["patient_phone"] = _("请填写患者的联系电话；没有电话的，请填写家庭住址。")
    return found


def extensions(referral: Referral) -> list[Json]:
    """The contact as one extension of the ServiceRequest; none when nothing is known."""
    parts = [
        extension(part, valueString=str(getattr(referral, name)))
        for part, name in _PARTS.items()
        if getattr(referral, name)
    ]
    return [{"url": systems.REFERRAL_CONTACT, "extension": parts}] if parts else []


def said(given: Mapping[str, Any]) -> dict[str, str]:
    """The fields that an extension of a ServiceRequest says."""
    parts = {one.get("url"): str(one.get("valueString") or "").strip() for one in given.get("extension", [])}
    limits = {"record_number": 24, "patient_phone": 30, "patient_address": 200}
    return {name: parts[part][: limits[name]] for part, name in _PARTS.items() if parts.get(part)}
