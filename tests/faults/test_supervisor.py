"""bin/run as a person starts it: whatever is killed comes back, and stopping leaves nothing behind."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from doorstep.kernel.database import embedded
from doorstep.site import processes

pytestmark = [pytest.mark.slow, pytest.mark.journey]

START_SECONDS = 120.0
STOP_SECONDS = 10.0


class Run:
    """One started supervisor and its address."""

    def __init__(self, directory: Path, port: int) -> None:
        dropped = ("DATABASE_URL", "DATABASE_URL_OWNER", "DJANGO_SETTINGS_MODULE", "DOORSTEP_DATA")
        environment = {name: value for name, value in os.environ.items() if name not in dropped}
        words = ["--data", str(directory), "--port", str(port), "--empty"]
        self.directory = directory
        self.port = port
        self.log = directory.parent / "run.log"
        with self.log.open("w") as log:
            command = [sys.executable, "-m", "doorstep.site.supervisor", *words]
            self.process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)

    def wait_until_greeted(self) -> None:
        """Until the address is printed; pages that a killed supervisor left behind may still answer before."""
        deadline = time.monotonic() + START_SECONDS
        while "Ctrl-C stops it." not in self.said():
            assert self.process.poll() is None, self.said()
            assert time.monotonic() < deadline, self.said()
            time.sleep(0.1)
        self.wait_until_ready()

    def said(self) -> str:
        return self.log.read_text(encoding="utf-8")

    def wait_until_ready(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError, urllib.error.HTTPError):
                urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=5).close()
                return
            assert self.process.poll() is None, self.said()
            time.sleep(0.1)
        raise AssertionError(self.said())

    def end(self, number: signal.Signals) -> int:
        self.process.send_signal(number)
        return self.process.wait(timeout=30)


@pytest.fixture
def started(tmp_path: Path) -> Iterator[list[Run]]:
    runs: list[Run] = []
    yield runs
    for run in runs:
        if run.process.poll() is None:
            run.end(signal.SIGKILL)
        processes.clear_leftovers(run.directory)
        embedded.stop(run.directory)


def test_whatever_is_killed_comes_back_and_a_stop_leaves_nothing(tmp_path: Path, started: list[Run]) -> None:
    directory, port = tmp_path / "data", _free_port()
    run = Run(directory, port)
    started.append(run)
    run.wait_until_greeted()

    os.kill(_postmaster(directory), signal.SIGKILL)
    run.wait_until_ready()

    killed = _pages(directory)
    for pid in killed:
        os.kill(pid, signal.SIGKILL)
    run.wait_until_ready()
    assert not set(killed) & set(_pages(directory))

    run.end(signal.SIGKILL)
    run = Run(directory, port)
    started.append(run)
    run.wait_until_greeted()

    before = time.monotonic()
    assert run.end(signal.SIGTERM) == 0
    assert time.monotonic() - before < STOP_SECONDS
    assert _pages(directory) == []
    assert not embedded.is_running(directory)


def test_a_second_start_of_one_directory_is_a_sentence(tmp_path: Path, started: list[Run]) -> None:
    directory = tmp_path / "data"
    run = Run(directory, _free_port())
    started.append(run)
    run.wait_until_greeted()
    words = ["--data", str(directory), "--port", str(_free_port())]
    second = subprocess.run(
        [sys.executable, "-m", "doorstep.site.supervisor", *words],
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert second.returncode == 1
    assert "is already being served: stop that bin/run, or choose another --data." in second.stderr


def _postmaster(directory: Path) -> int:
    return int((directory / "postgres/postmaster.pid").read_text().split("\n")[0])


def _pages(directory: Path) -> list[int]:
    """The processes that serve the pages of this installation."""
    mark = f"{processes.MARK}={directory}".encode()
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            ours = mark in (entry / "environ").read_bytes().split(b"\0")
            if ours and b"doorstep.site.wsgi:application" in (entry / "cmdline").read_bytes().split(b"\0"):
                found.append(int(entry.name))
    return found


def _free_port() -> int:
    """A port that is free together with the two after it."""
    while True:
        with socket.socket() as first, socket.socket() as second, socket.socket() as third:
            first.bind(("127.0.0.1", 0))
            port = int(first.getsockname()[1])
            with contextlib.suppress(OSError, OverflowError):
                second.bind(("127.0.0.1", port + 1))
                third.bind(("127.0.0.1", port + 2))
                return port
