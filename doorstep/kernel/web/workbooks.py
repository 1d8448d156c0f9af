"""Excel files that pages give out: sheets of plain rows, written the same way everywhere, and the answer that carries one."""

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

import xlsxwriter
from django.http import HttpResponse
from django.utils import timezone

EXCEL = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_WIDTH = 16


class Share(float):
    """A part of a whole, 0 to 1; shown as per cent."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet: its title (31 characters at most), its heads, its rows, and how wide its columns are in characters.

    A cell is text, a number, a sum of money (Decimal), a `Share`, a moment (shown in the reader's hours), a day, or None for nothing.
    """

    title: str
    heads: Sequence[str]
    rows: Iterable[Sequence[Any]]
    width: int = _WIDTH


def workbook(*sheets: Sheet) -> bytes:
    """The file; the heads stay in sight, and no text becomes a formula, whatever it begins with."""
    target = io.BytesIO()
    with xlsxwriter.Workbook(target, {"in_memory": True}) as book:
        bold = book.add_format({"bold": True, "bg_color": "#E6F0F3"})
        shown = {
            datetime: book.add_format({"num_format": "yyyy-mm-dd hh:mm"}),
            date: book.add_format({"num_format": "yyyy-mm-dd"}),
            Share: book.add_format({"num_format": "0.0%"}),
            float: book.add_format({"num_format": "0.0"}),
            # Money: as text nobody could add it up.
            Decimal: book.add_format({"num_format": "#,##0.00"}),
        }
        for one in sheets:
            page = book.add_worksheet(one.title)
            page.write_row(0, 0, one.heads, bold)
            for number, row in enumerate(one.rows, start=1):
                for column, value in enumerate(row):
                    _write(page, (number, column), value, shown)
            page.freeze_panes(1, 0)
            page.set_column(0, len(one.heads) - 1, one.width)
    return target.getvalue()


def answer(content: bytes, name: str) -> HttpResponse:
    """The file under a name, to be kept by the reader."""
    return HttpResponse(content, content_type=EXCEL, headers={"Content-Disposition": f'attachment; filename="{name}"'})


def _write(page: Any, place: tuple[int, int], value: Any, shown: dict[type, Any]) -> None:
    match value:
        case None | "":
            pass
        case datetime():
            page.write_datetime(*place, timezone.localtime(value).replace(tzinfo=None), shown[datetime])
        case date():
            page.write_datetime(*place, datetime.combine(value, time.min), shown[date])
        case Share():
            page.write_number(*place, value, shown[Share])
        case float():
            page.write_number(*place, value, shown[float])
        case Decimal():
            page.write_number(*place, float(value), shown[Decimal])
        case int():
            page.write_number(*place, value)
        case _:
            page.write_string(*place, str(value))
