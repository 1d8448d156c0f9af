"""Columns of one batch of rows, drawn by numpy and handed on as plain Python values.

Everything large in the county is produced column by column, because a million residents with their history are about
thirteen million rows. A consumer that wants rows asks `rows()`; one that writes files by column asks `column()`.
"""

import operator
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import accumulate, repeat
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

MINUTES_PER_DAY = 1440
CHINA_OFFSET_MINUTES = 480


@dataclass(frozen=True, slots=True)
class Columns:
    """Named columns of equal length.

    Values of a row: int, float, bool, str, `date`, aware UTC `datetime`, or None where the array holds NaT or None.
    Arrays of `datetime64[m]` are instants in UTC to the minute; arrays of `datetime64[D]` are dates.
    """

    names: tuple[str, ...]
    arrays: tuple[Array, ...]

    def __len__(self) -> int:
        return len(self.arrays[0]) if self.arrays else 0

    def column(self, name: str) -> Array:
        """The array of one column; KeyError-like ValueError when there is no such column."""
        return self.arrays[self.names.index(name)]

    def rows(self) -> Iterator[tuple[Any, ...]]:
        """The rows as tuples in the order of `names`, ready for a COPY."""
        return zip(*(plain_values(array) for array in self.arrays), strict=True)


def columns(**arrays: Array) -> Columns:
    """Columns from keyword arguments, in the order written."""
    return Columns(tuple(arrays), tuple(arrays.values()))


def stack(parts: list[Columns]) -> Columns:
    """Several parts with the same columns as one; ValueError when there is no part."""
    names = parts[0].names
    return Columns(
        names,
        tuple(np.concatenate([part.column(name) for part in parts]) for name in names),
    )


def plain_values(array: Array) -> list[Any]:
    """The values of one column as Python objects."""
    if array.dtype != np.dtype("datetime64[m]"):
        return list(array.tolist())
    minutes = array.astype(np.int64)
    missing = np.isnat(array)
    days = np.floor_divide(minutes[~missing], MINUTES_PER_DAY)
    if days.size == 0:
        return [None] * len(array)
    first = int(days.min())
    table = _instants(first - first % 32, (int(days.max()) - first + 64) // 32 * 32)
    position = np.where(missing, 0, minutes - (first - first % 32) * MINUTES_PER_DAY)
    values = table[position]
    values[missing] = None
    return list(values.tolist())


@lru_cache(maxsize=4)
def _instants(first_day: int, days: int) -> Array:
    """Every minute of a span as an aware datetime: looking one up is forty times cheaper than making it."""
    start = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=first_day)
    table = np.empty(days * MINUTES_PER_DAY, dtype=object)
    minutes = repeat(timedelta(minutes=1), len(table) - 1)
    table[:] = list(accumulate(minutes, operator.add, initial=start))
    return table


def instants(days: Array, local_minutes: Array) -> Array:
    """UTC instants from a date and the minute of the day in China (08:00 = 480)."""
    minutes = days.astype(np.int64) * MINUTES_PER_DAY + local_minutes - CHINA_OFFSET_MINUTES
    return np.asarray(minutes.astype("datetime64[m]"))


def texts(values: list[str] | tuple[str, ...]) -> Array:
    """A lookup table of texts: `texts(...)[index]` shares the strings instead of copying characters."""
    table = np.empty(len(values), dtype=object)
    table[:] = list(values)
    return table


def rank_within(keys: Array) -> Array:
    """For every element, how many equal keys stand before it."""
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]]) if len(keys) else np.zeros(0, np.int64)
    lengths = np.diff(np.r_[starts, len(keys)])
    ranks = np.empty(len(keys), dtype=np.int64)
    ranks[order] = np.arange(len(keys)) - np.repeat(starts, lengths)
    return ranks
