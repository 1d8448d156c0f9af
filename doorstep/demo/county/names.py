"""Invented personal names with pinyin: surname and given-name tables by sex and generation, drawn per batch."""

from dataclasses import dataclass
from functools import cache

import numpy as np

from doorstep.demo.county.columns import Array, texts
from doorstep.kernel.fhir import spelling

# Common surnames, most frequent first; weights fall like 1/(rank + 6), which is near the national picture [own choice].
SURNAMES = tuple(
    "李王张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎余潘杜戴夏钟汪田任姜范方石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段钱汤尹黎易常武乔贺赖龚文"
)
# Characters of the first and the second place, by generation (born before 1965, 1965–1994, since 1995) and sex.
_MALE = (
    (
        "建国志文德长福永金国正新玉光春家云成清祥明世友",
        "华民强生财贵根发才林安平军良山海田东明清云水初",
    ),
    (
        "志建永伟海小国文立少晓俊宏光勇红新世向泽云利",
        "强军平伟明勇辉斌峰华刚波涛杰飞鹏林兵亮文雄龙",
    ),
    (
        "子浩宇俊梓博嘉天一家思雨泽奕明昊文承睿铭晨瑞",
        "轩涵宇然睿杰豪泽航辰逸阳博霖哲凡旭毅鑫文涛皓",
    ),
)
_FEMALE = (
    (
        "桂秀玉春淑翠菊金美凤月雪冬满银素云腊新爱元莲",
        "英兰华珍芳莲香娥云秀梅芝连珠妹姣桃枝元清容辉",
    ),
    (
        "丽晓红艳海小春雪玉志燕冬秋美文爱桂慧立利建亚",
        "红梅霞燕娟萍丽玲芳英敏华平琴艳群兰辉云琼珍娜",
    ),
    (
        "欣梓雨思佳诗子雅可若紫语心怡晨依梦婉嘉芷书静",
        "涵怡萱琪妍欣彤颖悦雯瑶琳雪婷玥瑜菲宁然溪茜妤",
    ),
)
GENERATION_STARTS = np.array(["1965-01-01", "1995-01-01"], dtype="datetime64[D]")


@dataclass(frozen=True, slots=True)
class GivenNames:
    """All given names of one table ; they are drawn evenly."""

    hanzi: Array
    pinyin: Array
    initials: Array


def spell(name: str) -> tuple[str, str]:
    """Pinyin and initials of one full name: 周桂兰 -> ("zhou guilan", "zgl")."""
    surname = spelling.of_name(name[0])[0]
    given = spelling.syllables(name[1:])
    return f"{surname} {''.join(given)}", surname[0] + "".join(part[0] for part in given)


@cache
def surname_weights() -> Array:
    """Cumulative weights of `SURNAMES`, ending at 1."""
    weights = 1.0 / (np.arange(len(SURNAMES)) + 6.0)
    return np.asarray(np.cumsum(weights) / weights.sum())


def draw_surnames(rng: np.random.Generator, count: int) -> Array:
    """Indices into `SURNAMES`."""
    drawn = np.searchsorted(surname_weights(), rng.random(count), side="right")
    return np.asarray(np.minimum(drawn, len(SURNAMES) - 1).astype(np.int16))


@cache
def _surname_tables() -> GivenNames:
    pinyin = [spelling.of_name(surname)[0] for surname in SURNAMES]
    return GivenNames(
        texts(SURNAMES),
        texts([f"{part} " for part in pinyin]),
        texts([part[0] for part in pinyin]),
    )


@cache
def _given_tables() -> tuple[GivenNames, Array, Array]:
    """One table of all given names, with start and length of each of the six groups (generation × 2 + male)."""
    hanzi: list[str] = []
    starts: list[int] = []
    for generation in range(3):
        for group in (_FEMALE[generation], _MALE[generation]):
            starts.append(len(hanzi))
            hanzi += [first + second for first in group[0] for second in group[1] if first != second]
            hanzi += list(group[1])
    character = {one: spelling.syllables(one)[0] for one in sorted({part for name in hanzi for part in name})}
    pinyin = ["".join(character[part] for part in name) for name in hanzi]
    initials = ["".join(character[part][0] for part in name) for name in hanzi]
    lengths = np.diff(np.r_[np.array(starts), len(hanzi)])
    return (
        GivenNames(texts(hanzi), texts(pinyin), texts(initials)),
        np.array(starts),
        lengths,
    )


@cache
def given_characters() -> tuple[str, ...]:
    """Every character of the given names."""
    return tuple(sorted({character for group in (*_MALE, *_FEMALE) for part in group for character in part}))


def draw_names(rng: np.random.Generator, surnames: Array, males: Array, births: Array) -> tuple[Array, Array, Array]:
    """Full names, pinyin ("zhou guilan") and initials ("zgl") for a batch of people."""
    given, starts, lengths = _given_tables()
    group = np.searchsorted(GENERATION_STARTS, births, side="right") * 2 + males
    index = starts[group] + (rng.random(len(surnames)) * lengths[group]).astype(np.int64)
    family = _surname_tables()
    return (
        family.hanzi[surnames] + given.hanzi[index],
        family.pinyin[surnames] + given.pinyin[index],
        family.initials[surnames] + given.initials[index],
    )
