"""Planned days: deterministic, in order, in working hours, and by people who work there."""

from datetime import UTC, date

from doorstep.demo.county import heroes
from doorstep.demo.county.clock import CHINA, CRITICAL_TRACES, TRACES, Act, Roster, open_roster, plan_day
from doorstep.demo.county.county import build_county

MONDAY = date(2026, 7, 6)


def roster() -> Roster:
    return open_roster(build_county(1, date(2026, 7, 1)), residents=20_000)


def test_plan_day_is_ordered_and_in_working_hours() -> None:
    acts = plan_day(roster(), MONDAY, 5)
    assert [act.at for act in acts] == sorted(act.at for act in acts)
    for act in acts:
        assert act.at.tzinfo is UTC
        local = act.at.astimezone(CHINA)
        assert local.date() == MONDAY
        assert 8 <= local.hour < 19
    assert {act.act for act in acts} == set(Act)


def test_plan_day_names_people_who_work_there_and_causes_that_came_before() -> None:
    world = roster()
    acts = plan_day(world, MONDAY, 5)
    for position, act in enumerate(acts):
        posts = world.county.practitioners[act.practitioner_id - 1].posts
        assert act.organization_id in {post.organization_id for post in posts}
        if act.act in (Act.ECG_ORDER, Act.REFERRAL_UP):
            assert act.after is not None
            assert act.after < position
            assert acts[act.after].resident_id == act.resident_id
        if act.act is Act.ECG_ORDER:
            assert act.trace in dict(TRACES)
        if act.act is Act.REFERRAL_UP:
            assert act.after is not None
            cause = acts[act.after]
            # After a critical report, or with a letter after a visit.
            assert cause.trace in CRITICAL_TRACES or cause.act in (Act.VISIT, Act.FOLLOW_UP)


def test_plan_day_is_deterministic_and_differs_by_day() -> None:
    world = roster()
    assert plan_day(world, MONDAY, 5) == plan_day(world, MONDAY, 5)
    assert plan_day(world, MONDAY, 5) != plan_day(world, date(2026, 7, 7), 5)


def test_plan_day_has_the_heroine_on_mondays_and_little_on_sundays() -> None:
    world = roster()
    acts = [act for act in plan_day(world, MONDAY, 5) if act.resident_id == heroes.HEROINE]
    assert [act.act for act in acts] == [Act.VISIT, Act.ECG_ORDER, Act.REFERRAL_UP]
    sunday = plan_day(world, date(2026, 7, 5), 5)
    assert 0 < len(sunday) < len(plan_day(world, MONDAY, 5)) / 2
    assert not any(act.act is Act.FOLLOW_UP for act in sunday)
