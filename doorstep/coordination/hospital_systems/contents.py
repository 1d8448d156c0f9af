"""What came in a file, as an engineer reads it: the row with its columns, the document with its sections; the person veiled."""

import json

from django.utils.translation import gettext as _

from doorstep.coordination.hospital_systems.cda import catalogue
from doorstep.coordination.hospital_systems.cda.reading import Document, parse
from doorstep.coordination.hospital_systems.presenters import VEIL, Field, Shown
from doorstep.coordination.hospital_systems.sheets import KINDS, UNREADABLE
from doorstep.kernel.exchange.formats import Fault
from doorstep.kernel.exchange.queries import ShownMessage

# Columns that name nobody and say nothing about anybody by themselves.
_CLEAR = frozenset(
    {"报告号", "项目代码", "项目名称", "单位", "参考范围", "报告时间", "就诊号", "就诊类别", "就诊时间", "结束时间"}
)
_FORMATS = frozenset({"table", "cda"})


def is_file(message: ShownMessage) -> bool:
    """Whether a message came in a file."""
    return message.format in _FORMATS


def title_of(message: ShownMessage) -> str:
    """What a message is called on its page: the kind of file in words, else its type."""
    words = {
        UNREADABLE: _("打不开的文件"),
        "TABLE^results": _("检验结果表"),
        "TABLE^visits": _("就诊表"),
        "CDA": _("共享文档"),
    }
    return words.get(message.type, message.type)


def source_of(message: ShownMessage) -> str:
    """The file and the row that a message stood in; of other messages the address they came from."""
    name, _colon, line = message.address.rpartition(":")
    if is_file(message) and name and line.isdecimal():
        return _("%(file)s 第 %(line)s 行") % {"file": name, "line": line}
    return message.address


def contents_of(message: ShownMessage, *, clear: bool) -> list[Shown]:
    """The row or the document of a file; `clear` shows what names or describes the person."""
    if message.format == "cda":
        return _document(message, clear=clear)
    return _row(message, clear=clear) if message.format == "table" else []


def _row(message: ShownMessage, *, clear: bool) -> list[Shown]:
    row: dict[str, object] = json.loads(message.body)
    if message.type == UNREADABLE:
        shown = Shown(_("文件"), "")
        shown.fields.append(Field(_("文件名"), "", str(row.get("file", "")), False, False))
        return [shown]
    shown = Shown(_("第 %(line)s 行") % {"line": message.address.rpartition(":")[2]}, "")
    needed = KINDS.get(message.type.partition("^")[2], ())
    for name in dict.fromkeys((*needed, *row)):
        text = str(row.get(name, ""))
        wrong = name == message.error_place
        if not text and not wrong:
            continue
        veiled = bool(text) and not clear and name not in _CLEAR
        shown.fields.append(Field(name, "", VEIL if veiled else text[:400] or "—", veiled, wrong))
    return [shown]


def _document(message: ShownMessage, *, clear: bool) -> list[Shown]:
    try:
        document = parse(message.body.encode())
    except Fault:
        return []
    return [_header(document, message.error_place, clear=clear), *_sections(document, clear=clear)]


def _header(document: Document, wrong: str, *, clear: bool) -> Shown:
    kind = catalogue.KINDS.get(document.code.code)
    written = f"{document.written_at:%Y-%m-%d %H:%M}" if document.written_at else "—"
    born = document.birth_date.isoformat() if document.birth_date else ""
    shown = Shown("ClinicalDocument", kind.title if kind else document.code.display)
    for place, label, text, person in (
        ("id", _("文档编号"), document.number, False),
        ("code", _("文书类型"), f"{document.code.code} {document.code.display}".strip(), False),
        ("effectiveTime", _("形成时间"), written, False),
        ("custodian", _("保管机构"), document.custodian, False),
        ("patientRole.id", _("患者号码"), "、".join(document.numbers), True),
        ("patient.name", _("姓名"), document.name, True),
        ("patient.birthTime", _("出生日期"), born, True),
    ):
        if text or place == wrong:
            veiled = person and bool(text) and not clear
            shown.fields.append(Field(place, label, VEIL if veiled else text or "—", veiled, place == wrong))
    return shown


def _sections(document: Document, *, clear: bool) -> list[Shown]:
    found = []
    for number, section in enumerate(document.sections, start=1):
        shown = Shown(f"section[{number}]", section.title or section.code.display)
        code = f"{section.code.code} {section.code.display}".strip()
        results = _("%(count)s 项") % {"count": len(section.results)}
        for place, label, text, veiled in (
            ("code", _("代码"), code, False),
            ("entry", _("结构化结果"), results if section.results else "", False),
            ("text", _("正文"), section.text[:400], not clear),
        ):
            if text:
                shown.fields.append(Field(place, label, VEIL if veiled else text, veiled, False))
        found.append(shown)
    return found
