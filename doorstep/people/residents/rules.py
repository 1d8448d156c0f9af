"""Pure rules of identity: numbers, ages, masks, names in pinyin, and the key groups."""

import unicodedata
from dataclasses import dataclass
from datetime import date

from django.utils.translation import gettext as _
from stdnum.cn import ric

from doorstep.kernel.fhir import spelling

# 国家基本公共卫生服务规范（第三版） names the key groups of primary care.
GROUPS: dict[str, str] = {
    "elderly": "65 岁及以上老年人",
    "child": "0–6 岁儿童",
    "maternal": "孕产妇",
    "hypertension": "高血压患者",
    "diabetes": "2 型糖尿病患者",
    "copd": "慢阻肺患者",
    "mental": "严重精神障碍患者",
    "tuberculosis": "肺结核患者",
    "disabled": "残疾人",
    "low-income": "低收入与特困人员",
    "bereaved": "计划生育特殊家庭",
}

# GB/T 4761 names the kinship; a text that is none of these codes is shown as it was written.
RELATIONS: dict[str, str] = {
    "head": "户主",
    "spouse": "配偶",
    "child": "子女",
    "son": "儿子",
    "daughter": "女儿",
    "parent": "父母",
    "father": "父亲",
    "mother": "母亲",
    "grandchild": "孙子女",
    "grandparent": "祖父母",
    "sibling": "兄弟姐妹",
    "other": "其他",
}

# 民法典第十七条: who has reached 18 full years is of age.
ADULT_AT = 18

# Groups that the resident's own day does not say aloud: shown only on the record itself.
SENSITIVE_GROUPS = frozenset({"mental", "tuberculosis"})


def age_on(birth_date: date, day: date) -> int:
    """Full years on a day."""
    return day.year - birth_date.year - ((day.month, day.day) < (birth_date.month, birth_date.day))


# Full years of a mother on the day of the birth. Beyond the first pair nobody is believed (own choice: docs/open-checks.md); beyond the
# second, the ages of childbearing that statistics count (国家统计局《主要统计指标解释》，育龄妇女 15–49 岁), somebody looks again.
MOTHERS = (10, 70)
USUAL_MOTHERS = (15, 49)


def is_within(ages: tuple[int, int], mother: date, child: date) -> bool:
    """Whether a mother born on one day was between these ages on the day when the child was born."""
    return ages[0] <= age_on(mother, child) <= ages[1]


def mask_number(number: str) -> str:
    """A national id with its middle hidden: 439981********0024."""
    return f"{number[:6]}{'*' * (len(number) - 10)}{number[-4:]}" if len(number) > 10 else "*" * len(number)


def mask_phone(phone: str) -> str:
    """A phone number with its middle hidden: 199****1234."""
    return f"{phone[:3]}{'*' * (len(phone) - 7)}{phone[-4:]}" if len(phone) > 7 else "*" * len(phone)


@dataclass(frozen=True, slots=True)
class Spelled:
    """A name in pinyin and its initials."""

    pinyin: str
    initials: str


def spell(name: str) -> Spelled:
    """A Chinese name as it is typed: "周桂兰" gives "zhou gui lan" and "zgl"; other letters stay."""
    parts = [part.lower() for part in spelling.of_name(name) if part.strip()]
    return Spelled(" ".join(parts)[:120], "".join(part[0] for part in parts)[:20])


# Spaces, which lists set differently, and sounds that many people write or say alike, in the order in which they fall
# together: retroflex and flat initials, n and
# l, f and h, front and back nasal endings. The same pairs are folded in the database (`PanelEntry.sound`).
NEAR_SOUNDS = ((" ", ""), ("zh", "z"), ("sh", "s"), ("ch", "c"), ("ing", "in"), ("eng", "en"), ("l", "n"), ("f", "h"))


def sound(pinyin: str) -> str:
    """How a name sounds to an ear that does not tell near sounds apart: "zhou gui lan" and "zou guinan" give one text."""
    for one, other in NEAR_SOUNDS:
        pinyin = pinyin.replace(one, other)
    return pinyin


# What stands between the words of a name in Latin letters (Smith-Jones, 古丽·Smith), and what stands inside one (O'Brien).
WORD_ENDS, WORD_MARKS = "-,.·•/", "'’`"
_WORDS = str.maketrans(dict.fromkeys(WORD_ENDS, " ") | dict.fromkeys(WORD_MARKS, ""))


def words(name: str) -> list[str]:
    """The words of a name in Latin letters, small and without accents; the same are parted in the database (`PanelEntry.words`)."""
    letters = unicodedata.normalize("NFKD", name)
    return "".join(one for one in letters if not unicodedata.combining(one)).lower().translate(_WORDS).split()


@dataclass(frozen=True, slots=True)
class NumberFacts:
    """What a national id says of its holder."""

    birth_date: date
    gender: str


class NumberFault(ValueError):
    """The number cannot be a national id; the text says what to do."""


def read_number(number: str, *, today: date) -> NumberFacts:
    """Birth date and sex in an 18-character national id (GB 11643-1999); raises NumberFault with a sentence.

    The place of the first six digits is not checked: divisions come and go, numbers stay.
    """
    number = "".join(number.split()).upper()
    if len(number) != 18 or not number[:17].isascii() or not number[:17].isdecimal() or number[17] not in "0123456789X":
        raise NumberFault("身份证号应为 18 位：前 17 位是数字，末位是数字或 X。请核对后重新填写或刷卡。")
    try:
        born = date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError as error:
        raise NumberFault("身份证号第 7–14 位不是有效的出生日期，请核对。") from error
    if not date(1880, 1, 1) <= born <= today:
        raise NumberFault("身份证号中的出生日期不在合理范围内，请核对第 7–14 位。")
    if ric.calc_check_digit(number) != number[17]:
        raise NumberFault("身份证号的校验位不符，通常是有一位输错了，请逐位核对或改用刷卡。")
    return NumberFacts(born, "male" if int(number[16]) % 2 else "female")


def is_whole_number(text: str) -> bool:
    """Whether a text has the shape of a whole national id; a fragment never has."""
    return len(text) == 18 and text[:17].isascii() and text[:17].isdecimal() and text[17] in "0123456789Xx"


def is_whole_phone(text: str) -> bool:
    """Whether a text has the shape of a whole mobile number."""
    return len(text) == 11 and text.isdecimal() and text[0] == "1"


def is_whole_record(text: str) -> bool:
    """Whether a text has the shape of a record number as the house gives them: L and eleven digits."""
    return len(text) == 12 and text[0] in "Ll" and text[1:].isascii() and text[1:].isdecimal()


def phone_fault(phone: str) -> str:
    """What is wrong with a telephone number, with its cure; "" when nothing is, or none was given."""
    if not phone or (phone.isascii() and phone.isdecimal() and 7 <= len(phone) <= 12):
        return ""
    return _("电话应为 11 位手机号或带区号的座机号，只填数字。")


def mother_fault(holder: NumberFacts, born: date) -> str:
    """Why the holder of a number cannot be the mother of a child born on this day; empty when she can."""
    if holder.gender != "female":
        return _("这个身份证号的持有人是男性，请填写母亲的身份证号。")
    if is_within(MOTHERS, holder.birth_date, born):
        return ""
    if born <= holder.birth_date:
        return _("按身份证号，她比孩子还晚出生。请核对母亲的身份证号和孩子的出生日期。")
    said = _(
        "按身份证号，她在孩子出生那天 %(age)s 岁，不像是母亲。请核对母亲的身份证号和孩子的出生日期；是祖辈的号码，请改填母亲的。"
    )
    return said % {"age": age_on(holder.birth_date, born)}


# Nobody on record has lived longer than 122 years: what is older is a slip of the year.
OLDEST_YEARS = 130


def birth_fault(day: date, *, today: date) -> str:
    """Why a birth date cannot be; empty when it can. Pure."""
    if day > today:
        return _("出生日期不能晚于今天，请核对。")
    if day.year < today.year - OLDEST_YEARS:
        return _("按这个出生日期已超过 130 岁，请核对年份。")
    return ""
