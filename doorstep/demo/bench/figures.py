"""Figures: percentiles, bars, ratios to the yardsticks, and the table."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from doorstep.demo.bench.names import MEASURES, REFERRALS, YARDSTICKS, Bar, Measure


@dataclass(slots=True, kw_only=True)
class Figure:
    """One measured line; times in milliseconds, `per_second` answers or acts. `faults` say what went wrong."""

    name: str
    clients: int
    count: int
    p50: float
    p95: float
    p99: float
    slowest: float
    per_second: float
    queries: int | None = None
    faults: list[str] = field(default_factory=list)
    remark: str = ""
    # Of the rate of a yardstick of its own.
    share: float | None = None

    @property
    def title(self) -> str:
        """The words of the line."""
        return YARDSTICKS.get(self.name) or _measure(self.name).title

    @property
    def bar(self) -> Bar:
        """What it must hold; a step of a measure has the bars of times of its measure."""
        if self.name in YARDSTICKS:
            return Bar()
        bar = _measure(self.name).bar
        return replace(bar, per_second=None, of_bare=None, share=None) if "/" in self.name else bar

    def misses(self, bare: "Figure | None" = None) -> list[str]:
        """The bars that it does not hold, in words, and its faults; `bare` is the yardstick of pages."""
        asked = (
            ("p50", self.p50, self.bar.p50_ms),
            ("p95", self.p95, self.bar.p95_ms),
            ("p99", self.p99, self.bar.p99_ms),
            ("slowest", self.slowest, self.bar.slowest_ms),
        )
        missed = [f"{name} > {bar:g} ms" for name, value, bar in asked if bar is not None and value > bar]
        least = (
            ("per s", self.per_second, self.bar.per_second),
            ("of bare", self.per_second / bare.per_second if bare and bare.count else None, self.bar.of_bare),
            ("share", self.share, self.bar.share),
        )
        missed += [f"{name} < {bar:g}" for name, value, bar in least if None not in (bar, value) and value < bar]  # type: ignore[operator]
        if self.bar.queries is not None and self.queries is not None and self.queries > self.bar.queries:
            missed.append(f"queries > {self.bar.queries}")
        return missed + self.faults


def _measure(name: str) -> Measure:
    kind = name.partition("/")[0]
    return REFERRALS[kind] if kind in REFERRALS else MEASURES[kind]


def figure(
    name: str,
    times: Iterable[float],
    *,
    clients: int,
    seconds: float,
    queries: int | None = None,
    faults: Sequence[str] = (),
    remark: str = "",
) -> Figure:
    """The figure of some times (ms) that were taken by so many clients in so many seconds."""
    ordered = sorted(times)
    return Figure(
        name=name,
        clients=clients,
        count=len(ordered),
        p50=percentile(ordered, 0.50),
        p95=percentile(ordered, 0.95),
        p99=percentile(ordered, 0.99),
        slowest=ordered[-1] if ordered else math.nan,
        per_second=len(ordered) / seconds if seconds else math.nan,
        queries=queries,
        faults=list(faults) if ordered else [*faults, "nothing was measured"],
        remark=remark,
    )


def percentile(ordered: Sequence[float], share: float) -> float:
    """The smallest of the ordered values below or at which this share of them lies; NaN of none."""
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else math.nan


@dataclass(frozen=True, slots=True)
class Ratios:
    """A figure beside the yardsticks: how many plain SELECTs one answer lasts, and which share of their rates it reaches."""

    selects: float | None
    of_pgbench: float | None
    of_bare: float | None


def ratios(one: Figure, yardsticks: dict[str, Figure]) -> Ratios:
    """The ratios of a figure; None where the yardstick was not measured."""
    select, pgbench, bare = (held if held and held.count else None for held in map(yardsticks.get, YARDSTICKS))
    return Ratios(
        selects=one.p50 / select.p50 if select else None,
        of_pgbench=one.per_second / pgbench.per_second if pgbench else None,
        of_bare=one.per_second / bare.per_second if bare else None,
    )


def table(yardsticks: dict[str, Figure], figures: Sequence[Figure]) -> str:
    """The table that is printed, a line per figure."""
    head = (
        f"{'':64} {'clients':>7} {'p50 ms':>8} {'p95 ms':>8} {'p99 ms':>8} {'max ms':>8} {'per s':>9}"
        f" {'queries':>7} {'×SELECT':>8} {'/pgbench':>8} {'/bare':>7}  bar"
    )
    lines = [head]
    for one in (*yardsticks.values(), *figures):
        ratio = ratios(one, yardsticks)
        lines.append(
            f"{_label(one):64} {one.clients:>7} {one.p50:>8.2f} {one.p95:>8.2f} {one.p99:>8.2f} {one.slowest:>8.1f}"
            f" {one.per_second:>9,.1f} {'' if one.queries is None else one.queries:>7}"
            f" {_ratio(ratio.selects, '.1f'):>8} {_ratio(ratio.of_pgbench, '.4f'):>8} {_ratio(ratio.of_bare, '.3f'):>7}"
            f"  {_verdict(one, yardsticks.get('bare-view'))}"
        )
    return "\n".join(lines)


def as_json(one: Figure, yardsticks: dict[str, Figure]) -> dict[str, Any]:
    """A figure with its words, ratios and verdict."""
    return {
        **asdict(one),
        "title": one.title,
        "bar": asdict(one.bar),
        "ratios": asdict(ratios(one, yardsticks)),
        "misses": one.misses(yardsticks.get("bare-view")),
    }


def _label(one: Figure) -> str:
    step = one.name.partition("/")[2]
    return f"{one.name}  {step or one.title}" if not step else f"  {one.name}"


def _ratio(value: float | None, shape: str) -> str:
    return "" if value is None else format(value, shape)


def _verdict(one: Figure, bare: Figure | None) -> str:
    asked = [
        f"{name} ≤ {bar:g}{unit}"
        for name, bar, unit in (
            ("p50", one.bar.p50_ms, " ms"),
            ("p95", one.bar.p95_ms, " ms"),
            ("p99", one.bar.p99_ms, " ms"),
            ("max", one.bar.slowest_ms, " ms"),
            ("queries", one.bar.queries, ""),
        )
        if bar is not None
    ] + [
        f"{name} ≥ {bar:g}"
        for name, bar in (("per s", one.bar.per_second), ("of bare", one.bar.of_bare), ("share", one.bar.share))
        if bar is not None
    ]
    missed = one.misses(bare)
    words = f"{', '.join(asked)}: " if asked else ""
    verdict = f"MISS ({'; '.join(missed)})" if missed else "ok" if asked else ""
    share = "" if one.share is None else f" (share {one.share:.3f})"
    return f"{words}{verdict}{share} {one.remark}".strip()
