"""门诊慢特病: diseases for which a fund pays outpatient care like an inpatient's, once somebody has been found to qualify. Pure.

The ten whose costs are settled across provinces (医保办发〔2021〕27号 and 医保办函〔2024〕81号: names from memory, not verified); each 统筹区 has a list
of its own, so that a disease outside them is written in words.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
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

_OTHER_MARK = "其他："
_TOLD = re.compile(r"([^（(]+)[（(]\s*([\d./-]+)\s*(?:[至~～]\s*([\d./-]+)\s*)?[）)]")


@dataclass(frozen=True, slots=True)
class Told:
    """A recognised disease as a list says it."""

    kind: str
    name: str
    since: date
    until: date | None


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


def told(*, kind: str, name: str, since: date, until: date | None) -> str:
    """A recognised disease as the column of a list says it: "高血压（2024-01-01）", "其他：帕金森病（2024-01-01至2026-12-31）"."""
    label = f"{_OTHER_MARK}{name}" if kind == OTHER else KINDS[kind]
    return f"{label}（{since}至{until}）" if until else f"{label}（{since}）"


def read(text: str, *, today: date) -> tuple[list[Told], str]:
    """The diseases of a column, separated by "；", each with its first and perhaps last day in brackets; and what is wrong, "" when nothing."""
    found: list[Told] = []
    for part in filter(None, (one.strip() for one in re.split("[；;]", text))):
        matched = _TOLD.fullmatch(part)
        days = [day for one in matched.group(2, 3) if one and (day := _day(one))] if matched else []
        if matched is None or len(days) != sum(one is not None for one in matched.group(2, 3)):
            return [], _(
                "“%(text)s”请写成“病种（起始日期）”或“病种（起始日期至终止日期）”，例如：高血压（2024-01-01）。"
            ) % {"text": part}
        name, since, until = matched.group(1).strip(), days[0], days[1] if len(days) > 1 else None
        other = re.fullmatch("(?:其他|其他病种)[：:](.+)", name)
        kind = OTHER if other else next((code for code, label in KINDS.items() if label == name and code != OTHER), "")
        if not kind:
            known = "、".join(label for code, label in KINDS.items() if code != OTHER)
            return [], _("“%(name)s”不在病种目录中，可填：%(known)s；目录以外的请写“其他：病种名称”。") % {
                "name": name,
                "known": known,
            }
        one = Told(kind=kind, name=" ".join(other.group(1).split())[:60] if other else "", since=since, until=until)
        wrong = faults(kind=one.kind, name=one.name, since=since, until=until, today=today)
        if wrong:
            return [], next(iter(wrong.values()))
        if any((one.kind, one.name) == (before.kind, before.name) for before in found):
            return [], _("“%(name)s”写了两次，请只保留一次。") % {"name": name}
        found.append(one)
    return found, ""


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat("-".join(part.zfill(2) for part in re.split(r"[-/.]", text.strip())))
    except ValueError:
        return None
