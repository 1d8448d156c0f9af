"""The short way to the database for statements that a connection asks again and again.

A cursor of the driver takes 50 µs of Python around each statement, which a page pays a dozen times: it makes a map of adapters,
looks the statement up, waits on the socket in a generator, makes a result object. libpq itself has one call that carries out a
prepared statement and waits for its answer. Values and rows are turned by the driver's own Transformer, in C.
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast
from weakref import WeakKeyDictionary

import psycopg
from psycopg import errors, pq
from psycopg.adapt import AdaptersMap, PyFormat, Transformer
from psycopg.types.datetime import TimestamptzLoader

# A statement comes so often before it is prepared, and so many are kept: each holds its plan in the server's memory.
OFTEN, KEPT = 3, 200

Connection = psycopg.Connection[Any]
_AS_FITS = PyFormat.AUTO
_IDLE = pq.TransactionStatus.IDLE


@dataclass(frozen=True, slots=True)
class _Context:
    """How the values of one statement are turned (psycopg's AdaptContext)."""

    adapters: AdaptersMap
    connection: Connection


class _Known:
    """What a connection has asked; holds no reference to it."""

    def __init__(self, adapters: AdaptersMap) -> None:
        self.adapters = AdaptersMap(adapters)
        # Django reads instants in Python, to name their zone; the session's zone is UTC already, and the driver reads it in C.
        self.adapters.register_loader("timestamptz", TimestamptzLoader)
        self.asked: dict[bytes, int] = {}
        # By statement and types of its values: a small number and a large one are other types to the driver.
        self.names: OrderedDict[tuple[bytes, tuple[int, ...]], bytes] = OrderedDict()
        self.made = 0


# It goes with its connection.
_known: "WeakKeyDictionary[Connection, _Known]" = WeakKeyDictionary()


def may_go(raw: Connection, statement: bytes) -> bool:
    """Whether a statement may go the short way; counts it.

    It may not the first times, and where the driver has to open a transaction of a special kind before it.
    """
    known = _known.get(raw)
    if known is None:
        known = _known[raw] = _Known(raw.adapters)
    asked = known.asked.get(statement, 0)
    if asked < OFTEN:
        if len(known.asked) > 10 * KEPT:
            known.asked.clear()
        known.asked[statement] = asked + 1
        return False
    return raw.autocommit or raw.pgconn.transaction_status != _IDLE or _begins_plainly(raw)


def send(raw: Connection, statement: bytes, values: Sequence[Any]) -> list[tuple[Any, ...]]:
    """The rows that a statement answers, none where it is none that answers; raises what psycopg raises."""
    known, server = _known[raw], raw.pgconn
    if not raw.autocommit and server.transaction_status == _IDLE:
        check(raw, server.exec_(b"BEGIN"))
    turning = Transformer(_Context(known.adapters, raw))
    given = turning.dump_sequence(values, [_AS_FITS] * len(values))
    name = _prepared(raw, known, statement, turning.types or ())
    result = server.exec_prepared(name, cast("list[bytes]", given), turning.formats, pq.Format.TEXT)
    if result.status == pq.ExecStatus.TUPLES_OK:
        turning.set_pgresult(result)
        return cast("list[tuple[Any, ...]]", turning.load_rows(0, result.ntuples, tuple))
    check(raw, result)
    return []


def _begins_plainly(raw: Connection) -> bool:
    return raw.isolation_level is None and raw.read_only is None and raw.deferrable is None


def _prepared(raw: Connection, known: _Known, statement: bytes, types: tuple[int, ...]) -> bytes:
    place = (statement, types)
    name = known.names.get(place)
    if name is not None:
        known.names.move_to_end(place)
        return name
    while len(known.names) >= KEPT:
        _, oldest = known.names.popitem(last=False)
        check(raw, raw.pgconn.exec_(b"DEALLOCATE " + oldest))
    known.made += 1
    name = b"straight_%d" % known.made
    check(raw, raw.pgconn.prepare(name, statement, types))
    known.names[place] = name
    return name


def check(raw: Connection, result: Any) -> None:
    """Raise what psycopg raises for an answer that says that something was wrong."""
    if result.status in {pq.ExecStatus.COMMAND_OK, pq.ExecStatus.TUPLES_OK}:
        return
    encoding = raw.info.encoding
    if raw.pgconn.status != pq.ConnStatus.OK:
        # A server that went away names no SQLSTATE.
        raise psycopg.OperationalError(result.get_error_message(encoding) or "the connection is lost")
    raise errors.error_from_result(result, encoding=encoding)
