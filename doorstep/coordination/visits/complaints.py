"""Which symptoms a complaint names, in the words that village doctors write, and whether they cannot wait."""

import re
from typing import Final

# Symptom -> the words that name it. Only what cannot be meant otherwise: the doctor ticks the rest.
_WORDS: Final[dict[str, tuple[str, ...]]] = {
    "chest-pain": ("胸闷", "胸痛", "心前区疼", "心前区痛", "胸口疼", "胸口痛", "胸部疼痛"),
    "consciousness": ("意识不清", "意识模糊", "意识丧失", "昏迷", "晕厥", "晕倒"),
    "neurological": (
        "言语不清", "说话不清", "口齿不清", "吐字不清", "失语", "口角歪斜", "口眼歪斜", "嘴歪", "肢体无力", "肢体麻木", "偏身麻木",
        "偏瘫", "半身不遂",
    ),
    "dyspnoea": ("呼吸困难", "气促", "气短", "气急", "喘不上气", "不能平卧"),
    "oedema": ("下肢水肿", "下肢浮肿", "腿肿", "脚肿"),
    "sweating": ("大汗", "出汗", "冷汗"),
    "palpitation": ("心悸", "心慌"),
    "cyanosis": ("发绀", "口唇青紫", "嘴唇发紫"),
    "seizure": ("抽搐", "惊厥"),
    "heavy-bleeding": ("大出血",),
    "severe-injury": ("车祸", "高处坠落"),
    "reduced-movement": ("胎动减少", "胎动消失"),
}  # fmt: skip
# "无胸痛、气促" denies both: a denial holds to the end of its clause, commas of enumeration (、) included. "四肢无力" is a
# complaint and "无明显诱因出现胸闷" affirms one.
_CLAUSE: Final = re.compile(r"[，。；,;\n]")
_DENIED: Final = re.compile(r"无(?!力|明显诱因|诱因)|没有|未|否认|不伴")


def symptoms_in(complaint: str) -> list[str]:
    """The symptoms that a complaint affirms, in the order of the form; what follows a denial in its clause does not count.

    A suggestion for the boxes of a form: the doctor who sends it has them before the eyes.
    """
    affirmed = " ".join(_DENIED.split(clause, maxsplit=1)[0] for clause in _CLAUSE.split(complaint))
    return [code for code, words in _WORDS.items() if any(word in affirmed for word in words)]


# Of these an examination does not wait its turn.
_PRESSING: Final = frozenset(
    {"chest-pain", "consciousness", "neurological", "dyspnoea", "sweating", "cyanosis", "seizure"}
)


def is_pressing(complaint: str) -> bool:
    """Whether a complaint affirms something of which an examination does not wait; a suggestion for whoever asks for one."""
    return not _PRESSING.isdisjoint(symptoms_in(complaint))
