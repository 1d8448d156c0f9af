"""Sending to a hospital's own system: what an engineer chooses becomes a line of HL7 v2."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db import transaction

from doorstep.coordination.hospital_systems.v2.sending import PARTS, TOPIC
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.exchange import actions
from doorstep.kernel.exchange.models import Connection
from doorstep.kernel.subscriptions import line_actions, reading
from doorstep.kernel.subscriptions.line_actions import Address
from doorstep.kernel.subscriptions.models import Subscription


@dataclass(frozen=True, slots=True, kw_only=True)
class Speech:
    """How a system is written to: the version of HL7 v2 and the characters."""

    version: str = Connection.Version.V24.value
    encoding: str = Connection.Encoding.UTF8.value


@transaction.atomic
def send_to(
    *, connection: Connection, address: Address, kinds: Iterable[str], speech: Speech, base: str, actor: Actor
) -> Subscription:
    """Send these kinds of messages to the system of a connection from now on; raises Refused at the field that is wrong."""
    actions.speak(
        connection=connection,
        version=Connection.Version(speech.version),
        encoding=Connection.Encoding(speech.encoding),
        actor=actor,
    )
    chosen = [PARTS[kind] for kind in PARTS if kind in set(kinds)]
    wanted = reading.line(chosen, topic=TOPIC, endpoint=address.url, base=base)
    return line_actions.open_line(client=connection.client, address=address, wanted=wanted, base=base, actor=actor)


def kinds_of(line: Subscription) -> list[str]:
    """The kinds of messages that go over a line."""
    types = {line.type, *(one["type"] for one in line.also)}
    return [kind for kind, part in PARTS.items() if part.type in types]
