"""Calls of the database's own functions. What an act has to leave in several tables goes there in one statement, and what a
function does is planned once for a connection instead of once for a call."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

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
    answers = ask(statement, [typeless(value) for value in values])
    if not answers:
        raise LookupError("the row that was to be written is not there")
    return answers[0]


def insert(statement: str, values: Sequence[Any]) -> None:
    """Send an INSERT of which nothing is asked back: whoever writes for others may not read what was written."""
    ask(f"WITH written AS ({statement}) SELECT 1", [typeless(value) for value in values])


def typeless(value: Any) -> Any:
    """A value as text whose type the statement says: an act is one wording then, which is planned once, whether a number is small or
    large and whether a date is there or not. The driver would name a type for each."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list) and value and isinstance(value[0], int):
        return f"{{{','.join('NULL' if one is None else str(one) for one in value)}}}"
    return str(value) if isinstance(value, int | UUID | date | Decimal) else value


def run_alone(call: Call, *, entering: Call) -> Any:
    """Call a function in a statement that is a transaction of its own, once `entering` has told the database who acts.

    Returns None when `entering` was answered with false; the function was not called then. Must not be used inside a transaction.
    """
    if connection.in_atomic_block:
        raise RuntimeError("run_alone() is a transaction of its own: inside another one it would end with that one.")
    # CASE carries out its second part only after the first.
    statement = f"SELECT CASE WHEN {entering.text} THEN {call.text} END"
    return ask(statement, [typeless(value) for value in (*entering.arguments, *call.arguments)])[0][0]


def as_json(value: Any) -> str:
    """A value as the JSON argument of a function."""
    return orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS).decode()
