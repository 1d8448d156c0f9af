"""bin/bench match: how well and how fast a hospital's list finds its people, beside two plain rules on the same lists."""

import argparse
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date

from doorstep.demo.twins import Lists, make_lists
from doorstep.people.identity.linkage import link
from doorstep.people.identity.matching import Facts

PRECISION, RECALL, SECONDS_PER_MILLION = 0.999, 0.97, 600.0
_LONG = 100_000


@dataclass(frozen=True, slots=True)
class Score:
    """Of the links that a rule makes: how many are right, and of the twins how many are found."""

    title: str
    links: int
    right: int
    found: int
    twins: int
    seconds: float

    @property
    def precision(self) -> float:
        """Right links by all links."""
        return self.right / self.links if self.links else 1.0

    @property
    def recall(self) -> float:
        """Twins that were found by all twins."""
        return self.found / self.twins if self.twins else 1.0


def main(arguments: list[str]) -> int:
    """Print precision and recall; 1 when a bar is missed."""
    parser = argparse.ArgumentParser(prog="bin/bench match", description="Link a seeded list with the county.")
    parser.add_argument("--residents", type=int, default=200_000)
    parser.add_argument("--listed", type=int, default=0, help="lines of the list; as many as residents when 0")
    parser.add_argument("--twins", type=float, default=0.5, help="share of the lines that the county knows")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args(arguments)
    started = time.monotonic()
    lists = make_lists(
        residents=options.residents,
        listed=options.listed or options.residents,
        twins=options.twins,
        seed=options.seed,
        today=date(2026, 11, 22),
    )
    sys.stdout.write(
        f"{len(lists.known):,} residents, a list of {len(lists.hospital):,}, {lists.twins:,} of them twins"
        f" (made in {time.monotonic() - started:,.0f} s)\n"
    )
    scores = [
        _by_rule("same number", lists, lambda one: (one.number,) if one.number else None),
        _by_rule("same name and birth date", lists, lambda one: (one.name, one.birth_date)),
        *_by_linkage(lists, options.threads),
    ]
    _print(scores)
    return _judge(scores[-2], len(lists.hospital))


def _by_rule(title: str, lists: Lists, key: Callable[[Facts], tuple[object, ...] | None]) -> Score:
    """The yardstick: equal keys link."""
    started = time.monotonic()
    known: dict[tuple[object, ...], list[int]] = {}
    for one in lists.known:
        found = key(one.facts)
        if found is not None:
            known.setdefault(found, []).append(one.truth)
    pairs = [
        (truth, one.truth)
        for one in lists.hospital
        if (wanted := key(one.facts)) is not None
        for truth in known.get(wanted, ())
    ]
    return _score(title, pairs, lists, time.monotonic() - started)


def _by_linkage(lists: Lists, threads: int) -> Iterable[Score]:
    started = time.monotonic()
    found = link([one.facts for one in lists.known], [one.facts for one in lists.hospital], threads=threads)
    seconds = time.monotonic() - started
    pairs = [(lists.known[one.left].truth, lists.hospital[one.right].truth, one.automatic) for one in found]
    yield _score("linkage, automatic", [pair[:2] for pair in pairs if pair[2]], lists, seconds)
    yield _score("linkage, with review", [pair[:2] for pair in pairs], lists, seconds)


def _score(title: str, pairs: list[tuple[int, int]], lists: Lists, seconds: float) -> Score:
    right = [known for known, listed in pairs if known == listed]
    return Score(title, len(pairs), len(right), len(set(right)), lists.twins, seconds)


def _print(scores: list[Score]) -> None:
    sys.stdout.write(f"{'rule':<28}{'links':>10}{'precision':>12}{'recall':>10}{'seconds':>10}\n")
    for one in scores:
        sys.stdout.write(
            f"{one.title:<28}{one.links:>10,}{one.precision:>12.5f}{one.recall:>10.4f}{one.seconds:>10,.1f}\n"
        )


def _judge(automatic: Score, listed: int) -> int:
    """Small lists say nothing about time: starting the engine costs more than their comparison."""
    seconds = automatic.seconds * 1_000_000 / listed
    held = [
        (f"precision >= {PRECISION}", automatic.precision >= PRECISION),
        (f"recall >= {RECALL}", automatic.recall >= RECALL),
    ]
    if listed >= _LONG:
        held.append(
            (f"a million lines in {SECONDS_PER_MILLION:,.0f} s ({seconds:,.0f} s)", seconds <= SECONDS_PER_MILLION)
        )
    for words, good in held:
        sys.stdout.write(f"{'holds' if good else 'MISSED'}: {words}\n")
    return 0 if all(good for _words, good in held) else 1
