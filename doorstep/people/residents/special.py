"""门诊慢特病: diseases for which a fund pays outpatient care like an inpatient's, once somebody has been found to qualify. Pure.

The ten whose costs are settled across provinces (医保办发〔2021〕27号 and 医保办函〔2024〕81号: names from memory, not verified); each 统筹区 has a list
of its own, so that a disease outside them is written in words.
"""

import re
from collections.abc import Iterable
from datetime import date

from django.utils.translation import gettext as _

OTHER = "other"
KINDS: dict[str, str] = {
    "hypertension": "高血压",
    "diabetes": "糖尿病",
    "tumour": "恶性肿瘤门诊治疗",
    "dialysis": "尿毒症透析",
    "transplant": "器官移植术后抗排异治疗",
    "copd": "慢性阻塞性肺疾病",
    "rheumatoid": "类风湿关节炎",
    "coronary": "冠心病",
    "hepatitis": "病毒性肝炎",
    "spondylitis": "强直性脊柱炎",
    OTHER: "其他病种",
}
# Said aloud to nobody who has not opened the sensitive entries.
SENSITIVE = frozenset({"hepatitis"})
_COUNTY = re.compile(r"(?:省|市|州|盟|自治区|^)([^省市州盟区县旗\s]{1,8}(?:自治县|自治旗|县|旗|区|市))")


def faults(*, kind: str, name: str, since: date | None, until: date | None, today: date) -> dict[str, str]:
    """What is wrong with a statement: a sentence per field with its cure; empty when all is well."""
    found: dict[str, str] = {}
    if kind not in KINDS:
        found["kind"] = _("请从列表中选择病种。")
    if kind == OTHER and not name.strip():
        found["name"] = _("请填写认定书上的病种名称。")
    if since is None:
        found["since"] = _("请填写待遇开始日期，见认定书或医保电子凭证。")
    elif since > today:
        found["since"] = _("待遇开始日期不能晚于今天，请核对认定书。")
    if since and until and until < since:
        found["until"] = _("终止日期不能早于起始日期，请核对两者。")
    return found


def words(*, kind: str, name: str = "") -> str:
    """The disease in the reader's language."""
    return name if kind == OTHER and name else _(KINDS.get(kind, kind))


def place_of(texts: Iterable[str]) -> str:
    """The county that an address or the name of a unit begins with, in the order given: where somebody is most likely insured."""
    for text in texts:
        found = _COUNTY.search(text)
        if found:
            return found.group(1)
    return ""
