"""The residents who are signed with a family-doctor team as a FHIR Group: its panel (签约居民)."""

from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from doorstep.care.contracts.fhir import CONTRACT_TYPE
from doorstep.care.contracts.models import Contract
from doorstep.care.contracts.states import COUNTING
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.fhir import elements
from doorstep.kernel.record import actions as record
from doorstep.kernel.record import groups
from doorstep.kernel.record.publishing import Published, Row
from doorstep.people.organizations import queries as organizations
from doorstep.people.workforce.models import Team

_BATCH = 500


class TeamPanels:
    """The panel of each team; the id of a Group is the key of the team."""

    def members(self, fhir_id: str) -> list[int] | None:
        """The residents whose contract with the team is in force today; None for another id."""
        key = organizations.as_uuid(fhir_id)
        team = None if key is None else Team.objects.filter(key=key).first()
        return None if team is None else list(_in_force().filter(team=team).values_list("resident_id", flat=True))

    def of_residents(self, resident_ids: Sequence[int]) -> list[str]:
        """The teams that residents are signed with."""
        return _teams_of(_in_force().filter(resident_id__in=resident_ids))

    def peopled(self, among: QuerySet[Any]) -> list[str]:
        """The teams with somebody of `among`."""
        return _teams_of(_in_force().filter(resident_id__in=among))


def publish_team_panels(*, actor: Actor) -> int:
    """Tell the record which teams have a panel; returns how many. What is told already stays."""
    teams = Team.objects.select_related("organization").order_by("id")
    rows = [Row(published=_described(team), resident_id=None) for team in teams]
    for start in range(0, len(rows), _BATCH):
        record.write(rows[start : start + _BATCH], actor=actor)
    return len(rows)


def _in_force() -> QuerySet[Contract]:
    today = timezone.localdate()
    return Contract.objects.filter(state__in=COUNTING, starts_on__lte=today, ends_on__gte=today)


def _teams_of(found: QuerySet[Contract]) -> list[str]:
    return [str(key) for key in found.order_by().values_list("team__key", flat=True).distinct()]


def _described(team: Team) -> Published:
    unit = team.organization
    return groups.described(
        id=str(team.key),
        name=f"{team.name}：签约居民",
        code=elements.concept(CONTRACT_TYPE, "family-doctor", "家庭医生签约居民"),
        unit=elements.reference("Organization", unit.key, unit.name),
        organization_id=team.organization_id,
        active=True,
        at=timezone.now(),
    )
