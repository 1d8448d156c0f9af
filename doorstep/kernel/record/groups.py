"""Groups of residents whose members follow from the work of the house: who belongs is asked anew each time, behind the wall.

The record holds what such a Group is (hl7.org/fhir/R4/group.html), without its members and tagged as a part of itself. Whoever reads the
Group gets the members whom they may see; a list that was stored would grow old, and tell of people whom its reader may not know.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Protocol

from django.db import connection
from django.db.models import QuerySet

from doorstep.kernel.access.actor import Actor
from doorstep.kernel.audit import actions as audit
from doorstep.kernel.database.calls import as_json
from doorstep.kernel.fhir import elements, exact, systems
from doorstep.kernel.record.models import Resource
from doorstep.kernel.record.publishing import Published
from doorstep.kernel.record.stored import Stored

_SUBSETTED = "SUBSETTED"
# A member by id and a member by the resident behind it.
Member = tuple[str, int]


class Panel(Protocol):
    """One kind of group: what knows who belongs, as far as the actor may see."""

    def members(self, fhir_id: str) -> list[int] | None:
        """The residents of a group; None for an id that is no group of this kind."""

    def of_residents(self, resident_ids: Sequence[int]) -> list[str]:
        """The ids of the groups that any of the residents belongs to."""

    def peopled(self, among: QuerySet[Any]) -> list[str]:
        """The ids of the groups with a member `among` residents, who are given as a query of their numbers."""


_panels: list[Panel] = []


def install(panels: Iterable[Panel]) -> None:
    """Wire the kinds of groups; the last ones count."""
    _panels[:] = panels


def described(
    *, id: str, name: str, code: elements.Json, unit: elements.Json, organization_id: int, active: bool, at: Any
) -> Published:
    """A Group of ours as the record holds it: only units whose records the reader works with may read it.

    `unit` is the reference to the managing organisation, `code` says what the members have in common.
    """
    content = elements.compact(
        {
            "resourceType": "Group",
            "id": id,
            "meta": {"tag": [{"system": systems.OBSERVATION_VALUE, "code": _SUBSETTED}]},
            "identifier": [{"system": systems.GROUP, "value": id}],
            "active": active,
            "type": "person",
            "actual": True,
            "code": code,
            "name": name,
            "managingEntity": unit,
            "characteristic": [
                {"code": elements.text_concept("管理机构"), "valueReference": unit, "exclude": False},
            ],
        }
    )
    return Published(content=content, organization_id=organization_id, occurred_at=at, category="group", sensitive=True)


def members(fhir_id: str) -> list[Member] | None:
    """The members of a group whom the actor may see, by patient; None when no panel knows the group."""
    found = next((one for panel in _panels if (one := panel.members(fhir_id)) is not None), None)
    if found is None:
        return None
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT fhir_id, resident_id FROM record_resource"
            " WHERE type = 'Patient' AND resident_id = ANY (%s) AND NOT deleted ORDER BY fhir_id",
            [found],
        )
        return list(cursor.fetchall())


def of_residents(resident_ids: Iterable[int]) -> list[str]:
    """The ids of the groups of ours to which any of the residents belongs."""
    numbers = list(resident_ids)
    return sorted({key for panel in _panels for key in panel.of_residents(numbers)}) if numbers else []


def peopled() -> list[str]:
    """The ids of the groups of ours with a member whom the actor may see."""
    seen = Resource.objects.filter(type="Patient", deleted=False).values("resident_id")
    return sorted({key for panel in _panels for key in panel.peopled(seen)})


def is_ours(found: Stored) -> bool:
    """Whether a resource is a Group whose members we know ourselves."""
    return found.type == "Group" and not found.received and not found.deleted


def whole(found: Stored, *, actor: Actor) -> str:
    """A Group of ours with the members whom the actor may see; the look at each of them is written into the audit trail."""
    seen = members(found.fhir_id) or []
    content = found.content()
    tags = [one for one in content["meta"].pop("tag", []) if one.get("code") != _SUBSETTED]
    if tags:
        content["meta"]["tag"] = tags
    content["quantity"] = len(seen)
    if seen:
        content["member"] = [{"entity": {"reference": f"Patient/{key}"}} for key, _ in seen]
        _note([number for _, number in seen], found.reference, actor)
    return exact.dumps(content).decode()


def _note(resident_ids: Sequence[int], subject: str, actor: Actor) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT audit_looks(%s::jsonb, 'fhir.read', %s, %s, '', '{}')",
            [as_json(audit.who(actor)), subject, list(resident_ids)],
        )
