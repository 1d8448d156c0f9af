"""Does a recording belong to the person it is filed under?"""

from dataclasses import dataclass
from datetime import date
from itertools import islice, product
from typing import Final, Literal

from doorstep.care.diagnosis.ecg.recording import PatientFacts, Recording, Sex
from doorstep.kernel.fhir import spelling

Fact = Literal["national_id", "name", "birth_date", "sex", "nothing"]
_NO_NAME: Final = frozenset(
    {"", "anonymous", "anonym", "unknown", "noname", "test", "patient", "匿名", "未知", "无名", "无名氏", "患者"}
)
_READINGS_TRIED: Final = 256
_SEX_WORDS: Final = {"male": ("男", "male"), "female": ("女", "female")}


@dataclass(frozen=True)
class Mismatch:
    """A difference between file and resident. `refuses`: the file is another person's; otherwise a warning to
    look at."""

    fact: Fact
    refuses: bool
    zh: str
    en: str


def check_identity(
    recording: Recording, *, national_id: str | None, name: str, birth_date: date | None, sex: Sex | None
) -> Mismatch | None:
    """The most serious difference between the file's person and the resident given, or None when they agree.

    A national id in the file decides alone. Without one, name (characters, or pinyin in any order) and birth
    date decide.
    A different sex, a name without a birth date, or nothing to compare only warns: carts are often left on
    their defaults.
    """
    patient = recording.patient
    if patient.national_id and national_id:
        if patient.national_id == national_id.strip().upper():
            return None
        return _refusal(
            "national_id", f"证件号尾号 {patient.national_id[-4:]}", f"id ending {patient.national_id[-4:]}"
        )
    named = _is_named(patient)
    if named and not same_name(patient.name or "", name):
        return _refusal("name", f"姓名“{patient.name}”", f"name “{patient.name}”")
    if patient.birth_date and birth_date and patient.birth_date != birth_date:
        return _refusal("birth_date", f"出生日期 {patient.birth_date}", f"birth date {patient.birth_date}")
    return _warning(patient, named, birth_date, sex)


def same_name(found: str, expected: str) -> bool:
    """Whether a name in a file (characters, or pinyin in any order and spacing) can be the expected Chinese name."""
    groups = [_letters(group) for group in found.split("=")]
    wanted = _letters(expected)
    if not wanted or wanted in groups:
        return bool(wanted)
    spellings = _spellings(wanted)
    tokens = [[_letters(word) for word in group.replace("^", " ").split()] for group in found.split("=")]
    turned = {"".join(words[turn:] + words[:turn]) for words in tokens for turn in range(max(1, len(words)))}
    return bool(spellings & turned)


def _refusal(fact: Fact, found_zh: str, found_en: str) -> Mismatch:
    return Mismatch(
        fact,
        True,
        f"文件里的{found_zh} 与申请单上的居民不一致，这可能是另一个人的心电图。请核对居民后重新选择文件。",
        f"The {found_en} in the file differs from the resident of the order: it may be another person's ECG. "
        "Check the resident and choose the file again.",
    )


def _warning(patient: PatientFacts, named: bool, birth_date: date | None, sex: Sex | None) -> Mismatch | None:
    if patient.sex and sex and patient.sex != sex:
        (zh, en) = _SEX_WORDS[patient.sex]
        return Mismatch(
            "sex", False, f"文件里的性别是“{zh}”，与居民不一致，请核对。", f"The file says {en}; check the resident."
        )
    dated = bool(patient.birth_date and birth_date)
    if not named and not dated:
        return Mismatch(
            "nothing",
            False,
            "文件里没有可核对的身份信息，请人工核对居民。",
            "The file names no one; check the resident by hand.",
        )
    if not dated:
        return Mismatch(
            "birth_date",
            False,
            "文件里没有出生日期，只核对了姓名，请留意同名。",
            "No birth date in the file; only the name was checked.",
        )
    return None


def _is_named(patient: PatientFacts) -> bool:
    return _letters(patient.name or "") not in _NO_NAME


def _letters(text: str) -> str:
    return "".join(character for character in text.lower() if character.isalpha())


def _spellings(name: str) -> set[str]:
    readings = spelling.readings(name)
    spelt: set[str] = set()
    for syllables in islice(product(*readings), _READINGS_TRIED):
        for turn in range(len(syllables)):
            word = "".join(syllables[turn:] + syllables[:turn])
            spelt |= {word, word.replace("v", "u"), word.replace("v", "yu")}
    return spelt
