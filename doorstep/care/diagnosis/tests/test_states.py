"""The tables of order and critical value: who may go which way."""

import pytest

from doorstep.care.diagnosis.states import CRITICAL_VALUE, ECG_ORDER
from doorstep.kernel.workflow.machine import Machine

# verb -> the states it leads from, and to
ORDER = {
    "order": ((), "requested"),
    "submit": (("requested", "returned"), "queued"),
    "claim": (("queued",), "reading"),
    "release": (("reading",), "queued"),
    "lapse": (("reading",), "queued"),
    "sign": (("reading",), "signed"),
    "return": (("reading",), "returned"),
    "amend": (("signed",), "signed"),
    "cancel": (("requested", "returned", "queued"), "cancelled"),
}
CRITICAL = {
    "raise": ((), "told"),
    "acknowledge": (("told",), "acknowledged"),
    "close": (("acknowledged",), "closed"),
    "refer": (("acknowledged",), "closed"),
    "withdraw": (("told", "acknowledged"), "withdrawn"),
}


@pytest.mark.parametrize(("machine", "truth"), [(ECG_ORDER, ORDER), (CRITICAL_VALUE, CRITICAL)])
def test_machine_goes_these_ways_and_no_other(machine: Machine, truth: dict[str, tuple[tuple[str, ...], str]]) -> None:
    assert {way.verb for way in machine.transitions} == set(truth)
    for state in ["", *(state.code for state in machine.states)]:
        for verb, (sources, target) in truth.items():
            way = machine.transition(verb, state)
            expected = state in sources or (state == "" and not sources)
            assert (way is not None) == expected, (verb, state)
            if way is not None:
                assert way.target == target


@pytest.mark.parametrize("machine", [ECG_ORDER, CRITICAL_VALUE])
def test_every_state_has_labels_and_a_fhir_status(machine: Machine) -> None:
    for state in machine.states:
        assert state.zh
        assert state.en
        assert state.fhir
        if state.owner and state.clock:
            assert state.task_zh
            assert state.clock.source


def test_nobody_but_the_clocks_may_lapse() -> None:
    assert {way.verb for way in ECG_ORDER.transitions if way.side == "system"} == {"lapse"}
