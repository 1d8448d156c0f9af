"""What stands of a resident as FHIR List (hl7.org/fhir/R4/list.html): problems and medicines, out of the Conditions and the medicines of the record.

A List names only what is not sensitive: it belongs to the resident, and is read by whoever reads the whole record.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid5

from django.db import connection, transaction
from django.utils import timezone

from doorstep.kernel.access import queries as access
from doorstep.kernel.access.actor import Actor, Purpose
from doorstep.kernel.access.session import for_purpose
from doorstep.kernel.fhir import elements, systems
from doorstep.kernel.record import actions as record
from doorstep.kernel.record.models import Resource
from doorstep.kernel.record.publishing import Published, Row
from doorstep.people.residents.models import Resident

CATEGORY = "list"
_EMPTY = "http://terminology.hl7.org/CodeSystem/list-empty-reason"
_NO_PROBLEM = frozenset({"inactive", "remission", "resolved"})
_UNTRUE = frozenset({"refuted", "entered-in-error"})
# hl7.org/fhir/R4/valueset-medication-statement-status.html and -medicationrequest-status.html: taken, or meant to be.
_TAKEN = frozenset({"active", "intended", "on-hold"})
_BATCH = 500


@dataclass(frozen=True, slots=True)
class _Kind:
    """One list: the types it is made of, its LOINC code, and what stands on it."""

    name: str
    code: str
    display: str
    title: str
    types: tuple[str, ...]
    stands: Callable[[dict[str, Any]], bool]
    said: str


def is_problem(content: dict[str, Any]) -> bool:
    """Whether a Condition stands: clinically active, as far as it says, and neither refuted nor written in error."""
    return not _codes(content.get("clinicalStatus")) & _NO_PROBLEM and not (
        _codes(content.get("verificationStatus")) & _UNTRUE
    )


def is_taken(content: dict[str, Any]) -> bool:
    """Whether a medicine is taken now, or meant to be."""
    return content.get("status") in _TAKEN


KINDS = (
    _Kind("problems", "11450-4", "Problem list - Reported", "问题列表", ("Condition",), is_problem, "code"),
    _Kind(
        "medicines",
        "10160-0",
        "History of Medication use Narrative",
        "用药列表",
        ("MedicationStatement", "MedicationRequest"),
        is_taken,
        "medicationCodeableConcept",
    ),
)


@transaction.atomic
def refresh(kind: _Kind, resident_ids: Sequence[int], actor: Actor) -> None:
    """Write the list of these residents anew; who never had anything of the kind gets none."""
    with for_purpose(Purpose.HANDLER, actor):
        with connection.cursor() as cursor:
            # Two hospitals that write at once each see what the other wrote: the later list is the whole one.
            cursor.execute(
                "SELECT pg_advisory_xact_lock(hashtext(%s), n::integer) FROM unnest(%s::bigint[]) n",
                [f"list/{kind.name}", list(resident_ids)],
            )
        people = {one.pk: one for one in Resident.objects.filter(pk__in=resident_ids)}
        found: dict[int, list[Resource]] = {number: [] for number in people}
        rows = Resource.objects.filter(type__in=kind.types, resident_id__in=resident_ids).order_by("-occurred_at", "id")
        for row in rows:
            if row.resident_id in found:
                found[row.resident_id].append(row)
        lists = [_list(kind, people[number], rows) for number, rows in found.items() if rows]
        record.write([Row(published=one, resident_id=number) for number, one in lists], actor=actor)


def refresh_problems(resident_ids: Sequence[int], actor: Actor) -> None:
    """The problem lists of these residents as they are now."""
    refresh(KINDS[0], resident_ids, actor)


def refresh_medicines(resident_ids: Sequence[int], actor: Actor) -> None:
    """The lists of medicines of these residents as they are now."""
    refresh(KINDS[1], resident_ids, actor)


@transaction.atomic
def renew(*, keys: Sequence[str], actor: Actor) -> None:
    """The lists of these residents after a merge or its undoing: whole for who stands, empty for who holds nothing any more.

    The list of a record that was merged away is retired: of one person one list counts.
    """
    with for_purpose(Purpose.HANDLER, actor):
        people = list(Resident.objects.filter(key__in=keys))
        gone = {one.pk for one in people if access.standing_of(resident_id=one.pk) != one.pk}
        for kind in KINDS:
            refresh(kind, [one.pk for one in people if one.pk not in gone], actor)
            held = dict(
                Resource.objects.filter(type__in=kind.types, resident_id__in=[one.pk for one in people])
                .values_list("resident_id", "type")
                .distinct()
            )
            owners = {_list_id(kind, one): one for one in people if one.pk in gone or one.pk not in held}
            stale = Resource.objects.filter(type="List", fhir_id__in=list(owners), deleted=False)
            record.write([_put_right(kind, owners[row.fhir_id], row, gone) for row in stale], actor=actor)


def _put_right(kind: _Kind, owner: Resident, row: Resource, gone: set[int]) -> Row:
    """A list that nothing stands behind: retired with its record, else empty."""
    if owner.pk not in gone:
        return Row(published=_list(kind, owner, [])[1], resident_id=owner.pk)
    return Row(published=retired(row.content, occurred_at=row.occurred_at), resident_id=row.resident_id)


def retired(content: elements.Json, *, occurred_at: datetime) -> Published:
    """A List that no longer counts (hl7.org/fhir/R4/valueset-list-status.html)."""
    said = {name: part for name, part in content.items() if name != "meta"}
    return Published(
        content={**said, "status": "retired"}, organization_id=None, occurred_at=occurred_at, category=CATEGORY
    )


def publish_lists(*, actor: Actor) -> int:
    """Write the lists of everybody of whom the record holds problems or medicines; returns how many residents those are."""
    touched: set[int] = set()
    for kind in KINDS:
        found = Resource.objects.filter(type__in=kind.types, deleted=False, resident_id__isnull=False)
        numbers = list(found.order_by("resident_id").values_list("resident_id", flat=True).distinct())
        for start in range(0, len(numbers), _BATCH):
            refresh(kind, [number for number in numbers[start : start + _BATCH] if number is not None], actor)
        touched.update(number for number in numbers if number is not None)
    return len(touched)


def _list(kind: _Kind, resident: Resident, rows: Sequence[Resource]) -> tuple[int, Published]:
    standing = [row for row in rows if not row.deleted and not row.sensitive and kind.stands(row.content)]
    entries = [_entry(kind, row) for row in _once(kind, standing)]
    # The day of what is newest, not of the writing: a list that says the same stays the version it is.
    newest = max((row.updated_at for row in rows), default=timezone.now())
    content = elements.compact(
        {
            "resourceType": "List",
            "id": _list_id(kind, resident),
            "status": "current",
            "mode": "working",
            "title": kind.title,
            "code": elements.concept(systems.LOINC, kind.code, kind.display, kind.title),
            "subject": elements.reference("Patient", resident.key, resident.name),
            "date": elements.instant(newest),
            "entry": entries,
            "emptyReason": None if entries else elements.concept(_EMPTY, "unavailable", "Unavailable"),
        }
    )
    published = Published(content=content, organization_id=None, occurred_at=newest, category=CATEGORY)
    return resident.pk, published


def _list_id(kind: _Kind, resident: Resident) -> str:
    return str(uuid5(resident.key, kind.name))


def _once(kind: _Kind, rows: Iterable[Resource]) -> list[Resource]:
    """The newest of each problem or medicine; what has neither code nor words stands for itself."""
    kept: dict[object, Resource] = {}
    for row in rows:
        said = row.content.get(kind.said) or {}
        codings = said.get("coding") or [{}]
        name = codings[0].get("code") or said.get("text") or row.pk
        kept.setdefault((codings[0].get("system"), name), row)
    return list(kept.values())


def _entry(kind: _Kind, row: Resource) -> elements.Json:
    said = row.content.get(kind.said) or {}
    display = said.get("text") or next((one["display"] for one in said.get("coding", ()) if one.get("display")), "")
    return elements.compact(
        {
            "flag": (row.content.get("category") or [None])[0] if kind.name == "problems" else None,
            "date": elements.instant(row.occurred_at),
            "item": elements.reference(row.type, row.fhir_id, display),
        }
    )


def _codes(concept: dict[str, Any] | None) -> set[str]:
    return {str(one.get("code")) for one in (concept or {}).get("coding", ())}
