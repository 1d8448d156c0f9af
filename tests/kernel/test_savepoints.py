"""A savepoint keeps what was before it, whatever happens inside."""

import pytest
from django.db import IntegrityError, connection, transaction

from doorstep.kernel.access.actor import Purpose, system_actor
from doorstep.kernel.access.session import acting
from doorstep.kernel.database.savepoints import apart
from doorstep.people.organizations.models import Organization

pytestmark = pytest.mark.django_db


def _unit(code: str) -> None:
    Organization.objects.create(code=code, name=code, kind="hospital", tier=1)


def _codes() -> set[str]:
    return set(Organization.objects.filter(code__startswith="apart-").values_list("code", flat=True))


@apart()
def _fail(*, twice: str = "") -> None:
    transaction.on_commit(lambda: _unit("apart-told"))
    _unit("apart-lost")
    with apart():
        _unit("apart-lost-as-well")
    if twice:
        _unit(twice)
    raise LookupError


def test_apart_takes_back_what_was_inside_and_nothing_else() -> None:
    with acting(system_actor(Purpose.IMPORT)):
        _unit("apart-before")
        waiting = len(connection.run_on_commit)
        with apart():
            _unit("apart-kept")
            with pytest.raises(IntegrityError):
                _fail(twice="apart-before")
            # The database goes on after a refusal.
            assert _codes() == {"apart-before", "apart-kept"}
        with pytest.raises(LookupError):
            _fail()
        with apart():
            _unit("apart-marked")
            transaction.set_rollback(True)
        _unit("apart-after")
        assert _codes() == {"apart-before", "apart-kept", "apart-after"}
        assert len(connection.run_on_commit) == waiting
    assert not connection.needs_rollback


@pytest.mark.django_db(transaction=True)
def test_apart_is_a_transaction_where_there_is_none() -> None:
    with apart():
        assert connection.in_atomic_block
    with transaction.atomic(), apart():
        # Nothing was said before it: the driver has not begun yet.
        with acting(system_actor(Purpose.IMPORT)):
            _unit("apart-first")
        transaction.set_rollback(True)
    with acting(system_actor(Purpose.IMPORT)):
        assert _codes() == set()
