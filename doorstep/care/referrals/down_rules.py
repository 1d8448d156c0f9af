"""When a patient may go home, what the plan then needs of the unit near home, and which unit is asked first.

Pure. Criteria after the county's scheme of graded care (下转标准) and the four-disease entry conditions of primary care; the days without
fever, pain or worsening are this house's own until a consortium sets them.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from django.utils.translation import gettext_noop

from doorstep.care.referrals import down_aims
from doorstep.care.referrals.criteria import (
    Criterion,
    Facts,
    Judgement,
    Test,
    all_of,
    at_least,
    at_most,
    below,
    has_text,
    is_true,
    judge,
)

_DOWN_SCHEME = gettext_noop("县域高血压分级诊疗方案（下转标准）")
_FOUR = gettext_noop("四种疾病基层诊疗条件")
_HOUSE = gettext_noop("本医共体约定")

# The scheme speaks of hypertension alone; the entry conditions say the same of four diseases (diagnosis and plan clear, condition and
# complications stable); for every other patient the consortium takes them over as its own.
_GENERAL_SOURCE = {
    "hypertension": _DOWN_SCHEME,
    "heart": _FOUR,
    "diabetes": _FOUR,
    "copd": _FOUR,
    "stroke": _FOUR,
}

# mmHg
STABLE_SYSTOLIC, STABLE_DIASTOLIC, STABLE_LOWEST = 160, 100, 90

_GENERAL = (
    Criterion(
        code="diagnosis",
        disease="general",
        text=gettext_noop("诊断明确"),
        test=has_text("diagnosis"),
        source=_HOUSE,
    ),
    Criterion(
        code="plan",
        disease="general",
        text=gettext_noop("治疗方案明确，基层可以执行"),
        test=all_of(at_least("medicine_lines", 1), at_least("follow_ups", 1)),
        source=_HOUSE,
    ),
    Criterion(
        code="stable",
        disease="general",
        text=gettext_noop("病情稳定：血压 <160/100 且收缩压 ≥90 mmHg"),
        test=all_of(
            at_least("systolic", STABLE_LOWEST),
            below("systolic", STABLE_SYSTOLIC),
            below("diastolic", STABLE_DIASTOLIC),
        ),
        source=_HOUSE,
    ),
    Criterion(
        code="complications",
        disease="general",
        text=gettext_noop("并发症、合并症经治疗后稳定"),
        test=is_true("complications_stable"),
        source=_HOUSE,
    ),
    Criterion(
        code="tcm",
        disease="general",
        text=gettext_noop("有中医治疗的，中医方案已确定"),
        test=is_true("tcm_plan_fixed"),
        source=_HOUSE,
    ),
)


def _own(code: str, disease: str, text: str, test: Test, source: str = _HOUSE) -> Criterion:
    return Criterion(code=code, disease=disease, text=text, test=test, source=source)


_BY_DISEASE: dict[str, tuple[Criterion, ...]] = {
    "heart": (
        _own(
            "heart-quiet",
            "heart",
            gettext_noop("连续 3 天无胸痛、胸闷发作，脉搏 50–100 次/分"),
            all_of(at_least("chest_pain_free_days", 3), at_least("pulse", 50), at_most("pulse", 100)),
        ),
    ),
    "diabetes": (
        _own(
            "glucose-steady",
            "diabetes",
            gettext_noop("血糖 4.4–13.9 mmol/L，无低血糖"),
            all_of(at_least("glucose", 4.4), at_most("glucose", 13.9)),
            _FOUR,
        ),
    ),
    "copd": (
        _own(
            "breath-steady",
            "copd",
            gettext_noop("血氧饱和度 ≥90%，连续 3 天不发热"),
            all_of(at_least("spo2", 90), at_least("no_fever_days", 3)),
            _FOUR,
        ),
    ),
    "stroke": (
        _own(
            "deficit-steady",
            "stroke",
            gettext_noop("神经功能缺损不再进展，可在基层康复"),
            is_true("deficit_stable"),
            _FOUR,
        ),
    ),
    "surgery": (
        _own(
            "wound",
            "surgery",
            gettext_noop("伤口清洁，连续 3 天不发热"),
            all_of(is_true("wound_clean"), at_least("no_fever_days", 3)),
        ),
    ),
    "hypertension": (),
    "general": (),
}

# What a unit near home may be able to do.
SKILLS: dict[str, str] = {
    "rehab": gettext_noop("康复训练"),
    "wound": gettext_noop("伤口换药"),
    "injection": gettext_noop("静脉输液与注射"),
    "oxygen": gettext_noop("氧疗"),
    "inr": gettext_noop("抗凝监测"),
    "tube": gettext_noop("管路护理"),
    "insulin": gettext_noop("胰岛素调整"),
    "home-visit": gettext_noop("上门服务"),
    "care": gettext_noop("长期照护"),
    "bed": gettext_noop("住院床位"),
}
_NEEDED: dict[str, tuple[str, ...]] = {
    "stroke": ("rehab",),
    "surgery": ("wound",),
    "copd": ("oxygen",),
    "diabetes": ("insulin",),
    "heart": (),
    "hypertension": (),
    "general": (),
}
FOLLOW_UPS: dict[str, tuple[int, ...]] = {
    "heart": (3, 7, 30),
    "stroke": (7, 14, 30, 90),
    "copd": (7, 30, 90),
    "surgery": (3, 7, 14),
    "diabetes": (7, 30),
    "hypertension": (7, 30),
    "general": (7, 30),
}


def criteria_for(disease: str) -> tuple[Criterion, ...]:
    """The criteria of going home with this disease: those of every patient, under the source that speaks of this disease, and its own."""
    source = _GENERAL_SOURCE.get(disease, _HOUSE)
    return (*(replace(one, source=source) for one in _GENERAL), *_BY_DISEASE.get(disease, ()))


DOWN_CRITERIA: tuple[Criterion, ...] = _GENERAL


def may_propose(judgements: Iterable[Judgement]) -> bool:
    """Whether a patient may be proposed: nothing speaks against it, and of what is unknown only the plan is missing."""
    return all(one.met or (one.met is None and one.code == "plan") for one in judgements)


def judge_home(disease: str, facts: Facts) -> list[Judgement]:
    """The criteria of going home with this disease on these facts; of Chinese medicine only where the ward speaks of it."""
    return [one for one in judge(criteria_for(disease), facts) if one.code != "tcm" or one.met is not None]


def disease_of(code: str, text: str) -> str:
    """The disease of a diagnosis by its ICD-10 code, else by its words.

    The blocks of ICD-10 (WHO, tenth revision; the same in GB/T 14396): E10–E14 diabetes, I10–I15 hypertensive diseases, I60–I64 with the
    sequelae I69 strokes. I11.0, I13.0 and I13.2 are hypertensive diseases with heart failure: such a patient is followed as a failing heart.
    """
    upper = code.upper()
    by_code = next((disease for disease, prefixes, _words in _PREFIXES if upper.startswith(prefixes)), None)
    by_words = (disease for disease, _prefixes, words in _PREFIXES if any(word in text for word in words))
    return by_code or next(by_words, "general")


# In the order in which words are looked for, and codes: the failing heart before the pressure that made it fail.
_PREFIXES: tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...] = (
    (
        "heart",
        ("I20", "I21", "I22", "I24", "I25", "I48", "I50", "I11.0", "I13.0", "I13.2"),
        ("心肌梗死", "冠心病", "心力衰竭", "PCI"),
    ),
    ("stroke", ("I60", "I61", "I62", "I63", "I64", "I69"), ("脑梗死", "脑出血", "卒中")),
    ("copd", ("J44",), ("慢阻肺", "慢性阻塞性肺")),
    ("diabetes", ("E10", "E11", "E12", "E13", "E14"), ("糖尿病",)),
    ("surgery", ("S72", "S82", "K35", "M17", "M16"), ("骨折", "术后", "置换")),
    ("hypertension", ("I10", "I11", "I12", "I13", "I15"), ("高血压",)),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """What a plan needs where the patient goes (an aim of `down_aims`): skills, medicine codes with their names, and whether a bed.

    `unlisted` are medicines of the plan outside the house's list: no unit's count can say whether they are there.
    """

    skills: tuple[str, ...] = ()
    medicines: tuple[tuple[str, str], ...] = ()
    unlisted: tuple[str, ...] = ()
    bed: bool = False
    aim: str = down_aims.CLINIC


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """A unit that may take the patient: `near` is its rank from home (0 the own village's centre), `km` how far that is as the crow
    flies (None without coordinates), `medicines` None when unsaid."""

    id: int
    name: str
    near: int
    accepts: bool = True
    skills: frozenset[str] = frozenset()
    medicines: frozenset[str] | None = None
    free_beds: int | None = None
    km: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighed:
    """A unit as it was weighed: what it lacks, which medicines it would replace (code to code), what nobody knows."""

    unit: Unit
    lacks: tuple[str, ...] = ()
    substitutes: Mapping[str, str] = field(default_factory=dict)
    unknown: tuple[str, ...] = ()

    @property
    def able(self) -> bool:
        """Whether it lacks nothing that is known."""
        return self.unit.accepts and not self.lacks

    @property
    def askable(self) -> bool:
        """Whether it may be asked: able, or without a medicine alone, which the hospital may send along."""
        return self.unit.accepts and all(one.startswith("medicine:") for one in self.lacks)


def needs_of(disease: str, medicines: Sequence[Mapping[str, str]], *, aim: str = down_aims.CLINIC) -> Needs:
    """What a plan for this disease with these medicines needs where the patient goes; warfarin asks for monitoring, insulin for adjusting."""
    goes = down_aims.AIMS[aim]
    skills = list(dict.fromkeys((*_NEEDED.get(disease, ()), *goes.skills)))
    names = " ".join(line.get("name", "") for line in medicines)
    if "华法林" in names:
        skills.append("inr")
    if "胰岛素" in names and "insulin" not in skills:
        skills.append("insulin")
    return Needs(
        skills=tuple(skills),
        medicines=tuple((line["code"], line.get("name", "")) for line in medicines if line.get("code")),
        unlisted=tuple(line["name"] for line in medicines if line.get("name") and not line.get("code")),
        bed=goes.bed,
        aim=aim,
    )


def weigh(units: Iterable[Unit], needs: Needs, *, groups: Mapping[str, str]) -> list[Weighed]:
    """The units: able ones first, the nearest of them on top, then those that lack least, near ones first again.

    `groups` gives each medicine its group of substitutes.
    """
    found = [_weigh(unit, needs, groups) for unit in units]
    return sorted(
        found,
        key=lambda one: (
            not one.able,
            not one.askable,
            len(one.lacks),
            bool(one.unknown),
            len(one.substitutes),
            one.unit.near,
        ),
    )


def _weigh(unit: Unit, needs: Needs, groups: Mapping[str, str]) -> Weighed:
    lacks = [f"skill:{skill}" for skill in needs.skills if skill not in unit.skills]
    unknown: list[str] = []
    substitutes: dict[str, str] = {}
    if needs.bed and unit.free_beds is None:
        unknown.append("bed")
    elif needs.bed and not unit.free_beds:
        lacks.append("bed")
    for code, _name in needs.medicines:
        if unit.medicines is None:
            unknown.append(f"medicine:{code}")
        elif code not in unit.medicines:
            group = groups.get(code, "")
            other = next((one for one in sorted(unit.medicines) if group and groups.get(one) == group), "")
            if other:
                substitutes[code] = other
            else:
                lacks.append(f"medicine:{code}")
    unknown += [f"medicine:{name}" for name in needs.unlisted]
    return Weighed(unit=unit, lacks=tuple(lacks), substitutes=substitutes, unknown=tuple(unknown))


# A stay is looked at again after a refusal by the ward, when this many days have passed.
ASK_AGAIN_DAYS = 2
