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
# A denial stands before what it denies, a negative result behind it: 抑郁症，否认自杀 denies no depression, even without the comma.
_DENIED = re.compile(r"否认|未见|未检出|排除|无(?=[^。；，]{0,20}史)")
_NEGATIVE = re.compile(r"阴性|未检出|[(（]\s*[-－—]\s*[)）]")
_AFFIRMED = re.compile(r"阳性|确诊|[(（]\s*[+＋]\s*[)）]")
# The figure of an antibody is no diagnosis: its mark says whether it is one. Any other figure may stand beside one.
_FIGURE = re.compile(r"(?:抗体|抗原|滴度)[^0-9]{0,20}[0-9]+\.[0-9]+")
# What a part of a sentence is compared with, and no finding.
_EXPECTED = re.compile(r"[(（]参考[^()（）]*[)）]")


def labels_in(texts: Iterator[str]) -> set[str]:
    """The labels of the diagnoses that these words tell of somebody, not those that they deny."""
    parts = [_EXPECTED.sub("", part) for text in texts for part in _PARTS.split(text)]
    return {label for label, words in _FOUND.items() if any(_tells(part, words) for part in parts)}


def _tells(part: str, words: re.Pattern[str]) -> bool:
    if _AFFIRMED.search(part):
        return words.search(part) is not None
    return any(
        not (_denied_before(part, found.start()) or _NEGATIVE.search(part, found.end()) or _FIGURE.search(part))
        for found in words.finditer(part)
    )


def _denied_before(part: str, place: int) -> bool:
    return any(one.end() <= place for one in _DENIED.finditer(part))
