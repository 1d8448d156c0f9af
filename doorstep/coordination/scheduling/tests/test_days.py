"""Templates against the national calendar: holidays rest, make-up workdays follow, exceptions have the first word."""

from datetime import date, time
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from doorstep.coordination.scheduling.days import DayKind, Session, Template, day_kind, plan_of, slots_of
from doorstep.coordination.scheduling.proposing import Use, deal, propose
from doorstep.coordination.scheduling.sinking import DEFAULT, goes_to, rule_sentences

MONDAY = Session(id=1, weekday=0, starts=time(8), ends=time(10), minutes=30, places={"open": 2})
SATURDAY = Session(id=2, weekday=5, starts=time(8), ends=time(9), minutes=30, places={"open": 1})


def test_day_kind_knows_holidays_and_makeup_workdays() -> None:
    # 2025: National Day and Mid-autumn 1 to 8 October, Sunday 28 September and Saturday 11 October are worked.
    assert day_kind(date(2025, 10, 1))[0] is DayKind.HOLIDAY
    assert day_kind(date(2025, 9, 28)) == (DayKind.MAKEUP, "国庆节") or day_kind(date(2025, 9, 28))[0] is DayKind.MAKEUP
    assert day_kind(date(2025, 9, 27))[0] is DayKind.WEEKEND
    assert day_kind(date(2025, 9, 29))[0] is DayKind.WORKDAY


def test_plan_of_rests_on_a_holiday_and_follows_on_a_makeup_workday() -> None:
    template = Template(sessions=[MONDAY, SATURDAY], exceptions={}, makeup_as=0)
    assert plan_of(template, date(2025, 10, 6)).sessions == ()
    assert plan_of(template, date(2025, 10, 11)).sessions == (MONDAY,)
    assert plan_of(template, date(2025, 10, 13)).sessions == (MONDAY,)
    unmoved = Template(sessions=[SATURDAY], exceptions={}, makeup_as=None)
    assert plan_of(unmoved, date(2025, 10, 11)).sessions == (SATURDAY,)


def test_plan_of_lets_an_exception_win() -> None:
    template = Template(sessions=[MONDAY], exceptions={date(2025, 10, 13): None, date(2025, 10, 14): 0})
    assert plan_of(template, date(2025, 10, 13)).why == "exception-rest"
    assert plan_of(template, date(2025, 10, 13)).sessions == ()
    assert plan_of(template, date(2025, 10, 14)).sessions == (MONDAY,)


def test_slots_of_leaves_the_buffers_between() -> None:
    session = Session(id=1, weekday=0, starts=time(8), ends=time(9), minutes=20, before=5, after=5)
    spans = [(start.strftime("%H:%M"), end.strftime("%H:%M")) for start, end in slots_of(session, date(2026, 3, 2))]
    assert spans == [("08:05", "08:25"), ("08:35", "08:55")]


@given(st.integers(5, 60), st.integers(0, 20), st.integers(0, 20), st.integers(30, 600))
def test_slots_of_never_overlap_and_stay_inside(minutes: int, before: int, after: int, length: int) -> None:
    ends = time((8 * 60 + length) // 60 % 24, (8 * 60 + length) % 60)
    session = Session(id=1, weekday=0, starts=time(8), ends=ends, minutes=minutes, before=before, after=after)
    spans = list(slots_of(session, date(2026, 3, 2)))
    for (_start, end), (following, _end) in pairwise(spans):
        assert (following - end).total_seconds() == 60 * (before + after)
    assert all(
        start.hour * 60 + start.minute >= 480 + before and end.hour * 60 + end.minute <= 480 + length
        for start, end in spans
    )


@given(st.dictionaries(st.integers(1, 9), st.integers(1, 20), min_size=1), st.integers(0, 300))
def test_deal_keeps_the_proportion_all_along(weights: dict[int, int], count: int) -> None:
    order = deal(weights, count)
    assert len(order) == count
    whole = sum(weights.values())
    for unit, weight in weights.items():
        assert abs(order.count(unit) - count * weight / whole) <= len(weights)


@given(
    st.lists(
        st.tuples(st.integers(1, 60), st.integers(0, 40), st.integers(0, 10), st.integers(0, 20), st.integers(0, 40)),
        min_size=1,
        max_size=12,
    )
)
def test_propose_adds_up_and_leaves_nobody_with_less_than_nothing(rows: list[tuple[int, int, int, int, int]]) -> None:
    uses = [
        Use(number, given, min(used, given), missed, unused, beyond, 0, 3.0)
        for number, (given, used, missed, unused, beyond) in enumerate(rows)
    ]
    total = sum(use.given for use in uses)
    proposed = propose(uses, total=total)
    assert sum(line.places for line in proposed) == total
    assert all(line.places >= 0 and line.reason for line in proposed)


def test_propose_moves_places_to_where_they_are_wanted_by_a_third_at_most() -> None:
    busy = Use(1, 30, 30, 0, 0, 12, 6, 10.0)
    idle = Use(2, 30, 8, 4, 18, 0, 0, 1.0)
    first, second = propose([busy, idle], total=60)
    assert (first.places, second.places) == (39, 21)
    assert "增加" in first.reason
    assert "减少" in second.reason


def test_goes_to_moves_upward_step_by_step() -> None:
    starts_at = next(slots_of(MONDAY, date(2026, 3, 9)))[0]
    at = [starts_at.replace(hour=15, day=6), starts_at.replace(hour=17, day=6), starts_at.replace(hour=17, day=8)]
    assert [goes_to(DEFAULT, quota="community", starts_at=starts_at, now=now) for now in at] == [
        None,
        "community",
        "open",
    ]
    assert any("社区号无人预约时" in sentence for sentence in rule_sentences(DEFAULT))
