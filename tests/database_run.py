"""The database server of one test run: one embedded server for all workers, one template, one database per worker.

The first worker that needs a database starts the server and migrates the template; the others wait for it and copy it.
The process that began the run stops the server. A run that was killed is cleared away by the next one.
"""

import fcntl
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

VARIABLE = "DOORSTEP_TEST_RUN"
PREFIX = "doorstep-test-"
# Nothing of a test run has to survive a power cut.
TUNING = Tuning(shared_buffers="128MB", work_mem="16MB", durable=False)
ROOT = Path(__file__).resolve().parents[1]


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
    """Start the server and migrate the template database, once per run."""
    with _locked(run / "template.lock"):
        server = provision.start(run, tuning=TUNING)
        if not (run / "template").exists():
            environment = {**os.environ, "DOORSTEP_DATABASE_ROLE": "owner"}
            command = [sys.executable, "-m", "django", "migrate_all", "--verbosity", "0"]
            done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
            if done.returncode != 0:
                raise RuntimeError(f"The test database cannot be migrated:\n{done.stdout}{done.stderr}")
            (run / "template").touch()
        return server


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
