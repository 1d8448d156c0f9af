"""Many resources that are all new, written by one call with arrays: what comes in bulk."""

from collections.abc import Sequence
from datetime import datetime

import orjson

from doorstep.kernel.access.actor import Actor
from doorstep.kernel.database.calls import Call, run
from doorstep.kernel.fhir import exact
from doorstep.kernel.record import actions as record
from doorstep.kernel.record.publishing import Row
from doorstep.kernel.record.search_facts import Facts
from doorstep.kernel.record.search_index import index_of_facts


def add(rows: Sequence[tuple[Row, Facts]], *, actor: Actor, now: datetime) -> None:
    """Write the first version of received resources, with the facts that searches go by; one that is there already is an
    IntegrityError, and nothing is written."""
    if rows:
        record.written(run([_adding(rows, actor, now)])[0])


def _adding(rows: Sequence[tuple[Row, Facts]], actor: Actor, now: datetime) -> Call:
    version = {"versionId": "1", "lastUpdated": record.stamp(now)}
    published = [row.published for row, _ in rows]
    contents = [{**one.content, "meta": {**one.content.get("meta", {}), **version}} for one in published]
    found = [
        index_of_facts(facts, f"{one['resourceType']}/{one['id']}")
        for (_, facts), one in zip(rows, contents, strict=True)
    ]
    arguments = (
        ([one["resourceType"] for one in contents], "text"),
        ([one["id"] for one in contents], "text"),
        ([row.resident_id for row, _ in rows], "bigint"),
        ([one.sensitive for one in published], "boolean"),
        ([one.occurred_at for one in published], "timestamptz"),
        ([exact.dumps(one).decode() for one in contents], "text"),
        ([one.ref for one in found], "bigint"),
        ([_array(one.keys) for one in found], "text"),
        ([_array(one.present) for one in found], "text"),
        ([one.facts for one in found], "bigint"),
        ([row.method for row, _ in rows], "text"),
    )
    unit = published[0].organization_id
    rests = orjson.dumps([one.rest for one in found]).decode()
    values = (*(value for value, _ in arguments), rests, unit, actor.consortium_id, actor.user_id, now)
    types = (*(f"{kind}[]" for _, kind in arguments), "jsonb", "bigint", "bigint", "bigint", "timestamptz")
    return Call("record_add", values, types)


def _array(numbers: Sequence[int]) -> str:
    return f"{{{','.join(map(str, numbers))}}}"
