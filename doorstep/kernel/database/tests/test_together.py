"""Calls of many threads in one statement: in order, apart from each other, and nobody waits for ever."""

import threading
import time
from typing import Any

import orjson
import pytest
from django.db import OperationalError
from psycopg_pool import PoolTimeout

from doorstep.kernel.database.calls import Call
from doorstep.kernel.database.together import Together

ONE, OTHER = Call("enter", ("one",)), Call("enter", ("other",))


def _ask(line: Together, numbers: list[int], entering: Call = ONE) -> dict[int, Any]:
    answers: dict[int, Any] = {}

    def client(number: int) -> None:
        answers[number] = line.call(orjson.dumps([number]).decode(), entering=entering)

    threads = [threading.Thread(target=client, args=(number,)) for number in numbers]
    for thread in threads:
        thread.start()
        time.sleep(0.002)
    for thread in threads:
        thread.join(10)
    return answers


def test_call_shares_statements_in_order() -> None:
    asked: list[list[int]] = []

    def answer(call: Call, *, entering: Call) -> str:
        numbers = [one[0] for one in orjson.loads(call.arguments[0])]
        asked.append(numbers)
        time.sleep(0.05)
        return orjson.dumps([number * 2 for number in numbers]).decode()

    line = Together("double", most=8, carry_out=answer)
    assert _ask(line, list(range(20))) == {number: number * 2 for number in range(20)}
    # The first goes at once; who comes meanwhile shares the next ones, first come first.
    assert asked[0] == [0]
    assert [number for batch in asked for number in batch] == list(range(20))
    assert max(map(len, asked)) <= 8
    assert len(asked) < 10


def test_call_never_shares_with_another_system_nor_hides_a_failure() -> None:
    asked: list[tuple[Call, int]] = []

    def answer(call: Call, *, entering: Call) -> str | None:
        numbers = orjson.loads(call.arguments[0])
        asked.append((entering, len(numbers)))
        time.sleep(0.03)
        if len(asked) == 2:
            raise OperationalError("the line broke")
        return None if entering is OTHER else orjson.dumps(numbers).decode()

    line = Together("echo", most=8, carry_out=answer)
    results: list[dict[int, Any]] = []
    both = [
        threading.Thread(target=lambda: results.append(_ask(line, [1, 2, 3]))),
        threading.Thread(target=lambda: results.append(_ask(line, [7, 8], OTHER))),
    ]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join(10)
    assert sum(number for _entering, number in asked) == 5
    answers = {number: value for one in results for number, value in one.items()}
    # Whoever was refused or whose statement failed is told that nothing was done, and the next is answered again.
    assert answers[7] is answers[8] is None
    assert all(value in (None, [number]) for number, value in answers.items())
    assert line.call("[9]", entering=ONE) == [9]


def test_call_tells_all_who_waited_that_no_line_was_to_be_had() -> None:
    asked: list[Call] = []

    def answer(call: Call, *, entering: Call) -> str:
        asked.append(entering)
        time.sleep(0.1)
        raise OperationalError("none free") from PoolTimeout("none free")

    line = Together("echo", most=8, carry_out=answer)
    refused: list[int] = []

    def client(number: int) -> None:
        with pytest.raises(OperationalError):
            line.call(f"[{number}]", entering=OTHER if number % 2 else ONE)
        refused.append(number)

    threads = [threading.Thread(target=client, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
        time.sleep(0.005)
    for thread in threads:
        thread.join(10)
    assert sorted(refused) == list(range(6))
    # Nobody waited in turn for what was known to be away.
    assert len(asked) == 1
