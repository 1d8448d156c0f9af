"""The pool lends the connection that came back last."""

import pytest
from django.db import connection
from psycopg_pool import ConnectionPool

from doorstep.kernel.database.pooled import PooledConnection


@pytest.mark.django_db(transaction=True)
def test_pool_lends_the_connection_that_came_back_last() -> None:
    facts = {name: one for name, one in connection.get_connection_params().items() if name != "pool"}
    with ConnectionPool(
        kwargs={**facts, "autocommit": True},
        connection_class=PooledConnection,
        check=ConnectionPool.check_connection,
        min_size=3,
        max_size=3,
        open=True,
    ) as pool:
        pool.wait(10)
        first, second, third = (pool.getconn(timeout=5) for _number in range(3))
        assert len({id(one) for one in (first, second, third)}) == 3
        for one in (first, third, second):
            pool.putconn(one)
        assert pool.getconn(timeout=5) is second
        # While the newest works, the one before it is next; nobody is lost.
        assert pool.getconn(timeout=5) is third
        assert pool.getconn(timeout=5) is first
        for one in (first, second, third):
            pool.putconn(one)
