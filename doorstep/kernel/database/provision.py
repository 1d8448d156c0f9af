"""Roles, database and extensions of an embedded installation, made by the bootstrap superuser and by nobody else."""

import contextlib
import time
from pathlib import Path

import psycopg
from psycopg import sql

from doorstep.kernel.database import embedded, secrets
from doorstep.kernel.database.embedded import PRODUCTION, Server, Tuning

ATTEMPTS = 4
# The number of the lock that keeps the starts of one installation apart.
_LOCK = 7015104
# Trigrams for search, mixed indexes for exclusion constraints and search, statistics of statements for operators.
EXTENSIONS = ("pg_trgm", "btree_gist", "btree_gin", "pg_stat_statements")


def start(directory: Path, *, tuning: Tuning = PRODUCTION, listen_port: int | None = None) -> Server:
    """Start the embedded server of this directory and make sure that secrets, roles, database and extensions exist."""
    for _ in range(ATTEMPTS - 1):
        # A server that was killed this very moment still looks alive; the next look finds it dead.
        with contextlib.suppress(psycopg.OperationalError):
            return _provide(directory, embedded.start(directory, tuning=tuning, listen_port=listen_port))
        time.sleep(0.5)
    return _provide(directory, embedded.start(directory, tuning=tuning, listen_port=listen_port))


def _provide(directory: Path, server: Server) -> Server:
    found = secrets.ensure(directory, server=server)
    with psycopg.connect(server.superuser(), autocommit=True) as connection:
        # Web, worker and ingest are started together by the machine: two who change one role at once would stop one of them.
        connection.execute("SELECT pg_advisory_lock(%s)", [_LOCK])
        for role in (secrets.OWNER_ROLE, secrets.APP_ROLE):
            _ensure_role(connection, role=role, password=found[f"{role}_password"])
        create_database(connection, name=secrets.DATABASE)
        _fit_out(server)
    return server


def _fit_out(server: Server) -> None:
    with psycopg.connect(server.superuser(secrets.DATABASE), autocommit=True) as connection:
        for extension in EXTENSIONS:
            connection.execute(sql.SQL("CREATE EXTENSION IF NOT EXISTS {}").format(sql.Identifier(extension)))
        connection.execute("REVOKE ALL ON SCHEMA public FROM PUBLIC")
        connection.execute(sql.SQL("GRANT USAGE ON SCHEMA public TO {}").format(sql.Identifier(secrets.APP_ROLE)))


def create_database(connection: psycopg.Connection, *, name: str, template: str = "template0") -> None:
    """Create a database that doorstep_owner owns and doorstep_app may enter, unless it exists; autocommit is needed."""
    if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone() is None:
        statement = sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE {}")
        names = (sql.Identifier(name), sql.Identifier(secrets.OWNER_ROLE), sql.Identifier(template))
        connection.execute(statement.format(*names))
    database = sql.Identifier(name)
    connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(database))
    connection.execute(sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(database, sql.Identifier(secrets.APP_ROLE)))


def _ensure_role(connection: psycopg.Connection, *, role: str, password: str) -> None:
    """Make a role that may log in and nothing more; set its password again, as a restored one may be another."""
    limits = sql.SQL("LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE NOREPLICATION PASSWORD {}")
    known = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone()
    verb = sql.SQL("ALTER ROLE {} " if known else "CREATE ROLE {} ").format(sql.Identifier(role))
    connection.execute(verb + limits.format(sql.Literal(password)))
