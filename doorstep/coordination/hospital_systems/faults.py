"""Every kind of error of a message in words: what is wrong, and what to do about it."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of error: its name in lists, the sentence with the facts filled in, and the cure."""

    title: str | Promise
    sentence: str | Promise
    cure: str | Promise


KINDS: dict[str, Kind] = {
    "resident-unknown": Kind(
        gettext_lazy("等待居民"),
        gettext_lazy("没有这位居民，或贵院与其没有诊疗关系。"),
        gettext_lazy("在本系统内挂号、接诊、签约或接收转诊后，消息会自动继续，无需处理。"),
    ),
    "identity-conflict": Kind(
        gettext_lazy("号码指向不同的人"),
        gettext_lazy("消息里的几个号码分别属于不同的居民。"),
        gettext_lazy("请在院内系统核对该患者的身份证号与患者号，更正后重发；确属同一人的，由档案管理合并后重放。"),
    ),
    "identity-mismatch": Kind(
        gettext_lazy("姓名与号码不符"),
        gettext_lazy("号码对应的居民与消息里的姓名、出生日期不一致。"),
        gettext_lazy("请在院内系统核对患者身份，更正后重发。"),
    ),
    "patient-number-missing": Kind(
        gettext_lazy("缺少患者号码"),
        gettext_lazy("消息没有给出任何患者号码。"),
        gettext_lazy("请让发送方在此处填写身份证号或院内患者号后重发。"),
    ),
    "code-unknown": Kind(
        gettext_lazy("代码待对照"),
        gettext_lazy("代码“%(code)s”没有对照，无法确定含义。"),
        gettext_lazy("请在“编码对照”中说明这个代码的含义，然后重放这一类消息。"),
    ),
    "segment-missing": Kind(
        gettext_lazy("缺少消息段"),
        gettext_lazy("这类消息必须有此段。"),
        gettext_lazy("请让发送方补上此段后重发。"),
    ),
    "field-missing": Kind(
        gettext_lazy("缺少字段"), gettext_lazy("这个字段必须填写。"), gettext_lazy("请让发送方填写此字段后重发。")
    ),
    "place-refused": Kind(
        gettext_lazy("号源不能占用"),
        gettext_lazy("共用号源池没有接受这次预约：%(sentence)s"),
        gettext_lazy("请在院内系统改到有号的时间后重发，或在号源看板上加号后重放。"),
    ),
    "visit-number-missing": Kind(
        gettext_lazy("缺少就诊号"),
        gettext_lazy("没有就诊号，无法识别是哪一次就诊。"),
        gettext_lazy("请让发送方在 PV1-19 填写住院号或门诊流水号后重发。"),
    ),
    "order-number-missing": Kind(
        gettext_lazy("缺少申请号"),
        gettext_lazy("没有申请号或报告号，重发时会重复。"),
        gettext_lazy("请让发送方填写 ORC-2 或 OBR-3 后重发。"),
    ),
    "booking-number-missing": Kind(
        gettext_lazy("缺少预约号"), gettext_lazy("没有预约号。"), gettext_lazy("请让发送方填写 SCH-1 或 SCH-2 后重发。")
    ),
    "charge-number-missing": Kind(
        gettext_lazy("缺少收费流水号"),
        gettext_lazy("没有收费流水号，重发时会重复计费。"),
        gettext_lazy("请让发送方填写 FT1-2 后重发。"),
    ),
    "time-missing": Kind(
        gettext_lazy("缺少时间"),
        gettext_lazy("没有给出时间，或时间无法识别。"),
        gettext_lazy("请让发送方按 年月日时分秒 填写后重发。"),
    ),
    "number-invalid": Kind(
        gettext_lazy("数字无法识别"), gettext_lazy("这里应为数字。"), gettext_lazy("请让发送方只填数字后重发。")
    ),
    "attachment-unreadable": Kind(
        gettext_lazy("附件无法读取"),
        gettext_lazy("附件不是有效的 Base64。"),
        gettext_lazy("请让发送方重新生成附件后重发。"),
    ),
    "attachment-too-large": Kind(
        gettext_lazy("附件过大"),
        gettext_lazy("报告里的附件超过 5 MB。"),
        gettext_lazy("请让发送方压缩附件，影像请走影像归档。"),
    ),
    "resource-invalid": Kind(
        gettext_lazy("内容不合规范"),
        gettext_lazy("按消息生成的资源不符合 FHIR R4。"),
        gettext_lazy("请核对此处对应的字段；无法判断时把消息编号告诉平台维护人员。"),
    ),
    "structure": Kind(
        gettext_lazy("结构无法解析"),
        gettext_lazy("内容不是一条完整的消息或文件。"),
        gettext_lazy("请让发送方核对分隔符与结束符后重发。"),
    ),
    "file-empty": Kind(
        gettext_lazy("文件是空的"),
        gettext_lazy("文件里没有数据。"),
        gettext_lazy("请核对导出程序，重新导出后再存入。"),
    ),
    "file-kind": Kind(
        gettext_lazy("文件类型不支持"),
        gettext_lazy("只读取 .xlsx、.xls、.csv 和 .xml。"),
        gettext_lazy("请另存为其中一种后再存入。"),
    ),
    "file-broken": Kind(
        gettext_lazy("文件打不开"),
        gettext_lazy("文件已损坏、没有传完，或字符集既不是 UTF-8 也不是 GB18030。"),
        gettext_lazy("请在 Excel 中打开核对，重新保存后再存入。"),
    ),
    "file-columns": Kind(
        gettext_lazy("缺少必需的列"),
        gettext_lazy("第一行的列名里没有：%(columns)s。"),
        gettext_lazy("请把列名改成与模板完全一致（不多空格、不合并单元格），再存入整个文件。"),
    ),
    "file-long": Kind(
        gettext_lazy("行数太多"),
        gettext_lazy("一个文件最多 %(most)s 行。"),
        gettext_lazy("请分成几个文件存入。"),
    ),
    "file-large": Kind(
        gettext_lazy("文件太大"),
        gettext_lazy("文件（或它解压后的内容）超过 %(most)s MB，没有读取。"),
        gettext_lazy("请按月份或科室分成几个文件存入，并删掉表格里的图片和空白行列。"),
    ),
    "file-wide": Kind(
        gettext_lazy("表格范围过大"),
        gettext_lazy("表格最后一个单元格离开头太远，中间大多是空行空列，没有读取。"),
        gettext_lazy("请删掉数据区以外的内容，另存后重新存入。"),
    ),
    "number-rounded": Kind(
        gettext_lazy("身份证号被 Excel 改写"),
        gettext_lazy("身份证号是按数字存的（形如 4.3998E+17），后几位已经丢失。"),
        gettext_lazy("请把这一列设为“文本”格式后重新导出，不能只在原表里改格式。"),
    ),
    "id-number-invalid": Kind(
        gettext_lazy("身份证号不正确"),
        gettext_lazy("%(sentence)s"),
        gettext_lazy("请在院内系统更正后，把这一行重新导出存入。"),
    ),
    "value-unknown": Kind(
        gettext_lazy("取值不在范围内"),
        gettext_lazy("“%(value)s”不是可填的值，只能填：%(choices)s。"),
        gettext_lazy("请在文件里改正后，把这一行重新存入。"),
    ),
    "xml-doctype": Kind(
        gettext_lazy("含有文档类型声明"),
        gettext_lazy("文档带有 DOCTYPE 或实体，为安全起见不读取。"),
        gettext_lazy("请让发送方去掉 DOCTYPE 声明后重发。"),
    ),
    "xml-crowded": Kind(
        gettext_lazy("文档元素过多"),
        gettext_lazy("文档有超过 %(most)s 个 XML 标签，不像一份病历文档，没有读取。"),
        gettext_lazy("请让发送方核对文档内容，必要时分成几份重发。"),
    ),
    "xml-broken": Kind(
        gettext_lazy("文档不完整"),
        gettext_lazy("XML 在第 %(line)s 行断开，通常是没有传完。"),
        gettext_lazy("请让发送方重新生成后重发。"),
    ),
    "xml-wrong": Kind(
        gettext_lazy("XML 有语法错误"),
        gettext_lazy("XML 在第 %(line)s 行有语法错误，例如标签不成对或字符没有转义；文件本身是完整的。"),
        gettext_lazy("请让发送方修正导出程序后重发。"),
    ),
    "xml-other": Kind(
        gettext_lazy("不是共享文档"),
        gettext_lazy("这是 XML，但根元素不是 CDA R2 的 ClinicalDocument。"),
        gettext_lazy("请核对导出的是 WS/T 500 共享文档，再存入。"),
    ),
    "refused": Kind(gettext_lazy("业务上不接受"), gettext_lazy("%(sentence)s"), gettext_lazy("请按提示处理后重放。")),
    "database": Kind(
        gettext_lazy("数据库繁忙"),
        gettext_lazy("多次尝试都没有写成。"),
        gettext_lazy("请稍后重放；反复出现时联系平台维护人员。"),
    ),
    "internal": Kind(
        gettext_lazy("平台内部错误"),
        gettext_lazy("平台处理时出错，消息已原样保存。"),
        gettext_lazy("请把消息编号告诉平台维护人员，修复后重放。"),
    ),
}
# What a registered sender was refused, by the reasons of kernel/exchange/mllp/acknowledgement.py.
REFUSALS: dict[str, Kind] = {
    "charset": Kind(
        gettext_lazy("字符集不符"),
        gettext_lazy("消息的字节不是它在 MSH-18 声明、或本接入设置的字符集，或含有空字符（NUL）。"),
        gettext_lazy("请在“设置”中把字符集改成对方实际使用的 GB18030 或 UTF-8，再重放；含空字符的须由对方去掉后重发。"),
    ),
    "control-id": Kind(
        gettext_lazy("缺少消息控制号"),
        gettext_lazy("消息没有控制号（MSH-10），无法应答，也无法识别重发。"),
        gettext_lazy("请让发送方为每条消息填写不同的控制号后重发。"),
    ),
    "type-missing": Kind(
        gettext_lazy("缺少消息类型"),
        gettext_lazy("消息没有写明类型（MSH-9）。"),
        gettext_lazy("请让发送方填写 MSH-9，例如 ADT^A01，然后重发。"),
    ),
    "version": Kind(
        gettext_lazy("版本不支持"),
        gettext_lazy("消息的版本是 %(version)s，这里支持 2.3 至 2.5.1。"),
        gettext_lazy("请让发送方在 MSH-12 改用 2.3 至 2.5.1 后重发。"),
    ),
    "training": Kind(
        gettext_lazy("是测试消息"),
        gettext_lazy("MSH-11 表明这是测试或调试消息，本接入只接收正式消息（P）。"),
        gettext_lazy("联调期间请在“设置”中勾选“接收测试消息”，再重放；已正式上线的请让发送方改为 P。"),
    ),
    "type": Kind(
        gettext_lazy("消息类型不接收"),
        gettext_lazy("不接收 %(type)s 这一类消息。"),
        gettext_lazy("请让发送方停发这一类消息；可接收的有 ADT、ORM、OML、ORU、SIU 和 DFT。"),
    ),
    "event": Kind(
        gettext_lazy("触发事件不接收"),
        gettext_lazy("接收这一类消息，但不接收 %(type)s 这个事件。"),
        gettext_lazy("请让发送方停发这个事件，或按接入文档改用相应的事件。"),
    ),
    "large": Kind(
        gettext_lazy("消息过大"),
        gettext_lazy("消息有 %(size)s 字节，超过大小上限；只留下了开头。"),
        gettext_lazy("请让发送方压缩或拆分附件后重发，影像请走影像归档。"),
    ),
    "cut": Kind(
        gettext_lazy("没有传完"),
        gettext_lazy("连接断开、停顿太久，或结束符之前又开始了新消息；收到 %(size)s 字节，只留下了开头。"),
        gettext_lazy("没有应答过，发送方通常会自动重发；反复出现时请检查网络，并核对每条消息以 1C 0D 结尾。"),
    ),
}
NOTES: dict[str, str | Promise] = {
    "older": gettext_lazy("比已入档的内容旧，没有覆盖"),
    "differs": gettext_lazy("与居民主索引不一致，请核对"),
    "not-a-charge": gettext_lazy("付款或调整，不作为收费项目"),
    "numbers-joined": gettext_lazy("院内患者号已指向保留的患者"),
    "merge-reported": gettext_lazy("已提示档案管理核对合并"),
}


@dataclass(frozen=True, slots=True)
class Said:
    """One error of one message in words."""

    title: str
    sentence: str
    cure: str
    place: str


def say(kind: str, place: str, facts: Mapping[str, str]) -> Said:
    """The words for an error; a kind that nobody named is told by its name."""
    found = KINDS.get(kind) or Kind(kind, _("消息无法处理。"), _("请把消息编号告诉平台维护人员。"))
    return _filled(found, place, facts)


def _filled(found: Kind, place: str, facts: Mapping[str, str]) -> Said:
    # Facts come from outside: only those that the sentence asks for are filled in.
    filled = str(found.sentence)
    for name, value in facts.items():
        filled = filled.replace(f"%({name})s", str(value))
    return Said(str(found.title), filled, str(found.cure), place)


def say_refusal(reason: str, place: str, facts: Mapping[str, str]) -> Said:
    """The words for a refusal; a reason that nobody named is told by its name."""
    found = REFUSALS.get(reason) or Kind(reason, _("消息没有被接收。"), _("请让发送方核对消息头后重发。"))
    return _filled(found, place, facts)


def refusal_title(reason: str) -> str:
    """The name of a reason in lists."""
    return str(REFUSALS[reason].title) if reason in REFUSALS else reason


def title_of(kind: str) -> str:
    """The name of a kind of error in lists."""
    return str(KINDS[kind].title) if kind in KINDS else kind
