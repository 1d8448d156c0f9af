"""Sensitive diagnoses that stand in a document's words alone: hospitals write them into histories without a code.

Which words count follows the value set of sensitive diagnoses (kernel/terminology/sensitivity.py); which of them deny is the platform's
choice and not verified. In doubt a document is veiled: a doctor opens it with a purpose, nobody takes back what was read.
"""

import re
from collections.abc import Iterator

VERIFIED = False
# By label, as a Chinese record writes them.
_WORDS = {
    "HIV": r"(?<![A-Za-z])HIV(?![A-Za-z])|艾滋病|人类免疫缺陷病毒",
    "PSY": r"精神分裂|双相(?:情感)?障碍|抑郁(?:症|障碍|发作)|焦虑(?:症|障碍)|精神障碍|躁狂",
    "STD": r"梅毒|淋病|尖锐湿疣|生殖器疱疹",
    "SEX": r"人工流产|药物流产|不孕症|不育症",
    "tuberculosis": r"肺结核|结核病|结核性|陈旧性结核",
}
_FOUND = {label: re.compile(words, re.IGNORECASE) for label, words in _WORDS.items()}
_PARTS = re.compile(r"[。；;，,\n！!]")
_DENIED = re.compile(r"否认|阴性|未见|未检出|排除|无[^。；，]{0,12}史|[(（]\s*[-－—]\s*[)）]")
_AFFIRMED = re.compile(r"阳性|确诊|[(（]\s*[+＋]\s*[)）]")
# A figure of a laboratory is no diagnosis: its mark says whether it is one.
_FIGURE = re.compile(r"[0-9]+\.[0-9]+")
# What a part of a sentence is compared with, and no finding.
_EXPECTED = re.compile(r"[(（]参考[^()（）]*[)）]")


def labels_in(texts: Iterator[str]) -> set[str]:
    """The labels of the diagnoses that these words tell of somebody, not those that they deny."""
    parts = (_EXPECTED.sub("", part) for text in texts for part in _PARTS.split(text))
    told = [part for part in parts if _AFFIRMED.search(part) or not (_DENIED.search(part) or _FIGURE.search(part))]
    return {label for label, words in _FOUND.items() if any(words.search(part) for part in told)}
