"""Pure rules of identity documents: what kinds there are, what a whole number of each looks like, how it is masked."""

import re
from dataclasses import dataclass
from datetime import date

from doorstep.people.residents.rules import NumberFacts, NumberFault, mask_number, read_number

NATIONAL_ID = "national-id"
PASSPORT = "passport"
# 港澳台居民居住证申领发放办法（国办发〔2018〕81号）: 18 digits as in GB 11643, the first six name the place.
HMT_PERMIT = "hmt-permit"
# 外国人永久居留身份证: 15 characters until 2023, 18 digits beginning with 9 since then (国家移民管理局公告 2023年第3号).
FOREIGN_PERMIT = "foreign-permit"

KINDS: dict[str, str] = {
    NATIONAL_ID: "居民身份证",
    PASSPORT: "护照",
    HMT_PERMIT: "港澳台居民居住证",
    FOREIGN_PERMIT: "外国人永久居留身份证",
}
# A number that was the person's until another took its place: it finds the same person, and is nobody else's.
OLD_ID = "old-id"
OLD_DOCUMENT = "old-document"
FINDING = (*KINDS, OLD_ID, OLD_DOCUMENT)
OTHERS = (PASSPORT, HMT_PERMIT, FOREIGN_PERMIT)

_HMT_PLACES = ("810000", "820000", "830000")
# ICAO Doc 9303-3: the number of a travel document has at most nine letters and digits.
_PASSPORT = re.compile(r"[A-Z0-9]{5,9}")
_OLD_FOREIGN_PERMIT = re.compile(r"[A-Z]{3}\d{12}")
_COUNTRY = re.compile(r"[A-Z]{3}")

# Three letters of ISO 3166-1 as they stand in a passport; XXX is ICAO's code where none is stated.
COUNTRIES: dict[str, str] = {
    "CHN": "中国",
    "AUS": "澳大利亚",
    "BGD": "孟加拉国",
    "BRA": "巴西",
    "CAN": "加拿大",
    "DEU": "德国",
    "EGY": "埃及",
    "ESP": "西班牙",
    "FRA": "法国",
    "GBR": "英国",
    "IDN": "印度尼西亚",
    "IND": "印度",
    "IRN": "伊朗",
    "ITA": "意大利",
    "JPN": "日本",
    "KAZ": "哈萨克斯坦",
    "KHM": "柬埔寨",
    "KOR": "韩国",
    "LAO": "老挝",
    "MMR": "缅甸",
    "MNG": "蒙古",
    "MYS": "马来西亚",
    "NGA": "尼日利亚",
    "NPL": "尼泊尔",
    "NZL": "新西兰",
    "PAK": "巴基斯坦",
    "PHL": "菲律宾",
    "PRK": "朝鲜",
    "RUS": "俄罗斯",
    "SGP": "新加坡",
    "THA": "泰国",
    "UKR": "乌克兰",
    "USA": "美国",
    "UZB": "乌兹别克斯坦",
    "VNM": "越南",
    "XXX": "其他或未注明",
}


@dataclass(frozen=True, slots=True)
class DocumentFacts:
    """What a document's number says: birth date and sex where the number holds them, and the clean number."""

    number: str
    holder: NumberFacts | None


class CountryFault(NumberFault):
    """The number can be one of a passport, but nobody said whose; the text says what to do."""


def clean(number: str) -> str:
    """A number as it is compared: without spaces, in capitals."""
    return "".join(number.split()).upper()


def read_document(kind: str, number: str, *, country: str = "", today: date) -> DocumentFacts:
    """Read a document's number; raises NumberFault with a sentence that says what to do."""
    number = clean(number)
    if kind == NATIONAL_ID:
        return DocumentFacts(number, read_number(number, today=today))
    if kind == PASSPORT:
        if not _PASSPORT.fullmatch(number) or not any(character.isdecimal() for character in number):
            raise NumberFault("护照号码应为 5 至 9 位字母和数字，请按护照资料页右上角填写。")
        if not _COUNTRY.fullmatch(country):
            raise CountryFault("请选择护照的签发国家：不同国家的护照可能号码相同。")
        return DocumentFacts(number, None)
    if kind == HMT_PERMIT:
        if number[:6] not in _HMT_PLACES:
            raise NumberFault("港澳台居民居住证号码应为 18 位，以 810000、820000 或 830000 开头，请核对。")
        return DocumentFacts(number, read_number(number, today=today))
    if kind == FOREIGN_PERMIT:
        if _OLD_FOREIGN_PERMIT.fullmatch(number):
            return DocumentFacts(number, None)
        if len(number) != 18 or not number.startswith("9"):
            raise NumberFault("永久居留身份证号码应为 18 位、以 9 开头，旧版为 3 个字母加 12 位数字，请核对。")
        return DocumentFacts(number, read_number(number, today=today))
    raise NumberFault("请从列表中选择证件类型。")


def is_whole_document(text: str) -> bool:
    """Whether a text has the shape of a whole number of a passport or permit; it is then compared whole, never in part."""
    text = clean(text)
    shaped = _PASSPORT.fullmatch(text) or _OLD_FOREIGN_PERMIT.fullmatch(text)
    return bool(shaped) and any(character.isdecimal() for character in text)


def mask_document(number: str) -> str:
    """A number with its middle hidden: E1****678; one of 18 digits like a national id."""
    if len(number) > 10:
        return mask_number(number)
    return f"{number[:2]}{'*' * (len(number) - 5)}{number[-3:]}" if len(number) > 5 else "*" * len(number)
