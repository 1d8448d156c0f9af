"""The log of the database server says what went wrong, and of whom it says nothing."""

import pytest
from django.conf import settings
from django.db import DatabaseError, connection, transaction

from doorstep.kernel.database import embedded_layout


@pytest.mark.django_db
def test_what_fails_is_logged_without_what_was_sent() -> None:
    with connection.cursor() as cursor:
        for statement in ("SELECT 1 / 0 AS 周桂兰", "INSERT INTO jobs_pulse (name) VALUES ('周桂兰'), ('周桂兰')"):
            with pytest.raises(DatabaseError), transaction.atomic():
                cursor.execute(statement)
    log = embedded_layout.log_file(settings.DATA).read_text()
    assert "division by zero" in log
    assert "duplicate key" in log
    assert "周桂兰" not in log
