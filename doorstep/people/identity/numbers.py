"""A hospital's own patient numbers, kept as indexes beside the others of a resident: the same index by which its messages are found."""

from collections.abc import Sequence

from django.db import transaction

from doorstep.kernel.access.actor import Actor
from doorstep.kernel.audit import actions as audit
from doorstep.people.residents.indexes import number_index
from doorstep.people.residents.models import Identifier


def resident_behind(*, number: str, system: str) -> int | None:
    """The resident for whom a list left this number of a hospital: one whom the actor may see, and no second one."""
    rows = Identifier.objects.filter(
        kind=Identifier.Kind.HOSPITAL, system=system, index=number_index(number), live=True
    )
    found = set(rows.values_list("resident_id", flat=True)[:2])
    return found.pop() if len(found) == 1 else None


@transaction.atomic
def remember_patient_numbers(*, links: Sequence[tuple[int, str]], system: str, actor: Actor) -> int:
    """Keep the patient numbers of a hospital (`system` is its code) for residents; returns how many are new."""
    wanted = {(resident_id, number_index(number)) for resident_id, number in links if number}
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


def forget_patient_number(*, resident_id: int, number: str, system: str) -> None:
    """Let a hospital's number lead to a resident no more."""
    Identifier.objects.filter(
        resident_id=resident_id, kind=Identifier.Kind.HOSPITAL, system=system, index=number_index(number)
    ).delete()
