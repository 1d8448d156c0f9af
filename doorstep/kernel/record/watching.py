"""Who is told, in the transaction of a change, that resources of a watched type were written; the site wires it."""

from collections.abc import Callable, Sequence

# Called with the rows of the record that were written.
Listener = Callable[[Sequence[int]], None]
_listener: list[Listener] = []


def install(listener: Listener) -> None:
    """Wire the listener; the last one counts."""
    _listener[:] = [listener]


def tell(rows: Sequence[int]) -> None:
    """Tell of rows that were written."""
    if _listener:
        _listener[0](rows)
