"""Phrases of an ECG report: what the reader picks with a key, and the same in plain words for the resident."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Group(StrEnum):
    """Where a phrase stands in the report."""

    RHYTHM = "rhythm"
    CONDUCTION = "conduction"
    ST_T = "st_t"
    HYPERTROPHY = "hypertrophy"
    INFARCTION = "infarction"
    OTHER = "other"


GROUP_LABELS: Final[dict[Group, tuple[str, str]]] = {
    Group.RHYTHM: ("节律", "Rhythm"),
    Group.CONDUCTION: ("传导", "Conduction"),
    Group.ST_T: ("ST-T", "ST-T"),
    Group.HYPERTROPHY: ("房室肥大", "Hypertrophy"),
    Group.INFARCTION: ("心肌梗死", "Infarction"),
    Group.OTHER: ("其他", "Other"),
}


@dataclass(frozen=True)
class Phrase:
    """`key` is typed as group letter and letter, for example "ra"; `critical` means the finding is a critical value."""

    code: str
    group: Group
    key: str
    zh: str
    en: str
    plain_zh: str
    plain_en: str
    critical: bool = False


_SEE_DOCTOR: Final = ("请按医生的建议复查。", "Please come back as your doctor advises.")
_R, _C, _S, _H, _I, _O = Group
_NOW_ZH: Final = "心脏可能正在缺血，这很紧急：请不要走动，医生会马上联系您。"
_NOW_EN: Final = (
    "Your heart may be short of blood right now. This is urgent: please rest, a doctor will contact you at once."
)

# One phrase a line reads as the table it is.
# fmt: off
PHRASES: Final = (
    Phrase("sinus_rhythm", _R, "ra", "窦性心律", "Sinus rhythm", "心跳节律正常。", "Your heart rhythm is normal."),
    Phrase("sinus_arrhythmia", _R, "rb", "窦性心律不齐", "Sinus arrhythmia", "心跳随呼吸略有快慢，多属正常。", "Your heartbeat varies a little with breathing; this is usually normal."),
    Phrase("sinus_bradycardia", _R, "rc", "窦性心动过缓", "Sinus bradycardia", "心跳偏慢。如有头晕、乏力请告诉医生。", "Your heart beats slowly. Tell your doctor if you feel dizzy or weak."),
    Phrase("sinus_tachycardia", _R, "rd", "窦性心动过速", "Sinus tachycardia", "心跳偏快，常见于紧张、发热或活动后。", "Your heart beats fast, often from tension, fever or exercise."),
    Phrase("atrial_premature", _R, "re", "房性早搏", "Atrial premature beats", "偶有提前的心跳，多数不要紧。", "There are early beats; mostly harmless."),
    Phrase("ventricular_premature", _R, "rf", "室性早搏", "Ventricular premature beats", "有提前的心跳，请让医生判断是否需要进一步检查。", "There are early beats; let your doctor decide whether more tests are needed."),
    Phrase("atrial_fibrillation", _R, "rg", "心房颤动", "Atrial fibrillation", "心跳完全不规则（房颤），会增加中风的风险，请尽快看医生。", "Your heartbeat is irregular (atrial fibrillation), which raises the risk of stroke. See a doctor soon."),
    Phrase("atrial_fibrillation_fast", _R, "rh", "心房颤动伴快速心室率", "Atrial fibrillation with rapid ventricular response", "房颤且心跳很快，请今天就看医生。", "Atrial fibrillation with a fast heartbeat: see a doctor today."),
    Phrase("atrial_flutter", _R, "ri", "心房扑动", "Atrial flutter", "心房跳动过快（房扑），请尽快看医生。", "The upper chambers beat too fast (flutter). See a doctor soon."),
    Phrase("supraventricular_tachycardia", _R, "rj", "阵发性室上性心动过速", "Paroxysmal supraventricular tachycardia", "突发的心跳过速，请马上告诉身边的医生。", "A sudden fast heartbeat: tell the doctor beside you at once."),
    Phrase("ventricular_tachycardia", _R, "rk", "室性心动过速", "Ventricular tachycardia", "危险的心跳过速，医生会马上处理。", "A dangerous fast heartbeat; doctors will act at once.", critical=True),
    Phrase("junctional_rhythm", _R, "rl", "交界性逸搏心律", "Junctional escape rhythm", "心跳的起点有变化，请看心内科。", "Your heartbeat starts from another place; see a cardiologist."),
    Phrase("long_pause", _R, "rm", "长间歇（≥3.0 秒）", "Pause of 3.0 s or more", "心跳出现较长停顿，这很紧急，医生会马上联系您。", "Your heart paused for long. This is urgent; a doctor will contact you.", critical=True),
    Phrase("severe_bradycardia", _R, "rn", "严重心动过缓（心室率≤35 次/分）", "Severe bradycardia (≤35/min)", "心跳过慢，这很紧急，医生会马上联系您。", "Your heart beats far too slowly. This is urgent; a doctor will contact you.", critical=True),
    Phrase("paced_rhythm", _R, "rp", "起搏心律", "Paced rhythm", "起搏器正在工作。", "Your pacemaker is working."),
    Phrase("av_block_1", _C, "ca", "一度房室阻滞", "First-degree AV block", "心脏电信号传得稍慢，一般不需处理，定期复查。", "The heart's signal travels a little slowly; usually only check-ups are needed."),
    Phrase("av_block_2_1", _C, "cb", "二度Ⅰ型房室阻滞", "Second-degree AV block, type I", "电信号偶有中断，请看心内科。", "The heart's signal drops now and then; see a cardiologist."),
    Phrase("av_block_2_2", _C, "cc", "二度Ⅱ型房室阻滞", "Second-degree AV block, type II", "电信号中断，请今天就看心内科。", "The heart's signal drops; see a cardiologist today."),
    Phrase("av_block_3", _C, "cd", "高度或三度房室阻滞", "High-grade or complete AV block", "电信号传不下去，这很紧急，医生会马上联系您。", "The heart's signal is blocked. This is urgent; a doctor will contact you.", critical=True),
    Phrase("rbbb", _C, "ce", "完全性右束支阻滞", "Right bundle branch block", "右侧传导慢，许多人没有心脏病也会有。", "The right side conducts slowly; many people without heart disease have it."),
    Phrase("rbbb_incomplete", _C, "cf", "不完全性右束支阻滞", "Incomplete right bundle branch block", "右侧传导略慢，多属正常。", "The right side conducts a little slowly; usually normal."),
    Phrase("lbbb", _C, "cg", "完全性左束支阻滞", "Left bundle branch block", "左侧传导慢，需要查找原因，请看医生。", "The left side conducts slowly; the cause should be looked for."),
    Phrase("left_anterior_block", _C, "ch", "左前分支阻滞", "Left anterior fascicular block", *_SEE_DOCTOR),
    Phrase("preexcitation", _C, "ci", "心室预激（WPW 型）", "Ventricular pre-excitation", "心脏多一条传电的路，如有心慌发作请看心内科。", "Your heart has an extra pathway; see a cardiologist if you have palpitations."),
    Phrase("long_qt", _C, "cj", "QT 间期延长", "Prolonged QT", "心脏恢复时间偏长，请把正在吃的药告诉医生。", "Your heart takes long to recover; tell your doctor all your medicines."),
    Phrase("qtc_550", _C, "ck", "QT 间期显著延长（QTc≥550 毫秒）", "Markedly prolonged QT (QTc ≥550 ms)", "心脏恢复时间过长，医生会马上联系您。", "Your heart takes far too long to recover; a doctor will contact you.", critical=True),
    Phrase("st_t_nonspecific", _S, "sa", "非特异性 ST-T 改变", "Non-specific ST-T changes", "图形有轻微变化，需结合症状判断。", "Slight changes, to be judged together with how you feel."),
    Phrase("t_flat", _S, "sb", "T 波低平", "Flat T waves", "图形有轻微变化，需结合症状判断。", "Slight changes, to be judged together with how you feel."),
    Phrase("t_inverted", _S, "sc", "T 波倒置", "T-wave inversion", "图形有变化，请让医生结合病情判断。", "There are changes; let your doctor judge them."),
    Phrase("st_depression", _S, "sd", "ST 段压低", "ST depression", "心脏可能供血不足，请尽快看医生。", "Your heart may be short of blood; see a doctor soon."),
    Phrase("acute_ischaemia", _S, "se", "急性心肌缺血改变可能", "Possible acute ischaemia", _NOW_ZH, _NOW_EN, critical=True),
    Phrase("early_repolarisation", _S, "sf", "早期复极", "Early repolarisation", "多见于健康的年轻人，一般不要紧。", "Common in healthy young people; usually harmless."),
    Phrase("left_ventricular_hypertrophy", _H, "ha", "左心室肥大", "Left ventricular hypertrophy", "左心室可能增厚，常见于高血压，请控制好血压。", "The left chamber may be thickened, often from high blood pressure; keep it under control."),
    Phrase("left_ventricular_high_voltage", _H, "hb", "左心室高电压", "Left ventricular high voltage", "电压偏高，瘦人常见，请查一查血压。", "High voltage, common in slim people; check your blood pressure."),
    Phrase("right_ventricular_hypertrophy", _H, "hc", "右心室肥大", "Right ventricular hypertrophy", *_SEE_DOCTOR),
    Phrase("left_atrial_enlargement", _H, "hd", "左心房异常", "Left atrial abnormality", *_SEE_DOCTOR),
    Phrase("infarction_inferior", _I, "ia", "急性下壁心肌梗死可能", "Possible acute inferior infarction", _NOW_ZH, _NOW_EN, critical=True),
    Phrase("infarction_anterior", _I, "ib", "急性前壁心肌梗死可能", "Possible acute anterior infarction", _NOW_ZH, _NOW_EN, critical=True),
    Phrase("infarction_lateral", _I, "ic", "急性侧壁心肌梗死可能", "Possible acute lateral infarction", _NOW_ZH, _NOW_EN, critical=True),
    Phrase("infarction_posterior", _I, "id", "急性后壁心肌梗死可能（建议加做 V7–V9）", "Possible acute posterior infarction (record V7–V9)", _NOW_ZH, _NOW_EN, critical=True),
    Phrase("infarction_right", _I, "ie", "急性右室心肌梗死可能（建议加做 V3R–V5R）", "Possible acute right ventricular infarction (record V3R–V5R)", _NOW_ZH, _NOW_EN, critical=True),
    Phrase("infarction_old", _I, "if", "陈旧性心肌梗死", "Old infarction", "有过去心梗留下的痕迹，请坚持服药和复查。", "Traces of an earlier heart attack; keep taking your medicine and come to check-ups."),
    Phrase("normal", _O, "oa", "正常心电图", "Normal ECG", "心电图正常。", "Your ECG is normal."),
    Phrase("borderline", _O, "ob", "大致正常心电图", "Borderline normal ECG", "心电图大致正常。", "Your ECG is almost normal."),
    Phrase("axis_left", _O, "oc", "电轴左偏", "Left axis deviation", "心脏电轴偏左，单独出现一般不要紧。", "The axis points left; harmless by itself."),
    Phrase("axis_right", _O, "od", "电轴右偏", "Right axis deviation", "心脏电轴偏右，单独出现一般不要紧。", "The axis points right; harmless by itself."),
    Phrase("low_voltage", _O, "oe", "肢导联低电压", "Low voltage in limb leads", *_SEE_DOCTOR),
    Phrase("hyperkalaemia", _O, "of", "高钾血症图形可能", "Possible hyperkalaemia", "血钾可能过高，这很紧急，医生会马上联系您。", "Your potassium may be too high. This is urgent; a doctor will contact you.", critical=True),
    Phrase("poor_quality", _O, "og", "图形质量不佳，建议重做", "Poor quality, record again", "这次图做得不清楚，请重做一次。", "The recording was not clear; please have it done again."),
    Phrase("lead_reversal", _O, "oh", "疑似肢导联接反，建议重做", "Suspected limb lead reversal, record again", "导联线可能接反了，请重做一次。", "The cables may have been swapped; please have it done again."),
)
# fmt: on
BY_CODE: Final = {phrase.code: phrase for phrase in PHRASES}
