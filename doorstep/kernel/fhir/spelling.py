"""How Chinese is said: texts by their pinyin, and names of people with their surname read as one.

Some surnames are read otherwise than the character elsewhere: 曾 is céng in a text and Zēng as a name. A clerk who types
"zgf" for 曾国芳 has to find her. The readings are those of 现代汉语词典 (entries marked 姓); where a family may say either, the one more
often heard stands here.
"""

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from typing import Any

SURNAMES: Mapping[str, str] = {
    "曾": "zeng", "单": "shan", "解": "xie", "仇": "qiu", "查": "zha", "区": "ou", "朴": "piao", "乐": "yue", "翟": "zhai", "覃": "qin",
    "缪": "miao", "种": "chong", "员": "yun", "召": "shao", "卜": "bu", "郇": "xun", "繁": "po", "祭": "zhai", "折": "she", "佴": "nai",
    "乜": "nie", "阚": "kan", "洗": "xian", "秘": "bi", "句": "gou", "炅": "gui", "么": "yao", "都": "du",
}  # fmt: skip


def load() -> None:
    """Load the readings now, where a person would wait for them later: they take a third of a second and 50 MB."""
    _library()


def syllables(text: str) -> list[str]:
    """The syllables of a text without tones; what is not Chinese stays together as it is."""
    return list(_library().lazy_pinyin(text))


def initials(text: str) -> list[str]:
    """The first letter of each syllable of a text."""
    return list(_library().lazy_pinyin(text, style=_library().Style.FIRST_LETTER))


def of_name(name: str) -> list[str]:
    """The syllables of a person's name, the surname read as one: "曾国芳" gives zeng, guo, fang."""
    said = syllables(name)
    surname = SURNAMES.get(name[:1])
    # 单于 and 尉迟 are known whole: their first syllable is neither that of the character nor that of the surname 单.
    if surname and said[0] == syllables(name[0])[0]:
        said[0] = surname
    return said


def readings(name: str) -> list[list[str]]:
    """For each character of a name every way in which it is read anywhere."""
    library = _library()
    return [list(one) for one in library.pinyin(name, style=library.Style.NORMAL, heteronym=True, v_to_u=False)]


@cache
def _library() -> Any:
    # By its name, and not at the start: most processes never spell anything.
    return import_module("pypinyin")
