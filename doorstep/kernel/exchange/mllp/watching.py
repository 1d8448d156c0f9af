"""The folders beside the wire: looked through every few seconds in a thread of their own."""

import asyncio

import structlog
from django.db import connections

from doorstep.kernel.exchange import folders

log = structlog.get_logger(__name__)
LOOK_SECONDS = 3.0


async def watch_folders() -> None:
    """Look until cancelled."""
    while True:
        try:
            await asyncio.to_thread(_look)
        except Exception as error:
            # A full disk or a database that is away for a moment: the files stay where they are.
            log.warning("folders_not_read", error=type(error).__name__)
        await asyncio.sleep(LOOK_SECONDS)


def _look() -> None:
    try:
        folders.look()
    finally:
        connections.close_all()
