"""Figures: percentiles, bars and ratios."""

import pytest

from doorstep.demo.bench import names
from doorstep.demo.bench.figures import figure, percentile, ratios, table


def test_percentile_of_hundred_values() -> None:
    """The p95 of 1 to 100 is 95; of one value it is that value."""
    values = [float(number) for number in range(1, 101)]
    assert percentile(values, 0.95) == 95.0
    assert percentile(values, 0.5) == 50.0
    assert percentile([7.0], 0.99) == 7.0


def test_misses_names_time_and_queries() -> None:
    """A page that is slow and asks too much misses both bars."""
    one = figure("worklist", [60.0] * 20, clients=4, seconds=1.0, queries=13)
    assert one.misses() == ["p95 > 50 ms", "queries > 12"]
    assert figure("worklist", [6.0] * 20, clients=4, seconds=1.0, queries=12).misses() == []


def test_misses_when_nothing_was_measured() -> None:
    """An empty measure is a miss and not a silent success."""
    assert figure("fhir-read", [], clients=4, seconds=1.0).misses() == ["nothing was measured"]


def test_figure_of_step_has_bar_of_measure() -> None:
    """A step of the writes may not freeze either."""
    assert figure("writes/open a visit", [11_000.0], clients=64, seconds=1.0).misses() == ["slowest > 10000 ms"]


def test_ratios_beside_yardsticks() -> None:
    """Ratios go by the median against the SELECT and by the rate against the others."""
    held = {
        "select-1": figure("select-1", [0.1] * 10, clients=1, seconds=1.0),
        "bare-view": figure("bare-view", [1.0] * 1000, clients=4, seconds=1.0),
    }
    found = ratios(figure("worklist", [10.0] * 100, clients=4, seconds=1.0), held)
    assert found.selects == pytest.approx(100.0)
    assert found.of_bare == pytest.approx(0.1)
    assert found.of_pgbench is None


def test_table_says_ok_and_miss() -> None:
    """Every line says how it stands to its bar."""
    lines = table(
        {},
        [
            figure("worklist", [6.0] * 20, clients=4, seconds=1.0, queries=9),
            figure("record", [20.0] * 20, clients=1, seconds=1.0, queries=3),
        ],
    ).splitlines()
    assert lines[1].endswith("p95 ≤ 50 ms, queries ≤ 12: ok")
    assert lines[2].endswith("MISS (p95 > 15 ms)")


def test_chosen_by_beginning() -> None:
    """A name stands for all measures that begin with it."""
    assert names.chosen(["fhir"]) == [name for name in names.MEASURES if name.startswith("fhir")]
    assert {"fhir-read", "fhir-search", "fhir-chain"} <= set(names.chosen(["fhir"]))
    assert names.chosen(["fhir-read"]) == ["fhir-read"]
    assert names.chosen([]) == list(names.MEASURES)


def test_ratios_without_a_yardstick_that_failed() -> None:
    """A yardstick that could not be measured gives no ratio and breaks nothing."""
    held = {"select-4": figure("select-4", [], clients=4, seconds=1.0, faults=["no pgbench"])}
    one = figure("worklist", [10.0], clients=4, seconds=1.0)
    assert ratios(one, held).of_pgbench is None
    assert "no pgbench" in table(held, [one])
