"""Readings whose SQL is written once for a process.

Django writes the SQL of a queryset anew each time that it is asked: on a page that asks ten times this takes longer than
the database needs for the answers. What a page reads at every visit is declared here once, with slots for what changes.
"""

import inspect
from collections.abc import Callable
from copy import copy
from dataclasses import dataclass
from enum import Enum
from typing import Any, Generic, TypeVar

from django.db import connections
from django.db.models import Field, Lookup, QuerySet, Value
from django.db.models.sql.compiler import SQLCompiler

_Row = TypeVar("_Row")


class Slot(Value):
    """The place of an argument in a queryset that is declared; holds no value of its own."""

    def __init__(self, position: int) -> None:
        super().__init__(None)
        self.position = position

    def as_sql(self, compiler: SQLCompiler, connection: Any) -> tuple[str, list[Any]]:
        """Leave the place open."""
        return "%s", [self]


@Field.register_lookup
class AnyOf(Lookup):  # type: ignore[type-arg]  # not generic at run time
    """`name__any=Slot`: the column is one of the values of a list, however many there are."""

    lookup_name = "any"

    def as_sql(self, compiler: SQLCompiler, connection: Any) -> tuple[str, list[Any]]:
        """Write the comparison with a list that is one argument."""
        left, left_arguments = self.process_lhs(compiler, connection)
        right, right_arguments = self.process_rhs(compiler, connection)
        return f"{left} = ANY({right})", [*left_arguments, *right_arguments]


@dataclass(frozen=True, slots=True)
class _Written:
    """A queryset with its compiler after the SQL was written."""

    queryset: QuerySet[Any, Any]
    compiler: SQLCompiler
    sql: str
    arguments: tuple[Any, ...]


class Remembered(Generic[_Row]):
    """A reading declared by a function from slots to a queryset, asked with values.

    The function may not look at what it is given: it gets slots. Lists take the lookup `any` in place of `in`. Rows are
    made by Django as the queryset says: models with what is joined and annotated, tuples or single values.
    """

    def __init__(self, build: Callable[..., QuerySet[Any, _Row]]) -> None:
        self._build = build
        self._count = len(inspect.signature(build).parameters)
        self._written: _Written | None = None

    def rows(self, *values: Any) -> list[_Row]:
        """Ask with these values, one for each parameter of the declaration; raises TypeError for another number."""
        if len(values) != self._count:
            raise TypeError(f"{self._count} values are needed, not {len(values)}.")
        written = self._written = self._written or self._write()
        plain = [value.value if isinstance(value, Enum) else value for value in values]
        arguments = tuple(plain[one.position] if isinstance(one, Slot) else one for one in written.arguments)
        compiler = copy(written.compiler)
        # Each thread has a connection of its own.
        compiler.connection = connections[written.queryset.db]
        compiler.as_sql = lambda *_, **__: (written.sql, arguments)  # type: ignore[method-assign]
        return list(self._asking(written.queryset, compiler))

    def one(self, *values: Any) -> _Row | None:
        """The first row, None when there is none; the declaration says the order and should take one row only."""
        rows = self.rows(*values)
        return rows[0] if rows else None

    def _write(self) -> _Written:
        queryset = self._build(*(Slot(position) for position in range(self._count)))
        compiler = queryset.query.get_compiler(using=queryset.db)
        sql, arguments = compiler.as_sql()
        return _Written(queryset, compiler, sql, tuple(arguments))

    def _asking(self, queryset: QuerySet[Any, _Row], compiler: SQLCompiler) -> QuerySet[Any, _Row]:
        query: Any = copy(queryset.query)
        query.get_compiler = lambda *_, **__: compiler
        asking: Any = type(queryset)(model=queryset.model, query=query, using=queryset.db)
        # How rows are made is set by values(), values_list() and the like.
        for name in ("_iterable_class", "_fields"):
            setattr(asking, name, getattr(queryset, name))
        return asking  # type: ignore[no-any-return]
