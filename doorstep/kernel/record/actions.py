"""Publishing resources: the current version and its history in the transaction of the act."""

from collections.abc import Sequence
from typing import Any

import orjson
from django.db import connection
from django.utils import timezone

from doorstep.kernel.access.actor import Actor
from doorstep.kernel.record.models import Resource
from doorstep.kernel.record.publishing import Published
from doorstep.kernel.record.tokens import tokens_of

# One statement: the new current version, and the same text as a row of the history.
_PUBLISH = """
WITH written AS (
  INSERT INTO record_resource AS r (type, fhir_id, version, resident_id, organization_id, consortium_id, episode, category,
      sensitive, occurred_at, updated_at, tokens, content, deleted)
  VALUES (%(type)s, %(id)s, 1, %(resident)s, %(organization)s, %(consortium)s, %(episode)s, %(category)s, %(sensitive)s,
      %(occurred)s, %(now)s, %(tokens)s, %(content)s::jsonb || jsonb_build_object('meta',
        coalesce(%(content)s::jsonb -> 'meta', '{}') || jsonb_build_object('versionId', '1', 'lastUpdated', %(stamp)s::text)), %(deleted)s)
  ON CONFLICT (type, fhir_id) DO UPDATE SET version = r.version + 1, organization_id = excluded.organization_id,
      episode = excluded.episode, category = excluded.category, sensitive = excluded.sensitive,
      occurred_at = excluded.occurred_at, updated_at = excluded.updated_at, tokens = excluded.tokens, deleted = excluded.deleted,
      content = jsonb_set(excluded.content, '{meta,versionId}', to_jsonb((r.version + 1)::text))
  RETURNING r.id, r.version, r.resident_id, r.organization_id, r.episode, r.category, r.sensitive, r.content)
INSERT INTO record_resourceversion (resource_id, version, resident_id, organization_id, episode, category, sensitive,
    written_at, written_by_id, content)
SELECT id, version, resident_id, organization_id, episode, category, sensitive, %(now)s, %(user)s, content FROM written
RETURNING version
"""

# Many first versions in one statement.
_PUBLISH_NEW = """
WITH written AS (
  INSERT INTO record_resource (type, fhir_id, version, resident_id, organization_id, consortium_id, episode, category,
      sensitive, occurred_at, updated_at, tokens, content, deleted)
  SELECT type, id, 1, resident, organization, %(consortium)s, episode, category, sensitive, occurred, %(now)s,
      ARRAY(SELECT jsonb_array_elements_text(tokens)),
      content || jsonb_build_object('meta', coalesce(content -> 'meta', '{}')
        || jsonb_build_object('versionId', '1', 'lastUpdated', %(stamp)s::text)), false
  FROM jsonb_to_recordset(%(rows)s::jsonb) AS given (type text, id text, resident bigint, organization bigint,
      episode text, category text, sensitive boolean, occurred timestamptz, tokens jsonb, content jsonb)
  RETURNING id, version, resident_id, organization_id, episode, category, sensitive, content)
INSERT INTO record_resourceversion (resource_id, version, resident_id, organization_id, episode, category, sensitive,
    written_at, written_by_id, content)
SELECT id, version, resident_id, organization_id, episode, category, sensitive, %(now)s, %(user)s, content FROM written
"""


def publish(published: Published, *, resident_id: int | None, actor: Actor, deleted: bool = False) -> int:
    """Write a resource's next version; returns its number."""
    now = timezone.now()
    content: dict[str, Any] = published.content
    with connection.cursor() as cursor:
        cursor.execute(
            _PUBLISH,
            {
                "type": content["resourceType"],
                "id": content["id"],
                "resident": resident_id,
                "organization": published.organization_id,
                "consortium": actor.consortium_id,
                "episode": published.episode,
                "category": published.category,
                "sensitive": published.sensitive,
                "occurred": published.occurred_at,
                "now": now,
                "stamp": now.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
                "tokens": tokens_of(content),
                "content": orjson.dumps(content).decode(),
                "deleted": deleted,
                "user": actor.user_id,
            },
        )
        return int(cursor.fetchone()[0])


def publish_new(items: Sequence[tuple[Published, int | None]], *, actor: Actor) -> None:
    """Write the first version of many resources, each with its resident, in one statement."""
    if not items:
        return
    now = timezone.now()
    rows = [
        {
            "type": published.content["resourceType"],
            "id": published.content["id"],
            "resident": resident_id,
            "organization": published.organization_id,
            "episode": published.episode,
            "category": published.category,
            "sensitive": published.sensitive,
            "occurred": published.occurred_at,
            "tokens": tokens_of(published.content),
            "content": published.content,
        }
        for published, resident_id in items
    ]
    with connection.cursor() as cursor:
        cursor.execute(
            _PUBLISH_NEW,
            {
                "rows": orjson.dumps(rows).decode(),
                "consortium": actor.consortium_id,
                "now": now,
                "stamp": now.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
                "user": actor.user_id,
            },
        )


def point_back(*, resource_ids: Sequence[int], wrong: str, right: str, actor: Actor) -> int:
    """Let these resources name `right` ("Patient/<key>") where they name `wrong`, each as a new version; returns how many.

    When a merge is undone, what was written anew in the meantime names the resident who stood.
    """
    found = Resource.objects.filter(id__in=resource_ids, tokens__overlap=[f"patient|{wrong}", f"subject|{wrong}"])
    rows = list(found)
    for row in rows:
        text = orjson.dumps(row.content).decode().replace(f'"{wrong}"', f'"{right}"')
        published = Published(
            content=orjson.loads(text),
            organization_id=row.organization_id,
            occurred_at=row.occurred_at,
            episode=row.episode,
            category=row.category,
            sensitive=row.sensitive,
        )
        publish(published, resident_id=row.resident_id, actor=actor, deleted=row.deleted)
    return len(rows)
