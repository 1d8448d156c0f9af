"""Savepoints by single calls of libpq: the driver's cursor and the framework's around it take ten times as long."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection, transaction
from psycopg import pq

from doorstep.kernel.database import straight


@contextmanager
def apart() -> Iterator[None]:
    """What transaction.atomic() is inside a transaction: whatever is raised inside takes back what was written inside, and is
    raised on. Outside a transaction, and before the first statement of one, it is transaction.atomic() itself.
    """
    raw = connection.connection
    if not connection.in_atomic_block or raw is None or raw.pgconn.transaction_status != pq.TransactionStatus.INTRANS:
        with transaction.atomic():
            yield
        return
    line: Any = connection
    told = len(line.run_on_commit)
    # One name for all: the innermost one counts.
    _say(raw, b"SAVEPOINT apart")
    done = False
    try:
        yield
        done = not line.needs_rollback
    finally:
        if not done:
            del line.run_on_commit[told:]
            line.needs_rollback = False
            _say(raw, b"ROLLBACK TO SAVEPOINT apart")
        _say(raw, b"RELEASE SAVEPOINT apart")


def _say(raw: Any, words: bytes) -> None:
    with connection.wrap_database_errors:
        straight.check(raw, raw.pgconn.exec_(words))
