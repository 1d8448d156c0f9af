"""Binding an actor to a transaction: what the database's policies read."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction

from doorstep.kernel.access.actor import Actor, Purpose, system_actor
from doorstep.kernel.access.refusals import Refused
from doorstep.kernel.database.remembered import ask

_BIND = """
SELECT set_config('doorstep.user', %s, true), set_config('doorstep.reach', %s, true),
       set_config('doorstep.record_reach', %s, true), set_config('doorstep.self', %s, true),
       set_config('doorstep.purpose', %s, true), set_config('doorstep.post', %s, true),
       set_config('doorstep.permissions', %s, true), set_config('doorstep.session', %s, true),
       set_config('doorstep.only', %s, true)
"""


def bind(actor: Actor) -> None:
    """Tell the database who acts, until the end of the running transaction; without one the rows stay shut."""
    if not connection.in_atomic_block:
        raise RuntimeError("bind() needs a transaction: the settings would be gone with the statement.")
    ask(
        _BIND,
        [
            str(actor.user_id or ""),
            _array(actor.reach),
            _array(actor.record_reach),
            _array(actor.resident_ids),
            actor.purpose,
            str(actor.post_id or ""),
            "{" + ",".join(sorted(actor.permissions)) + "}",
            actor.session,
            str(actor.only_resident_id or ""),
        ],
    )


@contextmanager
def acting(actor: Actor) -> Iterator[Actor]:
    """Run a block in one transaction of this actor: jobs, commands and tests use it, requests get it from middleware."""
    with transaction.atomic():
        bind(actor)
        yield actor


@contextmanager
def for_purpose(purpose: Purpose, actor: Actor) -> Iterator[None]:
    """Let the system read for a named purpose inside a person's request; the person is bound again afterwards.

    The caller has checked the person's permission and recorded the look.
    """
    bind(system_actor(purpose, consortium_id=actor.consortium_id))
    yield
    bind(actor)


@contextmanager
def on_behalf(person: Actor, actor: Actor) -> Iterator[Actor]:
    """Let a machine or a desk act for a resident who was identified a moment ago; the own actor is bound again afterwards.

    What the person may not see or do stays shut: the block runs with the resident's own reach and nothing else.
    """
    bind(person)
    try:
        yield person
    except Refused:
        # A sentence for the page that goes on; anything else ends the transaction.
        bind(actor)
        raise
    bind(actor)


def _array(ids: tuple[int, ...]) -> str:
    return "{" + ",".join(map(str, ids)) + "}"
