"""Texts with a version: what a patient consents to, and the templates of warning signs, medicines and advice."""

from collections.abc import Iterable
from itertools import chain

from django.utils.translation import gettext_noop

from doorstep.coordination.beds import medicines

CONSENT_VERSION = "2025-1"
CONSENT: tuple[str, ...] = (
    gettext_noop("医师已向我说明目前的病情、转诊的理由、转入医院和科室，以及不转诊可能的风险。"),
    gettext_noop("我知道转运途中病情可能变化，已了解注意事项和紧急联系办法。"),
    gettext_noop("我同意转入医院为本次诊疗查阅我的健康档案；转诊结束后该权限随之终止。"),
    gettext_noop("如转入医院无法接诊，我同意其在医共体内改派到其他科室或医院，并及时告知我。"),
    gettext_noop("我可以随时撤回本次转诊。"),
)

RELATIONS: dict[str, str] = {
    "self": gettext_noop("本人"),
    "spouse": gettext_noop("配偶"),
    "child": gettext_noop("子女"),
    "parent": gettext_noop("父母"),
    "guardian": gettext_noop("监护人"),
    "other": gettext_noop("其他亲属"),
}
# Full years from which on somebody may sign alone (民法典第十八条, from memory: who is 16 and lives by own work is treated as of age).
SIGNS_ALONE = 16


def signs_alone(age: int) -> bool:
    """Whether a patient of so many full years may sign a consent alone; of adults without capacity the doctor judges."""
    return age >= SIGNS_ALONE


WARNING_SIGNS: tuple[str, ...] = (
    gettext_noop("胸痛、胸闷持续超过 10 分钟不缓解"),
    gettext_noop("静息时气促、夜间憋醒或下肢水肿加重"),
    gettext_noop("血压 ≥180/110 mmHg 或低于 90/60 mmHg"),
    gettext_noop("心率低于 50 次/分或超过 120 次/分"),
    gettext_noop("黑便、牙龈出血或皮肤大片瘀斑"),
    gettext_noop("突发言语不清、口角歪斜或肢体无力"),
    gettext_noop("晕厥或意识模糊"),
)

PULSE, BLEEDING = WARNING_SIGNS[3:5]
LOW_GLUCOSE: str = gettext_noop("心慌、出冷汗、手抖（低血糖）")
FOLLOW_UP_DAYS: tuple[int, ...] = (3, 7, 30)
FREQUENCIES = medicines.FREQUENCIES
WAYS: dict[str, str] = {
    "visit": gettext_noop("入户"),
    "clinic": gettext_noop("门诊"),
    "phone": gettext_noop("电话"),
    "video": gettext_noop("视频"),
}
FOLLOW_UP_SYMPTOMS: dict[str, str] = {
    "chest-pain": gettext_noop("胸痛"),
    "dyspnoea": gettext_noop("气促"),
    "oedema": gettext_noop("下肢水肿"),
    "dizziness": gettext_noop("头晕"),
    "bleeding": gettext_noop("出血"),
    "palpitation": gettext_noop("心悸"),
}
# Of these a follow-up says what was done; this house's own.
ALARMING: tuple[str, ...] = ("chest-pain", "dyspnoea", "bleeding")
# Ways in which nobody of the unit measures: the pressure is the patient's own.
FROM_HOME = frozenset({"phone", "video"})
ARRIVE_WITH: str = gettext_noop("请携带身份证、医保卡、既往检查资料和正在服用的药物，到院后至转诊中心报到。")

# The warning signs that a plan for a disease begins with; the doctor changes them.
SIGNS_OF: dict[str, tuple[str, ...]] = {
    "heart": (WARNING_SIGNS[0], WARNING_SIGNS[1], WARNING_SIGNS[3], WARNING_SIGNS[4]),
    "stroke": (WARNING_SIGNS[5], WARNING_SIGNS[6], WARNING_SIGNS[2]),
    "copd": (gettext_noop("气促加重、痰量增多或变黄"), gettext_noop("口唇发绀"), WARNING_SIGNS[6]),
    "surgery": (
        gettext_noop("伤口红肿、渗液或裂开"),
        gettext_noop("体温超过 38.5 ℃"),
        gettext_noop("一侧下肢肿胀疼痛"),
    ),
    "diabetes": (
        LOW_GLUCOSE,
        gettext_noop("血糖持续超过 16.7 mmol/L"),
        WARNING_SIGNS[6],
    ),
}


def signs_for(first: Iterable[str]) -> tuple[str, ...]:
    """Every warning sign of the house, those that a plan begins with on top."""
    return tuple(dict.fromkeys((*first, *WARNING_SIGNS, *chain.from_iterable(SIGNS_OF.values()))))
