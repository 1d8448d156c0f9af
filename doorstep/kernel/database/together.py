"""Calls that come at the same moment go to the database in one statement: what a statement costs besides its work, the round trip
and the commit with its write to the disk, is shared by all who came while the one before was under way."""

import threading
from dataclasses import dataclass, field
from typing import Any, Protocol

import orjson
from django.db import Error, OperationalError, connection
from psycopg_pool import PoolTimeout

from doorstep.kernel.database.calls import Call, run_alone


class CarryOut(Protocol):
    """Carries out one call in a statement of its own, as run_alone does."""

    def __call__(self, call: Call, *, entering: Call) -> Any:
        """The answer of the call, None when `entering` was refused."""


@dataclass(slots=True, eq=False)
class _Waiting:
    """One who waits for an answer, or to be told to carry out the next statement for all who wait."""

    entering: Call
    arguments: str
    # Held until there is something to do: an answer, or the lead.
    latch: threading.Lock = field(default_factory=threading.Lock)
    leads: bool = False
    answer: Any = None
    # The server was away for as long as the one who led could wait.
    away: bool = False


class Together:
    """Carries out calls of many threads of a process in the order in which they came, up to `most` of them in one transaction.

    `function` takes a list of argument lists as JSON and answers a list as long. It keeps its calls apart: one that is refused leaves
    the others as they are. At most `leaders` statements are under way at a time; `carry_out` carries one out, as run_alone does.
    """

    def __init__(self, function: str, *, most: int, leaders: int = 1, carry_out: CarryOut = run_alone) -> None:
        self._function, self._most, self._free, self._carry_out = function, most, leaders, carry_out
        self._lock = threading.Lock()
        self._queue: list[_Waiting] = []

    def call(self, arguments: str, *, entering: Call) -> Any:
        """The answer to one call, whose arguments are a JSON list; calls of another `entering` never share its statement.

        None when `entering` was refused or the whole statement failed: nothing of it was done then. Raises OperationalError when no
        line to the database was to be had.
        """
        mine = _Waiting(entering, arguments)
        mine.latch.acquire()
        with self._lock:
            self._queue.append(mine)
            if self._free:
                self._free -= 1
                mine.leads = True
        if not mine.leads:
            mine.latch.acquire()
        if mine.leads:
            self._lead(mine)
        if mine.away:
            raise OperationalError("no connection to the database for whoever carried out this call")
        return mine.answer

    def _lead(self, mine: _Waiting) -> None:
        with self._lock:
            batch = self._batch(mine)
        gone: list[_Waiting] = []
        try:
            text = self._carry_out(
                Call(self._function, (f"[{','.join(one.arguments for one in batch)}]",)), entering=mine.entering
            )
            # Given back before the next one leads, who goes on over the same line: its plans are at hand there.
            connection.close()
            for one, answer in zip(batch, orjson.loads(text or "[]"), strict=text is not None):
                one.answer = answer
        except Error as error:
            # Everybody is told so, and asks alone over a line that stands.
            connection.close()
            if isinstance(error.__cause__, PoolTimeout):
                # There is none, and whoever waited behind has waited as long: nobody waits for it a second time, one after the other.
                with self._lock:
                    gone = [one for one in self._queue if not one.leads]
                    self._queue = [one for one in self._queue if one.leads]
                for one in (*batch, *gone):
                    one.away = True
        finally:
            with self._lock:
                following = next((one for one in self._queue if not one.leads), None)
                if following is None:
                    self._free += 1
                else:
                    following.leads = True
            for other in (*batch, *gone, following):
                if other is not None and other is not mine:
                    other.latch.release()

    def _batch(self, mine: _Waiting) -> list[_Waiting]:
        """`mine` and those who came first of the same system; they leave the queue."""
        others = [one for one in self._queue if one is not mine and not one.leads and one.entering == mine.entering]
        taken = {id(one) for one in (mine, *others[: self._most - 1])}
        batch = [one for one in self._queue if id(one) in taken]
        self._queue = [one for one in self._queue if id(one) not in taken]
        return batch
