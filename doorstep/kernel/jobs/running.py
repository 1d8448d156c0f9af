"""Running handlers so that each takes effect once, and ticks that run every second in the worker."""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog
from django.db import close_old_connections, connection

from doorstep.kernel.database.remembered import ask

log = structlog.get_logger(__name__)
PULSE_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Tick:
    """Something that is done every `seconds` by one worker at a time: `run` is idempotent and brings its own transaction.

    `watched`: when it last went well is written down, so that people hear of it when it stands still (Pulse).
    """

    name: str
    seconds: float
    run: Callable[[], object]
    watched: bool = False


def take_effect_once(*, event_id: int, handler: str, run: Callable[[], None]) -> bool:
    """Run a handler in the running transaction, which is the system's, with the mark that it ran; returns False when it had run before.

    A handler that dies leaves neither effect nor mark, so its retry starts clean; a second delivery finds the mark.
    """
    marked = ask(
        "INSERT INTO jobs_handlereffect (event_id, handler) VALUES (%s::bigint, %s) ON CONFLICT DO NOTHING RETURNING id",
        [event_id, handler],
    )
    if not marked:
        return False
    run()
    return True


def beat(name: str) -> None:
    """Write down that something watched has just gone well."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO jobs_pulse (name) VALUES (%s) ON CONFLICT (name) DO UPDATE SET at = statement_timestamp()",
            [name],
        )


class Ticker(threading.Thread):
    """Runs ticks until stopped; one that fails is logged and tried again at its next turn."""

    def __init__(self, ticks: Sequence[Tick], name: str = "ticker") -> None:
        super().__init__(name=name, daemon=True)
        self._ticks = ticks
        self._stopping = threading.Event()
        self._beaten = 0.0

    def run(self) -> None:
        """Take every tick at its pace."""
        next_at = {tick.name: 0.0 for tick in self._ticks}
        while not self._stopping.is_set():
            for tick in self._ticks:
                if time.monotonic() >= next_at[tick.name]:
                    next_at[tick.name] = time.monotonic() + tick.seconds
                    close_old_connections()
                    self.take(tick)
            self._stopping.wait(0.2)

    def stop(self) -> None:
        """Stop after the tick that is running."""
        self._stopping.set()

    def take(self, tick: Tick) -> None:
        """Run a tick now, and write down that a watched one went well."""
        try:
            tick.run()
            if tick.watched and time.monotonic() >= self._beaten + PULSE_SECONDS:
                beat(tick.name)
                self._beaten = time.monotonic()
        except Exception:
            # One failing tick must not stop the clocks of everything else.
            log.exception("tick_failed", tick=tick.name)
