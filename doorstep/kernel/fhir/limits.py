"""How often one client may ask: a bucket for each, filled steadily, in one small file that all processes of the server share.

A row of the database for each request would cost more than most requests; the file is mapped into memory and costs two system calls. A
machine that is started anew, or a file that was lost, begins with full buckets: a limit that errs lets a client through.
"""

import fcntl
import hashlib
import mmap
import os
import struct
import threading
import time
from pathlib import Path

from django.conf import settings

from doorstep.kernel.fhir.outcome import FhirRefused

# A client, what is left in its bucket, and the moment of that on the machine's clock, which all processes share.
_SLOT = struct.Struct("=Qdd")
_SLOTS = 16_384
# Where a client's bucket may lie; when all are taken, the one that was asked longest ago is given away: it is full again by now.
_PLACES = 8


class _Buckets:
    """The buckets of all processes that map the same file."""

    def __init__(self, path: Path) -> None:
        size = _SLOT.size * _SLOTS
        self._lock = threading.Lock()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            # All of it now: a page of a hole that the disk has no room for ends the process that writes it.
            os.posix_fallocate(self._file, 0, size)
            self._map = mmap.mmap(self._file, size)
        except OSError:
            # No room, or no right to write: this process counts alone until it is started anew.
            self._file = os.memfd_create("fhir-limits")
            os.ftruncate(self._file, size)
            self._map = mmap.mmap(self._file, size)

    def take(self, client: str, *, rate: float, full: float) -> float:
        """Take one out of a client's bucket; returns what is missing to one, in requests, when it is empty, else 0."""
        name = int.from_bytes(hashlib.blake2b(client.encode(), digest_size=8).digest(), "little") or 1
        with self._lock:
            # Other processes wait for the file, other threads of this one for the lock.
            fcntl.lockf(self._file, fcntl.LOCK_EX)
            try:
                now = time.clock_gettime(time.CLOCK_BOOTTIME)
                place, left, since = self._find(name, full=full, now=now)
                # A moment ahead is of the time before the machine was started anew.
                left = min(full, left + (now - since) * rate) if since <= now else full
                taken = left >= 1
                _SLOT.pack_into(self._map, place, name, left - 1 if taken else left, now)
                return 0.0 if taken else 1 - left
            finally:
                fcntl.lockf(self._file, fcntl.LOCK_UN)

    def _find(self, name: int, *, full: float, now: float) -> tuple[int, float, float]:
        places = [(name + step) % _SLOTS * _SLOT.size for step in range(_PLACES)]
        oldest, asked = places[0], float("inf")
        for place in places:
            found, left, since = _SLOT.unpack_from(self._map, place)
            if found == name:
                return place, left, since
            if not found:
                return place, full, now
            if since < asked:
                oldest, asked = place, since
        return oldest, full, now


_opened: dict[Path, _Buckets] = {}
_opening = threading.Lock()


def spend(client: str) -> None:
    """Count one request of a client; raises FhirRefused (429) with Retry-After when it asks too often."""
    rate = settings.FHIR_REQUESTS_A_MINUTE / 60
    # Ten seconds' worth may come at once.
    missing = _buckets().take(client, rate=rate, full=rate * 10)
    if missing:
        wait = max(1, round(missing / rate))
        raise FhirRefused(
            429,
            "throttled",
            f"请求过于频繁，请 {wait} 秒后再试 / too many requests: try again in {wait} s",
            headers={"Retry-After": str(wait)},
        )


def _buckets() -> _Buckets:
    path = settings.FHIR_LIMITS
    found = _opened.get(path)
    if found is None:
        with _opening:
            found = _opened.setdefault(path, _Buckets(path)) if path not in _opened else _opened[path]
    return found
