"""One running installation of the demo county, as bin/run starts it, and the hands to break it with."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import psycopg

from doorstep.kernel.database import embedded, secrets
from doorstep.kernel.database.embedded import Server
from doorstep.site import processes

START_SECONDS = 300.0
RESIDENTS = 300
# The root conftest points these at the database of the other tests.
OTHERS = ("DATABASE_URL", "DATABASE_URL_OWNER", "DJANGO_SETTINGS_MODULE", "DOORSTEP_DATA")
# What each process of an installation is called on its command line.
PROGRAMS = {
    "web": b"doorstep.site.wsgi:application",
    "live": b"doorstep.site.live:application",
    "worker": b"work",
}


class House:
    """A started supervisor, or one that somebody else keeps running."""

    def __init__(self, directory: Path, port: int) -> None:
        self.directory = directory
        self.port = port
        self.address = f"http://127.0.0.1:{port}"
        self.log = directory.parent / f"{directory.name}.log"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it answers."""
        environment = {name: value for name, value in os.environ.items() if name not in OTHERS}
        words = ["--data", str(self.directory), "--port", str(self.port), "--residents", str(RESIDENTS), "--days", "0"]
        with self.log.open("w") as log:
            command = [sys.executable, "-m", "doorstep.site.supervisor", *words]
            self.process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        self.wait_until_ready(START_SECONDS)

    def stop(self) -> None:
        """Stop what `start` started, and whatever it left behind."""
        if self.process is None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self.process.kill()
        processes.clear_leftovers(self.directory)
        embedded.stop(self.directory)

    def operate(self, *words: str) -> str:
        """What an operator does beside it: `bin/doorstep WORDS`; returns what it printed."""
        command = [sys.executable, "-m", "doorstep", *words, "--data", str(self.directory)]
        environment = {name: value for name, value in os.environ.items() if name not in OTHERS}
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout

    def wait_until_ready(self, seconds: float = 120.0) -> None:
        """Until /readyz answers."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError, urllib.error.HTTPError):
                urllib.request.urlopen(f"{self.address}/readyz", timeout=5).close()  # noqa: S310  our own address
                return
            assert self.process is None or self.process.poll() is None, self.said()
            time.sleep(0.2)
        raise AssertionError(self.said())

    def said(self) -> str:
        """What the processes wrote to the terminal."""
        return self.log.read_text(encoding="utf-8") if self.log.exists() else ""

    def kill(self, name: str) -> None:
        """Kill -9 the web, live or worker process, or the database."""
        for pid in self.pids(name):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def pids(self, name: str) -> list[int]:
        """The processes of a kind."""
        if name == "database":
            return [int((self.directory / "postgres/postmaster.pid").read_text().split("\n")[0])]
        mark, word = f"{processes.MARK}={self.directory}".encode(), PROGRAMS[name]
        found = []
        for entry in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                ours = mark in (entry / "environ").read_bytes().split(b"\0")
                if ours and word in (entry / "cmdline").read_bytes().split(b"\0"):
                    found.append(int(entry.name))
        return found

    def sql(self, text: str, *values: Any) -> list[tuple[Any, ...]]:
        """Run a statement as the database's superuser, whom no wall stops; returns the rows of a SELECT or RETURNING."""
        server = Server(self.directory / "postgres" / "socket", 5432)
        address = server.superuser(secrets.DATABASE)
        with psycopg.connect(address, autocommit=True) as connection:
            cursor = connection.execute(text.encode(), values)
            return list(cursor.fetchall()) if cursor.description else []

    def password(self) -> str:
        """The password of the demo accounts."""
        rows = json.loads((self.directory / "demo_accounts.json").read_text(encoding="utf-8"))
        return str(rows[0]["password"])

    def file(self, name: str) -> Path:
        """One of the files to upload that the demo county brings."""
        return self.directory / "demo-files" / name


def free_port() -> int:
    """A port that is free together with the two after it."""
    while True:
        with socket.socket() as first, socket.socket() as second, socket.socket() as third:
            first.bind(("127.0.0.1", 0))
            port = int(first.getsockname()[1])
            with contextlib.suppress(OSError, OverflowError):
                second.bind(("127.0.0.1", port + 1))
                third.bind(("127.0.0.1", port + 2))
                return port
