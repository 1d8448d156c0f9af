"""Which event is followed by which handlers. Each runs as a job of its own, once, after the commit of its cause."""

from collections.abc import Callable, Sequence

from doorstep.kernel.events.event import Event

SUBSCRIPTIONS: dict[type[Event], Sequence[Callable[[Event], None]]] = {}
