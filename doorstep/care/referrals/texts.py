"""Texts with a version: what a patient consents to, and the templates of warning signs, medicines and advice."""

CONSENT_VERSION = "2025-1"
CONSENT: tuple[str, ...] = (
    "医师已向我说明目前的病情、转诊的理由、转入医院和科室，以及不转诊可能的风险。",
    "我知道转运途中病情可能变化，已了解注意事项和紧急联系办法。",
    "我同意转入医院为本次诊疗查阅我的健康档案；转诊结束后该权限随之终止。",
    "如转入医院无法接诊，我同意其在医共体内改派到其他科室或医院，并及时告知我。",
    "我可以随时撤回本次转诊。",
)

RELATIONS: dict[str, str] = {
    "self": "本人",
    "spouse": "配偶",
    "child": "子女",
    "parent": "父母",
    "guardian": "监护人",
    "other": "其他亲属",
}

WARNING_SIGNS: tuple[str, ...] = (
    "胸痛、胸闷持续超过 10 分钟不缓解",
    "静息时气促、夜间憋醒或下肢水肿加重",
    "血压 ≥180/110 mmHg 或低于 90/60 mmHg",
    "心率低于 50 次/分或超过 120 次/分",
    "黑便、牙龈出血或皮肤大片瘀斑",
    "突发言语不清、口角歪斜或肢体无力",
    "晕厥或意识模糊",
)

FOLLOW_UP_DAYS: tuple[int, ...] = (3, 7, 30)
FREQUENCIES: dict[str, str] = {
    "qd": "每日 1 次",
    "bid": "每日 2 次",
    "tid": "每日 3 次",
    "qn": "每晚 1 次",
    "prn": "必要时",
}
WAYS: dict[str, str] = {"visit": "入户", "clinic": "门诊", "phone": "电话", "video": "视频"}
FOLLOW_UP_SYMPTOMS: dict[str, str] = {
    "chest-pain": "胸痛",
    "dyspnoea": "气促",
    "oedema": "下肢水肿",
    "dizziness": "头晕",
    "bleeding": "出血",
    "palpitation": "心悸",
}
ARRIVE_WITH: str = "请携带身份证、医保卡、既往检查资料和正在服用的药物，到院后至转诊中心报到。"
