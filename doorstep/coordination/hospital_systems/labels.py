"""Names of segments and fields for people who read messages, and which fields name nobody.

HL7 v2.5.1, chapters 2 to 10, in the words of Chinese interface documents.
"""

from django.utils.translation import gettext_lazy as _

SEGMENTS = {
    "MSH": "消息头", "EVN": "事件", "PID": "患者", "PV1": "就诊", "PV2": "就诊附加", "ORC": "医嘱", "OBR": "申请/报告", "OBX": "结果",
    "NTE": "备注", "DG1": "诊断", "AL1": "过敏", "SCH": "预约", "AIS": "预约服务", "AIP": "预约人员", "AIL": "预约地点", "FT1": "收费",
    "MRG": "被合并患者", "SPM": "标本", "RXO": "药品医嘱", "NK1": "联系人", "IN1": "保险", "GT1": "担保人", "RGS": "资源组",
}  # fmt: skip
FIELDS = {
    "MSH-3": "发送系统", "MSH-4": "发送机构", "MSH-5": "接收系统", "MSH-6": "接收机构", "MSH-7": "发送时间", "MSH-9": "消息类型",
    "MSH-10": "消息控制号", "MSH-11": "处理标识", "MSH-12": "版本", "MSH-15": "接收应答", "MSH-16": "应用应答", "MSH-18": "字符集",
    "EVN-1": "事件", "EVN-2": "记录时间", "EVN-6": "发生时间",
    "PID-2": "患者号", "PID-3": "患者号列表", "PID-4": "备用患者号", "PID-5": "姓名", "PID-7": "出生日期", "PID-8": "性别", "PID-11": "住址",
    "PID-13": "电话", "PID-19": "身份证号",
    "PV1-2": "就诊类别", "PV1-3": "当前位置", "PV1-4": "入院类型", "PV1-6": "原位置", "PV1-7": "主治医师", "PV1-8": "转诊医师",
    "PV1-17": "收治医师", "PV1-19": "就诊号", "PV1-36": "出院去向", "PV1-44": "入院时间", "PV1-45": "出院时间",
    "ORC-1": "医嘱控制", "ORC-2": "申请号", "ORC-3": "执行号", "ORC-5": "医嘱状态", "ORC-9": "下达时间", "ORC-12": "下达医师",
    "OBR-2": "申请号", "OBR-3": "报告号", "OBR-4": "项目", "OBR-7": "采样时间", "OBR-16": "申请医师", "OBR-22": "报告时间", "OBR-24": "科别",
    "OBR-25": "报告状态", "OBR-32": "审核者",
    "OBX-2": "值类型", "OBX-3": "项目", "OBX-5": "结果", "OBX-6": "单位", "OBX-7": "参考范围", "OBX-8": "异常标志", "OBX-11": "结果状态",
    "OBX-14": "观察时间", "OBX-16": "检验者", "NTE-3": "内容",
    "DG1-3": "诊断", "DG1-5": "诊断时间", "DG1-6": "诊断类型", "AL1-2": "过敏类型", "AL1-3": "过敏原", "AL1-4": "严重程度",
    "SCH-1": "预约号", "SCH-2": "受理号", "SCH-7": "原因", "SCH-9": "时长", "SCH-11": "时间", "SCH-25": "状态", "AIS-3": "服务",
    "AIP-3": "人员", "AIL-3": "地点",
    "FT1-2": "流水号", "FT1-4": "时间", "FT1-6": "类型", "FT1-7": "项目", "FT1-10": "数量", "FT1-11": "金额", "FT1-12": "单价",
    "MRG-1": "被合并号码", "SPM-2": "标本号", "SPM-4": "标本类型", "SPM-17": "采集时间", "RXO-1": "药品", "RXO-2": "剂量",
}  # fmt: skip
# Forms, codes and times that an engineer needs to find a fault, and that say nothing about the person without the rest.
CLEAR = {
    "MSH": None, "EVN": frozenset({1, 2, 6}), "PID": frozenset({1, 8}), "PV1": frozenset({1, 2, 3, 4, 6, 44, 45}),
    "ORC": frozenset({1, 5, 9}), "OBR": frozenset({1, 4, 7, 22, 24, 25}), "OBX": frozenset({1, 2, 3, 4, 6, 11, 14}),
    "DG1": frozenset({1, 5, 6}), "AL1": frozenset({1, 2, 4}), "SCH": frozenset({9, 10, 11, 25}), "AIS": frozenset({1, 3, 4, 7, 8}),
    "AIP": frozenset({1}), "AIL": frozenset({1, 3}), "FT1": frozenset({1, 4, 6, 7, 10}), "SPM": frozenset({1, 4, 17, 18}),
    "RXO": frozenset({4}), "NTE": frozenset({1}), "RGS": None,
}  # fmt: skip
TABLES = {
    "item": "检验项目", "unit": "单位", "report": "报告", "order": "医嘱项目", "diagnosis": "诊断", "medicine": "药品", "specimen": "标本",
    "charge": "收费项目", "service": "预约服务", "answer": "结果取值", "allergen": "过敏原", "patient-class": "就诊类别",
    "order-control": "医嘱控制", "order-status": "医嘱状态", "report-status": "报告状态", "observation-status": "结果状态",
    "charge-kind": "收费类型", "document": "文书类型", "section": "文书章节",
}  # fmt: skip
# What codes of a table are usually mapped to: (system, name).
TARGETS = (
    ("http://loinc.org", "LOINC"),
    ("http://hl7.org/fhir/sid/icd-10", "ICD-10"),
    ("http://unitsofmeasure.org", "UCUM"),
    ("urn:oid:2.16.156.10011.2.3.3.4", "GB/T 2261.1"),
    ("http://terminology.hl7.org/CodeSystem/v3-ActCode", "ActCode"),
    ("http://hl7.org/fhir/status", "FHIR"),
)
# Of these FHIR must have a meaning: the system, and the codes that may be chosen with their names. Messages wait for the decision.
_STATUS = "http://hl7.org/fhir/status"
DECIDED = {
    "patient-class": (
        "http://terminology.hl7.org/CodeSystem/v3-ActCode",
        (("IMP", _("住院")), ("AMB", _("门诊")), ("EMER", _("急诊")), ("PRENC", _("预住院"))),
    ),
    "order-control": (
        _STATUS,
        (("active", _("有效")), ("on-hold", _("暂停")), ("revoked", _("撤销")), ("completed", _("完成"))),
    ),
    "order-status": (
        _STATUS,
        (
            ("active", _("有效")), ("on-hold", _("暂停")), ("revoked", _("撤销")), ("completed", _("完成")),
            ("entered-in-error", _("误录")),
        ),
    ),
    "report-status": (
        _STATUS,
        (
            ("registered", _("已登记")), ("partial", _("部分结果")), ("preliminary", _("初步报告")), ("final", _("正式报告")),
            ("corrected", _("更正报告")), ("cancelled", _("已取消")),
        ),
    ),
    "observation-status": (
        _STATUS,
        (
            ("registered", _("已登记")), ("preliminary", _("初步结果")), ("final", _("正式结果")), ("corrected", _("已更正")),
            ("cancelled", _("已取消")), ("entered-in-error", _("误录")),
        ),
    ),
}  # fmt: skip
# Where codes of other tables are usually looked for first.
USUAL = {
    "unit": "http://unitsofmeasure.org",
    "item": "http://loinc.org",
    "report": "http://loinc.org",
    "document": "http://loinc.org",
    "diagnosis": "http://hl7.org/fhir/sid/icd-10",
}
# What may be sent to a hospital's own system, by the names of v2/sending.py.
SENT = (
    ("orders", _("请本单位做的检查申请与撤销（ORM O01）")),
    ("reports", _("本单位申请的检查报告（ORU R01）")),
    ("bookings", _("本单位号源的预约（SIU S12、S13、S14、S15、S26）")),
    ("visits", _("在本平台登记的就诊与住院（ADT A01 至 A04、A08、A11）")),
    ("people", _("患者资料变更与合并（ADT A31、A40）")),
)
