"""Tables that people hand in: read whole, or refused before they take the process with them."""

import io
import struct
import zipfile
from collections.abc import Callable
from datetime import date, datetime

import pytest
import xlsxwriter

from doorstep.kernel.web import tables

_MOST = 1_000


def _workbook(write: Callable[[xlsxwriter.workbook.Workbook, xlsxwriter.workbook.Worksheet], None]) -> bytes:
    target = io.BytesIO()
    with xlsxwriter.Workbook(target, {"in_memory": True}) as book:
        write(book, book.add_worksheet())
    return target.getvalue()


def _plain(book: xlsxwriter.workbook.Workbook, sheet: xlsxwriter.workbook.Worksheet) -> None:
    sheet.write_row(0, 0, ["姓名", "次数"])
    sheet.write_row(1, 0, ["周桂兰", 3])


def _rewritten(content: bytes, name: str, change: Callable[[bytes], bytes]) -> bytes:
    """A workbook with one part changed, packed anew."""
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as given, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as made:
        for one in given.namelist():
            made.writestr(one, change(given.read(one)) if one == name else given.read(one))
    return target.getvalue()


def _kind(content: bytes) -> str:
    with pytest.raises(tables.TableRefused) as refused:
        tables.excel(content, most_rows=_MOST)
    assert str(refused.value)
    return refused.value.kind


def test_a_sheet_is_read_line_by_line_and_no_further_than_asked() -> None:
    content = _workbook(_plain)
    assert tables.excel(content, most_rows=_MOST) == [["姓名", "次数"], ["周桂兰", 3.0]]
    assert tables.excel(content, most_rows=1) == [["姓名", "次数"]]


def test_a_cell_in_the_last_corner_is_refused_before_the_sheet_is_opened() -> None:
    def far(book: xlsxwriter.workbook.Workbook, sheet: xlsxwriter.workbook.Worksheet) -> None:
        _plain(book, sheet)
        sheet.write(1_048_575, 16_383, "。")

    content = _workbook(far)
    assert len(content) < 10_000
    assert _kind(content) == "wide"
    # Whoever writes the attributes in another order is read as well.
    turned = _rewritten(
        content,
        "xl/worksheets/sheet1.xml",
        lambda text: text.replace(b'<c r="XFD1048576" t="s">', b'<c t="s" r="XFD1048576">'),
    )
    assert _kind(turned) == "wide"


def test_a_sheet_under_another_name_is_looked_at_as_well() -> None:
    def far(book: xlsxwriter.workbook.Workbook, sheet: xlsxwriter.workbook.Worksheet) -> None:
        _plain(book, sheet)
        sheet.write(1_048_575, 16_383, "。")

    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(_workbook(far))) as given, zipfile.ZipFile(target, "w") as made:
        for one in given.namelist():
            text = given.read(one).replace(b"worksheets/sheet1.xml", b"elsewhere/page.part")
            made.writestr(one.replace("worksheets/sheet1.xml", "elsewhere/page.part"), text)
    assert _kind(target.getvalue()) == "wide"


def test_cells_that_are_only_painted_keep_nobody_out() -> None:
    def painted(book: xlsxwriter.workbook.Workbook, sheet: xlsxwriter.workbook.Worksheet) -> None:
        _plain(book, sheet)
        sheet.write_blank(1_048_575, 25, None, book.add_format({"bg_color": "#E6F0F3"}))

    assert len(tables.excel(_workbook(painted), most_rows=_MOST)) == 2


def test_a_workbook_that_is_huge_inside_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = _rewritten(_workbook(_plain), "xl/sharedStrings.xml", lambda text: text + b" " * 3_000_000)
    monkeypatch.setattr(tables, "MOST_UNPACKED", 2_000_000)
    assert len(bomb) < 20_000
    assert _kind(bomb) == "large"


def test_what_a_part_says_of_its_size_is_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = bytearray(_rewritten(_workbook(_plain), "xl/sharedStrings.xml", lambda text: text + b" " * 3_000_000))
    with zipfile.ZipFile(io.BytesIO(bytes(bomb))) as packed:
        size = packed.getinfo("xl/sharedStrings.xml").file_size
    said = size.to_bytes(4, "little")
    assert bomb.count(said) >= 2
    monkeypatch.setattr(tables, "MOST_UNPACKED", 2_000_000)
    assert _kind(bytes(bomb).replace(said, (1_000).to_bytes(4, "little"))) == "broken"


@pytest.mark.parametrize(
    "content", [b"", b"PK", b"PK\x03\x04 cut", b"\xd0\xcf\x11\xe0 an old file, cut", "姓名,电话".encode()]
)
def test_what_is_no_workbook_is_told(content: bytes) -> None:
    assert _kind(content) == "broken"


def test_an_archive_of_something_else_is_told() -> None:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as made:
        made.writestr("content.xml", "<office:document-content/>")
    assert _kind(target.getvalue()) == "broken"


def test_commas_in_both_encodings_and_their_faults() -> None:
    for encoding in ("utf-8-sig", "gb18030"):
        assert tables.comma_separated("姓名, 次数\n周桂兰,3\n".encode(encoding), most_rows=_MOST) == [
            ["姓名", "次数"],
            ["周桂兰", "3"],
        ]
    assert len(tables.comma_separated(b"a\n" * 50, most_rows=10)) == 10
    assert tables.comma_separated("'=1+1,'-5,'甲".encode(), most_rows=_MOST) == [["=1+1", "-5", "'甲"]]
    for content, kind in ((b'"' + b"x" * 200_000, "broken"), (b"\xff\xff\xff\xff", "encoding")):
        with pytest.raises(tables.TableRefused) as refused:
            tables.comma_separated(content, most_rows=_MOST)
        assert refused.value.kind == kind


def _record(kind: int, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return struct.pack("<HH", kind, len(body)) + body


def _old_workbook(*places: tuple[int, int]) -> bytes:
    """An .xls of one sheet with a 1 at each place: a compound file of one stream, in the records of BIFF8."""
    begin = _record(0x0809, struct.pack("<HHHHII", 0x0600, 0x0005, 0, 0, 0, 0))
    end = _record(0x000A)
    name = _record(0x0085, struct.pack("<IBB", len(begin) + 4 + 9 + len(end), 0, 0), b"\x01\x00A")
    sheet = _record(0x0809, struct.pack("<HHHHII", 0x0600, 0x0010, 0, 0, 0, 0))
    cells = b"".join(_record(0x0203, struct.pack("<HHHd", row, column, 0, 1.0)) for row, column in places)
    stream = (begin + name + end + sheet + cells + end).ljust(4096, b"\0")
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6) + bytes(6)
    header += struct.pack("<IIIIIIIII", 0, 1, 1, 0, 4096, 0xFFFFFFFE, 0, 0xFFFFFFFE, 0)
    header += struct.pack("<109I", 0, *[0xFFFFFFFF] * 108)
    chain = [0xFFFFFFFD, 0xFFFFFFFE, *range(3, 10), 0xFFFFFFFE]
    table = struct.pack("<128I", *chain, *[0xFFFFFFFF] * (128 - len(chain)))

    def entry(title: str, kind: int, child: int, start: int, size: int) -> bytes:
        spelt = title.encode("utf-16-le")
        none = 0xFFFFFFFF
        said = struct.pack("<HBBIII", len(spelt) + 2, kind, 1, none, none, child)
        return spelt.ljust(64, b"\0") + said + bytes(36) + struct.pack("<IQ", start, size)

    folder = entry("Root Entry", 5, 1, 0xFFFFFFFE, 0) + entry("Workbook", 2, 0xFFFFFFFF, 2, 4096)
    return header + table + folder.ljust(512, b"\0") + stream


def test_an_old_workbook_is_read_and_one_that_is_huge_inside_ends_nobody_but_its_reader() -> None:
    assert tables.excel(_old_workbook((0, 0), (1, 1)), most_rows=_MOST) == [[1.0, ""], ["", 1.0]]
    # 65,536 times 65,536 cells, which the library makes room for: more than a hundred gigabytes.
    assert _kind(_old_workbook((0, 0), (65_535, 65_535))) == "large"


def test_a_huge_workbook_does_not_get_past_by_what_stands_before_it() -> None:
    def far(book: xlsxwriter.workbook.Workbook, sheet: xlsxwriter.workbook.Worksheet) -> None:
        _plain(book, sheet)
        sheet.write(1_048_575, 400, "。")

    content = _workbook(far)
    for before in (b"\0", b"PK", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", _old_workbook((0, 0))):
        assert _kind(before + content) == "broken"


def test_days_and_moments_come_as_such() -> None:
    def dated(book: xlsxwriter.workbook.Workbook, sheet: xlsxwriter.workbook.Worksheet) -> None:
        sheet.write_datetime(0, 0, datetime(1963, 9, 15), book.add_format({"num_format": "yyyy-mm-dd"}))
        sheet.write_datetime(0, 1, datetime(2026, 5, 4, 8, 30), book.add_format({"num_format": "yyyy-mm-dd hh:mm"}))
        sheet.write_boolean(0, 2, True)
        sheet.write_blank(0, 3, None)
        sheet.write_string(0, 4, '=cmd|"/C calc"!A0')

    assert tables.excel(_workbook(dated), most_rows=_MOST) == [
        [date(1963, 9, 15), datetime(2026, 5, 4, 8, 30), True, "", '=cmd|"/C calc"!A0']
    ]
