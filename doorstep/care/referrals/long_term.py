"""The medicines that a patient took before this illness, as lines of a plan: whoever goes home goes on with them or is told why not.

Pure. What the record says is taken over word for word in the note; dose and times a day are only filled in where its words say them.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from django.utils.translation import gettext_noop

# hl7.org/fhir/R4/valueset-medication-statement-status.html: taken, or meant to be.
_TAKEN = frozenset({"active", "intended", "on-hold"})
_OVER = frozenset({"stopped", "not-taken"})
# A request is long-term when its course has no end: codesystem-medicationrequest-course-of-therapy.html.
_CONTINUOUS = "continuous"
_DOSE = re.compile(r"(\d+(?:\.\d+)?)\s*(mg|g|μg|ug|mcg|IU|U|ml|mL|片|粒|袋)")
# How often, in the words of prescriptions; "每日 2 次", "2 次/日", "bid", "早晚各 1 次".
_OFTEN: tuple[tuple[str, str], ...] = (
    ("prn", r"必要时|prn"),
    ("qn", r"每晚|睡前|晚上\s*1\s*次|\bqn\b"),
    ("tid", r"(?:每[日天]|一[日天])\s*(?:3|三)\s*次|(?:3|三)\s*次\s*/\s*[日天]|\btid\b"),
    ("bid", r"(?:每[日天]|一[日天])\s*(?:2|二|两)\s*次|(?:2|二|两)\s*次\s*/\s*[日天]|早晚|\bbid\b"),
    ("qd", r"(?:每[日天]|一[日天])\s*(?:1|一)\s*次|(?:1|一)\s*次\s*/\s*[日天]|每[日天]早|\bqd\b"),
)
_NOTE = gettext_noop("原长期用药")
# Days for which a medicine that goes on is written at first; the usual length of a long prescription's first part.
_DAYS = "30"
# Where the name of a product ends and its strength begins: "阿司匹林肠溶片 100 mg".
_STRENGTH = re.compile(r"\s*\d.*$")


@dataclass(frozen=True, slots=True, kw_only=True)
class LongTerm:
    """One medicine that is taken: its name and dosage as the record has them, since or as of which day; `code` of the house's list."""

    name: str
    dosage: str = ""
    on: date | None = None
    code: str = ""

    @property
    def dose(self) -> str:
        """The amount of one intake, "" where the words say none."""
        found = _DOSE.search(self.dosage)
        return f"{found[1]} {found[2]}" if found else ""

    @property
    def frequency(self) -> str:
        """The code of `texts.FREQUENCIES`, "" where the words say none of them."""
        return next((code for code, words in _OFTEN if re.search(words, self.dosage, re.IGNORECASE)), "")

    def line(self) -> dict[str, str]:
        """The line of a plan; its note says where it comes from, in the record's own words."""
        note = f"{_NOTE}：{self.dosage}" if self.dosage else _NOTE
        return {
            "code": self.code,
            "name": self.name,
            "dose": self.dose,
            "frequency": self.frequency,
            "days": _DAYS,
            "note": note[:80],
        }


def long_term_of(resources: Iterable[tuple[Mapping[str, Any], date]]) -> tuple[LongTerm, ...]:
    """The medicines that are taken for long among resources with their days, newest first; each once."""
    found: dict[str, LongTerm] = {}
    over: set[str] = set()
    for content, day in resources:
        if content.get("status") not in _TAKEN | _OVER or not _lasts(content):
            continue
        concept = content.get("medicationCodeableConcept") or {}
        codings = concept.get("coding") or [{}]
        name = str(concept.get("text") or codings[0].get("display", "")).strip()
        dosage = content.get("dosage") or content.get("dosageInstruction") or [{}]
        if name and content.get("status") in _OVER:
            # Who stopped it last is right: the older note of another unit still calls it taken.
            over.add(_plain(name))
        elif name and _plain(name) not in over:
            said = LongTerm(name=name, dosage=str(dosage[0].get("text", "")).strip(), on=day)
            found.setdefault(_plain(name), said)
    return tuple(found.values())


def with_codes(medicines: Sequence[LongTerm], *, known: Mapping[str, str]) -> tuple[LongTerm, ...]:
    """The medicines with the codes of the house's list (code to name) where the name and the strength of one intake fit one product."""
    return tuple(replace(one, code=_code_of(one, known)) for one in medicines)


def standing(one: LongTerm, lines: Sequence[Mapping[str, str]], *, groups: Mapping[str, str]) -> tuple[str, str]:
    """How a medicine stands to a plan: ("there", line), ("group", a line of the same group), or ("open", "")."""
    mine = groups.get(one.code, "") if one.code else ""
    for line in lines:
        name = line.get("name", "")
        if (one.code and one.code == line.get("code")) or _same(_plain(name), _plain(one.name)):
            return "there", name
    for line in lines:
        if mine and groups.get(line.get("code", "")) == mine:
            return "group", line.get("name", "")
    return "open", ""


def with_long_term(
    lines: Sequence[Mapping[str, str]], medicines: Sequence[LongTerm], *, groups: Mapping[str, str]
) -> list[dict[str, str]]:
    """The lines of a plan and behind them the long-term medicines that it leaves open; one of the same group is the doctor's choice."""
    open_ones = [one.line() for one in medicines if standing(one, lines, groups=groups)[0] == "open"]
    return [*(dict(line) for line in lines), *open_ones]


def _lasts(content: Mapping[str, Any]) -> bool:
    if content.get("resourceType") == "MedicationStatement":
        return True
    course = content.get("courseOfTherapyType") or {}
    return any(one.get("code") == _CONTINUOUS for one in course.get("coding", ()))


def _plain(name: str) -> str:
    """The name without the strength and without what salts are called."""
    bare = _STRENGTH.sub("", name).strip()
    return re.sub(r"^(?:苯磺酸|硫酸氢|马来酸|盐酸|琥珀酸|富马酸|酒石酸)", "", bare)


def _same(one: str, other: str) -> bool:
    return bool(one and other) and (one == other or one in other or other in one)


def _code_of(one: LongTerm, known: Mapping[str, str]) -> str:
    fitting = [code for code, name in known.items() if _plain(name) == _plain(one.name)]
    strength = (one.dose or _strength_of(one.name)).replace(" ", "")
    exact = [code for code in fitting if strength and strength in known[code].replace(" ", "")]
    found = exact or fitting
    return found[0] if len(found) == 1 else ""


def _strength_of(name: str) -> str:
    found = _DOSE.search(name)
    return f"{found[1]}{found[2]}" if found else ""
