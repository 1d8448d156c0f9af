"""What a referral asks of the pharmacy: which medicines the units near home have in stock. The site wires in who knows.

Nobody wired in, or a unit that does not answer, is unknown and not "none": the unit's own list (UnitService) then speaks.
"""

from collections.abc import Callable, Mapping, Sequence

# (organisation ids, medicine codes) -> organisation id -> the codes of these that are in stock; a unit that is absent is unknown
InStock = Callable[[Sequence[int], Sequence[str]], Mapping[int, frozenset[str]]]

_sources: list[InStock] = []


def install(source: InStock) -> None:
    """Wire in who knows the stock; the last one counts."""
    _sources[:] = [source]


def in_stock(*, organization_ids: Sequence[int], codes: Sequence[str]) -> Mapping[int, frozenset[str]]:
    """What is in stock at these units; empty while nobody is wired in."""
    return _sources[0](organization_ids, codes) if _sources else {}
