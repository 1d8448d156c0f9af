"""Which results that exist already need not be repeated: a window of days by kind of examination.

Pure. 医疗机构检查检验结果互认管理办法（国卫医发〔2022〕6号）leaves the windows to the region; these are the platform's defaults and not
verified. The doctor's judgement stands above the mark.
"""

import re
from dataclasses import dataclass
from datetime import date

from django.utils.translation import gettext as _

SOURCE = "国卫医发〔2022〕6号"
VERIFIED = False
# R4 states of a report whose words stand.
FINAL = frozenset({"final", "amended", "corrected", "appended"})


@dataclass(frozen=True, slots=True)
class Window:
    """Results whose LOINC code or title fits are recognised for so many days.

    `letters` are words of Latin letters, which count only when no other letter touches them: CT stands in PCT and CTNI too.
    """

    days: int
    codes: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    kind: str = ""
    letters: frozenset[str] = frozenset()


_LATIN = re.compile(r"[A-Za-z0-9]+")
_IMAGES = frozenset({"CT", "CTA", "CTU", "CTV", "CTPA", "HRCT", "LDCT", "MR", "MRI", "MRA", "MRV", "MRCP", "DR"})
_BARE = _IMAGES | {"胸部", "X线", "超声", "彩超", "磁共振", "生化"}
WINDOWS: tuple[Window, ...] = (
    # The report's code, and the code by which one is ordered.
    Window(7, ("11524-6", "34534-8"), ("心电",), "ecg"),
    Window(30, (), ("胸部", "X线", "X 线", "超声", "磁共振"), "imaging", _IMAGES),
    Window(7, (), ("血常规", "尿常规"), "routine"),
    Window(90, (), ("乙肝", "丙肝", "艾滋", "梅毒"), "infection"),
    Window(30, (), ("甲状腺", "肿瘤标志物"), "endocrine"),
    Window(14, (), ("生化", "肝功能", "肾功能", "血脂", "血糖", "糖化"), "chemistry"),
)
KINDS: dict[str, str] = {
    "ecg": "心电图",
    "imaging": "影像与超声",
    "routine": "血尿常规",
    "infection": "感染标志物",
    "endocrine": "甲状腺与肿瘤标志物",
    "chemistry": "生化检验",
}

# When an examination may be repeated although a result stands (国卫医发〔2022〕6号, the cases as the health commission told the press;
# the words of the article are not verified). The receiving doctor's judgement is the standard.
REASONS: dict[str, str] = {
    "R1": "病情变化，结果与临床表现或诊断不符，难以满足诊疗需求",
    "R2": "结果在疾病演变过程中变化较快",
    "R3": "项目对疾病诊疗意义重大（如手术、输血等重大医疗措施前）",
    "R4": "急诊、急救等紧急状态",
    "R5": "涉及司法、伤残、病退等鉴定",
    # Quality is what recognition rests on; regions list it as a ground of its own.
    "R6": "结果质量不符合要求（图像、标本、部位或项目不符，未通过室间质评等）",
    "R9": "其他确需复查的情形",
}
OTHER_REASON = "R9"
# What these mean in the case stands in words.
IN_WORDS = frozenset({"R6", OTHER_REASON})


def reason_faults(*, reason: str, words: str) -> dict[str, str]:
    """What is wrong with the ground of a repeat: a sentence per field with its cure; empty when all is well."""
    if reason not in REASONS:
        return {"repeat_reason": _("已有可互认的结果。需要重复检查时，请选择理由；否则请点“认可结果，不再检查”。")}
    if reason in IN_WORDS and not words.strip():
        return {"repeat_words": _("请写明重复检查的理由：质量哪里不符合，或其他情形。")}
    return {}


def window(*, code: str, title: str) -> Window | None:
    """The window that a kind of examination falls into; None when the list does not name it."""
    letters = set(_LATIN.findall(title.upper()))
    return next(
        (
            one
            for one in WINDOWS
            if code in one.codes or any(word in title for word in one.words) or letters & one.letters
        ),
        None,
    )


# What says nothing of what was examined, and what makes another examination of an electrocardiogram.
_NOISE = re.compile(r"报告单?|检查|检验|[\s（）()\[\]【】、,，+＋_-]")
_OTHER_ECG = ("动态", "运动", "平板", "Holter", "HOLTER")


def same_item(*, wanted: tuple[str, str], done: tuple[str, str]) -> bool:
    """Whether a result (code, title) is one of the item that is wanted: the same kind is not enough.

    国卫医发〔2022〕6号 recognises items: an X-ray of the chest replaces no CT of the head, and no test for hepatitis one for HIV.
    """
    kind = window(code=wanted[0], title=wanted[1])
    if kind is None or kind != window(code=done[0], title=done[1]):
        return False
    if kind.kind == "ecg":
        return _is_plain(wanted[1]) == _is_plain(done[1])
    if wanted[0] and wanted[0] == done[0]:
        return True
    asked, had = (_NOISE.sub("", title).upper() for title in (wanted[1], done[1]))
    # "血常规" is answered by "血常规（五分类）", and no bare modality ("CT") by any picture that was made with it.
    return bool(asked) and (asked == had or (asked in had and asked not in _BARE))


def _is_plain(title: str) -> bool:
    return not any(word in title for word in _OTHER_ECG)


def window_of(*, code: str, title: str) -> int | None:
    """For how many days a result of this kind is recognised; None when the list does not name it."""
    found = window(code=code, title=title)
    return None if found is None else found.days


def is_recognised(*, code: str, title: str, final: bool, on: date, day: date) -> bool | None:
    """Whether a result is recognised on a day: None when its kind is not on the list."""
    days = window_of(code=code, title=title)
    if days is None:
        return None
    return final and 0 <= (day - on).days <= days
