"""When a recording is suspicious, and which findings are critical values. Thresholds are data with source and check mark."""

from dataclasses import dataclass
from typing import Final

from doorstep.care.diagnosis.ecg.measurements import Measurements, Suspicion, Urgency
from doorstep.care.diagnosis.ecg.recording import Sex


@dataclass(frozen=True)
class Threshold:
    """A limit of medicine; `verified` says whether the figure was checked against the source's own text."""

    value: float
    unit: str
    source: str
    verified: bool = False


@dataclass(frozen=True)
class CriticalValue:
    """A finding that must be told to the treating side at once (心电图危急值)."""

    code: str
    zh: str
    en: str
    source: str
    verified: bool = False


_MI: Final = "Fourth Universal Definition of Myocardial Infarction (2018)"
_CONSENSUS: Final = "心电图危急值2017中国专家共识（中华医学会心电生理和起搏分会）"
_HOUSE: Final = "本平台分拣阈值"
_AHA: Final = "AHA/ACCF/HRS Recommendations for the Standardization and Interpretation of the ECG (2009)"

THRESHOLDS: Final[dict[str, Threshold]] = {
    "st_other_leads": Threshold(1.0, "mm", _MI),
    "st_v2_v3_woman": Threshold(1.5, "mm", _MI),
    "st_v2_v3_man_from_40": Threshold(2.0, "mm", _MI),
    "st_v2_v3_man_below_40": Threshold(2.5, "mm", _MI),
    "st_depression": Threshold(-0.5, "mm", _MI),
    "st_depression_wide": Threshold(-1.0, "mm", _HOUSE),
    "rate_critical_low": Threshold(35, "/min", _CONSENSUS),
    "rate_low": Threshold(40, "/min", _HOUSE),
    "rate_slow": Threshold(60, "/min", _AHA),
    "rate_fast": Threshold(100, "/min", _AHA),
    "rate_high": Threshold(150, "/min", _HOUSE),
    "rate_critical_high": Threshold(180, "/min", _CONSENSUS),
    "pause": Threshold(3000, "ms", _CONSENSUS),
    "qtc_critical": Threshold(550, "ms", _CONSENSUS),
    "qtc_long": Threshold(500, "ms", _AHA),
    "qrs_wide": Threshold(120, "ms", _AHA),
    "pr_long": Threshold(200, "ms", _AHA),
    "rr_irregular": Threshold(0.10, "1", _HOUSE),
    "measure_error_st": Threshold(0.1, "mm", _HOUSE),
}
# Pairs of neighbouring leads, frontal and horizontal.
_CONTIGUOUS: Final = (
    ("aVL", "I"), ("II", "aVF"), ("aVF", "III"), ("II", "III"),
    ("V1", "V2"), ("V2", "V3"), ("V3", "V4"), ("V4", "V5"), ("V5", "V6"),
)  # fmt: skip
_WALLS: Final = (
    ("inferior", "下壁", ("II", "III", "aVF")),
    ("anterior", "前壁", ("V1", "V2", "V3", "V4")),
    ("lateral", "侧壁", ("I", "aVL", "V5", "V6")),
)

CRITICAL_VALUES: Final = (
    CriticalValue(
        "acs_stemi",
        "急性冠脉综合征：首次发现疑似急性心肌梗死",
        "Suspected acute myocardial infarction, first seen",
        _CONSENSUS,
    ),
    CriticalValue(
        "acs_reinfarction", "急性冠脉综合征：疑似再发急性心肌梗死", "Suspected acute re-infarction", _CONSENSUS
    ),
    CriticalValue(
        "acs_ischaemia",
        "急性冠脉综合征：首次发现疑似各种急性心肌缺血改变",
        "Acute ischaemic changes, first seen",
        _CONSENSUS,
    ),
    CriticalValue(
        "tachy_wide", "严重快速性心律失常：心室扑动、心室颤动", "Ventricular flutter or fibrillation", _CONSENSUS
    ),
    CriticalValue(
        "vt",
        "严重快速性心律失常：室性心动过速，心室率≥150 次/分且持续≥30 秒，或有血流动力学障碍",
        "Ventricular tachycardia ≥150/min for ≥30 s or with haemodynamic compromise",
        _CONSENSUS,
    ),
    CriticalValue(
        "torsades",
        "严重快速性心律失常：尖端扭转型、多形性及双向性室性心动过速",
        "Torsades, polymorphic or bidirectional ventricular tachycardia",
        _CONSENSUS,
    ),
    CriticalValue(
        "svt_fast",
        "严重快速性心律失常：各种室上性心动过速，心室率≥200 次/分",
        "Supraventricular tachycardia ≥200/min",
        _CONSENSUS,
    ),
    CriticalValue(
        "af_preexcited",
        "严重快速性心律失常：心房颤动伴预激，最短 RR≤250 毫秒",
        "Pre-excited atrial fibrillation, shortest RR ≤250 ms",
        _CONSENSUS,
    ),
    CriticalValue(
        "brady",
        "严重缓慢性心律失常：心室率≤35 次/分的严重心动过缓、高度或三度房室阻滞",
        "Ventricular rate ≤35/min: severe bradycardia, high-grade or complete AV block",
        _CONSENSUS,
    ),
    CriticalValue(
        "pause",
        "严重缓慢性心律失常：长 RR≥3.0 秒伴症状，或≥5.0 秒无症状",
        "RR ≥3.0 s with symptoms or ≥5.0 s without",
        _CONSENSUS,
    ),
    CriticalValue(
        "pacemaker",
        "其他：提示起搏器功能异常（起搏、感知障碍）",
        "Pacemaker failure to capture or to sense",
        _CONSENSUS,
    ),
    CriticalValue("qtc", "其他：QT 间期延长，QTc≥550 毫秒", "QTc ≥550 ms", _CONSENSUS),
    CriticalValue(
        "qt_r_on_t", "其他：显性 T 波电交替、R on T 型室性早搏", "T-wave alternans, R-on-T premature beats", _CONSENSUS
    ),
    CriticalValue(
        "potassium", "其他：提示严重低钾血症或高钾血症", "Signs of severe hypo- or hyperkalaemia", _CONSENSUS
    ),
    CriticalValue("embolism", "其他：疑似急性肺栓塞", "Suspected acute pulmonary embolism", _CONSENSUS),
)


def suspicions(measured: Measurements, *, sex: Sex | None, age: int | None) -> tuple[Suspicion, ...]:
    """Everything suspicious, the most urgent first. `age` in whole years; unknown sex and age take the lowest limit for ST."""
    found = [
        *_st_elevation(measured, sex=sex, age=age),
        *_st_depression(measured),
        *_rate(measured),
        *_rhythm(measured),
        *_conduction(measured),
    ]
    return tuple(sorted(found, key=lambda suspicion: suspicion.urgency))


def urgency_of(found: tuple[Suspicion, ...]) -> Urgency:
    """The place in the queue that the most urgent suspicion gives; normal when there is none."""
    return min((suspicion.urgency for suspicion in found), default=Urgency.NORMAL)


def st_limit(lead: str, *, sex: Sex | None, age: int | None) -> float:
    """ST elevation in mm from which a lead counts (Fourth Universal Definition: V2 and V3 by sex and age, 1 mm elsewhere)."""
    if lead not in ("V2", "V3"):
        return THRESHOLDS["st_other_leads"].value
    if sex != "male":
        return THRESHOLDS["st_v2_v3_woman"].value
    return THRESHOLDS["st_v2_v3_man_below_40" if age is not None and age < 40 else "st_v2_v3_man_from_40"].value


def _st_elevation(measured: Measurements, *, sex: Sex | None, age: int | None) -> list[Suspicion]:
    margin = THRESHOLDS["measure_error_st"].value
    raised = {
        lead
        for lead, level in measured.st_mm.items()
        # the definition measures at the J point; the later level keeps a steep T wave of a fast heart from counting
        if lead != "aVR" and min(level, measured.j_mm[lead]) >= st_limit(lead, sex=sex, age=age) - margin
    }
    contiguous = {lead for pair in _CONTIGUOUS if raised.issuperset(pair) for lead in pair}
    if not contiguous:
        return []
    leads = tuple(lead for lead in measured.st_mm if lead in contiguous)
    code, wall = max(
        ((code, zh, len(contiguous & set(names))) for code, zh, names in _WALLS), key=lambda item: item[2]
    )[:2]
    # secondary ST shift of a wide QRS is the rule, so it asks for a quick look but does not raise the alarm by itself
    wide = measured.qrs_ms is not None and measured.qrs_ms >= THRESHOLDS["qrs_wide"].value
    urgency = Urgency.URGENT if wide else Urgency.CRITICAL
    return [
        Suspicion(
            f"st_elevation_{code}",
            f"{wall}导联 ST 段抬高，疑似急性心肌梗死",
            f"ST elevation ({code}), suspected acute infarction",
            urgency,
            leads,
        )
    ]


def _st_depression(measured: Measurements) -> list[Suspicion]:
    wide = measured.qrs_ms is not None and measured.qrs_ms >= THRESHOLDS["qrs_wide"].value
    limit = THRESHOLDS["st_depression_wide" if wide else "st_depression"].value
    leads = tuple(
        lead for lead, level in measured.st_mm.items() if lead != "aVR" and max(level, measured.j_mm[lead]) <= limit
    )
    if not any(set(pair) <= set(leads) for pair in _CONTIGUOUS):
        return []
    urgency = Urgency.ORDINARY if wide else Urgency.URGENT
    return [Suspicion("st_depression", "ST 段压低", "ST depression", urgency, leads)]


def _rate(measured: Measurements) -> list[Suspicion]:
    rate = measured.heart_rate
    limits = {name: THRESHOLDS[name].value for name in THRESHOLDS if name.startswith("rate_")}
    # the first line that holds is the finding
    table = (
        (
            rate <= limits["rate_critical_low"],
            "bradycardia_severe",
            "严重心动过缓",
            "Severe bradycardia",
            Urgency.CRITICAL,
        ),
        (
            rate >= limits["rate_critical_high"],
            "tachycardia_severe",
            "严重心动过速",
            "Severe tachycardia",
            Urgency.CRITICAL,
        ),
        (rate < limits["rate_low"], "bradycardia_marked", "显著心动过缓", "Marked bradycardia", Urgency.URGENT),
        (rate > limits["rate_high"], "tachycardia_marked", "显著心动过速", "Marked tachycardia", Urgency.URGENT),
        (rate < limits["rate_slow"], "bradycardia", "心率偏慢", "Slow rate", Urgency.ORDINARY),
        (rate > limits["rate_fast"], "tachycardia", "心率偏快", "Fast rate", Urgency.ORDINARY),
    )
    return [
        Suspicion(code, f"{zh}（{rate:.0f} 次/分）", f"{en} ({rate:.0f}/min)", urgency)
        for holds, code, zh, en, urgency in table
        if holds
    ][:1]


def _rhythm(measured: Measurements) -> list[Suspicion]:
    found: list[Suspicion] = []
    if measured.longest_rr_ms >= THRESHOLDS["pause"].value:
        found.append(
            Suspicion(
                "pause",
                f"长间歇 {measured.longest_rr_ms / 1000:.1f} 秒",
                f"Pause of {measured.longest_rr_ms / 1000:.1f} s",
                Urgency.CRITICAL,
            )
        )
    elif measured.rr_irregularity >= THRESHOLDS["rr_irregular"].value:
        if measured.p_waves:
            found.append(Suspicion("irregular", "心律不齐", "Irregular rhythm", Urgency.ORDINARY))
        else:
            found.append(
                Suspicion(
                    "atrial_fibrillation",
                    "疑似心房颤动（RR 绝对不齐，未见 P 波）",
                    "Suspected atrial fibrillation",
                    Urgency.URGENT,
                )
            )
    wide = measured.qrs_ms is not None and measured.qrs_ms >= THRESHOLDS["qrs_wide"].value
    if wide and measured.heart_rate > THRESHOLDS["rate_fast"].value and not measured.p_waves:
        urgency = Urgency.CRITICAL if measured.heart_rate >= THRESHOLDS["rate_high"].value else Urgency.URGENT
        found.append(
            Suspicion(
                "wide_qrs_tachycardia",
                "宽 QRS 心动过速，疑似室性心动过速",
                "Wide-QRS tachycardia, suspected ventricular",
                urgency,
            )
        )
    return found


def _conduction(measured: Measurements) -> list[Suspicion]:
    found: list[Suspicion] = []
    if measured.dissociated_p_waves:
        found.append(
            Suspicion(
                "av_block_high",
                "疑似高度或三度房室阻滞（P 波与 QRS 脱节）",
                "Suspected high-grade AV block",
                Urgency.CRITICAL,
            )
        )
    elif measured.pr_ms is not None and measured.pr_ms > THRESHOLDS["pr_long"].value:
        found.append(
            Suspicion(
                "pr_long",
                f"PR 间期延长（{measured.pr_ms:.0f} ms）",
                f"Long PR ({measured.pr_ms:.0f} ms)",
                Urgency.ORDINARY,
            )
        )
    wide = measured.qrs_ms is not None and measured.qrs_ms >= THRESHOLDS["qrs_wide"].value
    if wide:
        found.append(
            Suspicion(
                "qrs_wide",
                f"QRS 增宽（{measured.qrs_ms:.0f} ms）",
                f"Wide QRS ({measured.qrs_ms:.0f} ms)",
                Urgency.ORDINARY,
            )
        )
    # Bazett overcorrects at high rates: both formulas must agree
    corrected = [value for value in (measured.qtc_bazett_ms, measured.qtc_fridericia_ms) if value is not None]
    if corrected and min(corrected) >= THRESHOLDS["qtc_long"].value and not wide:
        urgency = Urgency.CRITICAL if min(corrected) >= THRESHOLDS["qtc_critical"].value else Urgency.URGENT
        found.append(
            Suspicion(
                "qtc_long", f"QTc 延长（{min(corrected):.0f} ms）", f"Long QTc ({min(corrected):.0f} ms)", urgency
            )
        )
    if measured.pacing_spikes:
        found.append(Suspicion("pacing", "可见起搏信号", "Pacing spikes", Urgency.ORDINARY))
    return found
