"""The database server of one test process: an embedded server, a template and a database.

Every worker has a server of its own: numbers of transactions are common to a server, so a long test of one worker would hold
back what seals and deliveries of another one wait for. The first that needs a database migrates the template and keeps the
cluster in build/; the others, and the next runs, copy it. It is made anew when a migration or what is loaded by one has
changed. The process that began stops its server. A run that was killed is cleared away by the next one.
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

PREFIX = "doorstep-test-"
# Nothing of a test run has to survive a power cut.
TUNING = Tuning(shared_buffers="128MB", work_mem="16MB", durable=False)
ROOT = Path(__file__).resolve().parents[1]
SETTINGS = "doorstep.site.settings.test"
KEPT = ROOT / "build" / "test-cluster"


def begin() -> Path:
    """Make the directory of this process, with secrets in it."""
    clear_killed_runs()
    run = Path(tempfile.mkdtemp(prefix=PREFIX))
    (run / "owner").write_text(str(os.getpid()))
    secrets.ensure(run, server=_server(run))
    os.environ["DOORSTEP_DATA"] = str(run)
    return run


def end(run: Path) -> None:
    """Stop the server and remove the run."""
    embedded.stop(run)
    shutil.rmtree(run, ignore_errors=True)


def clear_killed_runs() -> None:
    """Stop the servers and remove the directories of runs whose process is no more."""
    for run in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        owner = run / "owner"
        if owner.exists() and not Path(f"/proc/{owner.read_text()}").exists():
            embedded.stop(run)
            shutil.rmtree(run, ignore_errors=True)


def template(run: Path) -> Server:
    """Start the server with a template database that is up to date; whoever comes while it is made waits for it."""
    migrations = fingerprint("*/migrations/*.py", "*/data/*")
    whole = migrations + fingerprint("*.py", "*.sql")
    kept = KEPT / migrations
    KEPT.parent.mkdir(exist_ok=True)
    with _locked(KEPT.with_suffix(".lock")):
        if kept.exists():
            _copy(kept, cluster(run))
        # Functions, policies and privileges are laid anew whenever any code has changed.
        if not (kept / whole).exists():
            provision.start(run, tuning=TUNING)
            _migrate()
            _keep(run, kept, whole)
    return provision.start(run, tuning=TUNING)


def _migrate() -> None:
    environment = {**os.environ, "DOORSTEP_DATABASE_ROLE": "owner"}
    command = [sys.executable, "-m", "django", "migrate_all", "--verbosity", "0"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"The test database cannot be migrated:\n{done.stdout}{done.stderr}")


def _keep(run: Path, kept: Path, mark: str) -> None:
    """Copy the migrated cluster of a stopped server for the others and the next runs."""
    embedded.stop(run)
    shutil.rmtree(KEPT, ignore_errors=True)
    _copy(cluster(run), kept)
    (kept / mark).touch()


def _copy(source: Path, target: Path) -> None:
    """A cluster with its owner and modes; a copy that was cut off is never taken for a whole one."""
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = target.with_name(f"{target.name}.{os.getpid()}")
    subprocess.run(["cp", "-a", "--reflink=auto", source, unfinished], check=True)
    unfinished.rename(target)


def fingerprint(*patterns: str) -> str:
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
