"""What every test shares: settings, a PostgreSQL of the run, an owner's connection for fault tests, no network."""

import gc
import os
from collections.abc import Iterator
from unittest.mock import patch

import django
import psycopg
import pytest
from django.db import connections
from django.test import TransactionTestCase
from hypothesis import HealthCheck, settings
from pytest_django import DjangoDbBlocker

from tests import database_run, templates_run

RUN = database_run.begin()
os.environ["DJANGO_SETTINGS_MODULE"] = database_run.SETTINGS
# Here and not later: conftest files below this one may import models.
django.setup()
templates_run.keep()
# A whole collection passes over all that the product and pytest hold, a quarter of a second each: seldom is enough.
gc.set_threshold(10_000, 10, 100)
# How long a shared machine takes says nothing about a rule.
settings.register_profile("shared", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("shared")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_setupnodes() -> None:
    """A worker reads the settings once it has a server of its own, and not, as pytest-django would, when it starts."""
    os.environ.pop("DJANGO_SETTINGS_MODULE", None)


def pytest_collection_finish() -> None:
    """What is loaded by now stays to the end: no collection has to look at it again."""
    gc.freeze()


def pytest_unconfigure() -> None:
    """Stop the server of this process."""
    database_run.end(RUN)


@pytest.fixture(scope="session")
def django_db_setup(django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Give this worker a database of its own and let Django use it as doorstep_app.

    A test with real commits leaves its rows behind, and the application's role may not truncate: the database is brought
    back to the template after each of them.
    """
    server = database_run.template(RUN)
    connection = connections["default"]
    name = f"test_{os.environ.get('PYTEST_XDIST_WORKER', 'alone')}"
    database_run.recreate(server, name)
    shaped = database_run.shape(server, name)
    connection.settings_dict["NAME"] = name

    def start_anew(_case: TransactionTestCase) -> None:
        connection.close()
        database_run.restore(server, name, shaped)

    with patch.object(TransactionTestCase, "_fixture_teardown", start_anew):
        yield
    with django_db_blocker.unblock():
        connection.close()


@pytest.fixture
def owner_connection(transactional_db: None) -> Iterator[psycopg.Connection]:
    """A connection of the tables' owner, with autocommit: to break things as no application could."""
    name = connections["default"].settings_dict["NAME"]
    with psycopg.connect(database_run.owner_address(RUN), dbname=name, autocommit=True) as connection:
        yield connection
