"""Tells open pages that something changed, through PostgreSQL's NOTIFY in the caller's transaction."""

import json
from collections.abc import Iterable

from doorstep.kernel.database.calls import Call, run

CHANNEL = "doorstep_live"
# PostgreSQL refuses a payload of 8,000 bytes or more.
TOPICS_PER_MESSAGE = 100


def push(*, to: Iterable[str], kind: str, reference: str) -> None:
    """Tell the pages of the topics (user:12, organization:5, role:…) that kind happened to reference.

    The message leaves when the transaction commits and is lost with it when it rolls back. It carries the kind and
    an id and nothing about a resident: the page asks for the content itself, under access control.
    """
    run(pushing(to=to, kind=kind, reference=reference))


def pushing(*, to: Iterable[str], kind: str, reference: str) -> list[Call]:
    """The calls that tell it, for an act that sends them with its other traces."""
    topics = sorted(set(to))
    payloads = (
        json.dumps({"to": topics[start : start + TOPICS_PER_MESSAGE], "kind": kind, "id": reference})
        for start in range(0, len(topics), TOPICS_PER_MESSAGE)
    )
    return [Call("pg_notify", (CHANNEL, payload)) for payload in payloads]
