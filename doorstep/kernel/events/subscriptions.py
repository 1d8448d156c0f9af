"""Which handler reacts to which event; the table itself is `doorstep.site.subscriptions`."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from doorstep.kernel.events.event import Event


@dataclass(frozen=True, slots=True)
class Handler:
    """A reaction to an event; `name` is its dotted path."""

    name: str
    run: Callable[[Event], None]


_handlers: dict[type[Event], tuple[Handler, ...]] = {}
_classes: dict[str, type[Event]] = {}


def subscribe(table: Mapping[type[Event], Sequence[Callable[[Event], None]]]) -> None:
    """Install the whole table; the site calls it once at start."""
    _handlers.clear()
    _classes.clear()
    for event, functions in table.items():
        _classes[event.__name__] = event
        _handlers[event] = tuple(Handler(name=f"{run.__module__}.{run.__qualname__}", run=run) for run in functions)


def handlers_of(event: type[Event]) -> tuple[Handler, ...]:
    """The handlers of an event, in the order of the table."""
    return _handlers.get(event, ())


def handlers_of_name(event_name: str) -> tuple[Handler, ...]:
    """The handlers of an event by its stored name; none for a name that the table no longer has."""
    event = _classes.get(event_name)
    return handlers_of(event) if event else ()


def handler(event_name: str, handler_name: str) -> tuple[type[Event], Handler] | None:
    """The class and the handler behind stored names, or None when the table no longer has them."""
    event = _classes.get(event_name)
    if event is None:
        return None
    return next(((event, found) for found in handlers_of(event) if found.name == handler_name), None)
