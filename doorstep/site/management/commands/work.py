"""`doorstep worker`: works off the jobs and keeps the clocks."""

import asyncio
import signal
import threading
from importlib import import_module
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from procrastinate.contrib.django import app

from doorstep.care.diagnosis.tasks import PREREAD_MODULE
from doorstep.kernel.events.relay import Relay, work_off
from doorstep.kernel.jobs import queues
from doorstep.kernel.jobs.running import Ticker
from doorstep.site.ticks import TICKS, URGENT_TICKS


class Command(BaseCommand):
    """Run one worker process: jobs, and the ticks that seal, warn, escalate and release."""

    help = "Work off the jobs and keep the clocks until stopped."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take how many events and jobs are handled side by side, and whether to stop when there are none left."""
        parser.add_argument("--relays", type=int, default=3, help="threads that hand events to their handlers")
        parser.add_argument("--concurrency", type=int, default=4)
        parser.add_argument("--deliveries", type=int, default=2, help="slots for what waits for addresses of others")
        parser.add_argument(
            "--once", action="store_true", help="work off what is there, take each tick once, then stop"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Work until SIGINT or SIGTERM; running jobs get five seconds to finish."""
        slots = {queues.SHARED: options["concurrency"], (queues.DELIVERIES,): options["deliveries"]}
        if options["once"]:
            _work_once(slots)
            return
        tickers = (Ticker(URGENT_TICKS, "urgent"), Ticker(TICKS))
        relay = Relay(threads=options["relays"])
        for ticker in tickers:
            ticker.start()
        relay.start()
        # Ten seconds of loading that the first recording must not wait for.
        threading.Thread(target=import_module, args=(PREREAD_MODULE,), daemon=True).start()
        try:
            asyncio.run(_work(slots, wait=True))
        finally:
            for ticker in tickers:
                ticker.stop()
            relay.stop()


def _work_once(slots: dict[tuple[str, ...], int]) -> None:
    """Take each tick, then work off events and jobs; jobs may let events happen."""
    for tick in (*URGENT_TICKS, *TICKS):
        tick.run()
    work_off()
    asyncio.run(_work(slots, wait=False))
    while work_off():
        asyncio.run(_work(slots, wait=False))


async def _work(slots: dict[tuple[str, ...], int], *, wait: bool) -> None:
    """Work each group of queues with slots of its own, in one process; when one worker ends, so do the others."""
    worker_app = app.with_connector(app.connector.get_worker_connector())  # type: ignore[attr-defined]
    signals = wait and signal.getsignal(signal.SIGTERM) is not None
    async with worker_app.open_async():
        workers = {
            asyncio.ensure_future(
                worker_app.run_worker_async(
                    name=names[0],
                    queues=list(names),
                    concurrency=concurrency,
                    wait=wait,
                    # One of them hears the signal; the others end with it.
                    install_signal_handlers=signals and position == 0,
                    shutdown_graceful_timeout=5,
                    delete_jobs="successful",
                )
            )
            for position, (names, concurrency) in enumerate(slots.items())
        }
        ended, running = await asyncio.wait(
            workers, return_when=asyncio.FIRST_COMPLETED if wait else asyncio.ALL_COMPLETED
        )
        for worker in running:
            worker.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        for worker in ended:
            worker.result()
