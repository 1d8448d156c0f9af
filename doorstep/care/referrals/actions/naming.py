"""What a patient's new name changes: whoever is on the way goes by the name that is right."""

from typing import Any

from django.db import transaction
from django.db.models import Model, QuerySet

from doorstep.care.referrals import states
from doorstep.care.referrals.models import DownProposal, FollowUp, Referral
from doorstep.coordination.beds import actions as beds
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.record import actions as record
from doorstep.kernel.workflow import publication
from doorstep.people.residents import queries as residents


@transaction.atomic
def rename(*, resident_id: int, actor: Actor) -> int:
    """Bring name, sex and birth date of everything open of a resident up to the record; returns how many rows changed.

    An unnamed patient was named, two records became one, or were parted again. What has ended keeps the name under which it was sent.
    """
    resident = residents.get(resident_id=resident_id)
    name = {"patient_name": resident.name}
    facts = {**name, "patient_gender": resident.gender, "patient_birth_date": resident.birth_date}
    mine = {"resident_id": resident.pk}
    changed = beds.rename(resident_id=resident.pk, name=resident.name, actor=actor)
    changed += _bring(Referral.objects.filter(**mine).exclude(state__in=states.ENDED), facts, actor)
    changed += _bring(DownProposal.objects.filter(**mine, state__in=("proposed", "asked")), facts, actor)
    changed += _bring(FollowUp.objects.filter(**mine, state__in=("planned", "due", "missed")), name, actor)
    return changed


def _bring(rows: QuerySet[Any], facts: dict[str, Any], actor: Actor) -> int:
    stale = [row for row in rows.select_for_update(of=("self",)) if _differs(row, facts)]
    if not stale:
        return 0
    rows.model.objects.filter(pk__in=[row.pk for row in stale]).update(**facts)
    for row in stale:
        for column, value in facts.items():
            setattr(row, column, value)
        for published in publication.resources_of(row):
            record.publish(published, resident_id=row.resident_id, actor=actor)
    return len(stale)


def _differs(row: Model, facts: dict[str, Any]) -> bool:
    return any(getattr(row, column) != value for column, value in facts.items())
