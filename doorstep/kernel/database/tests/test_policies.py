"""Policies and privileges follow the models, change only what differs, and hold for the application alone."""

import os
from collections.abc import Iterator

import psycopg
import pytest
from django.db import connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.utils import ProgrammingError

from doorstep.kernel.audit.models import AuditEntry
from doorstep.kernel.database.grants import apply_grants
from doorstep.kernel.database.policies import POLICY, apply_policies


@pytest.fixture
def owner(owner_connection: psycopg.Connection) -> Iterator[BaseDatabaseWrapper]:
    """Django's form of the owner's connection to this test's database."""
    settings = dict(connections["default"].settings_dict)
    settings["USER"] = owner_connection.info.user
    settings["PASSWORD"] = owner_connection.info.password
    wrapper = type(connections["default"])(settings, alias="owner")
    yield wrapper
    wrapper.close()


def test_apply_policies_puts_up_again_what_differs_and_nothing_else(
    owner: BaseDatabaseWrapper, owner_connection: psycopg.Connection
) -> None:
    assert apply_policies(owner) == []
    table = AuditEntry._meta.db_table
    owner_connection.execute(f'ALTER TABLE "{table}" DISABLE ROW LEVEL SECURITY')
    assert apply_policies(owner) == [table]
    row = owner_connection.execute("SELECT relrowsecurity FROM pg_class WHERE relname = %s", [table]).fetchone()
    assert row == (True,)
    owner_connection.execute(f'DROP POLICY {POLICY} ON "{table}"')
    owner_connection.execute(f'CREATE POLICY {POLICY} ON "{table}" USING (true)')
    assert apply_policies(owner) == [table]
    assert apply_policies(owner) == []


def test_apply_grants_takes_back_what_an_append_only_table_must_not_give(
    owner: BaseDatabaseWrapper, owner_connection: psycopg.Connection
) -> None:
    assert apply_grants(owner) == []
    table = AuditEntry._meta.db_table
    owner_connection.execute(f'GRANT UPDATE, TRUNCATE ON "{table}" TO doorstep_app')
    assert apply_grants(owner) == [table]
    with connection.cursor() as cursor, pytest.raises(ProgrammingError, match="permission denied"):
        cursor.execute(f'TRUNCATE "{table}"')


def test_the_worker_has_a_database_of_its_own(owner_connection: psycopg.Connection) -> None:
    assert owner_connection.info.dbname == f"test_{os.environ.get('PYTEST_XDIST_WORKER', 'alone')}"
