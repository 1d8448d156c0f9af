"""Connections of the pool, looked at before each use without a round trip, and statements that they keep prepared."""

import select
from typing import Any

import psycopg
from django.db import connection
from django.db.backends.utils import CursorWrapper
from psycopg.abc import Params


class PooledConnection(psycopg.Connection[Any]):
    """A connection that knows by its socket whether the server is still there.

    The pool sends an empty statement over each connection that it hands out (ConnectionPool.check_connection). A server that was
    stopped or that ended the session has written to the socket or closed it: while nothing can be read there, the answer is known.
    """

    def execute(
        self, query: Any, params: Params | None = None, *, prepare: bool | None = None, binary: bool = False
    ) -> psycopg.Cursor[Any]:
        """Execute a statement; the empty one of the pool only when something waits to be read."""
        if query == "" and not self._has_news():
            return self.cursor()
        return super().execute(query, params, prepare=prepare, binary=binary)

    def _has_news(self) -> bool:
        looking = select.poll()
        looking.register(self.fileno(), select.POLLIN)
        return bool(looking.poll(0))


class _PreparedCursor(psycopg.Cursor[Any]):
    """A cursor whose statements the server reads and plans once for a connection; values go apart from them."""

    def execute(
        self, query: Any, params: Params | None = None, *, prepare: bool | None = None, binary: bool | None = None
    ) -> "_PreparedCursor":
        """Execute a statement, prepared from its first use."""
        super().execute(query, params, prepare=True, binary=binary)
        return self


def prepared() -> CursorWrapper:
    """A cursor for a statement of few shapes that is sent very often.

    While statements are logged it is an ordinary one: only that knows afterwards what it has sent.
    """
    if connection.queries_logged:
        return connection.cursor()
    connection.ensure_connection()
    cursor: Any = _PreparedCursor(connection.connection)
    return connection.make_cursor(cursor)
