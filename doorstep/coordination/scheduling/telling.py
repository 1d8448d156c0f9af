"""Sending a resident word of what was arranged by telephone: who can do that is wired in by the site."""

from collections.abc import Callable, Mapping

from doorstep.kernel.access.actor import Actor

# (resident, kind of notice, its parameters, who acts)
Tell = Callable[[int, str, Mapping[str, str], Actor], None]
_tell: list[Tell] = []


def install(tell: Tell) -> None:
    """Wire what sends notices; the last one counts."""
    _tell[:] = [tell]


def tell_resident(*, resident_id: int, kind: str, params: Mapping[str, str], actor: Actor) -> None:
    """Send a resident a notice; without anything wired nobody is told."""
    if _tell:
        _tell[0](resident_id, kind, params, actor)
