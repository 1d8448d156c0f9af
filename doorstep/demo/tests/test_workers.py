"""Batches go to other processes and come back in their order, and what goes wrong on the way is heard of."""

from collections.abc import Generator, Iterator
from typing import Any, cast

import pytest

from doorstep.demo.county.residents import ResidentBatch
from doorstep.demo.loading.copying import Copied
from doorstep.demo.loading.workers import turned
from doorstep.kernel.access.encryption import blind_index, blind_indexes


def batch(number: int) -> ResidentBatch:
    return cast(ResidentBatch, number)


def turn(given: Any) -> list[Copied]:
    return [Copied("table", ("column",), f"{given}\n".encode())]


@pytest.mark.parametrize("processes", [0, 2])
def test_rows_come_in_the_order_of_the_batches(processes: int) -> None:
    found = turned(map(batch, range(7)), turn, processes=processes)
    assert [rows[0].data for rows in found] == [f"{number}\n".encode() for number in range(7)]


def test_a_fault_while_batches_are_drawn_ends_the_load() -> None:
    def drawn() -> Iterator[ResidentBatch]:
        yield batch(1)
        raise ValueError("no more numbers")

    with pytest.raises(ValueError, match="no more numbers"):
        list(turned(drawn(), turn, processes=1))


def test_a_load_that_is_given_up_stops_drawing() -> None:
    drawn: list[int] = []

    def draw() -> Iterator[ResidentBatch]:
        for number in range(1000):
            drawn.append(number)
            yield batch(number)

    rows = cast(Generator[list[Copied], None, None], turned(draw(), turn, processes=1))
    next(rows)
    rows.close()
    assert len(drawn) < 10


@pytest.mark.parametrize("value", ["138 1234 5678", "11010519491231002x", "张三/5678", ""])
def test_the_index_of_a_column_is_that_of_its_values(value: str) -> None:
    assert blind_indexes("phone", [value, "another"])[0] == blind_index("phone", value).hex
