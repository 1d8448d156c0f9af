"""Pure rules of identity: numbers, ages, masks, names in pinyin, and the key groups."""

from dataclasses import dataclass
from datetime import date

from pypinyin import Style, lazy_pinyin

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

# Groups that the resident's own day does not say aloud: shown only on the record itself.
SENSITIVE_GROUPS = frozenset({"mental", "tuberculosis"})


def age_on(birth_date: date, day: date) -> int:
    """Full years on a day."""
    return day.year - birth_date.year - ((day.month, day.day) < (birth_date.month, birth_date.day))


def age_text(birth_date: date, day: date) -> str:
    """The age as a doctor writes it: days, months below three years, then years."""
    days = (day - birth_date).days
    if days < 60:
        return f"{max(days, 0)}天"
    months = (day.year - birth_date.year) * 12 + day.month - birth_date.month - (day.day < birth_date.day)
    if months < 36:
        return f"{months}月龄"
    return f"{age_on(birth_date, day)}岁"


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
    parts = [part.lower() for part in lazy_pinyin(name, style=Style.NORMAL) if part.strip()]
    return Spelled(" ".join(parts)[:120], "".join(part[0] for part in parts)[:20])
