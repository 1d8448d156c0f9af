"""A sample of the official examples; the whole is `bin/bench examples`."""

import pytest

from doorstep.demo.conformance import examples
from doorstep.demo.conformance.examples import Tally
from doorstep.kernel.access.actor import Purpose, system_actor

# One that names a version of the patient whom it names as well.
_TWICE = "AuditEvent-example-disclosure.json"
SAMPLE = [
    path
    for number, path in enumerate(examples.files())
    if (number % 40 == 7 and path.stat().st_size < 200_000) or path.name in (*examples.WRITTEN_OUT, _TWICE)
]


@pytest.mark.slow
@pytest.mark.django_db
def test_examples_come_back_equal_to_the_last_zero() -> None:
    tally = Tally()
    examples.store_all(SAMPLE, tally, actor=system_actor(Purpose.IMPORT), group=40)
    assert (tally.examples, tally.lost, tally.unstored) == (len(SAMPLE), [], {})
    assert tally.examples > 100


@pytest.mark.slow
def test_mutants_are_refused_where_they_were_broken() -> None:
    tally = Tally()
    examples.validate_all(SAMPLE, tally)
    assert set(tally.refused) <= set(examples.FAULTY)
    examples.judge_mutants(SAMPLE, tally, wanted=500)
    assert tally.mutants.total() >= 500
    assert tally.right >= 0.98, tally.samples
