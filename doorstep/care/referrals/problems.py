"""Which diseases of the criteria stand on a problem list: what its codes say, else its words. Pure."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from doorstep.care.referrals.criteria import Fact


@dataclass(frozen=True, slots=True)
class _Disease:
    """Prefixes of ICD-10 and words of one disease."""

    codes: tuple[str, ...]
    words: re.Pattern[str]


_DISEASES: Final[Mapping[str, _Disease]] = {
    "hypertension": _Disease(
        ("I10", "I11", "I12", "I13", "I15", "O10", "O11", "O13", "O14", "O16"),
        re.compile(r"(?<!肺动脉)(?<!肺)(?<!门静脉)(?<!门脉)(?<!颅内)(?<!眼)高血压"),
    ),
    "diabetes": _Disease(("E10", "E11", "E12", "E13", "E14", "O24"), re.compile("糖尿病")),
    "copd": _Disease(("J44",), re.compile("慢性阻塞性肺|慢阻肺|COPD")),
}  # fmt: skip
_ICD10: Final = re.compile(r"[A-Z]\d\d")
_CLAUSE: Final = re.compile(r"[，。；,;\n]")
# Of these words none says that the patient has it.
_OPEN: Final = re.compile(r"家族史|父亲|母亲|排除|待排|待查|除外|疑似|可疑|[?？]")
# A denial holds from its word to the end of its clause, commas of enumeration (、) included: "无高血压、糖尿病". "无症状" denies nothing.
_DENIED: Final = re.compile(r"无(?!症状|痛|力)|没有|未(?!控制|达标|治疗|规律|服药)|非(?!胰岛素|ST)|否认|不伴|不合并")


def problem_facts(problems: Iterable[tuple[str, str, date | None]]) -> dict[str, Fact]:
    """The diseases among problems that stand (code, words, day): a problem that the list does not name is unknown, not absent."""
    found: dict[str, Fact] = {}
    for code, text, on in problems:
        for name, disease in _DISEASES.items():
            if name not in found and _says(disease, code.upper(), text):
                found[name] = Fact(value=True, on=on)
    return found


def _says(disease: _Disease, code: str, text: str) -> bool:
    if _ICD10.match(code):
        return code.startswith(disease.codes)
    return any(disease.words.search(part) for part in affirmed_in(text))


def affirmed_in(text: str) -> list[str]:
    """What words say that the patient has, by their parts; what is denied, asked or of the family is none."""
    clauses = (_DENIED.split(clause, maxsplit=1)[0] for clause in _CLAUSE.split(text))
    return [part for clause in clauses for part in clause.split("、") if not _OPEN.search(part)]


# Own choice: two notes of an acute exacerbation within four weeks are one exacerbation, seen twice.
_EPISODE: Final = timedelta(days=28)


def episodes_of(days: Iterable[date]) -> list[date]:
    """The first days of episodes, oldest first; what is noted again within four weeks of the last note belongs to it."""
    found: list[date] = []
    last: date | None = None
    for one in sorted(days):
        if last is None or one - last > _EPISODE:
            found.append(one)
        last = one
    return found
