"""What the kernel asks of a format of messages; the site installs one per name."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from doorstep.kernel.access.actor import Actor
from doorstep.kernel.exchange.models import Connection, Message


class Fault(Exception):
    """A message that cannot be applied: the kind of error, its place ("PID-8"), and facts that name no person."""

    waits = False

    def __init__(self, kind: str, place: str = "", **facts: str) -> None:
        super().__init__(f"{kind} {place}")
        self.kind = kind
        self.place = place
        self.facts = facts


class Waits(Fault):
    """A message whose resident the sender may not see yet."""

    waits = True


@dataclass(frozen=True, slots=True)
class Keys:
    """What the store must know of a message without understanding it: the patient's lane and the numbers to search by."""

    lane: str
    numbers: tuple[str, ...] = ()


@dataclass(slots=True)
class Task:
    """One message on its way into the record, and what is learned on the way even when it fails.

    `unknown_codes` holds (table, code, display) of codes that no mapping decides.
    """

    message: Message
    connection: Connection
    actor: Actor
    unknown_codes: list[tuple[str, str, str]] = field(default_factory=list)
    # What was looked up already: a report names its units again and again.
    looked_up: dict[tuple[str, str], tuple[str, str, str] | None] = field(default_factory=dict)


@dataclass(slots=True)
class Outcome:
    """What became of a message: resources as (type, id, version), notes as (code, place)."""

    resident_id: int | None = None
    results: list[tuple[str, str, int]] = field(default_factory=list)
    notes: list[tuple[str, str]] = field(default_factory=list)
    ignored: bool = False


@dataclass(frozen=True, slots=True)
class Format:
    """How one kind of message is read; `types` are the kinds that are taken ("ADT^A01").

    `apply` runs in the sender's transaction and raises Fault to leave nothing behind.
    """

    types: frozenset[str]
    keys: Callable[[str], Keys]
    apply: Callable[[Task], Outcome]


_formats: dict[str, Format] = {}
_actor_of: list[Callable[[int], Actor]] = []


def install(formats: dict[str, Format], *, actor_of: Callable[[int], Actor]) -> None:
    """Wire the formats by name, and what gives the actor of a machine account by its id; the last ones count."""
    _formats.clear()
    _formats.update(formats)
    _actor_of[:] = [actor_of]


def format_of(name: str) -> Format:
    """The format with this name; raises LookupError when the site has none."""
    return _formats[name]


def sender_of(connection: Connection) -> Actor:
    """The machine actor of a connection's organisation."""
    return _actor_of[0](connection.client_id)


def facts_of(fault: Fault) -> dict[str, Any]:
    """The facts of a fault as they are kept."""
    return {name: str(value)[:120] for name, value in fault.facts.items()}
