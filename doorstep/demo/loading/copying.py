"""COPY in the owner's transaction, and tables without their indexes for as long as a load lasts.

Dropping and making an index are part of the transaction: a load that is killed leaves tables as they were.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.db import connection

# What one statement may use while it builds an index; the seed is alone on the machine.
_MEMORY = "384MB"


@dataclass(slots=True)
class Tally:
    """Rows written by table and the seconds that COPY waited for the server."""

    rows: dict[str, int] = field(default_factory=dict)
    copying: float = 0.0

    def total(self) -> int:
        """All rows together."""
        return sum(self.rows.values())


@dataclass(frozen=True, slots=True)
class Copied:
    """Rows of one table, ready for COPY."""

    table: str
    columns: tuple[str, ...]
    data: bytes

    @property
    def rows(self) -> int:
        """How many lines."""
        return self.data.count(b"\n")


def copy(parts: list[Copied], tally: Tally) -> None:
    """Write parts in their order."""
    started = time.perf_counter()
    for part in parts:
        if not part.data:
            continue
        names = ", ".join(f'"{name}"' for name in part.columns)
        with connection.cursor() as cursor, cursor.copy(f'COPY "{part.table}" ({names}) FROM STDIN') as stream:
            stream.write(part.data)
        tally.rows[part.table] = tally.rows.get(part.table, 0) + part.rows
    tally.copying += time.perf_counter() - started


@contextmanager
def without_indexes(*tables: str) -> Iterator[None]:
    """Drop the indexes, unique constraints and foreign keys of tables, and the primary keys that no other table refers to; make
    them again at the end.

    Each foreign key is checked whole when it comes back, so nothing that does not fit can stay.
    """
    constraints = _rows(_CONSTRAINTS, list(tables))
    indexes = _rows(_INDEXES, list(tables))
    with connection.cursor() as cursor:
        for table, name, _definition in constraints:
            cursor.execute(f'ALTER TABLE "{table}" DROP CONSTRAINT "{name}"')
        for _table, name, _definition in indexes:
            cursor.execute(f'DROP INDEX "{name}"')
    yield
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL maintenance_work_mem = '{_MEMORY}'")
        cursor.execute(f"SET LOCAL work_mem = '{_MEMORY}'")
        # The tables are scanned once for each key: by two processes where there are two.
        cursor.execute("SET LOCAL max_parallel_workers_per_gather = 2")
        for _table, _name, definition in indexes:
            cursor.execute(definition)
        for table, name, definition in constraints:
            cursor.execute(f'ALTER TABLE "{table}" ADD CONSTRAINT "{name}" {definition}')
        cursor.execute("RESET work_mem")
        cursor.execute("RESET max_parallel_workers_per_gather")


# Unique constraints first, then foreign keys, which may stand on them.
_CONSTRAINTS = """
SELECT r.relname, c.conname, pg_get_constraintdef(c.oid)
  FROM pg_constraint c JOIN pg_class r ON r.oid = c.conrelid
 WHERE r.relnamespace = 'public'::regnamespace AND r.relname = ANY (%s)
   AND (c.contype IN ('f', 'u') OR (c.contype = 'p'
     AND NOT EXISTS (SELECT 1 FROM pg_constraint d WHERE d.contype = 'f' AND d.conindid = c.conindid)))
 ORDER BY c.contype = 'f', r.relname, c.conname
"""
_INDEXES = """
SELECT r.relname, i.relname, pg_get_indexdef(x.indexrelid)
  FROM pg_index x JOIN pg_class r ON r.oid = x.indrelid JOIN pg_class i ON i.oid = x.indexrelid
 WHERE r.relnamespace = 'public'::regnamespace AND r.relname = ANY (%s)
   AND NOT EXISTS (SELECT 1 FROM pg_constraint c WHERE c.conindid = x.indexrelid)
 ORDER BY r.relname, i.relname
"""


def reset_sequences(*tables: str) -> None:
    """Let the numbers that the database deals for these tables go on after the highest one."""
    for table, column, sequence in _rows(_SEQUENCES, list(tables)):
        with connection.cursor() as cursor:
            cursor.execute(f'SELECT setval(%s, max("{column}")) FROM "{table}" HAVING max("{column}") > 0', [sequence])


_SEQUENCES = """
SELECT r.relname, a.attname, pg_get_serial_sequence(quote_ident(r.relname), a.attname)
  FROM pg_attribute a JOIN pg_class r ON r.oid = a.attrelid
 WHERE r.relnamespace = 'public'::regnamespace AND r.relname = ANY (%s) AND a.attidentity <> ''
"""


def _rows(statement: str, tables: list[str]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, [tables])
        return list(cursor.fetchall())
