"""The database server of one test run: one embedded server for all workers, one template, one database per worker.

The first worker that needs a database starts the server and migrates the template; the others wait for it and copy it.
The process that began the run stops the server. A run that was killed is cleared away by the next one. A migrated cluster
is kept in build/ for the next run and left there as soon as a migration or what is loaded by one has changed.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import sql

from doorstep.kernel.database import embedded, provision, secrets
from doorstep.kernel.database.embedded import Server, Tuning
from doorstep.kernel.database.embedded_layout import cluster

VARIABLE = "DOORSTEP_TEST_RUN"
PREFIX = "doorstep-test-"
# Nothing of a test run has to survive a power cut.
TUNING = Tuning(shared_buffers="128MB", work_mem="16MB", durable=False)
ROOT = Path(__file__).resolve().parents[1]
KEPT = ROOT / "build" / "test-cluster"


def begin() -> Path:
    """Return the directory of this run, with secrets in it; a worker finds the one that its controller made."""
    if VARIABLE in os.environ:
        return Path(os.environ[VARIABLE])
    clear_killed_runs()
    run = Path(tempfile.mkdtemp(prefix=PREFIX))
    (run / "controller").write_text(str(os.getpid()))
    secrets.ensure(run, server=_server(run))
    os.environ[VARIABLE] = str(run)
    os.environ["DOORSTEP_DATA"] = str(run)
    return run


def end(run: Path) -> None:
    """Stop the server and remove the run, in the process that began it; in a worker do nothing."""
    if (run / "controller").exists() and (run / "controller").read_text() == str(os.getpid()):
        embedded.stop(run)
        shutil.rmtree(run, ignore_errors=True)


def clear_killed_runs() -> None:
    """Stop the servers and remove the directories of runs whose process is no more."""
    for run in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        controller = run / "controller"
        if controller.exists() and not Path(f"/proc/{controller.read_text()}").exists():
            embedded.stop(run)
            shutil.rmtree(run, ignore_errors=True)


def template(run: Path) -> Server:
    """Start the server and bring the template database up to date, once per run."""
    with _locked(run / "template.lock"):
        if (run / "template").exists():
            return provision.start(run, tuning=TUNING)
        migrations = _fingerprint("*/migrations/*.py", "*/data/*")
        whole = migrations + _fingerprint("*.py", "*.sql")
        kept = KEPT / migrations
        KEPT.parent.mkdir(exist_ok=True)
        with _locked(KEPT.with_suffix(".lock")):
            if kept.exists():
                _copy(kept, cluster(run))
        server = provision.start(run, tuning=TUNING)
        # Functions, policies and privileges are laid anew whenever any code has changed.
        if not (kept / whole).exists():
            _migrate()
            server = _keep(run, kept, whole)
        (run / "template").touch()
        return server


def _migrate() -> None:
    environment = {**os.environ, "DOORSTEP_DATABASE_ROLE": "owner"}
    command = [sys.executable, "-m", "django", "migrate_all", "--verbosity", "0"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"The test database cannot be migrated:\n{done.stdout}{done.stderr}")


def _keep(run: Path, kept: Path, mark: str) -> Server:
    """Copy the migrated cluster of a stopped server for the next runs; two runs at once keep the same thing."""
    embedded.stop(run)
    with _locked(KEPT.with_suffix(".lock")):
        shutil.rmtree(KEPT, ignore_errors=True)
        _copy(cluster(run), kept)
        (kept / mark).touch()
    return provision.start(run, tuning=TUNING)


def _copy(source: Path, target: Path) -> None:
    """A cluster with its owner and modes; a copy that was cut off is never taken for a whole one."""
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = target.with_name(f"{target.name}.{os.getpid()}")
    subprocess.run(["cp", "-a", "--reflink=auto", source, unfinished], check=True)
    unfinished.rename(target)


def _fingerprint(*patterns: str) -> str:
    """What these files of the product hold, tests aside, as a short text."""
    digest = hashlib.sha256()
    for path in sorted(path for pattern in patterns for path in (ROOT / "doorstep").rglob(pattern)):
        if path.is_file() and "tests" not in path.parts:
            digest.update(str(path.relative_to(ROOT)).encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()[:20]


def recreate(server: Server, name: str) -> None:
    """Make a worker's database anew from the template; whoever is still connected to it is thrown out."""
    with psycopg.connect(server.superuser(), autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
        provision.create_database(connection, name=name, template=secrets.DATABASE)


def owner_address(run: Path) -> str:
    """The address of the template as its owner; name another database beside it."""
    return secrets.ensure(run, server=_server(run))["database_url_owner"]


def _server(run: Path) -> Server:
    return Server(run / "postgres" / "socket", 5432)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
