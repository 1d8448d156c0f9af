"""Tables that people hand in as Excel or CSV: read without believing what a file says of its own size.

A workbook of five kilobytes with one cell in its last corner stands for seventeen thousand million empty ones, and a packed file of one
megabyte for gigabytes: either would take the process with it. Both are told before anything opens them; what is not told by then
(the old .xls says nothing of its size) ends a process of its own.
"""

import csv
import io
import re
import subprocess
import sys
import zlib
from datetime import date, datetime
from itertools import islice
from pathlib import Path
from typing import IO
from zipfile import BadZipFile, ZipFile

import orjson
from django.utils.translation import gettext as _

from doorstep.kernel.web import workbook_reader

# A workbook of a hundred thousand rows with twenty columns takes about as much.
MOST_UNPACKED = 200 * 1024 * 1024
# Cells between the first and the last one that is written, the empty ones among them.
MOST_CELLS = 5_000_000
_CHUNK = 1024 * 1024
# Some programs write workbook2.xml, or backslashes.
_BOOK = re.compile(r"xl[/\\]workbook\d*\.xml", re.IGNORECASE)
# The place of a cell in which something is written; an empty one closes itself: <c r="AB12" s="3"/>.
_CELL = re.compile(rb"""<(?:\w+:)?c\s(?:[^>]*?\s)??r\s*=\s*["']([A-Za-z]{1,3})([0-9]{1,7})["'][^>]*(?<!/)>""")
_LAST_TAG = 512
# What Excel takes for the beginning of a formula in a file without types (OWASP, CSV injection).
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
# What zipfile raises for parts that are cut off, locked, or packed in a way that it does not know.
_BROKEN = (
    BadZipFile,
    EOFError,
    IndexError,
    KeyError,
    NotImplementedError,
    OSError,
    RuntimeError,
    ValueError,
    zlib.error,
)
# How the two kinds of workbook begin, and how the list of a packed file's parts ends.
_PACKED = b"PK\x03\x04"
_COMPOUND = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_END_OF_PARTS = b"PK\x05\x06"
_READER = Path(workbook_reader.__file__)
_MOMENTS = {"datetime": datetime.fromisoformat, "date": date.fromisoformat}


class TableRefused(ValueError):
    """What is wrong with the file, in a sentence with its cure. `kind`: "broken", "large" (once unpacked), "wide" or "encoding"."""

    def __init__(self, kind: str, sentence: str) -> None:
        super().__init__(sentence)
        self.kind = kind


def excel(content: bytes, *, most_rows: int) -> list[list[object]]:
    """The first sheet of an .xlsx or .xls file, line by line, no more than `most_rows`; raises TableRefused."""
    try:
        _check(content)
    except TableRefused:
        raise
    except _BROKEN as error:
        raise _broken() from error
    return [[_cell(cell) for cell in line] for line in _read(content, most_rows)]


def comma_separated(content: bytes, *, most_rows: int) -> list[list[str]]:
    """A CSV file in UTF-8 or GB18030, line by line, no more than `most_rows`; raises TableRefused."""
    # A file that Windows Excel saved is GB18030; UTF-8 is told by being valid UTF-8.
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        try:
            lines = islice(csv.reader(io.StringIO(text)), most_rows)
            return [[_typed(cell.strip()) for cell in line] for line in lines]
        except csv.Error as error:
            message = _("文件里有没有结束的引号或过长的单元格，请在 Excel 里另存为 .xlsx 再上传。")
            raise TableRefused("broken", message) from error
    raise TableRefused("encoding", _("无法识别文件编码，请在 Excel 里另存为 .xlsx 再上传。"))


def as_text(cell: str) -> str:
    """A cell for a CSV file that Excel opens: what it would work out as a formula is marked as text, as people mark it themselves."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


def _typed(cell: str) -> str:
    """A cell as somebody typed it, without the mark of `as_text`."""
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(_FORMULA) else cell


def _read(content: bytes, most_rows: int) -> list[list[object]]:
    """The lines as the reader says them; raises TableRefused."""
    command = [sys.executable, "-I", str(_READER), str(most_rows), str(MOST_CELLS)]
    try:
        done = subprocess.run(
            command, input=content, capture_output=True, check=False, timeout=workbook_reader.MOST_SECONDS
        )
    except subprocess.TimeoutExpired as error:
        raise _huge() from error
    if done.returncode == workbook_reader.WIDE:
        raise _wide()
    if done.returncode == workbook_reader.HUGE or done.returncode < 0:
        # A signal: the library, or the system, ended the reader.
        raise _huge()
    if done.returncode:
        raise _broken()
    lines: list[list[object]] = orjson.loads(done.stdout)
    return lines


def _cell(said: object) -> object:
    return _MOMENTS[said[0]](said[1]) if isinstance(said, list) else said


def _check(content: bytes) -> None:
    """Raise TableRefused for a workbook that is small on the disk and huge in memory.

    Programs that read packed files look for the list of parts at the end and take what stands before the first part for a greeting. So a
    workbook is one by its first bytes alone, and an .xls with such a list in it is none: what is looked at must be what is read.
    """
    if content.startswith(_COMPOUND) and _END_OF_PARTS not in content:
        return
    if not content.startswith(_PACKED):
        raise BadZipFile
    with ZipFile(io.BytesIO(content)) as packed:
        names = packed.namelist()
        if not any(_BOOK.fullmatch(name) for name in names):
            raise BadZipFile
        if sum(part.file_size for part in packed.infolist()) > MOST_UNPACKED:
            most = MOST_UNPACKED // 1024 // 1024
            message = _("文件解压后超过 %(most)s MB，请删掉图片和多余的行列，或分成几个文件再上传。") % {"most": most}
            raise TableRefused("large", message)
        last_row = last_column = 0
        for name in names:
            # Every part may be a sheet, whatever its name. Read to its end each is checked against its sum: what it says of its size is
            # believed no further than it is true.
            with packed.open(name) as part:
                row, column = _extent(part)
            last_row, last_column = max(last_row, row), max(last_column, column)
        if last_row * last_column > MOST_CELLS:
            raise _wide()


def _extent(part: IO[bytes]) -> tuple[int, int]:
    """The last row and column in which something is written, 0 and 0 of what is no sheet; reads the part to its end."""
    row = column = 0
    rest = b""
    while chunk := part.read(_CHUNK):
        text = rest + chunk
        if places := _CELL.findall(text):
            row = max(row, *(int(digits) for _letters, digits in places))
            column = max(column, *(_number(letters) for letters in {letters for letters, _digits in places}))
        # A tag may go on in the next chunk; one that is found in both counts once.
        rest = text[-_LAST_TAG:]
    return row, column


def _number(letters: bytes) -> int:
    """The number of a column: A is 1, AA is 27."""
    found = 0
    for one in letters.upper():
        found = found * 26 + one - 64
    return found


def _broken() -> TableRefused:
    return TableRefused("broken", _("无法打开这个 Excel 文件，可能已损坏或加了密码。请另存后重试。"))


def _huge() -> TableRefused:
    message = _("读取这个文件要用的内存或时间超出上限。请删掉图片和多余的行列，另存为 .xlsx 再上传，或分成几个文件。")
    return TableRefused("large", message)


def _wide() -> TableRefused:
    message = _("表格最后一个单元格离开头太远，中间大多是空行空列。请删掉数据区以外的内容，另存后再上传。")
    return TableRefused("wide", message)
