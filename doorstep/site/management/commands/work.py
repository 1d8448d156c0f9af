"""`doorstep worker`: works off the jobs and keeps the clocks."""

import asyncio
import signal
import threading
from importlib import import_module
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from procrastinate.contrib.django import app

from doorstep.care.diagnosis.tasks import PREREAD_MODULE
from doorstep.kernel.jobs import queues
from doorstep.kernel.jobs.running import Ticker
from doorstep.site.ticks import TICKS, URGENT_TICKS


class Command(BaseCommand):
    """Run one worker process: jobs, and the ticks that seal, warn, escalate and release."""

    help = "Work off the jobs and keep the clocks until stopped."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take how many jobs run side by side, and whether to stop when the queue is empty."""
        parser.add_argument("--concurrency", type=int, default=4)
        parser.add_argument("--deliveries", type=int, default=2, help="slots for what waits for addresses of others")
        parser.add_argument(
            "--once", action="store_true", help="work off what is there, take each tick once, then stop"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Work until SIGINT or SIGTERM; running jobs get five seconds to finish."""
        if options["once"]:
            for tick in (*URGENT_TICKS, *TICKS):
                tick.run()
        tickers = (Ticker(URGENT_TICKS, "urgent"), Ticker(TICKS))
        if not options["once"]:
            for ticker in tickers:
                ticker.start()
            # Ten seconds of loading that the first recording must not wait for.
            threading.Thread(target=import_module, args=(PREREAD_MODULE,), daemon=True).start()
        try:
            slots = {queues.SHARED: options["concurrency"], (queues.DELIVERIES,): options["deliveries"]}
            asyncio.run(_work(slots, wait=not options["once"]))
        finally:
            for ticker in tickers:
                ticker.stop()


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
