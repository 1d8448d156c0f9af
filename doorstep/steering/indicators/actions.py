"""Telling the record, once a month has ended, what every unit reached in it."""

from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from doorstep.coordination.recognition import queries as recognition
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.access.refusals import NotPermitted
from doorstep.kernel.record import actions as record
from doorstep.kernel.record.models import Resource
from doorstep.kernel.record.publishing import Row
from doorstep.kernel.workflow import catalogue
from doorstep.kernel.worklist import queries as worklist
from doorstep.people.organizations import queries as organizations
from doorstep.steering.indicators.permissions import Permission
from doorstep.steering.indicators.published import Unit, measures, reports

# More than any consortium has.
_UNITS = 100_000


@transaction.atomic
def publish_last_month(*, actor: Actor, now: datetime | None = None) -> int:
    """Write the MeasureReports of the month that ended last, unless they are there; returns how many.

    Only for the system: it counts for every unit. What closed in a month that has ended does not change any more.
    """
    if not actor.is_system:
        raise NotPermitted(permission=Permission.INDICATOR_VIEW)
    until = timezone.localtime(now).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    since = (until - timedelta(days=1)).replace(day=1)
    if Resource.objects.filter(type="MeasureReport", occurred_at=until).exists():
        return 0
    stages = worklist.stage_times_by_unit(since=since, until=until, moot=catalogue.moot_ways())
    known = organizations.tree(limit=_UNITS)
    units = {unit.pk: Unit(unit.pk, unit.key, unit.name) for unit in known}
    tallies = {
        one.organization_id: one
        for one in recognition.tallies(since=since, until=until, organization_ids=sorted(units))
    }
    rows = [
        Row(published=one, resident_id=None)
        for number in sorted({*stages, *tallies} & units.keys())
        for one in reports(
            units[number], since.date(), stages=stages.get(number, ()), tally=tallies.get(number), end=until
        )
    ]
    if rows:
        record.write([*(Row(published=one, resident_id=None) for one in measures(at=until)), *rows], actor=actor)
    return len(rows)
