"""Lines of COPY text from columns: one pattern per table, filled for a whole batch without a loop in Python."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any

import numpy as np

from doorstep.demo.county.columns import Array

Batch = Mapping[str, Sequence[Any]]
NULL = "\\N"
_SLOT = re.compile("«([a-z_]+)»")


class LinePattern:
    """A line with the names of columns in «guillemets»; everything outside them stands in every row."""

    def __init__(self, text: str) -> None:
        self.names: tuple[str, ...] = tuple(_SLOT.findall(text))
        if not self.names:
            raise ValueError("a pattern without a column would never end")
        self._fill = _SLOT.sub("%s", text.replace("%", "%%")).__mod__

    def lines(self, batch: Batch) -> Iterator[str]:
        """One text per row of the batch; KeyError when a column is missing, ValueError when lengths differ."""
        return map(self._fill, zip(*(batch[name] for name in self.names), strict=True))


def blob(pattern: LinePattern, batch: Batch) -> bytes:
    """The rows of a batch as bytes for COPY."""
    return joined(pattern.lines(batch))


def joined(lines: Iterable[str]) -> bytes:
    """Lines as bytes for COPY, each with its end."""
    text = "\n".join(lines)
    return f"{text}\n".encode() if text else b""


def row_lines(rows: Iterable[Sequence[Any]]) -> bytes:
    """Rows of plain Python values as bytes for COPY: for the small tables, where every kind of value occurs."""
    return joined("\t".join(map(_cell, row)) for row in rows)


def _cell(value: Any) -> str:
    if value is None:
        return NULL
    if isinstance(value, bool):
        return "t" if value else "f"
    if isinstance(value, bytes):
        return f"\\\\x{value.hex()}"
    if isinstance(value, date | datetime):
        return value.isoformat()
    text = str(value)
    return text.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")


def texts_of(array: Array) -> list[Any]:
    """Dates as YYYY-MM-DD, instants as YYYY-MM-DDTHH:MM (UTC), NaT as the NULL of COPY, anything else as it is."""
    if array.dtype.kind != "M":
        return list(array.tolist())
    found = np.datetime_as_string(array).astype(object)
    found[np.isnat(array)] = NULL
    return list(found.tolist())


def hexed(values: Iterable[bytes]) -> list[str]:
    """Bytes as the hexadecimal digits of a bytea, without the leading mark."""
    return [value.hex() for value in values]


def compound(*columns: Sequence[Any], pattern: str) -> list[str]:
    """One text per row from several columns: compound(ids, pattern="visit/%s")."""
    return [pattern % row for row in zip(*columns, strict=True)]


def repeated(value: Any, count: int) -> list[Any]:
    """A column that holds one value."""
    return [value] * count
