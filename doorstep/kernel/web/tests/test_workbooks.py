"""Excel files of pages, read back by another library."""

import io
from datetime import UTC, date, datetime
from decimal import Decimal

from python_calamine import CalamineWorkbook

from doorstep.kernel.web.workbooks import EXCEL, Share, Sheet, answer, workbook


def test_cells_keep_their_kind_and_no_text_becomes_a_formula() -> None:
    at = datetime(2026, 11, 22, 16, 30, tzinfo=UTC)
    row = ("=1+1", 3, 2.5, Share(0.125), at, date(2026, 11, 23), Decimal("1250.50"), None, "")
    content = workbook(Sheet("甲", [str(number) for number in range(len(row))], [row]), Sheet("乙", ["空"], []))
    book = CalamineWorkbook.from_filelike(io.BytesIO(content))
    assert book.sheet_names == ["甲", "乙"]
    _heads, read = book.get_sheet_by_name("甲").to_python()
    # In China's hours: 00:30 of the next day.
    assert read[:4] == ["=1+1", 3, 2.5, 0.125]
    assert read[4:6] == [datetime(2026, 11, 23, 0, 30), date(2026, 11, 23)]
    # Money can be added up.
    assert read[6] == 1250.5
    assert book.get_sheet_by_name("乙").to_python() == [["空"]]


def test_answer_is_kept_under_its_name() -> None:
    found = answer(b"x", "beds.xlsx")
    assert found.headers["Content-Type"] == EXCEL
    assert found.headers["Content-Disposition"] == 'attachment; filename="beds.xlsx"'
