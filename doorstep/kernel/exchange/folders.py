"""Folders that are watched: a file that somebody saves there comes into the store like a message from the wire.

Each folder connection has `exchange/<its code>/in` below the installation's directory. A file is taken when it has been quiet for
two seconds and no program of this machine has it open for writing, stored in one transaction, and moved to `done` (or `failed`
when it could not be opened). A process that dies in between finds the file again, and the store knows its content already.
"""

import errno
import fcntl
import hashlib
import os
import secrets
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import structlog
from django.conf import settings
from django.utils import timezone

from doorstep.kernel.access.actor import Purpose, system_actor
from doorstep.kernel.access.session import acting
from doorstep.kernel.exchange import storing
from doorstep.kernel.exchange.models import Connection

log = structlog.get_logger(__name__)
QUIET_SECONDS = 2.0
LARGEST = 50 * 1024 * 1024
AT_ONCE = 500
_LONGEST_NAME = 255
# How often a watched folder is told to be alive: well within the time after which it counts as dead.
_TELLS_EVERY = timedelta(minutes=1)
# Linux: which signal tells of a broken lease (fcntl(2)); Python does not name it.
_F_SETSIG = 10


@dataclass(frozen=True, slots=True)
class Item:
    """One message inside a file; `whole` is False for what could not be opened, `line` is the row that it stood in (1 is the first)."""

    format: str
    type: str
    text: str
    whole: bool = True
    line: int = 0


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a file: how many messages it held, whether it could be opened, and whether all of it had come before."""

    messages: int
    whole: bool
    repeated: bool = False


# (file name, content) -> the messages in it; a file that cannot be opened is one item that says so.
Opener = Callable[[str, bytes], Sequence[Item]]
_opener: list[Opener] = []


def install(opener: Opener) -> None:
    """Wire what opens files; the last one counts."""
    _opener[:] = [opener]


def opened(name: str, data: bytes) -> Sequence[Item]:
    """The messages of a file; one that cannot be opened is one item that says so."""
    return _opener[0](name, data)


def folder_of(connection: Connection) -> Path:
    """The folder of a connection; people save into its `in`."""
    return Path(settings.DATA) / "exchange" / connection.code


def look() -> int:
    """Take every file that lies ready; returns how many. One look at a time: the ingest process calls this."""
    with acting(system_actor(Purpose.EXCHANGE)):
        connections = list(Connection.objects.filter(kind=Connection.Kind.FOLDER))
        # A folder without files is watched all the same: only one that nobody looks into is dead.
        late = timezone.now() - _TELLS_EVERY
        unseen = [one.pk for one in connections if one.last_heard_at is None or one.last_heard_at < late]
        if unseen:
            storing.note_alive(connection_ids=unseen)
    taken = 0
    for connection in connections:
        folder = folder_of(connection)
        for name in ("in", "done", "failed"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        for path in sorted((folder / "in").iterdir()):
            try:
                if _is_ready(path):
                    _take(connection, path)
                    taken += 1
            except OSError as error:
                # Taken away again, or not ours to read: the others go on, and this one is looked at again.
                log.warning("file_not_read", connection=connection.code, error=type(error).__name__)
    return taken


def _is_ready(path: Path) -> bool:
    # Office programs keep a hidden file beside the one that is open; a link could lead anywhere.
    if path.is_symlink() or not path.is_file() or path.name.startswith((".", "~$")):
        return False
    return time.time() - path.stat().st_mtime > QUIET_SECONDS and not _is_written(path)


def _is_written(path: Path) -> bool:
    """Whether a program of this machine has the file open for writing: only then a lease for reading is refused as busy."""
    try:
        with path.open("rb") as file:
            # Whoever opens it in this moment would break the lease: the signal for that is one that nobody minds.
            fcntl.fcntl(file, _F_SETSIG, signal.SIGURG)
            fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_RDLCK)
            fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    except OSError as error:
        return error.errno == errno.EAGAIN
    return False


def _take(connection: Connection, path: Path) -> None:
    with path.open("rb") as file:
        # One byte more says that there is more; what opens files says so in words.
        data = file.read(LARGEST + 1)
    taken = take(connection, name=path.name, data=data)
    place = "done" if taken.whole else "failed"
    path.replace(_filed(path.parent.parent / place, path.name))
    log.info("file_taken", connection=connection.code, messages=taken.messages, whole=taken.whole)


def _filed(folder: Path, name: str) -> Path:
    """Where a file is kept: two of one name and second stay two, and a long name still fits (255 bytes on every file system)."""
    for mark in ("", f".{secrets.token_hex(4)}"):
        begins = f"{time.strftime('%Y%m%d-%H%M%S')}{mark}-"
        ends = os.fsencode(name)[-(_LONGEST_NAME - len(begins)) :]
        path = folder / (begins + ends.decode(errors="ignore"))
        if not path.exists():
            break
    return path


def take(connection: Connection, *, name: str, data: bytes) -> Taken:
    """Store the messages of one file; the same content again is the same messages."""
    number = hashlib.sha256(data or name.encode()).hexdigest()[:24]
    items = opened(name, data)
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
                address=f"{name[:38]}:{item.line}" if item.line else name[:45],
            )
            for position, item in enumerate(items, start=1)
        ]
        known = storing.are_known(arrivals)
        for start in range(0, len(arrivals), AT_ONCE):
            storing.store(arrivals[start : start + AT_ONCE])
        storing.note_alive(connection_ids=[connection.pk])
    return Taken(len(arrivals), all(item.whole for item in items) and bool(items), known)
