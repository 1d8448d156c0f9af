"""Connections of the pool, looked at before each use without a round trip."""

import select
import time
from collections import deque
from typing import Any, Self

import psycopg
from psycopg.abc import Params
from psycopg_pool import ConnectionPool

_AGAIN_SECONDS, _PATIENCE_SECONDS = 0.2, 5.0


class NewestFirst(deque[Any]):
    """The waiting connections of a pool, of which the one that came back last goes out first.

    The pool lends them in turn: each of sixteen then keeps the plans of every statement in a server process of its own, and none is
    near when it is wanted. Whoever worked last has its plans and rows in the processor's memory; the others rest.
    """

    def popleft(self) -> Any:
        """The newest."""
        return self.pop()


class PooledConnection(psycopg.Connection[Any]):
    """A connection that knows by its socket whether the server is still there, and is patient with one that is coming back.

    The pool sends an empty statement over each connection that it hands out (ConnectionPool.check_connection). A server that was
    stopped or that ended the session has written to the socket or closed it: while nothing can be read there, the answer is known.

    A pool left to itself offers a client one dead connection after the other, with pauses of 1, 2 and 4 seconds between, and tries a
    server that is away after 1, 3 and 7 seconds: ten seconds were over before it had found a server that was long back.
    """

    @classmethod
    def connect(cls, conninfo: str = "", **options: Any) -> Self:
        """Connect; a server that does not take connections is tried again every fifth of a second, for some seconds."""
        until = time.monotonic() + _PATIENCE_SECONDS
        while True:
            try:
                return super().connect(conninfo, **options)
            except psycopg.OperationalError:
                if time.monotonic() >= until:
                    raise
            time.sleep(_AGAIN_SECONDS)

    def execute(
        self, query: Any, params: Params | None = None, *, prepare: bool | None = None, binary: bool = False
    ) -> psycopg.Cursor[Any]:
        """Execute a statement; the empty one of the pool only when something waits to be read."""
        if query != "":
            return super().execute(query, params, prepare=prepare, binary=binary)
        if isinstance(self._pool, ConnectionPool) and not isinstance(self._pool._pool, NewestFirst):
            _put_newest_first(self._pool)
        if not self._has_news():
            return self.cursor()
        try:
            return super().execute(query)
        except psycopg.OperationalError:
            if isinstance(self._pool, ConnectionPool):
                # Its neighbours have lost the same server: those that have are replaced now, before anybody is offered one.
                self._pool.check()
            raise

    def _has_news(self) -> bool:
        looking = select.poll()
        looking.register(self.fileno(), select.POLLIN)
        return bool(looking.poll(0))


def _put_newest_first(pool: ConnectionPool[Any]) -> None:
    """Order a pool so; it is made by the framework, which takes no other class of pools."""
    with pool._lock:
        pool._pool = NewestFirst(pool._pool)
