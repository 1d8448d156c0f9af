"""The bell rings once an act is on the disk, never before and never for what was taken back."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from doorstep.kernel.database.savepoints import apart
from doorstep.kernel.web.push import push

pytestmark = pytest.mark.django_db(transaction=True)


class Bell:
    """Hears every NOTIFY of this connection, and whether a transaction was open."""

    def __init__(self, *, broken: bool = False) -> None:
        self.heard: list[tuple[str, bool]] = []
        self.broken = broken

    def __call__(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        if "pg_notify" in sql:
            self.heard.append((params[1], connection.in_atomic_block))
            if self.broken:
                raise DatabaseError("the database went away")
        return execute(sql, params, many, context)


def test_push_waits_for_the_commit() -> None:
    with connection.execute_wrapper(bell := Bell()):
        with transaction.atomic():
            push(to=["user:1"], kind="critical", reference="42")
            assert bell.heard == []
        assert bell.heard == [('{"to": ["user:1"], "kind": "critical", "id": "42"}', False)]


def _refused() -> None:
    with apart():
        push(to=["user:1"], kind="worklist", reference="refused")
        raise ValueError("refused")


def test_what_is_taken_back_rings_nowhere() -> None:
    with connection.execute_wrapper(bell := Bell()), transaction.atomic():
        connection.cursor().execute("SELECT 1")
        with pytest.raises(ValueError, match="refused"):
            _refused()
        push(to=["user:1"], kind="worklist", reference="done")
    assert len(bell.heard) == 1
    assert '"id": "done"' in bell.heard[0][0]


def test_a_broken_bell_leaves_the_act_done() -> None:
    with connection.execute_wrapper(bell := Bell(broken=True)):
        with transaction.atomic():
            push(to=["user:1"], kind="worklist", reference="1")
        assert len(bell.heard) == 1


def test_many_topics_go_in_several_messages() -> None:
    with connection.execute_wrapper(bell := Bell()):
        push(to=[f"user:{number}" for number in range(250)], kind="worklist", reference="1")
    assert len(bell.heard) == 3
    assert all(len(payload) < 8_000 for payload, _open in bell.heard)
