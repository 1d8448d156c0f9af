"""Criteria as readable tests over known and unknown facts: what is met, what is not, what nobody knows, and why.

Pure: no database, no clock. A fact carries its unit and the day it was found; a test knows which facts it looked at, so
that a judgement shows the very values it rests on.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from math import inf
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """Something known: a number, True or False, a text, or a set of codes; `unit` for numbers, `on` the day it was found.

    `how` says who measured where it matters (`HOME`); `bound` that the value lies above (">") or below ("<") the number, as
    of a glucose beyond the meter's range.
    """

    value: Any
    unit: str = ""
    on: date | None = None
    how: str = ""
    bound: str = ""


# Measured at home by the patients themselves: limits are lower than in the clinic.
HOME = "home"


Facts = Mapping[str, Fact]


@dataclass(frozen=True, slots=True)
class Test:
    """One readable test: True, False, or None where a fact is missing; `names` are the facts it looks at, `limits` its figures."""

    judge: Callable[[Facts], bool | None]
    names: tuple[str, ...]
    limits: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Criterion:
    """One criterion of a disease: `text` is its sentence, `green` the emergency centre it opens the green channel to."""

    code: str
    disease: str
    text: str
    test: Test
    source: str
    urgent: bool = False
    green: str = ""
    verified: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """One criterion as it was judged; `used` holds the facts it rests on, an unknown one with value None."""

    criterion: Criterion
    met: bool | None
    used: tuple[tuple[str, Fact | None], ...]

    @property
    def code(self) -> str:
        """The criterion's code."""
        return self.criterion.code

    @property
    def urgent(self) -> bool:
        """Whether it sends the patient at once."""
        return self.criterion.urgent


def both(*parts: bool | None) -> bool | None:
    """AND over known and unknown: one False decides, else one unknown leaves it open."""
    if False in parts:
        return False
    return None if None in parts else True


def either(*parts: bool | None) -> bool | None:
    """OR over known and unknown: one True decides, else one unknown leaves it open."""
    if True in parts:
        return True
    return None if None in parts else False


def at_least(name: str, limit: float, *, home: float | None = None) -> Test:
    """The number is known and not below the limit; `home` is the limit of what was measured at home."""
    return _bounded(
        name, limit, home, holds=lambda low, _high, bar: low >= bar, fails=lambda _low, high, bar: high < bar
    )


def at_most(name: str, limit: float) -> Test:
    """The number is known and not above the limit."""
    return _bounded(
        name, limit, None, holds=lambda _low, high, bar: high <= bar, fails=lambda low, _high, bar: low > bar
    )


def above(name: str, limit: float) -> Test:
    """The number is known and above the limit."""
    return _bounded(
        name, limit, None, holds=lambda low, _high, bar: low > bar, fails=lambda _low, high, bar: high <= bar
    )


def below(name: str, limit: float) -> Test:
    """The number is known and below the limit."""
    return _bounded(
        name, limit, None, holds=lambda _low, high, bar: high < bar, fails=lambda low, _high, bar: low >= bar
    )


def is_true(name: str) -> Test:
    """A doctor or the record says yes."""
    return _compared(name, bool)


def is_false(name: str) -> Test:
    """A doctor or the record says no."""
    return _compared(name, lambda value: not value)


def has_text(name: str) -> Test:
    """The text is written; an empty text is not unknown, it is missing."""
    return Test(lambda facts: bool(facts[name].value) if name in facts else False, (name,))


def has(*codes: str, name: str = "symptoms") -> Test:
    """One of these codes is among the known ones; unknown when nobody asked."""
    wanted = frozenset(codes)
    return _compared(name, lambda value: bool(wanted & frozenset(value)))


def all_of(*tests: Test) -> Test:
    """Every test holds."""
    return Test(lambda facts: both(*(one.judge(facts) for one in tests)), _names(tests), _limits(tests))


def any_of(*tests: Test) -> Test:
    """One of the tests holds."""
    return Test(lambda facts: either(*(one.judge(facts) for one in tests)), _names(tests), _limits(tests))


def judge(criteria: Sequence[Criterion], facts: Facts) -> list[Judgement]:
    """Judge every criterion: met ones first, then unknown, then not met; urgent before ordinary."""
    rank = {True: 0, None: 1, False: 2}
    found = [
        Judgement(
            criterion=one,
            met=one.test.judge(facts),
            used=tuple((name, facts.get(name)) for name in dict.fromkeys(one.test.names)),
        )
        for one in criteria
    ]
    return sorted(found, key=lambda one: (rank[one.met], not one.urgent))


def as_rows(judgements: Iterable[Judgement]) -> list[dict[str, Any]]:
    """The judgements as plain rows, to be kept with a referral as they were judged."""
    return [
        {
            "code": one.code,
            "disease": one.criterion.disease,
            "text": one.criterion.text,
            "met": one.met,
            "urgent": one.urgent,
            "green": one.criterion.green,
            "source": one.criterion.source,
            "verified": one.criterion.verified,
            "used": [_row(name, fact) for name, fact in one.used],
        }
        for one in judgements
    ]


def _row(name: str, fact: Fact | None) -> dict[str, Any]:
    if fact is None:
        return {"name": name, "value": None, "unit": "", "on": ""}
    value = sorted(fact.value) if isinstance(fact.value, frozenset | set) else fact.value
    row = {"name": name, "value": value, "unit": fact.unit, "on": fact.on.isoformat() if fact.on else ""}
    return row | {key: given for key, given in (("how", fact.how), ("bound", fact.bound)) if given}


def _compared(name: str, holds: Callable[[Any], bool]) -> Test:
    return Test(lambda facts: holds(facts[name].value) if name in facts else None, (name,))


_Compare = Callable[[float, float, float], bool]


def _bounded(name: str, limit: float, home: float | None, *, holds: _Compare, fails: _Compare) -> Test:
    """A number against a limit; one that is known to lie beyond a bound alone may leave it open."""

    def judged(facts: Facts) -> bool | None:
        fact = facts.get(name)
        if fact is None:
            return None
        bar = limit if home is None or fact.how != HOME else home
        low = -inf if fact.bound == "<" else fact.value
        high = inf if fact.bound == ">" else fact.value
        return True if holds(low, high, bar) else False if fails(low, high, bar) else None

    return Test(judged, (name,), (limit,) if home is None else (limit, home))


def _names(tests: Sequence[Test]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for one in tests for name in one.names))


def _limits(tests: Sequence[Test]) -> tuple[float, ...]:
    return tuple(dict.fromkeys(limit for one in tests for limit in one.limits))
