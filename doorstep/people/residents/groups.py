"""The key groups (重点人群) of a unit of primary care as FHIR Groups: who belongs is whom the unit or one below it has on its panel."""

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

    def of_resident(self, resident_id: int) -> list[str]:
        """The groups of the units that have the resident on their panel, and of those above them."""
        codes = Group.objects.filter(resident_id=resident_id, until__isnull=True).values_list("code", flat=True)
        panels = PanelEntry.objects.filter(resident_id=resident_id).values_list("organization__path", flat=True)
        ids = {number for path in panels for number in path}
        keys = Organization.objects.filter(pk__in=ids, kind__in=_PRIMARY).values_list("key", flat=True)
        return [f"{key}-{code}" for key in keys for code in codes]


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
