"""The tables: every state has an owner with a clock or is final, and each act leads where it should."""

import pytest

from doorstep.care.referrals.case_states import CASE_QUESTION, DOWN_PROPOSAL, PAY_LATER
from doorstep.care.referrals.follow_up_states import FOLLOW_UP
from doorstep.care.referrals.states import BEFORE_ARRIVAL, ENDED, OPEN_AT_TARGET, REFERRAL

SIDES = {"source", "target", "receiver"}


@pytest.mark.parametrize(
    "machine", [REFERRAL, FOLLOW_UP, CASE_QUESTION, PAY_LATER, DOWN_PROPOSAL], ids=lambda machine: machine.name
)
def test_every_state_has_owner_and_clock_or_is_final(machine: object) -> None:
    for state in machine.states:  # type: ignore[attr-defined]
        if state.final:
            assert (state.owner, state.clock) == (None, None)
        else:
            assert all((state.owner, state.clock, state.permission, state.task_zh, state.task_en)), state.code


@pytest.mark.parametrize(
    ("verb", "sources", "side"),
    [
        ("submit", {"draft", "returned"}, "source"),
        ("submit_green", {"draft", "returned"}, "source"),
        ("accept", {"submitted", "submitted_green"}, "target"),
        ("decline", {"submitted", "submitted_green"}, "target"),
        ("return", {"submitted", "submitted_green"}, "target"),
        ("redirect", {"submitted", "submitted_green"}, "target"),
        ("withdraw", {"draft", "returned", *BEFORE_ARRIVAL}, "source"),
        ("check_in", set(BEFORE_ARRIVAL) - {"returned"}, "target"),
        ("expire", {"accepted", "on_the_way"}, "system"),
        ("agree_day", {"accepted", "not_arrived"}, "source"),
        ("agree_day_there", {"accepted", "not_arrived"}, "target"),
        ("agree_day_self", {"accepted", "not_arrived"}, "resident"),
        ("move_place", {"accepted", "not_arrived"}, "system"),
        ("give_place_up", {"accepted"}, "system"),
        ("offer", {"submitted", "submitted_green"}, "target"),
        ("confirm", {"offered"}, "source"),
        ("confirm_self", {"offered"}, "resident"),
        ("refuse_self", {"offered"}, "resident"),
        ("confirm_there", {"offered"}, "target"),
        ("refuse_there", {"offered"}, "target"),
        ("depart", {"accepted"}, "source"),
        ("pass_on", {"submitted", "submitted_green"}, "system"),
        ("time_out_back", {"handed_back"}, "system"),
        ("leave", {"draft", "returned"}, "source"),
        ("go_elsewhere", {"draft", *BEFORE_ARRIVAL}, "source"),
        ("send_down", {"draft"}, "source"),
        ("treat", {"arrived"}, "target"),
        ("admit", {"arrived", "in_treatment"}, "target"),
        ("discharge", {"in_treatment", "admitted"}, "target"),
        ("hand_back", {"discharged"}, "target"),
        ("receive_back", {"handed_back"}, "receiver"),
        ("arrive_back", {"expected_back"}, "receiver"),
        ("postpone_back", {"expected_back"}, "receiver"),
        ("decline_back", {"handed_back", "expected_back"}, "receiver"),
        ("close", {"received_back"}, "receiver"),
    ],
)
def test_verbs_leave_exactly_these_states(verb: str, sources: set[str], side: str) -> None:
    ways = {state.code: REFERRAL.transition(verb, state.code) for state in REFERRAL.states}
    assert {code for code, way in ways.items() if way} == sources
    assert {way.side for way in ways.values() if way} == {side}


def test_death_may_be_recorded_in_every_state_that_is_not_final() -> None:
    for state in REFERRAL.states:
        assert (REFERRAL.transition("record_death", state.code) is None) == state.final


def test_open_states_are_states() -> None:
    assert set(OPEN_AT_TARGET) < {state.code for state in REFERRAL.states}
    assert set(ENDED) == {state.code for state in REFERRAL.states if state.final}
