"""How instants, ages, spans and numbers are written."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.utils import translation

from doorstep.kernel.web import formats
from doorstep.kernel.web.inputs import DayInput

# 00:30 on 22 November in China, still 21 November in UTC.
NOW = datetime(2026, 11, 21, 16, 30, tzinfo=UTC)


@pytest.fixture(autouse=True)
def chinese() -> None:
    translation.activate("zh-hans")


def test_moment_is_china_time() -> None:
    assert formats.moment(datetime(2026, 11, 22, 0, 5, tzinfo=UTC)) == "2026-11-22 08:05"
    assert formats.moment(None) == "—"


@pytest.mark.parametrize(
    ("minutes", "expected"),
    [(0, "今天 00:30"), (-31, "昨天 23:59"), (24 * 60, "明天 00:30"), (-3 * 24 * 60, "11-19 00:30")],
)
def test_moment_short_around_midnight(minutes: int, expected: str) -> None:
    assert formats.moment_short(NOW + timedelta(minutes=minutes), NOW) == expected


def test_moment_short_of_another_year_is_whole() -> None:
    assert formats.moment_short(datetime(2025, 3, 1, 1, 30, tzinfo=UTC), NOW) == "2025-03-01 09:30"


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(5, "刚刚"), (180, "3 分钟前"), (7300, "2 小时前"), (5 * 86400, "5 天前"), (-180, "3 分钟后"), (-5, "即将")],
)
def test_ago(seconds: int, expected: str) -> None:
    assert formats.ago(NOW - timedelta(seconds=seconds), NOW) == expected


@pytest.mark.parametrize(
    ("birth", "expected"),
    [
        (date(1963, 4, 12), "63 岁"),
        (date(1963, 11, 23), "62 岁"),
        (date(1963, 11, 22), "63 岁"),
        (date(2024, 11, 22), "24 个月"),
        (date(2026, 10, 23), "30 天"),
        (date(2026, 11, 22), "出生当天"),
        (date(2026, 11, 19), "3 天"),
    ],
)
def test_age(birth: date, expected: str) -> None:
    assert formats.age(birth, date(2026, 11, 22)) == expected


@pytest.mark.parametrize(
    ("span", "expected"),
    [
        (timedelta(seconds=12), "12 秒"),
        (372, "6 分 12 秒"),
        (timedelta(hours=2, minutes=5), "2 小时 5 分"),
        (timedelta(days=3, hours=4), "3 天 4 小时"),
        (-60, "−1 分"),
        (None, "—"),
    ],
)
def test_duration(span: timedelta | int | None, expected: str) -> None:
    assert formats.duration(span) == expected


def test_number_and_percent() -> None:
    assert formats.number(1234567) == "1,234,567"
    assert formats.number(Decimal("1234.5"), 2) == "1,234.50"
    assert formats.percent(0.934) == "93.4%"
    assert formats.number(None) == formats.percent(None) == formats.day(None) == "—"


def test_masks_hide_the_middle() -> None:
    assert formats.masked_id("430281196304121234") == "430281********1234"
    assert formats.masked_id("12345") == "*****"
    assert formats.masked_phone("13800005678") == "138****5678"
    assert formats.masked_name("陈桂芳") == "陈*芳"
    assert formats.masked_name("陈桂") == "陈*"
    assert formats.masked_name("") == "—"


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_a_day_is_written_as_the_browser_reads_it(language: str) -> None:
    with translation.override(language):
        assert 'value="2026-11-24"' in DayInput().render("day", date(2026, 11, 24))
        assert 'type="date"' in DayInput().render("day", None)
