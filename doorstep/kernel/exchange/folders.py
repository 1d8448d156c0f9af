"""Folders that are watched: a file that somebody saves there comes into the store like a message from the wire.

Each folder connection has `exchange/<its code>/in` below the installation's directory. A file is taken when it has been quiet for
two seconds, stored in one transaction, and moved to `done` (or `failed` when it could not be opened). A process that
dies in between finds the file again, and the store knows its content already.
"""

import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog
from django.conf import settings

from doorstep.kernel.access.actor import Purpose, system_actor
from doorstep.kernel.access.session import acting
from doorstep.kernel.exchange import storing
from doorstep.kernel.exchange.models import Connection

log = structlog.get_logger(__name__)
QUIET_SECONDS = 2.0
LARGEST = 50 * 1024 * 1024
AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Item:
    """One message inside a file; `whole` is False for what stands in for a file that could not be opened."""

    format: str
    type: str
    text: str
    whole: bool = True


# (file name, content) -> the messages in it; a file that cannot be opened is one item that says so.
Opener = Callable[[str, bytes], Sequence[Item]]
_opener: list[Opener] = []


def install(opener: Opener) -> None:
    """Wire what opens files; the last one counts."""
    _opener[:] = [opener]


def folder_of(connection: Connection) -> Path:
    """The folder of a connection; people save into its `in`."""
    return Path(settings.DATA) / "exchange" / connection.code


def look() -> int:
    """Take every file that lies ready; returns how many. One look at a time: the ingest process calls this."""
    with acting(system_actor(Purpose.EXCHANGE)):
        connections = list(Connection.objects.filter(kind=Connection.Kind.FOLDER))
    taken = 0
    for connection in connections:
        folder = folder_of(connection)
        for name in ("in", "done", "failed"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        for path in sorted((folder / "in").iterdir()):
            if _is_ready(path):
                _take(connection, path)
                taken += 1
    return taken


def _is_ready(path: Path) -> bool:
    # Office programs keep a hidden file beside the one that is open; a link could lead anywhere.
    if path.is_symlink() or not path.is_file() or path.name.startswith((".", "~$")):
        return False
    return time.time() - path.stat().st_mtime > QUIET_SECONDS


def _take(connection: Connection, path: Path) -> None:
    data = path.read_bytes() if path.stat().st_size <= LARGEST else b""
    number = hashlib.sha256(data or path.name.encode()).hexdigest()[:24]
    items = _opener[0](path.name, data)
    with acting(system_actor(Purpose.EXCHANGE)):
        arrivals = [
            storing.arrive(
                connection,
                format=item.format,
                type=item.type,
                control_id=f"{number}-{position}",
                text=item.text,
                content=item.text,
                size=len(item.text.encode()),
                address=path.name[:45],
            )
            for position, item in enumerate(items, start=1)
        ]
        for start in range(0, len(arrivals), AT_ONCE):
            storing.store(arrivals[start : start + AT_ONCE])
        storing.note_alive(connection_ids=[connection.pk])
    whole = all(item.whole for item in items) and bool(items)
    target = path.parent.parent / ("done" if whole else "failed") / f"{time.strftime('%Y%m%d-%H%M%S')}-{path.name}"
    path.replace(target)
    log.info("file_taken", connection=connection.code, messages=len(arrivals), whole=whole)
