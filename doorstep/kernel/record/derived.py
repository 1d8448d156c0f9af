"""Resources that follow from others, such as a list of what stands: made anew in the transaction that writes the others.

What comes in bulk names the same residents again and again: there they are remembered, and what follows is made once at the end.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

from doorstep.kernel.access.actor import Actor
from doorstep.kernel.record.publishing import Row

# Called with the residents of whom a resource of the type was written.
Deriver = Callable[[Sequence[int], Actor], None]
# By type the residents of whom one was written.
Touched = dict[str, set[int]]
_derivers: dict[str, Deriver] = {}
_remembered: ContextVar[Touched | None] = ContextVar("remembered", default=None)


def install(derivers: Mapping[str, Deriver]) -> None:
    """Wire what follows from a type of resource; the last ones count."""
    _derivers.clear()
    _derivers.update(derivers)


@contextmanager
def later() -> Iterator[Touched]:
    """Make nothing that follows within the block; yields whom it would follow for, which `catch_up` has to be given."""
    touched: Touched = {}
    token = _remembered.set(touched)
    try:
        yield touched
    finally:
        _remembered.reset(token)


def follow(rows: Sequence[Row], *, actor: Actor) -> None:
    """Make anew what follows from rows that were written."""
    touched: Touched = {}
    for row in rows:
        type = row.published.content["resourceType"]
        if type in _derivers and row.resident_id is not None:
            touched.setdefault(type, set()).add(row.resident_id)
    remembered = _remembered.get()
    if remembered is None:
        catch_up(touched, actor=actor)
        return
    for type, residents in touched.items():
        remembered.setdefault(type, set()).update(residents)


def catch_up(touched: Mapping[str, set[int]], *, actor: Actor) -> None:
    """Make anew what follows from resources of these types of these residents."""
    wanted: dict[Deriver, set[int]] = {}
    for type, residents in touched.items():
        derive = _derivers.get(type)
        if derive is not None:
            wanted.setdefault(derive, set()).update(residents)
    for derive, residents in wanted.items():
        derive(sorted(residents), actor)
