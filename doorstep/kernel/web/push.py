"""Tells open pages that something changed, through PostgreSQL's NOTIFY in the caller's transaction."""

import json
from collections.abc import Iterable

from django.db import connection

CHANNEL = "doorstep_live"
# PostgreSQL refuses a payload of 8,000 bytes or more.
TOPICS_PER_MESSAGE = 100


def push(*, to: Iterable[str], kind: str, reference: str) -> None:
    """Tell the pages of the topics (user:12, organization:5, role:…) that kind happened to reference.

    The message leaves when the transaction commits and is lost with it when it rolls back. It carries the kind and
    an id and nothing about a resident: the page asks for the content itself, under access control.
    """
    topics = sorted(set(to))
    for start in range(0, len(topics), TOPICS_PER_MESSAGE):
        payload = json.dumps({"to": topics[start : start + TOPICS_PER_MESSAGE], "kind": kind, "id": reference})
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_notify(%s, %s)", [CHANNEL, payload])
