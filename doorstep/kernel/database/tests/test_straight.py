from datetime import UTC, datetime

import psycopg
import pytest
from django.db import DatabaseError, OperationalError, connection, transaction
from django.db.utils import IntegrityError

from doorstep.kernel.database import straight
from doorstep.kernel.database.remembered import ask

pytestmark = pytest.mark.django_db(transaction=True)


def prepared() -> list[str]:
    """The statements that the server keeps for this connection, made by the short way."""
    found = ask("SELECT statement FROM pg_prepared_statements WHERE name LIKE 'straight_%%' ORDER BY name", [])
    return [text for (text,) in found]


def test_the_short_way_answers_like_the_drivers_way() -> None:
    question = "SELECT %s::text, %s::int[], %s::jsonb, %s::timestamptz, %s::bool, NULL::date, 5.50::numeric, '{a,NULL}'::text[], '100%%'"
    at = datetime(2026, 11, 22, 16, 0, 0, 120_000, tzinfo=UTC)
    values = ["周桂兰", [1, 2], '{"a": 1}', at, True]
    answers = [ask(question, values) for _ in range(straight.OFTEN + 2)]
    assert all(repr(one) == repr(answers[0]) for one in answers[1:])
    assert answers[0][0][3] == at
    assert answers[0][0][3].utcoffset() == at.utcoffset()
    assert len([text for text in prepared() if "'100%'" in text]) == 1


def test_values_of_another_type_are_another_statement() -> None:
    # The driver calls 7 a smallint and 5,000,000,000 a bigint.
    for value in (*[7] * straight.OFTEN, 7, 5_000_000_000, 8, None):
        assert ask("SELECT %s + 0 AS other_type" if value is not None else "SELECT %s::int + 0", [value]) == [(value,)]
    assert len([text for text in prepared() if "other_type" in text]) == 2


def test_an_error_is_the_databases_own_and_leaves_the_transaction_to_django() -> None:
    for _ in range(straight.OFTEN + 1):
        assert ask("SELECT 8 / %s::int", [2]) == [(4,)]
    with pytest.raises(DatabaseError) as raised, transaction.atomic():
        ask("SELECT 8 / %s::int", [0])
    assert isinstance(raised.value.__cause__, psycopg.errors.DivisionByZero)
    assert raised.value.__cause__.diag.sqlstate == "22012"
    assert ask("SELECT 8 / %s::int", [4]) == [(2,)]
    for _ in range(straight.OFTEN + 1):
        with pytest.raises(IntegrityError), transaction.atomic():
            ask("INSERT INTO django_session (session_key, session_data, expire_date) VALUES (%s, NULL, now())", ["a"])


def test_a_transaction_is_open_before_the_first_statement() -> None:
    for _ in range(straight.OFTEN + 2):
        with transaction.atomic():
            ask("SELECT set_config('doorstep.straight', %s, true)", ["inside"])
            assert ask("SELECT current_setting('doorstep.straight')", []) == [("inside",)]
        # Local to the transaction: without one it would be gone at once, with one too many it would stay.
        assert ask("SELECT current_setting('doorstep.straight', true)", []) == [("",)]


def test_what_was_not_asked_for_long_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    connection.close()
    monkeypatch.setattr(straight, "KEPT", 3)
    for number in range(5):
        for _ in range(straight.OFTEN + 1):
            assert ask(f"SELECT {number} AS kept_{number}", []) == [(number,)]
    assert len(prepared()) <= 3
    assert ask("SELECT 0 AS kept_0", []) == [(0,)]


def test_a_lost_connection_says_so() -> None:
    for _ in range(straight.OFTEN + 1):
        [(process,)] = ask("SELECT pg_backend_pid()", [])
    with psycopg.connect(connection.connection.info.dsn, password=connection.connection.info.password) as other:
        other.execute("SELECT pg_terminate_backend(%s)", [process])
    for _ in range(2):
        with pytest.raises(OperationalError):
            ask("SELECT pg_backend_pid()", [])
    connection.close()
    assert ask("SELECT pg_backend_pid()", [])[0][0] != process
