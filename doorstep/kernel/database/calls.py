"""Calls of the database's own functions. What an act has to leave in several tables goes there in one statement, and what a
function does is planned once for a connection instead of once for a call."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from django.db import connection


@dataclass(frozen=True, slots=True)
class Call:
    """One function with its arguments."""

    function: str
    arguments: tuple[Any, ...]


def run(calls: Sequence[Call]) -> tuple[Any, ...]:
    """Call functions in their order, in one statement; returns what each answered."""
    if not calls:
        return ()
    parts = [f"{call.function}({', '.join(['%s'] * len(call.arguments))})" for call in calls]
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(parts)}", [one for call in calls for one in call.arguments])
        answers: tuple[Any, ...] = cursor.fetchone()
    return answers


def as_json(value: Any) -> str:
    """A value as the JSON argument of a function."""
    return orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS).decode()
