"""When a patient should go up: criteria by disease as data, with their sources.

Pure. Hypertension after the county scheme, the primary guideline and the national public health service rules, diabetes after those
rules,
and chronic lung disease; what is seen at a glance and the five centres stand in `triage_rules`. All
sources are secondary: `verified` says so, and the page says 口径待核.
"""

from collections.abc import Sequence

from django.utils.translation import gettext_noop

from doorstep.care.referrals.criteria import (
    HOME,
    Criterion,
    Judgement,
    above,
    all_of,
    any_of,
    at_least,
    at_most,
    below,
    has,
    is_true,
)
from doorstep.care.referrals.triage_rules import INJURY, NEWBORN_DAYS, STROKE, TRIAGE

_COUNTY_SCHEME = gettext_noop("县域高血压分级诊疗方案（急诊上转指征）")
_GUIDELINE = gettext_noop("国家基层高血压防治管理指南（转诊）")
_SERVICE_RULES = gettext_noop("国家基本公共卫生服务规范（第三版）2 型糖尿病患者健康管理")
_PRESSURE_RULES = gettext_noop("国家基本公共卫生服务规范（第三版）高血压患者健康管理")
_DIABETES_GUIDELINE = gettext_noop("国家基层糖尿病防治管理指南（转诊）")
_COPD = gettext_noop("慢阻肺患者健康服务规范（试行）")
_LOW_GLUCOSE = gettext_noop("中国 2 型糖尿病防治指南（2020 年版）低血糖")

# Symptoms that the doctor ticks; the codes travel in the referral.
SYMPTOMS: dict[str, str] = {
    "chest-pain": gettext_noop("胸闷、胸痛"),
    "chest-back-pain": gettext_noop("持续胸背部剧痛"),
    "consciousness": gettext_noop("意识丧失或模糊"),
    "headache-vomiting": gettext_noop("剧烈头痛、呕吐"),
    "neurological": gettext_noop("突发言语或肢体障碍"),
    "dyspnoea": gettext_noop("呼吸困难、不能平卧"),
    "oedema": gettext_noop("下肢水肿"),
    "sweating": gettext_noop("大汗"),
    "palpitation": gettext_noop("心悸"),
    "cyanosis": gettext_noop("口唇发绀"),
    "ketone-breath": gettext_noop("呼气有烂苹果味"),
    "vomiting-abdominal": gettext_noop("恶心呕吐、腹痛"),
    "vision-loss": gettext_noop("突发视力下降"),
    "severe-injury": gettext_noop("高处坠落、车祸等严重外伤"),
    "heavy-bleeding": gettext_noop("大出血"),
    "seizure": gettext_noop("抽搐"),
    "reduced-movement": gettext_noop("胎动减少或阴道流血流液"),
    "poor-feeding": gettext_noop("拒奶、反应差（新生儿）"),
    "jaundice": gettext_noop("黄疸明显加重（新生儿）"),
}
# What the facts are called where they are shown.
NAMES: dict[str, str] = {
    "age": gettext_noop("年龄"),
    "age_days": gettext_noop("日龄"),
    "systolic": gettext_noop("收缩压"),
    "diastolic": gettext_noop("舒张压"),
    "pulse": gettext_noop("脉搏"),
    "spo2": gettext_noop("血氧饱和度"),
    "temperature": gettext_noop("体温"),
    "glucose": gettext_noop("血糖"),
    "hba1c": gettext_noop("糖化血红蛋白"),
    "symptoms": gettext_noop("症状"),
    "ecg_critical": gettext_noop("心电危急值"),
    "critical": gettext_noop("危急（医师判定或危急值）"),
    "hypertension": gettext_noop("高血压"),
    "onset_age": gettext_noop("高血压发病或首次登记年龄"),
    "diabetes": gettext_noop("糖尿病"),
    "copd": gettext_noop("慢阻肺"),
    "pregnant": gettext_noop("妊娠或产褥期"),
    "nursing": gettext_noop("哺乳期"),
    "months_above_goal": gettext_noop("血压未达标月数"),
    "times_above_goal": gettext_noop("血压连续未达标次数"),
    "hba1c_months": gettext_noop("糖化血红蛋白未达标月数"),
    "exacerbations": gettext_noop("一年内急性加重次数"),
    "diagnosis": gettext_noop("诊断"),
    "medicine_lines": gettext_noop("用药种数"),
    "follow_ups": gettext_noop("随访次数"),
    "complications_stable": gettext_noop("并发症、合并症稳定"),
    "oxygen_free": gettext_noop("不需吸氧"),
    "no_fever_days": gettext_noop("连续不发热天数"),
    "chest_pain_free_days": gettext_noop("连续无胸痛天数"),
    "deficit_stable": gettext_noop("神经功能缺损稳定"),
    "wound_clean": gettext_noop("伤口清洁"),
    "tcm_plan_fixed": gettext_noop("中医方案确定"),
}
DISEASES: dict[str, str] = {
    "heart": gettext_noop("胸痛与心脏病"),
    "hypertension": gettext_noop("高血压"),
    "diabetes": gettext_noop("糖尿病"),
    "copd": gettext_noop("慢阻肺"),
    "stroke": gettext_noop("脑卒中"),
    "trauma": gettext_noop("创伤"),
    "maternal": gettext_noop("孕产妇"),
    "newborn": gettext_noop("新生儿"),
    "vital": gettext_noop("生命体征"),
    "surgery": gettext_noop("术后"),
    "general": gettext_noop("通用"),
}

# How a value was measured, where it matters.
METHODS: dict[str, str] = {HOME: gettext_noop("家庭自测")}

# mmHg
CRISIS_SYSTOLIC, CRISIS_DIASTOLIC = 180, 110
YOUNG_ONSET = 30
HIGH_SYSTOLIC, HIGH_DIASTOLIC = 140, 90
# 中国高血压防治指南: what 140/90 in the clinic is at home.
HOME_SYSTOLIC, HOME_DIASTOLIC = 135, 85
_HOME_LESS = HIGH_SYSTOLIC - HOME_SYSTOLIC
YOUNG_DIABETES, YOUNG_COPD = 25, 40
# Full years: from when on the goals of adults hold, and those of the very old.
ADULT, VERY_OLD = 18, 80
# mmol/L, fasting
GLUCOSE_GOAL = 7.0
# mmol/L
GLUCOSE_HIGH, GLUCOSE_LOW = 16.7, 3.9
# mmol/L: low in anybody
GLUCOSE_TOO_LOW = 2.8

_HIGH = any_of(
    at_least("systolic", HIGH_SYSTOLIC, home=HOME_SYSTOLIC), at_least("diastolic", HIGH_DIASTOLIC, home=HOME_DIASTOLIC)
)
_EXPECTING = any_of(is_true("pregnant"), is_true("nursing"))
_CRISIS = any_of(at_least("systolic", CRISIS_SYSTOLIC), at_least("diastolic", CRISIS_DIASTOLIC))

UP_CRITERIA: tuple[Criterion, ...] = (
    *INJURY,
    Criterion(
        code="acs",
        disease="heart",
        text=gettext_noop("胸闷、胸痛考虑急性冠脉综合征，或心电图危急值：立即转至可行介入治疗的医院"),
        test=any_of(is_true("ecg_critical"), has("chest-pain")),
        source=_COUNTY_SCHEME,
        urgent=True,
        green="chest-pain",
    ),
    *STROKE,
    Criterion(
        code="crisis",
        disease="hypertension",
        text=gettext_noop("血压 ≥180/110 mmHg 并伴剧烈头痛、呕吐，或突发言语、肢体障碍"),
        test=all_of(_CRISIS, has("headache-vomiting", "neurological")),
        source=_COUNTY_SCHEME,
        urgent=True,
    ),
    Criterion(
        code="dissection",
        disease="hypertension",
        text=gettext_noop("血压显著升高（≥180/110 mmHg）伴持续胸背部剧烈疼痛"),
        test=all_of(_CRISIS, has("chest-back-pain")),
        source=_COUNTY_SCHEME,
        urgent=True,
        green="chest-pain",
    ),
    Criterion(
        code="heart-failure",
        disease="hypertension",
        text=gettext_noop("血压升高（≥140/90 mmHg，家庭自测 ≥135/85 mmHg）伴呼吸困难、不能平卧"),
        # Swollen legs alone are the commonest effect of amlodipine: the sign is the breath, with or without them.
        test=all_of(_HIGH, has("dyspnoea")),
        source=_COUNTY_SCHEME,
        urgent=True,
    ),
    Criterion(
        code="pressure",
        disease="hypertension",
        text=gettext_noop("收缩压 ≥180 mmHg 和（或）舒张压 ≥110 mmHg：处理后转诊，2 周内主动随访转诊情况"),
        test=_CRISIS,
        source=_PRESSURE_RULES,
        urgent=True,
    ),
    Criterion(
        code="danger-signs",
        disease="hypertension",
        text=gettext_noop("高血压患者出现剧烈头痛、恶心呕吐、视力下降、心悸、胸闷或不能平卧的呼吸困难"),
        test=all_of(
            is_true("hypertension"),
            has("headache-vomiting", "vomiting-abdominal", "vision-loss", "palpitation", "chest-pain", "dyspnoea"),
        ),
        source=_PRESSURE_RULES,
        urgent=True,
    ),
    Criterion(
        code="pregnant-pressure",
        disease="hypertension",
        text=gettext_noop("妊娠或哺乳期，血压 ≥140/90 mmHg（家庭自测 ≥135/85 mmHg）"),
        test=all_of(_EXPECTING, _HIGH),
        source=_PRESSURE_RULES,
        urgent=True,
    ),
    Criterion(
        code="glucose",
        disease="diabetes",
        text=gettext_noop("血糖 ≥16.7 mmol/L，或糖尿病患者血糖 ≤3.9 mmol/L"),
        test=any_of(
            at_least("glucose", GLUCOSE_HIGH),
            # The service rule speaks of diabetics: 3.7 mmol/L before breakfast is a good glucose of anybody else.
            all_of(is_true("diabetes"), at_most("glucose", GLUCOSE_LOW)),
        ),
        source=_SERVICE_RULES,
        urgent=True,
    ),
    Criterion(
        code="hypoglycaemia",
        disease="vital",
        text=gettext_noop(
            "血糖 <2.8 mmol/L，或血糖 ≤3.9 mmol/L 伴意识改变、抽搐、大汗或心悸（出生 28 天内除外）：立即补糖，15 分钟后复测，转诊途中监测"
        ),
        # Of newborns their own criterion speaks: 3.2 mmol/L is a good glucose on the second day of life.
        test=all_of(
            above("age_days", NEWBORN_DAYS),
            any_of(
                below("glucose", GLUCOSE_TOO_LOW),
                all_of(at_most("glucose", GLUCOSE_LOW), has("consciousness", "seizure", "sweating", "palpitation")),
            ),
        ),
        source=_LOW_GLUCOSE,
        urgent=True,
    ),
    Criterion(
        code="ketoacidosis",
        disease="diabetes",
        text=gettext_noop("糖尿病伴呼气烂苹果味、恶心呕吐、腹痛，或突发视力下降"),
        test=all_of(is_true("diabetes"), has("ketone-breath", "vomiting-abdominal", "vision-loss")),
        source=_SERVICE_RULES,
        urgent=True,
    ),
    Criterion(
        code="diabetes-danger",
        disease="diabetes",
        text=gettext_noop("糖尿病患者心悸、出汗，或体温 >39 ℃"),
        test=all_of(is_true("diabetes"), any_of(has("palpitation", "sweating"), above("temperature", 39))),
        source=_SERVICE_RULES,
        urgent=True,
    ),
    Criterion(
        code="diabetes-pregnant",
        disease="diabetes",
        text=gettext_noop("妊娠或哺乳期，血糖 ≥7.0 mmol/L"),
        test=all_of(_EXPECTING, at_least("glucose", GLUCOSE_GOAL)),
        source=_SERVICE_RULES,
        urgent=True,
    ),
    Criterion(
        code="copd-worse",
        disease="copd",
        text=gettext_noop("慢阻肺急性加重，血氧饱和度 <90%，或新出现发绀、意识改变"),
        test=all_of(is_true("copd"), any_of(below("spo2", 90), has("cyanosis", "consciousness"))),
        source=_COPD,
        urgent=True,
    ),
    *TRIAGE,
    Criterion(
        code="not-at-goal",
        disease="hypertension",
        text=gettext_noop("规范治疗 2–3 个月血压仍不达标"),
        test=all_of(is_true("hypertension"), at_least("months_above_goal", 2)),
        source=_GUIDELINE,
    ),
    Criterion(
        code="twice-above-goal",
        disease="hypertension",
        text=gettext_noop("连续两次随访血压控制不满意（<65 岁 ≥140/90，≥65 岁 ≥150/90 mmHg；家庭自测各低 5 mmHg）"),
        test=all_of(is_true("hypertension"), at_least("times_above_goal", 2)),
        source=_PRESSURE_RULES,
    ),
    Criterion(
        code="young",
        disease="hypertension",
        text=gettext_noop("发病年龄 <30 岁的高血压"),
        test=all_of(is_true("hypertension"), below("onset_age", YOUNG_ONSET)),
        source=_GUIDELINE,
    ),
    Criterion(
        code="pregnancy",
        disease="hypertension",
        text=gettext_noop("妊娠或哺乳期高血压"),
        test=all_of(is_true("hypertension"), _EXPECTING),
        source=_GUIDELINE,
    ),
    Criterion(
        code="hba1c",
        disease="diabetes",
        text=gettext_noop("规范治疗 3 个月糖化血红蛋白仍 ≥7%"),
        test=all_of(is_true("diabetes"), at_least("hba1c", 7.0), at_least("hba1c_months", 3)),
        source=_DIABETES_GUIDELINE,
    ),
    Criterion(
        code="diabetes-young",
        disease="diabetes",
        text=gettext_noop("年龄 <25 岁的糖尿病"),
        test=all_of(is_true("diabetes"), below("age", YOUNG_DIABETES)),
        source=_DIABETES_GUIDELINE,
    ),
    Criterion(
        code="copd-often",
        disease="copd",
        text=gettext_noop("慢阻肺一年内急性加重 2 次及以上"),
        test=all_of(is_true("copd"), at_least("exacerbations", 2)),
        source=_COPD,
    ),
    Criterion(
        code="copd-young",
        disease="copd",
        text=gettext_noop("年龄 <40 岁的慢阻肺，需排除 α1-抗胰蛋白酶缺乏"),
        test=all_of(is_true("copd"), below("age", YOUNG_COPD)),
        source=_COPD,
    ),
)


def goal_of(age: int, *, home: bool = False) -> tuple[int, int]:
    """The pressure in mmHg that is too high at an age; 国家基本公共卫生服务规范（第三版）: <140/90, from 65 on <150/90.

    At home 5 mmHg less, as 135/85 stands for 140/90 in 中国高血压防治指南.
    """
    systolic, diastolic = (150, 90) if age >= 65 else (HIGH_SYSTOLIC, HIGH_DIASTOLIC)
    return (systolic - _HOME_LESS, diastolic - _HOME_LESS) if home else (systolic, diastolic)


def target_of(age: int, *, diabetes: bool) -> tuple[int, int] | None:
    """The pressure in mmHg that a plan begins with; None for children, whose goal is a percentile.

    中国心血管病风险评估和管理指南 2019 §2.2.2: diabetes <130/80, from 80 on <150/90, else <140/90.
    """
    if age < ADULT:
        return None
    if age >= VERY_OLD:
        return (150, 90)
    return (130, 80) if diabetes else (HIGH_SYSTOLIC, HIGH_DIASTOLIC)


def kind_for(judgements: Sequence[Judgement], *, signed: bool) -> str:
    """The kind of referral that the criteria call for.

    Green for one of the five emergency centres, whoever the patient is, and for a signed resident with any urgent criterion
    met; else urgent or ordinary.
    """
    urgent = [one for one in judgements if one.met and one.urgent]
    if not urgent:
        return "ordinary"
    return "green" if signed or any(one.criterion.green for one in urgent) else "urgent"


def center_for(judgements: Sequence[Judgement]) -> str:
    """The emergency centre of the first met criterion that names one; a mother whom another one sends at once goes to the obstetricians.

    "" where no centre is concerned.
    """
    named = next((one.criterion.green for one in judgements if one.met and one.criterion.green), "")
    if named or not any(one.met and one.urgent for one in judgements):
        return named
    known = (fact for one in judgements for name, fact in one.used if name == "pregnant")
    return "maternal" if any(fact is not None and fact.value for fact in known) else ""
