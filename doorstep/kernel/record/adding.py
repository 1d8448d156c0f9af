"""Many resources that are all new, written by one call with arrays: what comes in bulk."""

from collections.abc import Sequence
from datetime import datetime

import orjson

from doorstep.kernel.access.actor import Actor
from doorstep.kernel.database.calls import Call, run
from doorstep.kernel.fhir import exact
from doorstep.kernel.record import actions as record
from doorstep.kernel.record import derived
from doorstep.kernel.record.publishing import Row
from doorstep.kernel.record.search_facts import Facts
from doorstep.kernel.record.search_index import index_of_facts


def add(rows: Sequence[tuple[Row, Facts]], *, actor: Actor, now: datetime) -> None:
    """Write the first version of received resources, with the facts that searches go by; one that is there already is an
    IntegrityError, and nothing is written."""
    if rows:
        record.written(run([_adding(rows, actor, now)])[0])
        derived.follow([row for row, _ in rows], actor=actor)


def _adding(rows: Sequence[tuple[Row, Facts]], actor: Actor, now: datetime) -> Call:
    version = {"versionId": "1", "lastUpdated": record.stamp(now)}
    published = [row.published for row, _ in rows]
    contents = [{**one.content, "meta": {**one.content.get("meta", {}), **version}} for one in published]
    found = [
        index_of_facts(facts, f"{one['resourceType']}/{one['id']}")
        for (_, facts), one in zip(rows, contents, strict=True)
    ]
    arrays = (
        _array([one["resourceType"] for one in contents]),
        _array([one["id"] for one in contents]),
        _array(["NULL" if row.resident_id is None else row.resident_id for row, _ in rows]),
        _array([one.sensitive for one in published]),
        _array([one.occurred_at.isoformat() for one in published]),
        # One document: texts of an array would each have to be quoted, and read twice.
        f"[{','.join(exact.dumps(one).decode() for one in contents)}]",
        _array([one.ref for one in found]),
        _array([f'"{_array(one.keys)}"' for one in found]),
        _array([f'"{_array(one.present)}"' for one in found]),
        _array([one.facts for one in found]),
        _array([row.method for row, _ in rows]),
        orjson.dumps([one.rest for one in found]).decode(),
    )
    return Call("record_add", (*arrays, published[0].organization_id, actor.consortium_id, actor.user_id, now))


def _array(values: Sequence[object]) -> str:
    """An array as PostgreSQL reads it; none of the values has a character that would have to be quoted."""
    return f"{{{','.join(map(str, values))}}}"
