"""Tables that only grow are partitioned by month: a month can be read, backed up, or taken off line by itself.

A migration makes a table so with ByMonth; database_months() (sql/months.sql) makes the rooms for the months, at every start
and once an hour. The primary key of such a table is its id with its time, as PostgreSQL wants the time in it.
"""

from typing import Any

from django.db import connection
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.backends.utils import CursorWrapper
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState


class ByMonth(Operation):
    """Turn a model's table into one that is partitioned by the month of a time column; its rows and indexes stay."""

    reversible = False
    reduces_to_sql = True

    def __init__(self, model_name: str, column: str) -> None:
        self.model_name = model_name
        self.column = column

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """Nothing: the model does not see it."""

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        """Make the parent and its default partition, carry the rows over, and give it the old indexes."""
        table = to_state.apps.get_model(app_label, self.model_name)._meta.db_table
        with schema_editor.connection.cursor() as cursor:
            indexes = _indexes(cursor, table)
            for statement in _statements(table, self.column, indexes):
                cursor.execute(statement)

    def describe(self) -> str:
        """What migrate prints."""
        return f"Partition {self.model_name} by the month of {self.column}"


def make_rooms() -> int:
    """Make the partitions of the months to come and of rows that lie in none; return how many were made."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT database_months()")
        return int(cursor.fetchone()[0])


def _indexes(cursor: CursorWrapper, table: str) -> list[str]:
    """The statements of the table's indexes; a unique one cannot stand without the time and is left behind."""
    cursor.execute(
        "SELECT pg_get_indexdef(indexrelid) FROM pg_index WHERE indrelid = %s::regclass AND NOT indisunique ORDER BY 1",
        [table],
    )
    return [row[0] for row in cursor.fetchall()]


def _statements(table: str, column: str, indexes: list[str]) -> list[Any]:
    return [
        f'ALTER TABLE "{table}" RENAME TO "{table}_whole"',
        f'CREATE TABLE "{table}" (LIKE "{table}_whole" INCLUDING DEFAULTS INCLUDING IDENTITY INCLUDING STORAGE)'
        f" PARTITION BY RANGE ({column})",
        f'CREATE TABLE "{table}_rest" PARTITION OF "{table}" DEFAULT',
        f'ALTER TABLE "{table}_rest" ENABLE ROW LEVEL SECURITY',
        f'INSERT INTO "{table}" SELECT * FROM "{table}_whole"',
        f"SELECT setval(pg_get_serial_sequence('\"{table}\"', 'id'), (SELECT max(id) FROM \"{table}\"))"
        f' WHERE EXISTS (SELECT FROM "{table}")',
        f'DROP TABLE "{table}_whole"',
        f'ALTER TABLE "{table}" ADD PRIMARY KEY (id, {column})',
        *indexes,
    ]
