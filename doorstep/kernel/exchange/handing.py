"""Documents that a system hands in with its token: stored and worked like what comes by a wire or a folder, and answered at once."""

import hashlib
import secrets
from dataclasses import dataclass

from django.db import IntegrityError, transaction

from doorstep.kernel.access.actor import Actor, Purpose
from doorstep.kernel.access.session import bind, for_purpose
from doorstep.kernel.exchange import folders, storing
from doorstep.kernel.exchange.models import Connection, Message
from doorstep.kernel.exchange.processing import work
from doorstep.kernel.exchange.queries import ShownMessage
from doorstep.kernel.exchange.states import MessageState


@dataclass(frozen=True, slots=True)
class Handed:
    """A message that was handed in, as it stands now; `again` says that the same content had come before."""

    message: ShownMessage
    again: bool


def hand_in(*, name: str, data: bytes, actor: Actor) -> Handed:
    """Store one document under the system's own connection, and work it unless older ones of the patient still wait.

    name: a file name whose ending says what it is. What cannot be opened is a message that says so. Runs in the request's transaction.
    """
    number = hashlib.sha256(data).hexdigest()[:24]
    item, *_rest = folders.opened(name, data)
    with for_purpose(Purpose.EXCHANGE, actor):
        connection = _connection_of(actor)
        arrival = storing.arrive(
            connection,
            format=item.format,
            type=item.type,
            control_id=f"{number}-1",
            text=item.text,
            content=item.text,
            size=len(data),
            address=actor.address[:45],
        )
        (message_id,) = storing.store([arrival])
        storing.note_alive(connection_ids=[connection.pk], address=actor.address[:45])
        message = _message(message_id)
        again = message.duplicates > 0
        waits_its_turn = Message.objects.filter(
            connection=connection, lane=message.lane, state=MessageState.RECEIVED, id__lt=message_id
        ).exists()
    if message.state == MessageState.RECEIVED and not connection.paused and not waits_its_turn:
        work(message)
        with for_purpose(Purpose.EXCHANGE, actor):
            message = _message(message_id)
    bind(actor)
    return Handed(message, again)


def _message(message_id: int) -> Message:
    return Message.objects.select_related("connection").get(id=message_id)


def _connection_of(actor: Actor) -> Connection:
    """The connection of the system that calls; its first document makes it."""
    client_id = -(actor.user_id or 0)
    found = Connection.objects.filter(client_id=client_id).first()
    if found is not None:
        return found
    code = f"{Connection.Kind.API.value}-{secrets.token_hex(4)}"
    try:
        with transaction.atomic():
            return Connection.objects.create(
                code=code,
                name=actor.display_name[:80],
                kind=Connection.Kind.API,
                organization_id=actor.organization_id or 0,
                consortium_id=actor.consortium_id,
                client_id=client_id,
                application=code,
            )
    except IntegrityError:
        # Its second document came in the same moment.
        return Connection.objects.get(client_id=client_id)
