"""Who is next in line: asked of those who know the organisations, through one function that the site wires."""

from collections.abc import Callable

# (name of the step, organisation that let the clock run out) -> organisation that is next, or None
LineOfDuty = Callable[[str, int], int | None]

_line: list[LineOfDuty] = []


def install(line: LineOfDuty) -> None:
    """Wire the line of duty; the last one counts."""
    _line[:] = [line]


def next_in_line(step: str, organization_id: int) -> int | None:
    """The organisation that a step of escalation leads to from this one."""
    return _line[0](step, organization_id) if _line else None
