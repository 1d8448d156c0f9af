"""Inserting one row by a remembered statement: every act writes its traces, and building the same INSERT anew costs more
than the database needs to carry it out."""

from functools import lru_cache
from typing import Any

from django.db import connection, models
from django.db.models.expressions import DatabaseDefault


def insert(row: models.Model) -> None:
    """Insert a row that was just made and set its id; columns left to the database's default are not named."""
    named: list[str] = []
    values: list[Any] = []
    for field in type(row)._meta.concrete_fields:
        if field.primary_key:
            continue
        value = field.pre_save(row, True)
        if not isinstance(value, DatabaseDefault):
            named.append(field.attname)
            values.append(field.get_db_prep_save(value, connection))
    with connection.cursor() as cursor:
        cursor.execute(_statement(type(row), tuple(named)), values)
        row.pk = cursor.fetchone()[0]
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
    return f"INSERT INTO {quote(model._meta.db_table)} ({columns}) VALUES ({places}) RETURNING {quote(str(key.column))}"


def _place(field: Any) -> str:
    # Arrays say their type, as Django's own compiler does.
    maker = getattr(field, "get_placeholder", None)
    return maker(None, None, connection) if maker else "%s"
