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
# A row of the catalogue that is written anew has another xmin.
_SHAPE = """
SELECT md5(string_agg(part, ',' ORDER BY part)) FROM (
    SELECT 'c' || oid || ':' || xmin AS part FROM pg_class WHERE relnamespace = 'public'::regnamespace
    UNION ALL SELECT 'a' || attrelid || ':' || attnum || ':' || xmin FROM pg_attribute WHERE attrelid >= 16384
    UNION ALL SELECT 'p' || oid || ':' || xmin FROM pg_proc WHERE pronamespace = 'public'::regnamespace
    UNION ALL SELECT 't' || oid || ':' || xmin FROM pg_trigger
    UNION ALL SELECT 'k' || oid || ':' || xmin FROM pg_constraint
    UNION ALL SELECT 'r' || oid || ':' || xmin FROM pg_policy
    UNION ALL SELECT 'n' || oid || ':' || xmin FROM pg_namespace WHERE nspname NOT LIKE 'pg\\_t%'
) AS parts
"""
# Foreign keys and the triggers of rows that only ever grow look away. Three tables of Django's are filled by migrations.
_EMPTY = """
DO $$
DECLARE
    one regclass;
BEGIN
    SET LOCAL session_replication_role = replica;
    FOR one IN SELECT oid FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition
        AND relname NOT IN ('auth_permission', 'django_content_type', 'django_migrations')
    LOOP
        EXECUTE format('DELETE FROM %s', one);
    END LOOP;
    PERFORM setval(format('%I.%I', schemaname, sequencename)::regclass, 1, false) FROM pg_sequences
        WHERE last_value IS NOT NULL
        AND sequencename NOT IN ('auth_permission_id_seq', 'django_content_type_id_seq', 'django_migrations_id_seq');
END $$
"""


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
    # The cluster may have been copied with the mark of other code, whose walls it no longer has.
    for old in kept.glob(f"{kept.name}*"):
        old.unlink()
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
        name = path.relative_to(ROOT)
        # The checkout itself may lie in a folder called tests.
        if path.is_file() and "tests" not in name.parts:
            digest.update(str(name).encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()[:20]


def recreate(server: Server, name: str) -> None:
    """Make a worker's database anew from the template; whoever is still connected to it is thrown out."""
    with psycopg.connect(server.superuser(), autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
        provision.create_database(connection, name=name, template=secrets.DATABASE)


def shape(server: Server, name: str) -> str:
    """What a database's tables, columns, functions, rules and grants are, as a text: another one after any change to them."""
    with psycopg.connect(server.superuser(name), autocommit=True) as connection:
        return _shape(connection)


def restore(server: Server, name: str, shaped: str) -> None:
    """Bring a worker's database back to the template after real commits; whoever is still connected to it is thrown out.

    Emptying the tables is a tenth of the work of a new database, which is made only where a test has changed more than rows.
    """
    with psycopg.connect(server.superuser(name), autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
        )
        as_made = _shape(connection) == shaped
        if as_made:
            connection.execute(_EMPTY)
    if not as_made:
        recreate(server, name)


def _shape(connection: psycopg.Connection) -> str:
    found = connection.execute(_SHAPE).fetchone()
    assert found is not None
    return str(found[0])


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
