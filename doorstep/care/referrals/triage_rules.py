"""When a patient goes up at once: the emergency triage consensus and the lists of the five centres, as data with their sources.

Pure. All sources are secondary: `verified` says so, and the page says 口径待核.
"""

from django.utils.translation import gettext_noop

from doorstep.care.referrals.criteria import (
    Criterion,
    above,
    all_of,
    any_of,
    at_least,
    at_most,
    below,
    has,
    is_true,
)

_COUNTY_SCHEME = gettext_noop("县域高血压分级诊疗方案（急诊上转指征）")
_TRIAGE = gettext_noop("急诊预检分诊专家共识（2018）")
_MATERNAL = gettext_noop("国卫办妇幼发〔2017〕35号 孕产妇妊娠风险评估与管理工作规范")
_HOUSE = gettext_noop("本医共体约定")
_NEWBORN = gettext_noop("危重新生儿救治中心建设与管理指南")

# Full years from which on the figures of the consensus for pressure and pulse hold.
ADULT = 14
NEWBORN_DAYS = 28
# mmol/L
NEWBORN_GLUCOSE = 2.6

# Severe injury opens the trauma centre whatever else is met: a broken rib hurts in the chest.
INJURY: tuple[Criterion, ...] = (
    Criterion(
        code="trauma",
        disease="trauma",
        text=gettext_noop("严重外伤：立即转至创伤中心"),
        test=has("severe-injury"),
        source=_TRIAGE,
        urgent=True,
        green="trauma",
    ),
)

STROKE: tuple[Criterion, ...] = (
    Criterion(
        code="stroke",
        disease="stroke",
        text=gettext_noop("突发言语或肢体障碍，考虑脑卒中：立即转至卒中中心"),
        test=has("neurological"),
        source=_TRIAGE,
        urgent=True,
        green="stroke",
    ),
)

# In the order of the centres: a mother who bleeds goes to the obstetricians, a newborn to the newborns' ward.
TRIAGE: tuple[Criterion, ...] = (
    Criterion(
        code="critical",
        disease="vital",
        text=gettext_noop("检查检验危急值，或医师判定危急"),
        test=is_true("critical"),
        source=_HOUSE,
        urgent=True,
    ),
    Criterion(
        code="consciousness",
        disease="vital",
        text=gettext_noop("意识丧失或模糊"),
        test=has("consciousness"),
        source=_COUNTY_SCHEME,
        urgent=True,
    ),
    Criterion(
        code="vitals",
        disease="vital",
        text=gettext_noop(
            "收缩压 <90 mmHg（1–13 岁 <70 mmHg），脉搏 >150 次/分（14 岁起）或 <40 次/分，血氧饱和度 ≤92%，或体温 >41 ℃"
        ),
        test=any_of(
            # The consensus speaks of adults: a newborn's heart beats 155 times a minute with a systolic of 70, and is well.
            all_of(at_least("age", ADULT), any_of(below("systolic", 90), above("pulse", 150))),
            all_of(at_least("age", 1), below("systolic", 70)),
            below("pulse", 40),
            at_most("spo2", 92),
            above("temperature", 41),
        ),
        source=_TRIAGE,
        urgent=True,
    ),
    Criterion(
        code="airway",
        disease="vital",
        text=gettext_noop("呼吸困难、不能平卧，或口唇发绀"),
        test=has("dyspnoea", "cyanosis"),
        source=_TRIAGE,
        urgent=True,
    ),
    Criterion(
        code="seizure",
        disease="vital",
        text=gettext_noop("抽搐"),
        test=has("seizure"),
        source=_TRIAGE,
        urgent=True,
    ),
    Criterion(
        code="headache",
        disease="vital",
        text=gettext_noop("剧烈头痛、呕吐，血压不高亦不能除外颅内出血"),
        test=has("headache-vomiting"),
        source=_TRIAGE,
        urgent=True,
    ),
    Criterion(
        code="maternal",
        disease="maternal",
        text=gettext_noop("孕产妇血压 ≥160/110 mmHg、抽搐、大出血，或胎动减少、阴道流血流液"),
        # Who names the child's movements is pregnant, whatever the problem list says.
        test=any_of(
            has("reduced-movement"),
            all_of(
                is_true("pregnant"),
                any_of(at_least("systolic", 160), at_least("diastolic", 110), has("seizure", "heavy-bleeding")),
            ),
        ),
        source=_MATERNAL,
        urgent=True,
        green="maternal",
    ),
    Criterion(
        code="newborn",
        disease="newborn",
        text=gettext_noop("出生 28 天内拒奶、反应差、发绀、抽搐、黄疸加重，体温 ≥38 ℃，或血糖 <2.6 mmol/L"),
        test=all_of(
            at_most("age_days", NEWBORN_DAYS),
            any_of(
                has("poor-feeding", "cyanosis", "seizure", "jaundice"),
                at_least("temperature", 38),
                below("glucose", NEWBORN_GLUCOSE),
            ),
        ),
        source=_NEWBORN,
        urgent=True,
        green="newborn",
    ),
    Criterion(
        code="bleeding",
        disease="trauma",
        text=gettext_noop("大出血：立即转至创伤中心；孕产妇转至危重孕产妇救治中心"),
        test=has("heavy-bleeding"),
        source=_TRIAGE,
        urgent=True,
        green="trauma",
    ),
    Criterion(
        code="back-pain",
        disease="heart",
        text=gettext_noop("持续胸背部剧痛，血压不高亦不能除外主动脉夹层：立即转至胸痛中心"),
        test=has("chest-back-pain"),
        source=_TRIAGE,
        urgent=True,
        green="chest-pain",
    ),
)
