"""The embedded server survives what happens to a machine."""

import os
import signal
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from doorstep.kernel.database import embedded, provision, secrets
from doorstep.kernel.database.embedded import EmbeddedError, Tuning

SMALL = Tuning(shared_buffers="16MB")

pytestmark = pytest.mark.slow


@pytest.fixture
def directory() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="doorstep-embedded-") as name:
        yield Path(name)
        embedded.stop(Path(name))


def postmaster(directory: Path) -> int:
    return int((directory / "postgres" / "postmaster.pid").read_text().split("\n")[0])


def test_start_twice_reuses_the_running_server(directory: Path) -> None:
    first = provision.start(directory, tuning=SMALL)
    pid = postmaster(directory)
    assert provision.start(directory, tuning=SMALL) == first
    assert postmaster(directory) == pid


def test_programs_that_start_together_do_not_stop_one_another(directory: Path) -> None:
    first = provision.start(directory, tuning=SMALL)
    with ThreadPoolExecutor(max_workers=6) as programs:
        started = [programs.submit(provision.start, directory, tuning=SMALL) for _ in range(18)]
        assert {one.result() for one in started} == {first}


def test_start_after_kill_keeps_what_was_committed(directory: Path) -> None:
    server = provision.start(directory, tuning=SMALL)
    with psycopg.connect(server.superuser("doorstep"), autocommit=True) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS number")
    os.kill(postmaster(directory), signal.SIGKILL)
    server = provision.start(directory, tuning=SMALL)
    with psycopg.connect(server.superuser("doorstep")) as connection:
        assert connection.execute("SELECT number FROM kept").fetchone() == (7,)


def test_start_ignores_a_process_number_that_belongs_to_another_program(directory: Path) -> None:
    provision.start(directory, tuning=SMALL)
    embedded.stop(directory)
    (directory / "postgres" / "postmaster.pid").write_text(f"{os.getppid()}\n{directory / 'postgres'}\n")
    assert not embedded.is_running(directory)
    provision.start(directory, tuning=SMALL)
    assert embedded.is_running(directory)


def test_start_works_where_the_path_is_longer_than_a_socket_may_be(directory: Path) -> None:
    deep = directory / ("long-" * 20) / ("path-" * 20)
    server = provision.start(deep, tuning=SMALL)
    try:
        with psycopg.connect(server.superuser("doorstep")) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
        assert oct(server.socket_directory.stat().st_mode)[-3:] == "700"
    finally:
        embedded.stop(deep)
        server.socket_directory.rmdir()


def test_start_in_a_file_says_what_to_do(directory: Path) -> None:
    (directory / "file").write_text("")
    with pytest.raises(EmbeddedError, match="is a file, not a directory: choose another --data"):
        embedded.start(directory / "file")


def test_start_makes_an_application_role_that_cannot_bypass(directory: Path) -> None:
    provision.start(directory, tuning=SMALL)
    found = secrets.ensure(directory, server=provision.start(directory, tuning=SMALL))
    assert oct((directory / "secrets.json").stat().st_mode)[-3:] == "600"
    with psycopg.connect(found["database_url_app"]) as connection:
        row = connection.execute(
            "SELECT rolsuper, rolbypassrls, rolcreatedb, rolcreaterole FROM pg_roles WHERE rolname = current_user"
        ).fetchone()
        assert row == (False, False, False, False)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("CREATE TABLE own_table (number int)")


def test_ensure_keeps_the_keys_of_an_installation(directory: Path) -> None:
    server = provision.start(directory, tuning=SMALL)
    assert secrets.ensure(directory, server=server) == secrets.ensure(directory, server=server)
