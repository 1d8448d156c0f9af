"""The key groups (重点人群) of a unit of primary care as FHIR Groups: who belongs is whom the unit or one below it has on its panel."""

from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from doorstep.kernel.access.actor import Actor
from doorstep.kernel.fhir import elements, systems
from doorstep.kernel.record import actions as record
from doorstep.kernel.record import groups
from doorstep.kernel.record.publishing import Published, Row
from doorstep.people.organizations import queries as organizations
from doorstep.people.organizations.models import Organization
from doorstep.people.residents.models import Group, PanelEntry
from doorstep.people.residents.rules import GROUPS

_PRIMARY = (Organization.Kind.VILLAGE_CLINIC, Organization.Kind.TOWNSHIP_CENTER, Organization.Kind.COMMUNITY_CENTER)
_UUID = 36
_BATCH = 500


class KeyGroups:
    """Key groups by unit; the id of a Group is "<key of the unit>-<code of the group>"."""

    def members(self, fhir_id: str) -> list[int] | None:
        """The residents of a unit's key group today; None for another id."""
        unit, code = _unit_of(fhir_id), fhir_id[_UUID + 1 :]
        if unit is None or code not in GROUPS:
            return None
        panel = PanelEntry.objects.filter(organization_id__in=organizations.below(organization_id=unit.pk))
        found = Group.objects.filter(code=code, until__isnull=True, resident_id__in=panel.values("resident_id"))
        return list(found.values_list("resident_id", flat=True).distinct())

    def of_residents(self, resident_ids: Sequence[int]) -> list[str]:
        """The groups of the units that have the residents on their panel, and of those above them."""
        return _ids_of(_standing().filter(resident_id__in=resident_ids))

    def peopled(self, among: QuerySet[Any]) -> list[str]:
        """The groups of units with somebody of `among` on their panel, and of those above them."""
        return _ids_of(_standing().filter(resident_id__in=among))


def _standing() -> QuerySet[Group]:
    return Group.objects.filter(code__in=GROUPS, until__isnull=True)


def _ids_of(found: QuerySet[Group]) -> list[str]:
    """The ids of the groups that memberships stand for, of every unit that has one of the people on its panel or below it."""
    pairs = list(found.order_by().values_list("code", "resident__panels__organization_id").distinct())
    paths = dict(Organization.objects.filter(pk__in={unit for _, unit in pairs}).values_list("pk", "path"))
    wanted = {(code, number) for code, unit in pairs for number in paths.get(unit, ())}
    units = Organization.objects.filter(pk__in={number for _, number in wanted}, kind__in=_PRIMARY)
    keys = dict(units.values_list("pk", "key"))
    return [f"{keys[number]}-{code}" for code, number in wanted if number in keys]


def publish_key_groups(*, actor: Actor) -> int:
    """Tell the record which key groups there are, of every unit of primary care; returns how many. What is told already stays."""
    units = Organization.objects.filter(kind__in=_PRIMARY).order_by("id")
    rows = [Row(published=_described(unit, code), resident_id=None) for unit in units for code in GROUPS]
    for start in range(0, len(rows), _BATCH):
        record.write(rows[start : start + _BATCH], actor=actor)
    return len(rows)


def _described(unit: Organization, code: str) -> Published:
    today = timezone.localdate()
    return groups.described(
        id=f"{unit.key}-{code}",
        name=f"{unit.name}：{GROUPS[code]}",
        code=elements.concept(systems.KEY_GROUP, code, GROUPS[code]),
        unit=elements.reference("Organization", unit.key, unit.name),
        organization_id=unit.pk,
        active=unit.closed_on is None or unit.closed_on > today,
        at=timezone.now(),
    )


def _unit_of(fhir_id: str) -> Organization | None:
    key = organizations.as_uuid(fhir_id[:_UUID])
    if key is None or fhir_id[_UUID : _UUID + 1] != "-":
        return None
    return Organization.objects.filter(key=key, kind__in=_PRIMARY).first()
