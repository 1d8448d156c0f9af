"""Tables by month: every row finds a room, the rooms are made ahead, and nobody reads one past its parent's wall."""

from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from django.db import ProgrammingError, connection, transaction
from django.utils import timezone

from doorstep.kernel.access.actor import Purpose, system_actor
from doorstep.kernel.access.session import acting
from doorstep.kernel.audit import actions as audit
from doorstep.kernel.audit.models import AuditEntry
from doorstep.kernel.database.months import make_rooms

ROOMS = "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = %s::regclass ORDER BY 1"
# Midnight of the first of the month in China.
TURN = datetime(2031, 4, 30, 16, tzinfo=UTC)


def rooms(table: str) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(ROOMS, [table])
        return [row[0] for row in cursor.fetchall()]


def room_of(entry: AuditEntry) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT tableoid::regclass::text FROM audit_auditentry WHERE id = %s", [entry.pk])
        return str(cursor.fetchone()[0])


@pytest.mark.django_db
@pytest.mark.parametrize("table", ["audit_auditentry", "events_eventrow"])
def test_the_coming_months_have_their_rooms(table: str) -> None:
    now = timezone.localdate().replace(day=1)
    following = (now + timedelta(days=32)).replace(day=1)
    assert {f"{table}_{now:%Y_%m}", f"{table}_{following:%Y_%m}", f"{table}_rest"} <= set(rooms(table))


@pytest.mark.django_db
def test_a_row_lies_in_the_room_of_its_chinese_month() -> None:
    with acting(system_actor(Purpose.SEALING)) as actor:
        audit.record(action="lamp.lit", actor=actor)
        entry = AuditEntry.objects.get(action="lamp.lit")
        assert room_of(entry) == f"audit_auditentry_{timezone.localdate():%Y_%m}"


@pytest.mark.django_db(transaction=True)
def test_a_row_without_a_room_is_kept_and_moved_when_its_room_is_made() -> None:
    with acting(system_actor(Purpose.SEALING)), transaction.atomic():
        before = AuditEntry.objects.create(
            action="lamp.before", actor_kind="system", at=TURN - timedelta(microseconds=1)
        )
        after = AuditEntry.objects.create(action="lamp.after", actor_kind="system", at=TURN)
        assert room_of(before) == room_of(after) == "audit_auditentry_rest"
    assert make_rooms() == 2
    with acting(system_actor(Purpose.SEALING)), transaction.atomic():
        assert [room_of(before), room_of(after)] == ["audit_auditentry_2031_04", "audit_auditentry_2031_05"]
        assert list(AuditEntry.objects.filter(action__startswith="lamp.").order_by("at")) == [before, after]
    assert make_rooms() == 0


@pytest.mark.django_db
def test_the_application_reads_no_room_past_its_parent() -> None:
    for room in rooms("audit_auditentry"):
        with (
            connection.cursor() as cursor,
            pytest.raises(ProgrammingError, match="permission denied"),
            transaction.atomic(),
        ):
            cursor.execute(f"SELECT count(*) FROM {room}")


def test_a_room_made_by_the_application_is_closed_to_it(owner_connection: psycopg.Connection) -> None:
    owner_connection.execute(
        b"INSERT INTO events_eventrow (name, subject, details, key, at) VALUES ('LampLit', 'lamp/1', '{}', gen_random_uuid(), '2031-05-07')"
    )
    assert make_rooms() == 1
    with connection.cursor() as cursor, pytest.raises(ProgrammingError, match="permission denied"):
        cursor.execute("SELECT count(*) FROM events_eventrow_2031_05")
