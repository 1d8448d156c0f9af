"""A sealed trail names every row that was changed, removed, inserted or moved."""

import time

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import transaction

from doorstep.kernel.access.actor import Purpose, system_actor
from doorstep.kernel.access.session import acting
from doorstep.kernel.audit import actions as audit
from doorstep.kernel.audit import queries
from doorstep.kernel.audit.models import AuditEntry

SYSTEM = system_actor(Purpose.SEALING)


def _write(count: int) -> list[int]:
    """Write entries, each in a transaction of its own, and seal after every two."""
    for number in range(count):
        with acting(SYSTEM) as actor:
            audit.record(action=f"test.{number}", actor=actor, details={"number": number})
        if number % 2:
            _seal_all(2)
    with acting(SYSTEM):
        return list(AuditEntry.objects.order_by("id").values_list("id", flat=True))


def _seal() -> int:
    with acting(SYSTEM):
        return audit.seal_batch()


def _seal_all(expected: int) -> None:
    """Seal until so many entries are covered: transactions of other test databases on the same server hold the seal back."""
    sealed, deadline = 0, time.monotonic() + 60
    while sealed < expected and time.monotonic() < deadline:
        sealed += _seal()
        time.sleep(0.02)
    assert sealed == expected


def _findings() -> set[tuple[str, int | None]]:
    with acting(SYSTEM):
        return {(found.kind, found.entry_id) for found in queries.verify()}


# What is done to the third entry of six (%s is its id), and what the examination must say of it.
TAMPERED = {
    "changed": [
        f"UPDATE audit_auditentry SET {change} WHERE id = %s"
        for change in (
            "action = 'other'",
            "details = '{}'",
            "at = at + interval '1 second'",
            "user_id = 99",
            "actor_name = 'x'",
            "resident_id = 5",
        )
    ],
    "missing": ["DELETE FROM audit_auditentry WHERE id = %s"],
    "moved": ["UPDATE audit_auditentry SET transaction_number = transaction_number + 1000000 WHERE id = %s"],
    "inserted": [
        "INSERT INTO audit_auditentry (id, at, transaction_number, action, actor_kind, actor_name, role, organization_name, subject, basis,"
        " purpose, address, request_id, details) SELECT 999, at, transaction_number, 'forged', 'staff', '', '', '', '', '', '', '', '', '{}'"
        " FROM audit_auditentry WHERE id = %s"
    ],
}


@pytest.mark.django_db(transaction=True)
def test_verify_names_the_row_of_each_tampering(owner_connection: psycopg.Connection) -> None:
    ids = _write(6)
    assert _findings() == set()
    call_command("verify_audit")
    owner_connection.execute("CREATE TEMPORARY TABLE untouched AS SELECT * FROM audit_auditentry")
    for kind, statements in TAMPERED.items():
        for statement in statements:
            owner_connection.execute(statement.encode(), [ids[2]])
            assert _findings() == {(kind, 999 if kind == "inserted" else ids[2])}, statement
            with pytest.raises(CommandError):
                call_command("verify_audit")
            owner_connection.execute("DELETE FROM audit_auditentry")
            owner_connection.execute("INSERT INTO audit_auditentry SELECT * FROM untouched")
    assert _findings() == set()


@pytest.mark.django_db(transaction=True)
def test_verify_forged_seal_breaks_the_chain(owner_connection: psycopg.Connection) -> None:
    _write(6)
    owner_connection.execute(b"UPDATE audit_auditseal SET entries = entries + 1 WHERE number = 2")
    assert ("chain", None) in _findings()
    owner_connection.execute(b"DELETE FROM audit_auditseal WHERE number = 2")
    assert ("missing", None) in _findings()


@pytest.mark.django_db(transaction=True)
def test_seal_waits_for_running_transactions(owner_connection: psycopg.Connection) -> None:
    """An entry whose transaction still runs is never sealed over: it would come to light below a seal."""
    slow = psycopg.connect(owner_connection.info.dsn, password=owner_connection.info.password)
    slow.execute(
        "INSERT INTO audit_auditentry (action, actor_kind, actor_name, role, organization_name, subject, basis, purpose, address,"
        " request_id, details) VALUES ('slow', 'staff', '', '', '', '', '', '', '', '', '{}')"
    )
    with acting(SYSTEM) as actor:
        audit.record(action="quick", actor=actor)
    assert _seal() == 0
    slow.commit()
    slow.close()
    _seal_all(2)
    assert _findings() == set()


@pytest.mark.django_db(transaction=True)
def test_record_is_lost_with_its_act() -> None:
    with acting(SYSTEM) as actor:
        audit.record(action="lost", actor=actor)
        transaction.set_rollback(True)
    with acting(SYSTEM):
        assert not AuditEntry.objects.filter(action="lost").exists()
