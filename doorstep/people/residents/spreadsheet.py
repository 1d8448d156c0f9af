"""Files of residents: reading Excel and CSV as Chinese offices save them, writing the template and the list of faults."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.utils.translation import gettext as _

from doorstep.kernel.web import tables
from doorstep.kernel.web.workbooks import Sheet, workbook

LIMIT = 10_000
# Nobody is told of more lines than these; each reader has a limit far below.
_MOST_LINES = 250_000
COLUMNS = (
    "姓名",
    "性别",
    "身份证号",
    "出生日期",
    "电话",
    "现住址",
    "户号",
    "与户主关系",
    "重点人群",
    "母亲身份证号",
    "证件类型",
    "证件号码",
    "护照签发国家",
    "医保类型",
    "参保地",
    "门诊慢特病",
)


class FileFault(ValueError):
    """The file as a whole cannot be read; the text says what to do."""


@dataclass(frozen=True, slots=True)
class SheetRow:
    """One row of the file: its number as the office sees it, and its texts by column."""

    number: int
    cells: dict[str, str]


def read_table(name: str, content: bytes) -> list[list[str]]:
    """The texts of a file's first sheet, line by line; raises FileFault with a sentence when it is none or empty."""
    try:
        if name.lower().endswith(".csv"):
            table = tables.comma_separated(content, most_rows=_MOST_LINES)
        elif name.lower().endswith((".xlsx", ".xls")):
            table = [[_text(cell) for cell in line] for line in tables.excel(content, most_rows=_MOST_LINES)]
        else:
            raise FileFault(_("只能读取 .xlsx、.xls 或 .csv 文件，请另存为其中一种再上传。"))
    except tables.TableRefused as refused:
        raise FileFault(str(refused)) from refused
    if not table:
        raise FileFault(_("文件里没有内容，请使用模板填写。"))
    return table


def read_file(name: str, content: bytes) -> list[SheetRow]:
    """The rows of a file; raises FileFault with a sentence when it is not a table of residents."""
    table = read_table(name, content)
    heads = [str(cell).strip().lstrip("\ufeff") for cell in table[0]]
    missing = [column for column in ("姓名", "性别") if column not in heads]
    if missing:
        raise FileFault(_("第一行缺少列“%(name)s”。请下载模板，保留第一行的列名。") % {"name": "、".join(missing)})
    rows = [
        SheetRow(number, {head: cell for head, cell in zip(heads, cells, strict=False) if head in COLUMNS})
        for number, cells in enumerate(table[1:], start=2)
        if any(cells)
    ]
    if not rows:
        raise FileFault(_("除列名外没有任何行，请填写后再上传。"))
    if len(rows) > LIMIT:
        raise FileFault(
            _("文件有 %(count)s 行，一次最多 %(limit)s 行，请分成几个文件。") % {"count": len(rows), "limit": LIMIT}
        )
    return rows


def write_template() -> bytes:
    """An empty file with the column names and one invented row."""
    example = (
        "张示例",
        "女",
        "",
        "1960-01-31",
        "19900000000",
        "石桥村 1 组",
        "1",
        "户主",
        "高血压患者；65 岁及以上老年人",
        "",
        "",
        "",
        "",
        "城乡居民医保",
        "禾川县",
        "高血压（2024-01-01）",
    )
    return write_sheet([COLUMNS, example], _("居民名册"))


def write_table(suffix: str, rows: Sequence[Sequence[str]]) -> bytes:
    """Rows of residents as the import reads them: ".xlsx", or ".csv" in UTF-8 with a mark that Excel knows."""
    if suffix == ".xlsx":
        return write_sheet([COLUMNS, *rows], _("居民名册"))
    buffer = io.StringIO()
    csv.writer(buffer).writerows([COLUMNS, *([tables.as_text(cell) for cell in row] for row in rows)])
    return buffer.getvalue().encode("utf-8-sig")


def write_faults(faults: Sequence[dict[str, Any]]) -> bytes:
    """The faults of a file: row, column, what is wrong and how to cure it."""
    lines = [(_("行"), _("列"), _("问题与改法"))]
    lines += [(fault["row"], fault["column"], fault["sentence"]) for fault in faults]
    return write_sheet(lines, _("需更正"))


def _text(cell: object) -> str:
    if isinstance(cell, datetime):
        return cell.date().isoformat()
    if isinstance(cell, date):
        return cell.isoformat()
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell).strip()


def write_sheet(lines: Sequence[Sequence[object]], title: str) -> bytes:
    """Lines as an Excel file, the first as heading."""
    return workbook(Sheet(title, [str(head) for head in lines[0]], lines[1:], 18))
