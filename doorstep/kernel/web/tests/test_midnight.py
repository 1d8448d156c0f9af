"""Around midnight in China the page shows China's date, whatever UTC says."""

from datetime import UTC, datetime

import pytest

from doorstep.kernel.web.formats import moment, moment_short


@pytest.mark.parametrize(
    ("instant", "shown"),
    [
        (datetime(2026, 12, 31, 15, 59, 59, tzinfo=UTC), "2026-12-31 23:59"),
        (datetime(2026, 12, 31, 16, 0, tzinfo=UTC), "2027-01-01 00:00"),
        (datetime(2027, 1, 1, 0, 0, tzinfo=UTC), "2027-01-01 08:00"),
    ],
)
def test_moment_shows_the_day_of_china(instant: datetime, shown: str) -> None:
    assert moment(instant) == shown


def test_moment_short_changes_its_day_at_chinas_midnight() -> None:
    evening = datetime(2026, 11, 22, 15, 50, tzinfo=UTC)
    assert moment_short(evening, now=datetime(2026, 11, 22, 15, 59, tzinfo=UTC)).startswith("今天")
    assert not moment_short(evening, now=datetime(2026, 11, 22, 16, 1, tzinfo=UTC)).startswith("今天")
