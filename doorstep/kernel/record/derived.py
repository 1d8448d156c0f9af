"""Resources that follow from others, such as a list of what stands: made anew in the transaction that writes the others."""

from collections.abc import Callable, Mapping, Sequence

from doorstep.kernel.access.actor import Actor
from doorstep.kernel.record.publishing import Row

# Called with the residents of whom a resource of the type was written.
Deriver = Callable[[Sequence[int], Actor], None]
_derivers: dict[str, Deriver] = {}


def install(derivers: Mapping[str, Deriver]) -> None:
    """Wire what follows from a type of resource; the last ones count."""
    _derivers.clear()
    _derivers.update(derivers)


def follow(rows: Sequence[Row], *, actor: Actor) -> None:
    """Make anew what follows from rows that were written."""
    touched: dict[Deriver, set[int]] = {}
    for row in rows:
        derive = _derivers.get(row.published.content["resourceType"])
        if derive is not None and row.resident_id is not None:
            touched.setdefault(derive, set()).add(row.resident_id)
    for derive, residents in touched.items():
        derive(sorted(residents), actor)
