"""Writing resources: the current version and its history in the transaction of the act."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import orjson
from django.db import connection
from django.db.models import TextField
from django.db.models.functions import Cast
from django.utils import timezone

from doorstep.kernel.access.actor import Actor
from doorstep.kernel.fhir import exact
from doorstep.kernel.record import watching
from doorstep.kernel.record.models import Resource
from doorstep.kernel.record.publishing import Published, Row
from doorstep.kernel.record.search_index import index_of

# One statement for any number of resources: each new current version, the same text as a row of the history, and the
# rows of the index of searches. The old keys are read, and their rows locked, before the new ones are written.
_WRITE = """
WITH given AS (
  SELECT * FROM jsonb_to_recordset(%(rows)s::jsonb) AS g (position int, type text, id text, resident bigint,
      organization bigint, episode text, category text, sensitive boolean, occurred timestamptz, content jsonb,
      deleted boolean, received boolean, method text, ref bigint, keys jsonb, present jsonb, rest jsonb)),
old AS (
  SELECT r.type, r.fhir_id, r.keys FROM record_resource r JOIN given g ON g.type = r.type AND g.id = r.fhir_id
  ORDER BY r.type, r.fhir_id FOR UPDATE OF r),
written AS (
  INSERT INTO record_resource AS r (type, fhir_id, version, resident_id, organization_id, consortium_id, episode, category,
      sensitive, occurred_at, updated_at, content, deleted, received, ref, keys, present)
  SELECT type, id, 1, resident, organization, %(consortium)s, episode, category, sensitive, occurred, %(now)s,
      content || jsonb_build_object('meta', coalesce(content -> 'meta', '{}')
        || jsonb_build_object('versionId', '1', 'lastUpdated', %(stamp)s::text)), deleted, received, ref,
      ARRAY(SELECT e::bigint FROM jsonb_array_elements_text(keys) e), ARRAY(SELECT e::int FROM jsonb_array_elements_text(present) e)
  FROM given WHERE (SELECT count(*) FROM old) >= 0 ORDER BY type, id
  ON CONFLICT (type, fhir_id) DO UPDATE SET version = r.version + 1, organization_id = excluded.organization_id,
      episode = excluded.episode, category = excluded.category, sensitive = excluded.sensitive,
      occurred_at = excluded.occurred_at, updated_at = excluded.updated_at, deleted = excluded.deleted,
      keys = excluded.keys, present = excluded.present,
      content = jsonb_set(excluded.content, '{meta,versionId}', to_jsonb((r.version + 1)::text))
  RETURNING r.id, r.type, r.fhir_id, r.version, r.resident_id, r.organization_id, r.episode, r.category, r.sensitive,
      r.content, r.deleted, r.keys),
kept AS (
  INSERT INTO record_resourceversion (resource_id, version, resident_id, organization_id, episode, category, sensitive,
      written_at, written_by_id, content, deleted, method)
  SELECT w.id, w.version, w.resident_id, w.organization_id, w.episode, w.category, w.sensitive, %(now)s, %(user)s, w.content,
      w.deleted, g.method
  FROM written w JOIN given g ON g.type = w.type AND g.id = w.fhir_id)
SELECT g.position, w.version, record_index(w.id, w.version, o.keys, w.keys, g.rest), w.id,
    NOT w.deleted AND EXISTS (SELECT 1 FROM record_watch x WHERE x.type = w.type)
FROM written w JOIN given g ON g.type = w.type AND g.id = w.fhir_id LEFT JOIN old o ON o.type = w.type AND o.fhir_id = w.fhir_id
"""


def publish(published: Published, *, resident_id: int | None, actor: Actor, deleted: bool = False) -> int:
    """Write a resource's next version; returns its number."""
    row = Row(published=published, resident_id=resident_id, deleted=deleted, method="DELETE" if deleted else "PUT")
    return write([row], actor=actor)[0]


def publish_new(items: Sequence[tuple[Published, int | None]], *, actor: Actor) -> None:
    """Write the first version of many resources, each with its resident, in one statement."""
    write([Row(published=one, resident_id=resident_id, method="POST") for one, resident_id in items], actor=actor)


def write(rows: Sequence[Row], *, actor: Actor, now: datetime | None = None) -> list[int]:
    """Write the next version of different resources in one statement; returns their numbers in the same order."""
    if not rows:
        return []
    moment = now or timezone.now()
    with connection.cursor() as cursor:
        cursor.execute(
            _WRITE,
            {
                "rows": exact.dumps([_columns(position, row) for position, row in enumerate(rows)]).decode(),
                "consortium": actor.consortium_id,
                "now": moment,
                "stamp": stamp(moment),
                "user": actor.user_id,
            },
        )
        written = sorted(cursor.fetchall())
    watched = [row[3] for row in written if row[4]]
    if watched:
        watching.tell(watched)
    versions = {row[0]: row[1] for row in written}
    return [versions[position] for position in range(len(rows))]


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


def _columns(position: int, row: Row) -> dict[str, Any]:
    published, content = row.published, row.published.content
    index = index_of({"resourceType": content["resourceType"], "id": content["id"]} if row.deleted else content)
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
        "keys": index.keys,
        "present": index.present,
        "rest": index.rest,
        "content": orjson.Fragment(exact.dumps(content)),
        "deleted": row.deleted,
        "received": row.received,
        "method": row.method,
    }
