"""When a patient should go up and when one may come back: criteria as data, judged met, not met or unknown.

Pure: no database, no clock. Up: hypertension and suspected acute coronary syndrome, after the county hypertension
scheme and the primary hypertension guideline. Down: the same county scheme. Their sources are secondary: `verified` says so.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

_COUNTY_SCHEME = "县域高血压分级诊疗方案（急诊上转指征）"
_GUIDELINE = "国家基层高血压防治管理指南（转诊）"
_DOWN_SCHEME = "县域高血压分级诊疗方案（下转标准）"

# Symptoms that the doctor ticks; the codes travel in the referral.
SYMPTOMS: dict[str, str] = {
    "chest-pain": "胸闷、胸痛",
    "chest-back-pain": "持续胸背部剧痛",
    "consciousness": "意识丧失或模糊",
    "headache-vomiting": "剧烈头痛、呕吐",
    "neurological": "突发言语或肢体障碍",
    "dyspnoea": "呼吸困难、不能平卧",
    "oedema": "下肢水肿",
    "sweating": "大汗",
    "palpitation": "心悸",
}

# mmHg
CRISIS_SYSTOLIC, CRISIS_DIASTOLIC = 180, 110
STABLE_SYSTOLIC, STABLE_DIASTOLIC, STABLE_LOWEST = 160, 100, 90
YOUNG_ONSET = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class UpFacts:
    """What is known of the patient before going up. None means unknown; pressures in mmHg."""

    age: int | None = None
    systolic: int | None = None
    diastolic: int | None = None
    symptoms: frozenset[str] | None = None
    ecg_critical: bool | None = None
    ecg_text: str = ""
    hypertension: bool | None = None
    pregnant: bool | None = None
    months_above_goal: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DownFacts:
    """What is known of the patient before coming back. None means unknown; pressures in mmHg."""

    diagnosis: str = ""
    medicine_lines: int = 0
    follow_ups: int = 0
    systolic: int | None = None
    diastolic: int | None = None
    complications_stable: bool | None = None


@dataclass(frozen=True, slots=True)
class Judgement:
    """One criterion as it was judged: met True, not met False, unknown None, with the values that were used."""

    code: str
    text: str
    met: bool | None
    values: str
    urgent: bool
    source: str
    verified: bool


@dataclass(frozen=True, slots=True)
class Criterion:
    """One readable criterion; `judge` and `show` take the facts."""

    code: str
    text: str
    judge: Callable[[Any], bool | None]
    show: Callable[[Any], str]
    source: str
    urgent: bool = False
    verified: bool = False


def both(*parts: bool | None) -> bool | None:
    """AND over known and unknown: one False decides, else one unknown leaves it open."""
    if False in parts:
        return False
    return None if None in parts else True


def either(*parts: bool | None) -> bool | None:
    """OR over known and unknown: one True decides, else one unknown leaves it open."""
    if True in parts:
        return True
    return None if None in parts else False


def _has(facts: UpFacts, *codes: str) -> bool | None:
    return None if facts.symptoms is None else bool(facts.symptoms & set(codes))


def _at_least(value: int | None, limit: int) -> bool | None:
    return None if value is None else value >= limit


def _crisis(facts: UpFacts) -> bool | None:
    return either(_at_least(facts.systolic, CRISIS_SYSTOLIC), _at_least(facts.diastolic, CRISIS_DIASTOLIC))


def _pressure(facts: UpFacts | DownFacts) -> str:
    if facts.systolic is None or facts.diastolic is None:
        return "血压未测"
    return f"血压 {facts.systolic}/{facts.diastolic} mmHg"


def _complaints(facts: UpFacts) -> str:
    if facts.symptoms is None:
        return "症状未询问"
    return "症状：" + ("、".join(SYMPTOMS.get(code, code) for code in sorted(facts.symptoms)) or "无")


def _electrocardiogram(facts: UpFacts) -> str:
    if facts.ecg_critical is None:
        return "无心电诊断"
    return ("心电危急值" if facts.ecg_critical else "心电非危急") + (f"：{facts.ecg_text}" if facts.ecg_text else "")


UP_CRITERIA: tuple[Criterion, ...] = (
    Criterion(
        "acs",
        "胸闷、胸痛考虑急性冠脉综合征，或心电图危急值：立即转至可行介入治疗的医院",
        lambda f: either(f.ecg_critical, _has(f, "chest-pain")),
        lambda f: f"{_electrocardiogram(f)}；{_complaints(f)}",
        _COUNTY_SCHEME,
        urgent=True,
    ),
    Criterion(
        "crisis",
        f"血压 ≥{CRISIS_SYSTOLIC}/{CRISIS_DIASTOLIC} mmHg 并伴剧烈头痛、呕吐，或突发言语、肢体障碍",
        lambda f: both(_crisis(f), _has(f, "headache-vomiting", "neurological")),
        lambda f: f"{_pressure(f)}；{_complaints(f)}",
        _COUNTY_SCHEME,
        urgent=True,
    ),
    Criterion(
        "consciousness",
        "意识丧失或模糊",
        lambda f: _has(f, "consciousness"),
        _complaints,
        _COUNTY_SCHEME,
        urgent=True,
    ),
    Criterion(
        "dissection",
        "血压显著升高伴持续胸背部剧烈疼痛",
        lambda f: both(_crisis(f), _has(f, "chest-back-pain")),
        lambda f: f"{_pressure(f)}；{_complaints(f)}",
        _COUNTY_SCHEME,
        urgent=True,
    ),
    Criterion(
        "heart-failure",
        "血压升高伴下肢水肿、呼吸困难，或不能平卧",
        lambda f: both(_at_least(f.systolic, 140), _has(f, "dyspnoea", "oedema")),
        lambda f: f"{_pressure(f)}；{_complaints(f)}",
        _COUNTY_SCHEME,
        urgent=True,
    ),
    Criterion(
        "not-at-goal",
        "规范治疗 2–3 个月血压仍不达标",
        lambda f: both(f.hypertension, _at_least(f.months_above_goal, 2)),
        lambda f: "达标情况未知" if f.months_above_goal is None else f"未达标 {f.months_above_goal} 个月",
        _GUIDELINE,
    ),
    Criterion(
        "young",
        f"发病年龄 <{YOUNG_ONSET} 岁的高血压",
        lambda f: both(f.hypertension, None if f.age is None else f.age < YOUNG_ONSET),
        lambda f: "年龄未知" if f.age is None else f"年龄 {f.age} 岁",
        _GUIDELINE,
    ),
    Criterion(
        "pregnancy",
        "妊娠或哺乳期高血压",
        lambda f: both(f.hypertension, f.pregnant),
        lambda f: {True: "妊娠或哺乳期", False: "非妊娠哺乳期", None: "妊娠情况未知"}[f.pregnant],
        _GUIDELINE,
    ),
)

DOWN_CRITERIA: tuple[Criterion, ...] = (
    Criterion(
        "diagnosis",
        "诊断明确",
        lambda f: bool(f.diagnosis),
        lambda f: f.diagnosis or "出院诊断未填写",
        _DOWN_SCHEME,
    ),
    Criterion(
        "plan",
        "治疗方案明确，基层可以执行",
        lambda f: f.medicine_lines > 0 and f.follow_ups > 0,
        lambda f: f"用药 {f.medicine_lines} 种，随访 {f.follow_ups} 次",
        _DOWN_SCHEME,
    ),
    Criterion(
        "stable",
        f"病情稳定：血压 <{STABLE_SYSTOLIC}/{STABLE_DIASTOLIC} 且收缩压 ≥{STABLE_LOWEST} mmHg",
        lambda f: both(
            None if f.systolic is None else STABLE_LOWEST <= f.systolic < STABLE_SYSTOLIC,
            None if f.diastolic is None else f.diastolic < STABLE_DIASTOLIC,
        ),
        _pressure,
        _DOWN_SCHEME,
    ),
    Criterion(
        "complications",
        "并发症、合并症经治疗后稳定",
        lambda f: f.complications_stable,
        lambda f: {True: "主管医师确认稳定", False: "主管医师认为不稳定", None: "主管医师未确认"}[
            f.complications_stable
        ],
        _DOWN_SCHEME,
    ),
)


def judge(criteria: Sequence[Criterion], facts: UpFacts | DownFacts) -> list[Judgement]:
    """Judge every criterion on these facts: met ones first, then unknown, then not met; urgent before ordinary."""
    rank = {True: 0, None: 1, False: 2}
    found = [
        Judgement(
            code=one.code,
            text=one.text,
            met=one.judge(facts),
            values=one.show(facts),
            urgent=one.urgent,
            source=one.source,
            verified=one.verified,
        )
        for one in criteria
    ]
    return sorted(found, key=lambda one: (rank[one.met], not one.urgent))


def kind_for(judgements: Sequence[Judgement], *, signed: bool) -> str:
    """The kind of referral that the criteria call for: green for a signed resident with an urgent one met."""
    urgent = any(one.met and one.urgent for one in judgements)
    if not urgent:
        return "ordinary"
    return "green" if signed else "urgent"


def as_rows(judgements: Sequence[Judgement]) -> list[dict[str, Any]]:
    """The judgements as plain rows, to be kept with the referral as they were judged."""
    return [asdict(one) for one in judgements]
