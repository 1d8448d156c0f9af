"""Who works at a unit: asked of the workforce, which knows organisations and installs its answer here."""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from doorstep.kernel.access.actor import Actor


@dataclass(frozen=True, slots=True)
class StaffLine:
    """One post at a unit: who, what, in which department."""

    key: UUID
    name: str
    role: str
    title: str
    department: str


_lines: list[Callable[[int, Actor], list[StaffLine]]] = [lambda _unit, _actor: []]


def install(lines: Callable[[int, Actor], list[StaffLine]]) -> None:
    """Set who answers: the posts of today at a unit, as far as the actor may see them."""
    _lines[0] = lines


def of(*, organization_id: int, actor: Actor) -> list[StaffLine]:
    """The posts of today at a unit; empty for somebody who may not see them."""
    return _lines[0](organization_id, actor)
