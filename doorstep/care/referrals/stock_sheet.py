"""A unit's count of medicines as an Excel file: reading it, and writing it out again."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.translation import gettext as _

from doorstep.kernel.web import tables
from doorstep.kernel.web.workbooks import Sheet, workbook

COLUMNS = ("药品编码", "药品名称", "库存数量", "单位")
LIMIT = 5_000
_MOST_LINES = 4 * LIMIT
_LARGEST = 10_000_000


@dataclass(frozen=True, slots=True)
class Counted:
    """One line of the file; the quantity in packages of `unit`."""

    row: int
    code: str
    name: str
    quantity: int
    unit: str


class SheetFault(ValueError):
    """What is wrong with the file, in a sentence with its cure."""


def read(content: bytes) -> list[Counted]:
    """The lines of a file; raises SheetFault naming the first rows that are wrong. Nothing of a faulty file is used."""
    try:
        table = tables.excel(content, most_rows=_MOST_LINES)
    except tables.TableRefused as refused:
        if refused.kind != "broken":
            raise SheetFault(str(refused)) from refused
        raise SheetFault(_("文件无法读取，请上传 .xlsx 文件，可先下载当前库存表作为模板。")) from refused
    heads = [str(cell).strip() for cell in table[0]] if table else []
    missing = [name for name in COLUMNS[1:3] if name not in heads]
    if missing:
        raise SheetFault(_("第一行缺少列“%(name)s”，请下载当前库存表作为模板。") % {"name": "、".join(missing)})
    lines = [(number, dict(zip(heads, cells, strict=False))) for number, cells in enumerate(table[1:], 2) if any(cells)]
    if len(lines) > LIMIT:
        raise SheetFault(_("文件超过 %(limit)s 行，请检查是否选错了文件。") % {"limit": LIMIT})
    found, wrong = [], []
    for number, cells in lines:
        quantity = _whole(cells.get("库存数量"))
        name = str(cells.get("药品名称") or "").strip()
        if quantity is None or not name:
            wrong.append(str(number))
            continue
        code, unit = (str(cells.get(column) or "").strip() for column in ("药品编码", "单位"))
        found.append(Counted(number, code[:24], name[:80], quantity, unit[:12]))
    if wrong:
        raise SheetFault(
            _("第 %(rows)s 行的药品名称为空，或库存数量不是 0 以上的整数，请更正后重新上传。")
            % {"rows": "、".join(wrong[:8])}
        )
    return found


def write(lines: Iterable[tuple[str, str, int, str]]) -> bytes:
    """Lines of code, name, quantity and unit as a file that `read` takes."""
    return workbook(Sheet(_("药品库存"), COLUMNS, lines, 24))


def _whole(cell: object) -> int | None:
    """A count from 0 on, however Excel keeps it."""
    try:
        value = float(str(cell).strip())
    except ValueError:
        return None
    return int(value) if value == int(value) and 0 <= value <= _LARGEST else None
