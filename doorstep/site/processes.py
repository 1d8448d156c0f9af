"""Child processes that never outlive the supervisor, each in a group of its own so that its workers go with it."""

import contextlib
import ctypes
import os
import signal
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

PR_SET_PDEATHSIG = 1
# Every child carries the directory of its installation, so that a new start finds what a killed one left behind.
MARK = "DOORSTEP_SUPERVISED"
LONGEST_PAUSE = 30.0
# A child that has lived this long was healthy; its next death starts the pauses from the beginning.
HEALTHY_SECONDS = 60.0
CLEARING_SECONDS = 10.0
# Two processes for two cores. Bookings wait in threads while the list before theirs is written: with sixteen a process stands idle
# meanwhile (docs/benchmarks.md). More threads than lines to the database is meant: who waits in a list holds none.
WEB = ("--interface", "wsgi", "--workers", "2", "--blocking-threads", "40")


@dataclass
class Child:
    """A program to be kept alive: how to start it, and what became of it."""

    name: str
    command: list[str]
    environment: dict[str, str]
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    pause: float = 0.0
    again_at: float = field(default=0.0)

    def start(self) -> None:
        """Start the program in its own session; the kernel ends it when the supervisor dies."""
        self.process = subprocess.Popen(
            self.command,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=_die_with_parent,  # noqa: PLW1509  nothing but one system call, and we have no threads
        )
        self.started = time.monotonic()

    def look(self) -> str | None:
        """Restart the program when it has died and its pause is over; return a sentence when it has just died."""
        now = time.monotonic()
        if self.process is None:
            if now >= self.again_at:
                self.start()
            return None
        code = self.process.poll()
        if code is None:
            return None
        self.signal(signal.SIGKILL)
        healthy = now - self.started > HEALTHY_SECONDS
        self.pause = 1.0 if healthy or not self.pause else min(self.pause * 2, LONGEST_PAUSE)
        self.again_at = now + self.pause
        self.process = None
        return f"{self.name} ended (code {code}); starting it again in {self.pause:.0f} s."

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the program and all its workers."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, number)


def stop_all(children: list[Child], *, seconds: float) -> None:
    """Ask all to end, wait, and kill what is still there."""
    running = [child for child in children if child.process is not None]
    for child in running:
        # Only the first process: it ends its own workers in order.
        if child.process is not None:
            with contextlib.suppress(ProcessLookupError):
                child.process.terminate()
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and any(child.process and child.process.poll() is None for child in running):
        time.sleep(0.05)
    for child in running:
        child.signal(signal.SIGKILL)
        if child.process is not None:
            child.process.wait()


def clear_leftovers(directory: Path) -> int:
    """Kill what a killed supervisor of this directory left behind, and wait for its ports; return how many it was.

    A zombie has no environment any more, so a process counts until it has given everything back.
    """
    mark = f"{MARK}={directory}".encode()
    killed: set[int] = set()
    deadline = time.monotonic() + CLEARING_SECONDS
    while (found := _marked(mark)) and time.monotonic() < deadline:
        for pid in found:
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        killed |= found
        time.sleep(0.05)
    return len(killed)


def _marked(mark: bytes) -> set[int]:
    found = set()
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if mark in (entry / "environ").read_bytes().split(b"\0") and int(entry.name) != os.getpid():
                found.add(int(entry.name))
    return found


def _die_with_parent() -> None:
    _LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


_LIBC = ctypes.CDLL(None)
