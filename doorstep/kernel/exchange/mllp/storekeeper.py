"""The one thread that writes to the database for the server: arrivals are stored in batches, as many as came while it wrote."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import structlog
from django.db import DatabaseError, close_old_connections, connections

from doorstep.kernel.access.actor import Purpose, system_actor
from doorstep.kernel.access.session import acting
from doorstep.kernel.exchange import storing
from doorstep.kernel.exchange.storing import Arrival

log = structlog.get_logger(__name__)
Answer = TypeVar("Answer")
BATCH = 256
BATCH_BYTES = 8 * 1024 * 1024


@dataclass(slots=True)
class _Waiting:
    arrival: Arrival
    stored: asyncio.Future[int]


class Storekeeper:
    """Stores arrivals in the order in which they are handed over."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="store")
        self._queue: asyncio.Queue[_Waiting] = asyncio.Queue(maxsize=2000)

    async def store(self, arrival: Arrival) -> int:
        """The id of the stored message; raises DatabaseError when it could not be stored."""
        waiting = _Waiting(arrival, asyncio.get_running_loop().create_future())
        await self._queue.put(waiting)
        return await waiting.stored

    async def run(self) -> None:
        """Store until cancelled."""
        while True:
            batch = [await self._queue.get()]
            size = batch[0].arrival.size
            while len(batch) < BATCH and size < BATCH_BYTES and not self._queue.empty():
                batch.append(self._queue.get_nowait())
                size += batch[-1].arrival.size
            await self._store(batch)

    async def ask(self, run: Callable[[], Answer]) -> Answer:
        """Run something in the storing thread, under the system's purpose."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, _under_purpose, run)

    def close(self) -> None:
        """End the thread and its connection."""
        self._thread.submit(connections.close_all)
        self._thread.shutdown(wait=True)

    async def _store(self, batch: list[_Waiting]) -> None:
        try:
            ids = await self.ask(lambda: storing.store([one.arrival for one in batch]))
        except Exception as error:
            log.error("messages_not_stored", count=len(batch), error=type(error).__name__)
            for one in batch:
                if not one.stored.done():
                    one.stored.set_exception(DatabaseError("not stored"))
            return
        for one, message_id in zip(batch, ids, strict=True):
            if not one.stored.done():
                one.stored.set_result(message_id)


def _under_purpose(run: Callable[[], Answer]) -> Answer:
    close_old_connections()
    with acting(system_actor(Purpose.EXCHANGE)):
        return run()
