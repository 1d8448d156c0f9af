"""Other processes that turn batches into rows while this one draws the next batch and the server takes the last."""

import contextlib
import multiprocessing
import os
import queue
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from multiprocessing.connection import Connection
from typing import Any

from doorstep.demo.county.residents import ResidentBatch
from doorstep.demo.loading.copying import Copied

Turn = Callable[[ResidentBatch], list[Copied]]
_LOOK_SECONDS = 1.0


def turned(batches: Iterable[ResidentBatch], turn: Turn, *, processes: int) -> Iterator[list[Copied]]:
    """The rows of every batch in the order of the batches; with 0 processes turned right here.

    A process that dies takes the load with it: EOFError.
    """
    if processes == 0:
        yield from map(turn, batches)
        return
    context = multiprocessing.get_context("fork")
    workers: list[Any] = []
    idle: deque[Connection] = deque()
    busy: deque[Connection] = deque()
    try:
        for _number in range(processes):
            ours, theirs = context.Pipe()
            worker = context.Process(target=_work, args=(theirs, turn, os.getpid()), daemon=True)
            worker.start()
            theirs.close()
            workers.append(worker)
            idle.append(ours)
        for batch in _ahead(batches):
            rows = None
            if not idle:
                idle.append(busy.popleft())
                rows = idle[0].recv()
            # The next batch is on its way before the server gets this one.
            idle[0].send(batch)
            busy.append(idle.popleft())
            if rows is not None:
                yield rows
        while busy:
            yield busy.popleft().recv()
    finally:
        for worker in workers:
            worker.terminate()
            worker.join()


def _ahead(batches: Iterable[ResidentBatch]) -> Iterator[ResidentBatch]:
    """The same batches, drawn by a thread while the one who takes them waits for the server; what it raises is raised here."""
    drawn: queue.Queue[ResidentBatch | BaseException | None] = queue.Queue(maxsize=1)
    given_up = threading.Event()

    def put(one: ResidentBatch | BaseException | None) -> bool:
        while not given_up.is_set():
            with contextlib.suppress(queue.Full):
                drawn.put(one, timeout=_LOOK_SECONDS)
                return True
        return False

    def draw() -> None:
        try:
            if all(put(batch) for batch in batches):
                put(None)
        except BaseException as error:  # whoever takes the batches has to know
            put(error)

    threading.Thread(target=draw, daemon=True).start()
    try:
        while (one := drawn.get()) is not None:
            if isinstance(one, BaseException):
                raise one
            yield one
    finally:
        given_up.set()


def _work(pipe: Connection, turn: Turn, parent: int) -> None:
    """Turn batches until there are no more, or the process that wants them is gone."""
    while True:
        while not pipe.poll(_LOOK_SECONDS):
            if os.getppid() != parent:
                os._exit(1)
        pipe.send(turn(pipe.recv()))
