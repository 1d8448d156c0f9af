"""Readings whose SQL is written once for a process and planned once for a connection.

Django writes the SQL of a queryset anew each time that it is asked, and the database plans it anew: on a page that asks ten
times both together take longer than the answers. What a page reads at every visit is declared here once, with slots for
what changes.
"""

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import Any, Generic, TypeVar, cast

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models import Field, ForeignObject, Lookup, QuerySet, Value
from django.db.models.query import ValuesListIterable
from django.db.models.sql.compiler import SQLCompiler
from psycopg import RawCursor
from psycopg import sql as psycopg_sql
from psycopg.types.datetime import TimestamptzLoader

from doorstep.kernel.database import straight

_Row = TypeVar("_Row")
_PLACES = re.compile(r"(%%|%s)")
_NAMED_PLACES = re.compile(r"(%%|%s|%\(\w+\)s)")


class Slot(Value):
    """The place of an argument in a queryset that is declared; holds no value of its own."""

    def __init__(self, position: int) -> None:
        super().__init__(None)
        self.position = position

    def as_sql(self, compiler: SQLCompiler, connection: Any) -> tuple[str, tuple[Any, ...]]:
        """Leave the place open."""
        return "%s", (self,)


@ForeignObject.register_lookup
@Field.register_lookup
class AnyOf(Lookup):
    """`name__any=Slot`: the column is one of the values of a list, however many there are."""

    lookup_name = "any"
    prepare_rhs = False

    def get_db_prep_lookup(self, value: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        """Take the list as it is."""
        return "%s", (value,)

    def as_sql(self, compiler: SQLCompiler, connection: Any) -> tuple[str, tuple[Any, ...]]:
        """Write the comparison with a list that is one argument."""
        left, left_arguments = self.process_lhs(compiler, connection)
        right, right_arguments = self.process_rhs(compiler, connection)
        return f"{left} = ANY({right})", (*left_arguments, *right_arguments)


@dataclass(frozen=True, slots=True)
class _Written:
    """A queryset with its compiler after the SQL was written, and which value goes to which place of it."""

    queryset: QuerySet[Any, Any]
    compiler: SQLCompiler
    sql: str
    places: tuple[int, ...]
    # What Django does to the values of a row, by column: found out once.
    converters: dict[int, Any]
    # Whether the database's rows are the rows that are wanted: tuples in the order of the SQL, with nothing to convert.
    as_it_is: bool


class Remembered(Generic[_Row]):
    """A reading declared by a function from slots to a queryset, asked with values.

    The function may not look at what it is given: it gets slots, as many as it has parameters or as `slots` says. Lists
    take the lookup `any` in place of `in`. Rows are made by Django as the queryset says: models with what is joined and
    annotated, tuples or single values. What the function knows itself stands in the SQL as it is, so that an index over
    some of the rows is found.
    """

    def __init__(self, build: Callable[..., QuerySet[Any, _Row]], *, slots: int | None = None) -> None:
        self._build = build
        self._count = len(inspect.signature(build).parameters) if slots is None else slots
        self._written: _Written | None = None

    def rows(self, *values: Any) -> list[_Row]:
        """Ask with these values, one for each parameter of the declaration; raises TypeError for another number."""
        if len(values) != self._count:
            raise TypeError(f"{self._count} values are needed, not {len(values)}.")
        written = self._written = self._written or self._write()
        plain = [value.value if isinstance(value, Enum) else value for value in values]
        found = ask(written.sql, [plain[place] for place in written.places])
        if written.as_it_is:
            return cast("list[_Row]", found)
        # Django keeps what these hold to itself; the types of its stubs do not say so.
        compiler = _twin(written.compiler)
        # Each thread has a connection of its own.
        compiler.connection = connections[DEFAULT_DB_ALIAS]
        compiler.execute_sql = lambda *_, **__: [found]
        compiler.get_converters = lambda _: written.converters
        return list(_rows_by(written.queryset, compiler))

    def one(self, *values: Any) -> _Row | None:
        """The first row, None when there is none; the declaration says the order and should take one row only."""
        rows = self.rows(*values)
        return rows[0] if rows else None

    def _write(self) -> _Written:
        queryset = self._build(*(Slot(position) for position in range(self._count)))
        compiler = queryset.query.get_compiler(using=queryset.db)
        words, arguments = compiler.as_sql()
        known = iter(arguments)
        texts, places = [], []
        for part in _PLACES.split(words):
            argument = next(known) if part == "%s" else None
            if isinstance(argument, Slot):
                places.append(argument.position)
            fixed = part == "%s" and not isinstance(argument, Slot)
            texts.append(psycopg_sql.Literal(argument).as_string().replace("%", "%%") if fixed else part)
        columns = [column for column, *_ in (compiler.select or [])[: compiler.col_count]]
        converters = compiler.get_converters(columns)
        as_it_is = not converters and cast("Any", queryset)._iterable_class is ValuesListIterable
        return _Written(queryset, compiler, "".join(texts), tuple(places), converters, as_it_is)


def ask(statement: str, values: Sequence[Any] | Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """Send a statement with its values beside it; the driver has it planned once it has come a few times.

    For what many pages ask in the very same words: each wording is kept by the connection.
    """
    connection: Any = connections[DEFAULT_DB_ALIAS]
    connection.ensure_connection()
    if connection.queries_logged or connection.execute_wrappers:
        # A log of statements shows values in their places, which only the client's binding knows.
        with connection.cursor() as cursor:
            cursor.execute(statement, values)
            return cast("list[tuple[Any, ...]]", cursor.fetchall())
    # What Django's own cursor does around each statement, without the cursor.
    connection.validate_no_broken_transaction()
    with connection.wrap_database_errors:
        return _sent(connection.connection, statement, values)


def ask_alone(statement: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
    """Send a statement that is a transaction of its own over a connection that is borrowed from the pool for it alone.

    Django's own way to a connection and back, with its signals and states, takes longer than the statement's way. A thread that holds
    a connection already uses that.
    """
    connection: Any = connections[DEFAULT_DB_ALIAS]
    pool = connection.pool if connection.connection is None else None
    if pool is None or connection.queries_logged or connection.execute_wrappers:
        return ask(statement, values)
    with connection.wrap_database_errors:
        pool.open()
        raw = pool.getconn()
        try:
            if not raw.autocommit:
                raw.autocommit = True
            return _sent(raw, statement, values)
        finally:
            pool.putconn(raw)


def _sent(raw: Any, statement: str, values: Sequence[Any] | Mapping[str, Any]) -> list[tuple[Any, ...]]:
    numbered, names = _numbered(statement)
    given = [values[name] for name in names] if isinstance(values, Mapping) else values
    if straight.may_go(raw, numbered):
        return straight.send(raw, numbered, given)
    asking = RawCursor(raw)
    # As the short way reads it.
    asking.adapters.register_loader("timestamptz", TimestamptzLoader)
    asking.execute(numbered, given, prepare=False)
    return asking.fetchall()


@lru_cache(maxsize=2_000)
def _numbered(statement: str) -> tuple[bytes, tuple[str, ...]]:
    """A statement with its places numbered, and the names of these when they have names.

    The driver takes a statement of an act apart each time anew: it remembers short ones only.
    """
    names: list[str] = []
    texts: list[str] = []
    count = 0
    for part in _NAMED_PLACES.split(statement):
        name = part[2:-2]
        if part == "%s":
            count += 1
            texts.append(f"${count}")
        elif _NAMED_PLACES.fullmatch(part) and part != "%%":
            if name not in names:
                names.append(name)
            texts.append(f"${names.index(name) + 1}")
        else:
            texts.append("%" if part == "%%" else part)
    return "".join(texts).encode(), tuple(names)


def _twin(thing: Any) -> Any:
    """What copy.copy makes of an object that holds nothing but its attributes, in a tenth of the time."""
    made = object.__new__(type(thing))
    made.__dict__.update(thing.__dict__)
    return made


def _rows_by(queryset: QuerySet[Any, _Row], compiler: SQLCompiler) -> QuerySet[Any, _Row]:
    """The queryset with a compiler that has its answer already."""
    query = _twin(queryset.query)
    query.get_compiler = lambda *_, **__: compiler
    asking: Any = type(queryset)(model=queryset.model, query=query, using=queryset.db)
    # How rows are made is set by values(), values_list() and the like.
    for name in ("_iterable_class", "_fields"):
        setattr(asking, name, getattr(queryset, name))
    return cast("QuerySet[Any, _Row]", asking)
