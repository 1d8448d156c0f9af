"""Reading single resources and their versions as text, for machines: what is passed on is not parsed."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from doorstep.kernel.access.actor import Actor
from doorstep.kernel.audit import actions as audit
from doorstep.kernel.database.calls import as_json
from doorstep.kernel.fhir import exact
from doorstep.kernel.record.search_index import number
from doorstep.kernel.record.search_values import token_form

_COLUMNS = (
    "type, fhir_id, version, deleted, received, organization_id, resident_id, updated_at, episode, content::text, id"
)
_VERSION = """
SELECT r.type, r.fhir_id, v.version, v.deleted, r.received, v.organization_id, v.resident_id, v.written_at, v.episode,
    v.content::text, r.id
FROM record_resource r JOIN record_resourceversion v ON v.resource_id = r.id
WHERE r.type = %s AND r.fhir_id = %s AND v.version = %s
"""


@dataclass(frozen=True, slots=True)
class Stored:
    """A version of a resource as it lies in the record."""

    type: str
    fhir_id: str
    version: int
    deleted: bool
    received: bool
    organization_id: int | None
    resident_id: int | None
    updated_at: datetime
    episode: str
    text: str
    row_id: int

    @property
    def reference(self) -> str:
        """Its relative address."""
        return f"{self.type}/{self.fhir_id}"

    @property
    def etag(self) -> str:
        """Its version as an ETag."""
        return f'W/"{self.version}"'

    def content(self) -> dict[str, Any]:
        """The resource itself, decimals as they were written."""
        parsed: dict[str, Any] = exact.loads(self.text)
        return parsed


def fetch(*, type: str, fhir_id: str) -> Stored | None:
    """The current version, also of a deleted resource; None when it is not there or not the actor's."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {_COLUMNS} FROM record_resource WHERE type = %s AND fhir_id = %s", [type, fhir_id])
        row = cursor.fetchone()
    return None if row is None else Stored(*row)


def looked_at(*, type: str, fhir_id: str, actor: Actor) -> Stored | None:
    """As `fetch`, with the actor's look at it written into the audit trail by the same statement; nobody looks at what is deleted."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM record_read(%s, %s, %s)", [type, fhir_id, as_json(audit.who(actor))])
        row = cursor.fetchone()
    return None if row is None else Stored(*row)


def fetch_version(*, type: str, fhir_id: str, version: int) -> Stored | None:
    """An earlier version; None when it is not there or not the actor's."""
    with connection.cursor() as cursor:
        cursor.execute(_VERSION, [type, fhir_id, version])
        row = cursor.fetchone()
    return None if row is None else Stored(*row)


def writer_of(*, type: str, fhir_id: str, version: int) -> int | None:
    """Who wrote a version: a user, or a hospital system as the negative number of its account; None when that is not known."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT v.written_by_id FROM record_resource r JOIN record_resourceversion v ON v.resource_id = r.id"
            " WHERE r.type = %s AND r.fhir_id = %s AND v.version = %s",
            [type, fhir_id, version],
        )
        row = cursor.fetchone()
    return None if row is None else row[0]


def lock(keys: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Stored]:
    """These resources as far as the actor sees them, locked until the end of the transaction, by (type, id)."""
    pairs = sorted(set(keys))
    if not pairs:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {_COLUMNS} FROM record_resource"
            " WHERE (type, fhir_id) IN (SELECT * FROM unnest(%s::text[], %s::text[])) ORDER BY type, fhir_id FOR UPDATE",
            [[kind for kind, _ in pairs], [key for _, key in pairs]],
        )
        return {(row[0], row[1]): Stored(*row) for row in cursor.fetchall()}


def there(keys: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
    """Which of these resources are there for the actor and not deleted."""
    pairs = sorted(set(keys))
    if not pairs:
        return set()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT type, fhir_id FROM record_resource"
            " WHERE (type, fhir_id) IN (SELECT * FROM unnest(%s::text[], %s::text[])) AND NOT deleted",
            [[kind for kind, _ in pairs], [key for _, key in pairs]],
        )
        return {(kind, key) for kind, key in cursor.fetchall()}


def sent_before(wanted: Sequence[tuple[str, str]], *, organization_id: int | None) -> dict[tuple[str, str], str]:
    """What this hospital has sent under a business identifier: (type, "system|value") -> id, for those that are there."""
    if not wanted or organization_id is None:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT w.type, w.identifier, r.fhir_id FROM unnest(%s::text[], %s::text[], %s::bigint[]) AS w (type, identifier, key),"
            " LATERAL (SELECT fhir_id FROM record_resource r WHERE r.organization_id = %s AND r.received AND NOT r.deleted"
            "   AND r.id IN (SELECT id FROM record_with_key(w.type, w.key))"
            "   ORDER BY r.id LIMIT 1) r",
            [
                [kind for kind, _ in wanted],
                [identifier for _, identifier in wanted],
                [number(f"{kind}.identifier|{token_form(identifier)}") for kind, identifier in wanted],
                organization_id,
            ],
        )
        return {(kind, identifier): key for kind, identifier, key in cursor.fetchall()}
