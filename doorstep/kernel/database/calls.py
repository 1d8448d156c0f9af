"""Calls of the database's own functions. What an act has to leave in several tables goes there in one statement, and what a
function does is planned once for a connection instead of once for a call."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from django.db import connection

from doorstep.kernel.database.remembered import ask


@dataclass(frozen=True, slots=True)
class Call:
    """One function with its arguments."""

    function: str
    arguments: tuple[Any, ...]

    @property
    def text(self) -> str:
        """The call with a place for each argument."""
        return f"{self.function}({', '.join(['%s'] * len(self.arguments))})"


def run(calls: Sequence[Call], *, with_update: tuple[str, Sequence[Any]] | None = None) -> tuple[Any, ...]:
    """Call functions in their order, in one statement; returns what each answered.

    `with_update` is an UPDATE of one row, with its values, that goes along; the functions are called after it. Raises LookupError
    when it finds no row.
    """
    if not calls:
        return ()
    parts = ", ".join(call.text for call in calls)
    statement, values = f"SELECT {parts}", [one for call in calls for one in call.arguments]
    if with_update is not None:
        update, written = with_update
        statement, values = f"WITH written AS ({update} RETURNING 1) {statement} FROM written", [*written, *values]
    answers: tuple[Any, ...] | None
    if len(calls) == 1 and with_update is None:
        # A function alone is a statement of one shape: it is worth being planned once.
        answers = ask(statement, values)[0]
    else:
        with connection.cursor() as cursor:
            cursor.execute(statement, values)
            answers = cursor.fetchone()
    if answers is None:
        raise LookupError("the row that was to be written is not there")
    return answers


def run_alone(call: Call, *, entering: Call) -> Any:
    """Call a function in a statement that is a transaction of its own, once `entering` has told the database who acts.

    Returns None when `entering` was answered with false; the function was not called then. Must not be used inside a transaction.
    """
    if connection.in_atomic_block:
        raise RuntimeError("run_alone() is a transaction of its own: inside another one it would end with that one.")
    with connection.cursor() as cursor:
        # CASE carries out its second part only after the first.
        statement = f"SELECT CASE WHEN {entering.text} THEN {call.text} END"
        cursor.execute(statement, [*entering.arguments, *call.arguments])
        return cursor.fetchone()[0]


def as_json(value: Any) -> str:
    """A value as the JSON argument of a function."""
    return orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS).decode()
