"""Writing resources: the current version and its history in the transaction of the act."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import orjson
from django.db.models import TextField
from django.db.models.functions import Cast
from django.utils import timezone

from doorstep.kernel.access.actor import Actor
from doorstep.kernel.database.calls import Call, run
from doorstep.kernel.fhir import exact
from doorstep.kernel.record import derived, labels, watching
from doorstep.kernel.record.models import Resource
from doorstep.kernel.record.publishing import Published, Row
from doorstep.kernel.record.search_index import Index, index_of


def publish(published: Published, *, resident_id: int | None, actor: Actor, deleted: bool = False) -> int:
    """Write a resource's next version; returns its number, that of the version before when nothing is different."""
    row = Row(published=published, resident_id=resident_id, deleted=deleted, method="DELETE" if deleted else "PUT")
    return write([row], actor=actor)[0]


def publish_new(items: Sequence[tuple[Published, int | None]], *, actor: Actor) -> None:
    """Write the first version of many resources, each with its resident, in one statement."""
    write([Row(published=one, resident_id=resident_id, method="POST") for one, resident_id in items], actor=actor)


def write(rows: Sequence[Row], *, actor: Actor, now: datetime | None = None, beside: Sequence[Call] = ()) -> list[int]:
    """Write the next version of different resources in one statement; returns their numbers in the same order.

    A resource that would be written as it stands keeps its version. The calls `beside` go in the same statement, afterwards.
    """
    if not rows:
        return []
    versions = written(run([writing(rows, actor=actor, now=now), *beside])[0])
    derived.follow(rows, actor=actor)
    return versions


def written(answer: str) -> list[int]:
    """The versions in the answer of a call that wrote; whoever watches these types is told."""
    found = orjson.loads(answer)
    if found["watched"]:
        watching.tell(found["watched"])
    versions: list[int] = found["versions"]
    return versions


def writing(rows: Sequence[Row], *, actor: Actor, now: datetime | None = None) -> Call:
    """The call that writes resources, for an act that sends it with its other traces; its answer is for `written`."""
    moment = now or timezone.now()
    rows = [labels.published(row) for row in rows]
    found = [index_of(_indexed(row)) for row in rows]
    columns = [_columns(position, row, index) for position, (row, index) in enumerate(zip(rows, found, strict=True))]
    index = [{"keys": one.keys, "facts": one.facts, "rest": one.rest} for one in found]
    return Call(
        "record_write",
        (
            exact.dumps(columns).decode(),
            exact.dumps(index).decode(),
            actor.consortium_id,
            actor.user_id,
            moment,
            stamp(moment),
        ),
    )


def publishing(items: Sequence[Published], *, resident_id: int | None, actor: Actor) -> list[Call]:
    """The call that writes what one act shows of a thing; none when it shows nothing."""
    rows = [Row(published=one, resident_id=resident_id) for one in items]
    return [writing(rows, actor=actor)] if rows else []


def point_back(*, resource_ids: Sequence[int], wrong: str, right: str, actor: Actor) -> int:
    """Let these resources name `right` ("Patient/<key>") where they name `wrong`, each as a new version; returns how many.

    When a merge is undone, what was written anew in the meantime names the resident who stood.
    """
    found = Resource.objects.filter(id__in=resource_ids).annotate(text=Cast("content", TextField()))
    rows = [row for row in found if f'"{wrong}"' in row.text]
    for row in rows:
        published = Published(
            content=exact.loads(row.text.replace(f'"{wrong}"', f'"{right}"')),
            organization_id=row.organization_id,
            occurred_at=row.occurred_at,
            episode=row.episode,
            category=row.category,
            sensitive=row.sensitive,
        )
        publish(published, resident_id=row.resident_id, actor=actor, deleted=row.deleted)
    return len(rows)


def stamp(moment: datetime) -> str:
    """An instant as meta.lastUpdated shows it."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _indexed(row: Row) -> dict[str, Any]:
    content = row.published.content
    return {"resourceType": content["resourceType"], "id": content["id"]} if row.deleted else content


def _columns(position: int, row: Row, index: Index) -> dict[str, Any]:
    published, content = row.published, row.published.content
    return {
        "position": position,
        "type": content["resourceType"],
        "id": content["id"],
        "resident": row.resident_id,
        "organization": published.organization_id,
        "episode": published.episode,
        "category": published.category,
        "sensitive": published.sensitive,
        "occurred": published.occurred_at,
        "ref": index.ref,
        "present": index.present,
        "facts": index.facts,
        "content": orjson.Fragment(exact.dumps(content)),
        "deleted": row.deleted,
        "received": row.received,
        "method": row.method,
    }
