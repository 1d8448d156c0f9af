"""Dealing places to units by weight, and proposing next month's division from use, demand and waiting. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

# Figures of the proposal: chosen for the platform, to be agreed with each consortium.
LARGEST_CHANGE = 0.3  # no unit's share moves by more than this part of itself in a month
WASTE_PENALTY = 0.5  # a place that a unit let go unused or missed counts this much against its need
WAIT_DAYS = 14.0  # a median wait of so many days raises a unit's need by WAIT_WEIGHT
WAIT_WEIGHT = 0.25


def deal(weights: Mapping[int, int], count: int, *, dealt: Mapping[int, int] | None = None) -> list[int]:
    """Deal `count` places to units in proportion to their weights, evenly spread: the unit that is furthest behind is next.

    `dealt` says what each has already had, so that several runs add up to the same proportion.
    """
    had = {unit: (dealt or {}).get(unit, 0) for unit in weights}
    order: list[int] = []
    for _number in range(count if weights else 0):
        unit = next_unit(weights, had)
        had[unit] += 1
        order.append(unit)
    return order


def next_unit(weights: Mapping[int, int], had: Mapping[int, int]) -> int:
    """The unit that is furthest behind its proportion, of those with a weight."""
    return min(weights, key=lambda one: ((had.get(one, 0) + 1) / weights[one], one))


@dataclass(frozen=True, slots=True)
class Use:
    """What a unit made of its share in a month, in places: given, used, missed (booked, not come), let go unused.

    `beyond` are bookings out of what was not its own, `waiting` people who waited for a place, `wait_days` their median wait.
    """

    unit: int
    given: int
    used: int
    missed: int
    unused: int
    beyond: int
    waiting: int
    wait_days: float | None


@dataclass(frozen=True, slots=True)
class Proposed:
    """A unit's proposed places of next month, beside today's, with the need it was computed from."""

    unit: int
    given: int
    places: int
    need: float
    reason: str


def propose(uses: Sequence[Use], *, total: int) -> list[Proposed]:
    """Divide `total` places by need; a share moves by at most 30 % and never to nothing, and the places add up.

    Need = used + taken beyond the share + waiting, raised by long waits, less half of what was missed or let go.
    """
    if not uses:
        return []
    needs = {use.unit: _need(use) for use in uses}
    whole = sum(needs.values()) or 1.0
    wanted = {use.unit: total * needs[use.unit] / whole for use in uses}
    scale = total / max(1, sum(use.given for use in uses))
    bounds = {use.unit: _bounds(use.given * scale) for use in uses}
    places = _rounded(wanted, bounds, total)
    return [
        Proposed(use.unit, use.given, places[use.unit], round(needs[use.unit], 1), _reason(use, places[use.unit]))
        for use in uses
    ]


def propose_start(uses: Sequence[Use], *, total: int) -> list[Proposed]:
    """A first division of places that all units have shared: by what each booked in the department and who waits for it.

    Units that neither booked nor wait get none; they may take what is released upward. Nothing is proposed where nobody came.
    """
    asked = [use for use in uses if use.used + use.beyond + use.waiting > 0]
    if not asked or total < len(asked):
        return []
    needs = {use.unit: _need(use) for use in asked}
    whole = sum(needs.values())
    wanted = {unit: total * need / whole for unit, need in needs.items()}
    places = _rounded(wanted, dict.fromkeys(wanted, (1, total)), total)
    return [Proposed(use.unit, 0, places[use.unit], round(needs[use.unit], 1), _start_reason(use)) for use in asked]


def _start_reason(use: Use) -> str:
    facts = _("近期约 %(booked)s 个，爽约 %(missed)s，候补 %(waiting)s 人") % {
        "booked": use.used + use.beyond,
        "missed": use.missed,
        "waiting": use.waiting,
    }
    if use.wait_days is not None:
        facts += _("，中位等待 %(days)s 天") % {"days": f"{use.wait_days:.1f}"}
    return facts + _("。起步份额按需求分配。")


def _need(use: Use) -> float:
    base = use.used + use.beyond + use.waiting - WASTE_PENALTY * (use.missed + use.unused)
    long_wait = min(1.0, (use.wait_days or 0.0) / WAIT_DAYS)
    return max(0.5, base) * (1 + WAIT_WEIGHT * long_wait)


def _bounds(share: float) -> tuple[int, int]:
    lowest = max(1, round(share * (1 - LARGEST_CHANGE)))
    return lowest, max(lowest + 1, round(share * (1 + LARGEST_CHANGE)))


def _rounded(wanted: Mapping[int, float], bounds: Mapping[int, tuple[int, int]], total: int) -> dict[int, int]:
    """Whole places inside the bounds, nearest to what is wanted; when the bounds cannot meet the total, the total wins."""
    places = {unit: min(bounds[unit][1], max(bounds[unit][0], int(value))) for unit, value in wanted.items()}
    while sum(places.values()) != total:
        more = sum(places.values()) < total
        step = 1 if more else -1
        free = [
            unit for unit in places if (places[unit] < bounds[unit][1] if more else places[unit] > bounds[unit][0])
        ] or [unit for unit in places if more or places[unit] > 0]
        if not free:
            break
        unit = max(free, key=lambda one: (step * (wanted[one] - places[one]), -one))
        places[unit] += step
    return places


def _reason(use: Use, places: int) -> str:
    facts = _(
        "上月给 %(given)s 个，用 %(used)s，爽约 %(missed)s，未用放出 %(unused)s；另占其他号 %(beyond)s，候补 %(waiting)s 人"
    ) % {
        "given": use.given,
        "used": use.used,
        "missed": use.missed,
        "unused": use.unused,
        "beyond": use.beyond,
        "waiting": use.waiting,
    }
    if use.wait_days is not None:
        facts += _("，中位等待 %(days)s 天") % {"days": f"{use.wait_days:.1f}"}
    if places > use.given:
        return facts + _("。需求大于份额，建议增加。")
    if places < use.given:
        return facts + _("。用不完，建议减少。")
    return facts + _("。建议不变。")
