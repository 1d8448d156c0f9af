"""The bench's own installation: database, county, servers. Runs outside Django, which needs the secrets made here."""

import contextlib
import http.client
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from psycopg import sql

from doorstep.kernel.database import embedded, embedded_layout, provision, secrets

ROOT = Path(__file__).resolve().parents[3]
SETTINGS = "doorstep.site.settings.demo"
BARE_SETTINGS = "doorstep.demo.bench.bare"
ANSWER_SECONDS = 180.0
STOP_SECONDS = 8.0
# As doorstep.site.processes starts them.
WEB_WORKERS, WEB_THREADS = 2, 40
KILL_SECONDS = 10.0


class HouseError(RuntimeError):
    """The bench cannot run; the text is for the person at the terminal."""


@dataclass
class House:
    """A directory with a database of its own, and the processes that serve it."""

    directory: Path
    port: int
    children: list[subprocess.Popen[bytes]] = field(default_factory=list)
    _measured: threading.Event = field(default_factory=threading.Event)

    @property
    def mark(self) -> Path:
        """Says what the database holds: "seeding" or "<residents> <years>"."""
        return self.directory / "bench-county"

    @property
    def log(self) -> Path:
        """What the servers say; faults of pages are there."""
        return self.directory / "servers.log"

    def open(self) -> None:
        """Start the database and bring its tables up to date; a half seeded one is thrown away."""
        self.directory.mkdir(parents=True, exist_ok=True)
        server = provision.start(self.directory)
        if self._held() == "seeding":
            _say("The last run was stopped while it made the county: making it again.")
            with psycopg.connect(server.superuser(), autocommit=True) as connection:
                name = sql.Identifier(secrets.DATABASE)
                connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))
            provision.start(self.directory)
            self.mark.unlink()
        self.run("migrate_all", "--verbosity", "0", role="owner")
        self.run("collectstatic", "--no-input", "--verbosity", "0")

    def fill(self, *, residents: int, years: int) -> None:
        """Make the county, unless one of this size is there already."""
        wanted, held = f"{residents} {years}", self._held()
        if held == wanted:
            _say(f"Using the county that is in {self.directory}.")
            return
        if held:
            raise HouseError(
                f"{self.directory} holds another county ({held.replace(' ', ' residents, ')} years): "
                f"remove it, or choose another --data."
            )
        self.mark.write_text("seeding", encoding="utf-8")
        _say(f"Making the county: {residents:,} residents, {years} years.")
        started = time.monotonic()
        self.run("seed_county", "--residents", str(residents), "--years", str(years), role="owner")
        self.mark.write_text(wanted, encoding="utf-8")
        _say(f"The county stands after {time.monotonic() - started:,.0f} s.")

    def serve(self) -> None:
        """Start the web server as bin/run does, the worker, and the bare view of the yardstick."""
        granian = [sys.executable, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1", "--no-ws"]
        quick = ["--log-level", "warning", "--workers", str(WEB_WORKERS), "--blocking-threads", str(WEB_THREADS)]
        web = [*granian, *quick, "--port", str(self.port), "doorstep.site.wsgi:application"]
        bare = [*granian, *quick, "--port", str(self.port + 1), f"{BARE_SETTINGS}:application"]
        worker = [sys.executable, "-m", "django", "work", "--concurrency", "4"]
        self.children = [
            self._start(web, settings=SETTINGS),
            self._start(bare, settings=BARE_SETTINGS),
            self._start(worker, settings=SETTINGS),
        ]
        self._wait(self.port, "/healthz")
        self._wait(self.port + 1, "/1")

    def measure(self, *arguments: str) -> int:
        """Run the measures in a process of their own; returns its exit code."""
        # A storm that was broken off would have everything killed that is measured now.
        (self.directory / "storm").unlink(missing_ok=True)
        killer = threading.Thread(target=self._kill_in_turn, daemon=True)
        killer.start()
        try:
            return self.measure_by("measure", "--port", str(self.port), *arguments)
        finally:
            self._measured.set()
            killer.join(STOP_SECONDS)

    def measure_by(self, command: str, *arguments: str) -> int:
        """Run a command that measures the served product; returns its exit code."""
        words = [sys.executable, "-m", "django", command, *arguments]
        return subprocess.run(words, env=self._environment(), check=False).returncode

    def _kill_in_turn(self) -> None:
        """While a measure asks for it: kill the web, then the database, after ten seconds of service each, and bring each up again.

        A web server that was killed while it still starts would never serve, and nothing would be tried.
        """
        mark, turn = self.directory / "storm", 0
        while not self._measured.wait(KILL_SECONDS if mark.exists() else 0.2):
            if not mark.exists():
                continue
            turn += 1
            if turn % 2:
                web = self.children[0]
                os.killpg(web.pid, signal.SIGKILL)
                web.wait(STOP_SECONDS)
                self.children[0] = self._start(list(map(str, web.args)), settings=SETTINGS)  # type: ignore[arg-type]
            else:
                postmaster = int(embedded_layout.pid_file(self.directory).read_text().split("\n", 1)[0])
                os.kill(postmaster, signal.SIGKILL)
                provision.start(self.directory)
            with mark.with_suffix(".log").open("a", encoding="utf-8") as log:
                log.write("web\n" if turn % 2 else "database\n")
            self._revive()

    def _revive(self) -> None:
        """Wait until pages can work again, and start whoever ended with the database, as the supervisor does."""
        while not self._measured.wait(0.2) and not _answers(self.port, "/readyz"):
            for place, child in enumerate(self.children):
                if child.poll() is not None:
                    settings = BARE_SETTINGS if place == 1 else SETTINGS
                    self.children[place] = self._start(list(map(str, child.args)), settings=settings)  # type: ignore[arg-type]

    def run(self, command: str, *arguments: str, role: str = "app") -> None:
        """Run a management command to its end; raises HouseError when it fails."""
        words = [sys.executable, "-m", "django", command, *arguments]
        if subprocess.run(words, env=self._environment(role=role), check=False).returncode:
            raise HouseError(f"The command {command} failed; see above.")

    def close(self) -> None:
        """Stop the servers and the database, whatever happened."""
        for number, seconds in ((signal.SIGTERM, STOP_SECONDS), (signal.SIGKILL, STOP_SECONDS)):
            for child in self.children:
                # The whole session: a server that was killed would leave its workers behind.
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(child.pid, number)
            deadline = time.monotonic() + seconds
            for child in self.children:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    child.wait(max(0.1, deadline - time.monotonic()))
        self.children.clear()
        embedded.stop(self.directory)

    def _held(self) -> str:
        return self.mark.read_text(encoding="utf-8").strip() if self.mark.exists() else ""

    def _start(self, command: list[str], *, settings: str) -> "subprocess.Popen[bytes]":
        # A session of its own: Ctrl-C reaches the bench alone, which then stops its children in order.
        with self.log.open("ab") as log:
            return subprocess.Popen(
                command,
                env=self._environment(settings=settings),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def _wait(self, port: int, path: str) -> None:
        deadline = time.monotonic() + ANSWER_SECONDS
        while time.monotonic() < deadline:
            if any(child.poll() is not None for child in self.children):
                break
            if _answers(port, path):
                return
            time.sleep(0.2)
        raise HouseError(f"The server on port {port} does not answer with 200 on {path}; see {self.log}.")

    def _environment(self, *, role: str = "app", settings: str = SETTINGS) -> dict[str, str]:
        given = {name: value for name, value in os.environ.items() if not name.startswith("DATABASE_URL")}
        given["DJANGO_SETTINGS_MODULE"] = settings
        given["DOORSTEP_DATA"] = str(self.directory)
        given["DOORSTEP_DATABASE_ROLE"] = role
        given["PYTHONPATH"] = os.pathsep.join(filter(None, [str(ROOT), given.get("PYTHONPATH", "")]))
        given["PYTHONUNBUFFERED"] = "1"
        return given


def _answers(port: int, path: str) -> bool:
    with contextlib.suppress(OSError, http.client.HTTPException):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        connection.request("GET", path)
        return connection.getresponse().status == 200
    return False


def _say(sentence: str) -> None:
    sys.stdout.write(f"{sentence}\n")
    sys.stdout.flush()
