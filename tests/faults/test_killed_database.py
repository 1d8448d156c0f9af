"""The database is killed under a process that has a pool full of connections: whoever asks afterwards waits for seconds, not for tens."""

import os
import signal
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import OperationalError
from django.db.utils import ConnectionHandler
from pytest_django import DjangoDbBlocker

from doorstep.kernel.database import embedded, embedded_layout, provision, secrets
from doorstep.kernel.database.embedded import Tuning
from doorstep.site.settings import environment

SMALL = Tuning(shared_buffers="16MB")
CLIENTS = 12
# From the moment at which the server takes connections again.
SOON = 3.0

pytestmark = [pytest.mark.slow, pytest.mark.journey]


@pytest.fixture
def directory() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="doorstep-killed-") as name:
        yield Path(name)
        embedded.stop(Path(name))


@pytest.fixture
def handler(directory: Path, django_db_blocker: DjangoDbBlocker) -> Iterator[ConnectionHandler]:
    server = provision.start(directory, tuning=SMALL)
    settings = environment.database(secrets.ensure(directory, server=server), role="app")
    found = ConnectionHandler({"default": {"ENGINE": "django.db.backends.dummy"}, "killed": settings})
    with django_db_blocker.unblock():
        yield found
    found["killed"].close()
    found["killed"].close_pool()  # type: ignore[attr-defined]


def ask(handler: ConnectionHandler, *, hold: float = 0.0) -> None:
    """One request: a connection of the pool, a statement, the connection back."""
    try:
        with handler["killed"].cursor() as cursor:
            cursor.execute("SELECT pg_sleep(%s)", [hold])
    finally:
        handler["killed"].close()


def kill(directory: Path) -> None:
    os.kill(int(embedded_layout.pid_file(directory).read_text().split("\n", 1)[0]), signal.SIGKILL)


def test_a_pool_of_dead_connections_is_thrown_away_at_once(directory: Path, handler: ConnectionHandler) -> None:
    together = [threading.Thread(target=ask, args=(handler,), kwargs={"hold": 0.5}) for _number in range(CLIENTS)]
    for one in together:
        one.start()
    for one in together:
        one.join(20)
    kill(directory)
    provision.start(directory, tuning=SMALL)
    began = time.monotonic()
    ask(handler)
    assert time.monotonic() - began < SOON
    # Not one dead connection is left for the next ones.
    began = time.monotonic()
    for _number in range(CLIENTS):
        ask(handler)
    assert time.monotonic() - began < 1.0


def test_who_asks_while_the_server_is_away_is_answered_soon_after_it_is_back(
    directory: Path, handler: ConnectionHandler
) -> None:
    until, answered = time.monotonic() + 60, [0.0] * CLIENTS
    back, over = threading.Event(), threading.Event()

    def client(number: int) -> None:
        while not over.is_set() and time.monotonic() < until:
            try:
                ask(handler, hold=0.05)
            except OperationalError:
                time.sleep(0.05)
                continue
            if back.is_set() and not answered[number]:
                answered[number] = time.monotonic()

    threads = [threading.Thread(target=client, args=(number,)) for number in range(CLIENTS)]
    for one in threads:
        one.start()
    time.sleep(1.0)
    kill(directory)
    # As long as a supervisor may take to see it.
    time.sleep(3.5)
    provision.start(directory, tuning=SMALL)
    back.set()
    began = time.monotonic()
    while not all(answered) and time.monotonic() < began + 20:
        time.sleep(0.05)
    over.set()
    for one in threads:
        one.join(20)
    assert all(answered)
    assert max(answered) - began < SOON
