"""The index of searches made anew: after an upgrade that changes it, or for resources that were written before there was one."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson

from doorstep.kernel.record.search_index import index_of

# Django's cursor or psycopg's own.
Cursor = Any
BATCH = 500
_TABLES = ("searchkey", "searchlink", "searchdate", "searchamount", "searchstring", "searchword")
FUNCTIONS = Path(__file__).parent / "sql" / "1_index.sql"


def reindex(cursor: Cursor, *, say: Callable[[str], object] = str) -> int:
    """Empty the index and fill it from every resource, as the owner; returns how many resources there are."""
    for table in _TABLES:
        cursor.execute(f"TRUNCATE record_{table}")
    done, last = 0, 0
    while True:
        cursor.execute(
            "SELECT id, content::text, deleted FROM record_resource WHERE id > %s ORDER BY id LIMIT %s", [last, BATCH]
        )
        rows = cursor.fetchall()
        if not rows:
            return done
        cursor.execute(_FILL, [orjson.dumps([_row(*row) for row in rows]).decode()])
        done, last = done + len(rows), rows[-1][0]
        say(f"{done:,} resources")


def _row(id: int, content: str, deleted: bool) -> dict[str, Any]:
    resource = orjson.loads(content)
    index = index_of({"resourceType": resource["resourceType"], "id": resource["id"]} if deleted else resource)
    return {"id": id, "ref": index.ref, "keys": index.keys, "present": index.present, "rest": index.rest}


_FILL = """
WITH given AS MATERIALIZED (
  SELECT g.id, g.ref, g.rest, ARRAY(SELECT e::bigint FROM jsonb_array_elements_text(g.keys) e) AS keys,
      ARRAY(SELECT e::int FROM jsonb_array_elements_text(g.present) e) AS present
  FROM jsonb_to_recordset(%s::jsonb) AS g (id bigint, ref bigint, keys jsonb, present jsonb, rest jsonb)),
marked AS (
  UPDATE record_resource r SET ref = g.ref, keys = g.keys, present = g.present FROM given g WHERE r.id = g.id),
tokens AS (
  INSERT INTO record_searchkey (key, resource_id) SELECT unnest(keys), id FROM given)
SELECT record_index_rest(array_agg(id), jsonb_agg(rest)) FROM given
"""
