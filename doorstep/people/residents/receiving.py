"""Somebody whom the consortium knows stands at the desk of another unit: the unit takes the person in."""

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from doorstep.kernel.access import actions as access
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.access.models import CareRelationship, PresenceProof
from doorstep.kernel.access.refusals import NotFound
from doorstep.kernel.audit import actions as audit
from doorstep.people.residents import actions, queries
from doorstep.people.residents.models import Resident
from doorstep.people.residents.permissions import Permission


@transaction.atomic
def take_in(*, proof: PresenceProof, actor: Actor) -> Resident:
    """Put a resident whose presence was just proved on the unit's panel, with the 30 days that a registration gives.

    For who was registered elsewhere: the same person is not registered twice. Raises NotFound without a unit, Refused for
    somebody whose death is recorded; the database refuses an old or somebody else's proof.
    """
    actor.check(Permission.RESIDENT_REGISTER)
    if actor.organization_id is None:
        raise NotFound()
    queries.check_living(resident_id=proof.resident_id)
    access.open_relationship(
        resident_id=proof.resident_id,
        organization_id=actor.organization_id,
        reason=CareRelationship.Reason.VISIT,
        episode=f"presence/{proof.pk}",
        closes_at=timezone.now() + actions.REGISTRATION_OPENS,
        basis=_("到场登记"),
        presence_id=proof.pk,
        actor=actor,
    )
    resident = queries.get(resident_id=proof.resident_id)
    actions.add_to_panel(resident=resident, organization_id=actor.organization_id, actor=actor)
    audit.record(action="resident.take-in", actor=actor, subject=f"resident/{resident.key}", resident_id=resident.pk)
    return resident
