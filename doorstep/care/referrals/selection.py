"""Which entries of the record are ticked when a referral begins: what the receiving doctor needs for this matter, and no more.

Pure. 个人信息保护法 第六条 asks for the smallest scope that serves the purpose; the windows and words are the platform's own and
not verified. The sender sees every tick, changes it, or sends the whole record with one click.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

SOURCE = "个人信息保护法 第六条"
VERIFIED = False

# How far back results are relevant, and prescriptions current, in days.
RESULTS, PRESCRIPTIONS = 365, 90


@dataclass(frozen=True, slots=True)
class Matter:
    """A field of medicine: how its diagnoses begin (ICD-10), words in an impression, and words in the titles that belong to it."""

    codes: tuple[str, ...]
    words: tuple[str, ...]
    titles: tuple[str, ...]


MATTERS: tuple[Matter, ...] = (
    Matter(
        ("I0", "I1", "I2", "I3", "I4", "I5", "R07"),
        ("心", "高血压", "冠", "胸痛", "胸闷"),
        ("心", "冠", "肌钙", "血脂", "血压", "胸"),
    ),
    Matter(("I6", "G", "R47"), ("脑", "卒中", "癫痫", "头痛", "肢体"), ("头", "脑", "颈", "血脂", "心电")),
    Matter(("E10", "E11", "E13", "E14"), ("糖尿病", "血糖", "酮症"), ("糖", "尿", "眼", "足", "血脂")),
    Matter(("J", "R04", "R05", "R06"), ("肺", "咳", "喘", "呼吸", "支气管"), ("胸", "肺", "痰", "血气", "呼吸")),
    Matter(("O", "Z3", "P"), ("孕", "产", "胎", "新生儿"), ("孕", "产", "胎", "妇", "新生儿", "乙肝", "梅毒", "艾滋")),
    Matter(("S", "T"), ("外伤", "骨折", "创伤"), ("X线", "X 线", "CT", "骨", "超声")),
)
# What is looked at before any treatment.
_GENERAL = ("血常规", "生化", "肝功能", "肾功能", "凝血", "出院小结", "住院")


def is_preselected(line: Mapping[str, Any], *, on: date, day: date, impression: str, code: str) -> bool:
    """Whether an entry that was written `on` is ticked on a day, for a first impression with its ICD-10 code ("" where unknown)."""
    age = (day - on).days
    kind, title = str(line["reference"]).partition("/")[0], str(line["title"])
    if kind == "MedicationRequest":
        return age <= PRESCRIPTIONS
    if age > RESULTS:
        return False
    if kind == "Composition" or any(word in title for word in _GENERAL):
        return True
    matters = [one for one in MATTERS if code.startswith(one.codes) or any(word in impression for word in one.words)]
    # A matter that no table knows: what is missing could be what counts.
    return not matters or any(word in title for one in matters for word in one.titles)
