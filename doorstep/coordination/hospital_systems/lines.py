"""Sending to a hospital's own system: what an engineer chooses becomes a line of HL7 v2."""

from collections.abc import Iterable

from doorstep.coordination.hospital_systems.v2.sending import PARTS, TOPIC
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.exchange.models import Connection
from doorstep.kernel.subscriptions import line_actions, reading
from doorstep.kernel.subscriptions.line_actions import Address
from doorstep.kernel.subscriptions.models import Subscription


def send_to(*, connection: Connection, address: Address, kinds: Iterable[str], base: str, actor: Actor) -> Subscription:
    """Send these kinds of messages to the system of a connection from now on; raises Refused at the field that is wrong."""
    chosen = [PARTS[kind] for kind in PARTS if kind in set(kinds)]
    wanted = reading.line(chosen, topic=TOPIC, endpoint=address.url, base=base)
    return line_actions.open_line(client=connection.client, address=address, wanted=wanted, base=base, actor=actor)


def kinds_of(line: Subscription) -> list[str]:
    """The kinds of messages that go over a line."""
    types = {line.type, *(one["type"] for one in line.also)}
    return [kind for kind, part in PARTS.items() if part.type in types]
