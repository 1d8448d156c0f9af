"""Connections of the pool: looked at before each use without a round trip."""

import select
from typing import Any

import psycopg
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
