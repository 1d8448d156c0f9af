"""Calls of the database's own functions. What an act has to leave in several tables goes there in one statement, and what a
function does is planned once for a connection instead of once for a call."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from django.db import connection


@dataclass(frozen=True, slots=True)
class Call:
    """One function with its arguments; `types` where PostgreSQL could not tell them by the values (arrays of nothing but None)."""

    function: str
    arguments: tuple[Any, ...]
    types: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The call with a place for each argument."""
        places = [f"%s::{type}" for type in self.types] or ["%s"] * len(self.arguments)
        return f"{self.function}({', '.join(places)})"


def run(calls: Sequence[Call]) -> tuple[Any, ...]:
    """Call functions in their order, in one statement; returns what each answered."""
    if not calls:
        return ()
    parts = [call.text for call in calls]
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(parts)}", [one for call in calls for one in call.arguments])
        answers: tuple[Any, ...] = cursor.fetchone()
    return answers


def as_json(value: Any) -> str:
    """A value as the JSON argument of a function."""
    return orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS).decode()
