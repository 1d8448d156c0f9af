"""What the national form 双向转诊（转出）单 must hold, checked part by part. Pure.

国家基本公共卫生服务规范（第三版），双向转诊（转出）单. What must be there stops the submission; what should be there is pointed out.
"""

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_noop


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the form: its name, whether it is there, whether the referral cannot go without it."""

    name: str
    there: bool
    must: bool


def check(referral: Any) -> list[Part]:
    """Every part of the form as it stands now, in the order of the form; `referral` has the columns of a Referral."""
    return [
        Part(gettext_noop("转入机构"), referral.target_id is not None, True),
        Part(gettext_noop("患者姓名、性别、年龄"), bool(referral.patient_name), True),
        Part(gettext_noop("联系电话"), bool(referral.patient_phone.strip()), False),
        Part(gettext_noop("家庭住址"), bool(referral.patient_address.strip()), False),
        Part(gettext_noop("档案编号"), bool(referral.record_number.strip()), False),
        Part(gettext_noop("初步印象"), bool(referral.impression.strip()), True),
        Part(gettext_noop("主要现病史（转出原因）"), bool(referral.present_illness.strip()), True),
        Part(gettext_noop("主要既往史"), bool(referral.history.strip()), False),
        Part(gettext_noop("治疗经过"), bool(referral.treatment.strip()), False),
        Part(gettext_noop("转诊医师与联系电话"), bool(referral.referrer_phone.strip()), False),
        Part(gettext_noop("审核医师"), referral.reviewer_id is not None, True),
        Part(gettext_noop("随附资料"), bool(referral.packet), False),
    ]
