"""A hospital's own patient numbers, kept as indexes beside the others of a resident."""

from collections.abc import Sequence

from django.db import transaction

from doorstep.kernel.access.actor import Actor
from doorstep.kernel.access.encryption import blind_index
from doorstep.kernel.audit import actions as audit
from doorstep.people.residents.models import Identifier


@transaction.atomic
def remember_patient_numbers(*, links: Sequence[tuple[int, str]], system: str, actor: Actor) -> int:
    """Keep the patient numbers of a hospital (`system` is its code) for residents; returns how many are new."""
    wanted = {(resident_id, blind_index(f"hospital/{system}", number)) for resident_id, number in links if number}
    known = set(
        Identifier.objects.filter(
            kind=Identifier.Kind.HOSPITAL, system=system, index__in=[index for _resident, index in wanted]
        ).values_list("resident_id", "index")
    )
    new = sorted(wanted - known, key=str)
    Identifier.objects.bulk_create(
        (
            Identifier(resident_id=resident_id, kind=Identifier.Kind.HOSPITAL, system=system, index=index)
            for resident_id, index in new
        ),
        batch_size=5_000,
    )
    audit.record(action="resident.patient-numbers", actor=actor, details={"system": system, "new": len(new)})
    return len(new)
