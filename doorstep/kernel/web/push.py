"""Tells open pages that something changed, through PostgreSQL's NOTIFY right after the caller's transaction."""

import json
from collections.abc import Callable, Iterable

from django.db import transaction

from doorstep.kernel.database.remembered import ask

CHANNEL = "doorstep_live"
# PostgreSQL refuses a payload of 8,000 bytes or more.
TOPICS_PER_MESSAGE = 100


def push(*, to: Iterable[str], kind: str, reference: str) -> None:
    """Tell the pages of the topics (user:12, organization:5, role:…) that kind happened to reference.

    The message leaves when the transaction has committed and is lost with it when it rolls back. It carries the kind and
    an id and nothing about a resident: the page asks for the content itself, under access control. A database that goes away
    in that moment takes the message along; pages look anew when the live channel is back.
    """
    topics = sorted(set(to))
    for start in range(0, len(topics), TOPICS_PER_MESSAGE):
        payload = json.dumps({"to": topics[start : start + TOPICS_PER_MESSAGE], "kind": kind, "id": reference})
        # Whoever notifies in a transaction keeps a lock of the whole server until the commit is on the disk: then no two acts
        # of the county could commit together. What was done stays done when the bell fails.
        transaction.on_commit(_ringing(payload), robust=True)


def _ringing(payload: str) -> Callable[[], None]:
    # A function with a name: Django says in the log which one failed.
    def ring() -> None:
        ask("SELECT pg_notify(%s, %s)", [CHANNEL, payload])

    return ring
