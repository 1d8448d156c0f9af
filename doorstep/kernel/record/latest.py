"""Observation/$lastn: the newest observations of each kind (hl7.org/fhir/R4/observation-operation-lastn.html)."""

from collections.abc import Sequence

import orjson
from django.db import connection
from django.http import HttpRequest, HttpResponse

from doorstep.kernel.fhir.door import allow
from doorstep.kernel.fhir.outcome import FhirRefused, answer
from doorstep.kernel.record import queries, search
from doorstep.kernel.record.interactions import actor_of, base_of
from doorstep.kernel.record.search_views import pairs_of, posted

_MOST, _MOST_EACH = 5_000, 100
# Observations of a kind share a code; those without any share their words. What is equally new is told together.
_NEWEST = """
SELECT fhir_id, resident_id, content::text FROM (
  SELECT r.id, r.fhir_id, r.resident_id, r.content, r.occurred_at, kind,
      rank() OVER (PARTITION BY r.resident_id, kind ORDER BY r.occurred_at DESC) AS place
    FROM record_resource r CROSS JOIN LATERAL (SELECT coalesce(
        (SELECT min(concat(c ->> 'system', '|', c ->> 'code')) FROM jsonb_array_elements(
            CASE jsonb_typeof((r.content)::jsonb #> '{code,coding}') WHEN 'array' THEN (r.content)::jsonb #> '{code,coding}' ELSE '[]' END) c),
        (r.content)::jsonb #>> '{code,text}') AS kind) k
   WHERE r.type = 'Observation' AND r.fhir_id = ANY(%s) AND NOT r.deleted) n
WHERE place <= %s ORDER BY resident_id, kind, occurred_at DESC, id DESC
"""


def lastn(request: HttpRequest, type: str, fhir_id: str) -> HttpResponse:
    """Observation/$lastn?patient=&category=&max=: any search of Observations of one patient, and of each code the newest `max`."""
    allow(request, type, "s")
    pairs = posted(request) if request.method == "POST" else pairs_of(request)
    most = _most([value for name, value in pairs if name == "max"])
    asked = [(name, value) for name, value in pairs if name not in ("max", "_format", "_pretty")]
    if not any(name.partition(":")[0].partition(".")[0] in ("patient", "subject") for name, _ in asked):
        raise FhirRefused(400, "required", "$lastn 需要 patient 或 subject / patient or subject is needed")
    base = base_of(request)
    found = search.matching(type, asked, base=base, limit=_MOST + 1)
    if len(found) > _MOST:
        raise FhirRefused(
            400, "too-costly", f"超过 {_MOST} 条，请加上 category、code 或 date / too many: add category, code or date"
        )
    with connection.cursor() as cursor:
        cursor.execute(_NEWEST, [found, most])
        rows: Sequence[tuple[str, int | None, str]] = cursor.fetchall()
    for resident in sorted({row[1] for row in rows if row[1] is not None}):
        queries.note_look(
            resident_id=resident, actor=actor_of(request), subject="Observation/$lastn", action="fhir.search"
        )
    entries = [
        {"fullUrl": f"{base}{type}/{key}", "resource": orjson.Fragment(text), "search": {"mode": "match"}}
        for key, _, text in rows
    ]
    body = {
        "resourceType": "Bundle",
        "type": "searchset",
        "total": len(rows),
        "link": [{"relation": "self", "url": request.build_absolute_uri()}],
        **({"entry": entries} if entries else {}),
    }
    return answer(body)


def _most(given: Sequence[str]) -> int:
    text = given[0] if given else "1"
    if len(given) > 1 or not text.isdecimal() or not 1 <= len(text) <= 4 or not 1 <= int(text) <= _MOST_EACH:
        raise FhirRefused(400, "value", f"max 应为 1 至 {_MOST_EACH} / must be from 1 to {_MOST_EACH}")
    return int(text)
