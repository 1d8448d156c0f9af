"""Statements about one row that are built once and remembered: every act locks a row, writes it and leaves its traces, and
building the same statement anew costs more than the database needs to carry it out."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeVar
from uuid import UUID

from django.db import connection, models
from django.db.models.expressions import BaseExpression, DatabaseDefault
from django.db.models.query import get_related_populators

from doorstep.kernel.database.calls import typeless
from doorstep.kernel.database.remembered import ask

Row = TypeVar("Row", bound=models.Model)
# Stand for the key while a statement is built.
_ANY_KEY = -1
_ANY_UUID = UUID(int=0)


@dataclass(frozen=True, slots=True)
class _Locking:
    """A SELECT … FOR UPDATE by key, and what Django knows of its columns."""

    statement: str
    names: tuple[str, ...]
    first: int
    last: int
    related: tuple[Any, ...]
    converters: Mapping[int, Any]
    compiler: Any


def locked(model: type[Row], key: Any, *, along: tuple[str, ...] = (), by: str = "pk") -> Row | None:
    """The row of this key as it is now, locked until the transaction ends, with the rows that `along` names; None when it is
    not there or not the actor's. `by` names another unique column to find it by, of UUIDs."""
    plan = _locking(model, along, by)
    # Planning a row with its walls and all that is read along takes ten times as long as reading it.
    rows = ask(plan.statement, [key])
    if not rows:
        return None
    found: Any = rows[0]
    if plan.converters:
        found = next(iter(plan.compiler.apply_converters([found], plan.converters)))
    row: Row = model.from_db(connection.alias, plan.names, found[plan.first : plan.last])
    for populator in plan.related:
        populator.populate(found, row)
    return row


@lru_cache(maxsize=64)
def _locking(model: type[models.Model], along: tuple[str, ...], by: str) -> _Locking:
    anyone = _ANY_KEY if by == "pk" else _ANY_UUID
    wanted = model._default_manager.select_for_update(of=("self",)).filter(**{by: anyone})
    if along:
        # Without names it would follow every foreign key.
        wanted = wanted.select_related(*along)
    compiler = wanted.query.get_compiler(connection.alias)
    # Row locks are refused outside a transaction; whoever locks is in one.
    statement, values = compiler.as_sql()
    info = compiler.klass_info
    if list(values) != [anyone] or info is None:
        raise TypeError(f"{model.__name__}: a row is locked by its key alone.")
    columns = info["select_fields"]
    return _Locking(
        statement=statement,
        names=tuple(compiler.select[place][0].target.attname for place in columns),
        first=columns[0],
        last=columns[-1] + 1,
        related=tuple(get_related_populators(info, compiler.select, connection.alias)),  # type: ignore[call-arg]
        converters=compiler.get_converters([column[0] for column in compiler.select]),
        compiler=compiler,
    )


def insert(row: models.Model) -> None:
    """Insert a row that was just made and set its id and what the database makes of its columns; columns left to the database's
    default are not named."""
    named: list[str] = []
    values: list[Any] = []
    for field in type(row)._meta.concrete_fields:
        if field.primary_key or field.generated:
            continue
        value = field.pre_save(row, True)
        if not isinstance(value, DatabaseDefault):
            named.append(field.attname)
            values.append(field.get_db_prep_save(value, connection))
    found = ask(_statement(type(row), tuple(named)), [typeless(value) for value in values])
    row.pk, *made = found[0]
    for field, value in zip(_made(type(row)), made, strict=True):
        setattr(row, field.attname, value)
    row._state.adding = False
    row._state.db = connection.alias


@lru_cache(maxsize=64)
def _statement(model: type[models.Model], named: tuple[str, ...]) -> str:
    quote = connection.ops.quote_name
    fields = {field.attname: field for field in model._meta.concrete_fields}
    columns = ", ".join(quote(str(fields[name].column)) for name in named)
    places = ", ".join(_place(fields[name]) for name in named)
    key = model._meta.pk
    if key is None:
        raise TypeError(f"{model.__name__} has no key of one column.")
    answered = ", ".join(quote(str(field.column)) for field in (key, *_made(model)))
    return f"INSERT INTO {quote(model._meta.db_table)} ({columns}) VALUES ({places}) RETURNING {answered}"


@lru_cache(maxsize=64)
def _made(model: type[models.Model]) -> tuple[Any, ...]:
    """The columns that the database makes of others."""
    return tuple(field for field in model._meta.concrete_fields if field.generated)


def update(row: models.Model, changes: Mapping[str, Any]) -> None:
    """Write columns of a row by the names of its fields; `row` itself is left as it is."""
    statement = updating(row, changes)
    if statement is None:
        type(row)._default_manager.filter(pk=row.pk).update(**changes)
        return
    with connection.cursor() as cursor:
        cursor.execute(*statement)


def updating(row: models.Model, changes: Mapping[str, Any]) -> tuple[str, list[Any]] | None:
    """The statement of `update` with its values, for an act that sends it with its traces; None for what only a query can say."""
    model = type(row)
    if any(isinstance(value, BaseExpression) for value in changes.values()):
        return None
    fields = [model._meta.get_field(name) for name in changes]
    values = [
        field.get_db_prep_save(_plain(field, value), connection)  # type: ignore[union-attr]
        for field, value in zip(fields, changes.values(), strict=True)
    ]
    return _updating(model, tuple(changes)), [*values, row.pk]


def _plain(field: Any, value: Any) -> Any:
    # A foreign key takes the object itself, too.
    return getattr(value, field.target_field.attname) if isinstance(value, models.Model) else value


@lru_cache(maxsize=256)
def _updating(model: type[models.Model], names: tuple[str, ...]) -> str:
    quote = connection.ops.quote_name
    fields = [model._meta.get_field(name) for name in names]
    written = ", ".join(f"{quote(str(field.column))} = {_place(field)}" for field in fields)  # type: ignore[union-attr]
    key = model._meta.pk
    if key is None:
        raise TypeError(f"{model.__name__} has no key of one column.")
    return f"UPDATE {quote(model._meta.db_table)} SET {written} WHERE {quote(str(key.column))} = %s"


def _place(field: Any) -> str:
    # Arrays say their type, as Django's own compiler does.
    maker = getattr(field, "get_placeholder", None)
    return str(maker(None, None, connection)) if maker else "%s"
