"""A double click, or a resend after a lost answer, does its work once."""

from dataclasses import dataclass

from doorstep.kernel.access.actor import Actor
from doorstep.kernel.database.remembered import ask
from doorstep.kernel.workflow.models import IdempotencyKey


@dataclass(frozen=True, slots=True)
class Answer:
    """What the first request was answered."""

    status: int
    location: str


def claim(*, key: str, route: str, actor: Actor) -> Answer | None:
    """Take the key for this transaction. Returns None for the first comer, else the answer that the first one got.

    A second request that arrives while the first still runs waits for it here, on the unique index.
    """
    taken = ask(
        "INSERT INTO workflow_idempotencykey (key, user_id, route, location) VALUES (%s, %s::bigint, %s, '')"
        " ON CONFLICT (user_id, key) DO NOTHING RETURNING id",
        [key[:80], actor.user_id or 0, route[:200]],
    )
    if taken:
        return None
    row = IdempotencyKey.objects.get(user_id=actor.user_id or 0, key=key[:80])
    return Answer(status=row.status or 200, location=row.location)


def keep(*, key: str, status: int, location: str, actor: Actor) -> None:
    """Remember what the first request was answered."""
    ask(
        "UPDATE workflow_idempotencykey SET status = %s::smallint, location = %s WHERE user_id = %s::bigint AND key = %s RETURNING id",
        [status, location[:400], actor.user_id or 0, key[:80]],
    )


def forget(*, key: str, actor: Actor) -> None:
    """Give the key back: the form was not carried out."""
    IdempotencyKey.objects.filter(user_id=actor.user_id or 0, key=key[:80]).delete()
