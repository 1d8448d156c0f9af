"""What speaks against one person: what is only pointed out, what a person has to confirm, and what takes two persons."""

from dataclasses import dataclass
from datetime import date

from django.utils.translation import gettext as _

from doorstep.people.identity.doubles import facts_of
from doorstep.people.identity.matching import levels_of
from doorstep.people.residents.models import Resident
from doorstep.people.residents.rules import NumberFacts, NumberFault, read_number

# Once something strong stands against it, the reason has to explain it.
LONG_REASON = 10


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing in which two records differ; a `strong` one is confirmed by hand before they become one."""

    code: str
    sentence: str
    strong: bool


def differences(one: Resident, other: Resident) -> list[Difference]:
    """Everything that speaks against one person, the strong ones first.

    Slips (a name that sounds alike, day and month changed over, one digit of the day) are pointed out. Another name, another
    sex, another birth date, another national id are strong: a brother or sister has the same house, phone and often the same
    birth date. Of a patient whom nobody could name, name and birth date stand for nothing.
    """
    found = [*_numbers(one, other), *_names(one, other), *_genders(one, other), *_births(one, other)]
    return sorted(found, key=lambda difference: not difference.strong)


def strong(one: Resident, other: Resident) -> list[Difference]:
    """What a person has to confirm one by one."""
    return [difference for difference in differences(one, other) if difference.strong]


def field_of(code: str) -> str:
    """The name of the tick by which a form confirms a difference."""
    return f"sure_{code}"


def takes_two(one: Resident, other: Resident) -> bool:
    """Whether a second person of the records office must agree: two valid national ids, and something else strong besides.

    A valid number is given to one person. Somebody may have had two in a life (a corrected birth date, a number given twice), so it is
    not refused for ever; but whoever is wrong here gives one person the record of another.
    """
    left, right = _read(one.national_id), _read(other.national_id)
    if left is None or right is None or one.national_id == other.national_id:
        return False
    apart = (left.gender, left.birth_date) != (right.gender, right.birth_date)
    return apart or any(difference.code != "national_id" for difference in strong(one, other))


def _numbers(one: Resident, other: Resident) -> list[Difference]:
    left, right = one.national_id, other.national_id
    if left and right and left != right:
        both = _read(left) is not None and _read(right) is not None
        said = _("身份证号不同，而且两个号码都有效。") if both else _("身份证号不同。")
        return [Difference("national_id", said, strong=True)]
    same_kind = one.document_kind and one.document_kind == other.document_kind
    if same_kind and one.document_country == other.document_country and one.document_number != other.document_number:
        return [Difference("document", _("证件号码不同（换发证件后号码会变）。"), strong=False)]
    return []


def _names(one: Resident, other: Resident) -> list[Difference]:
    level = _level("name", one, other)
    if one.unidentified or other.unidentified or level in ("", "same"):
        return []
    names = {"one": one.name, "other": other.name}
    if level in ("homophone", "near-sound"):
        return [Difference("name", _("姓名音近字不同：%(one)s、%(other)s。") % names, strong=False)]
    return [Difference("name", _("姓名不同：%(one)s、%(other)s。") % names, strong=True)]


def _genders(one: Resident, other: Resident) -> list[Difference]:
    if _level("gender", one, other) != "different":
        return []
    label = {code: _(str(text)) for code, text in Resident.Gender.choices}
    said = _("性别不同：%(one)s、%(other)s。") % {"one": label[one.gender], "other": label[other.gender]}
    return [Difference("gender", said, strong=True)]


def _births(one: Resident, other: Resident) -> list[Difference]:
    level = _level("birth_date", one, other)
    if one.unidentified or other.unidentified or level == "same":
        return []
    days = {"one": one.birth_date, "other": other.birth_date}
    if level == "swapped":
        return [Difference("birth_date", _("出生月日对调：%(one)s、%(other)s。") % days, strong=False)]
    if level == "one-digit" and one.birth_date.year == other.birth_date.year:
        return [Difference("birth_date", _("出生日期差一位：%(one)s、%(other)s。") % days, strong=False)]
    return [Difference("birth_date", _("出生日期不同：%(one)s、%(other)s。") % days, strong=True)]


def _level(field: str, one: Resident, other: Resident) -> str:
    found = levels_of(facts_of(one), facts_of(other)).get(field)
    return found.code if found else ""


def _read(number: str) -> NumberFacts | None:
    try:
        return read_number(number, today=date.max) if number else None
    except NumberFault:
        return None
