"""Reactions to a visit at a unit that has nothing to do with an open referral of the same patient."""

from doorstep.care.referrals import queries
from doorstep.care.referrals.benefits import family_doctor_of
from doorstep.coordination.notices.actions import tell
from doorstep.kernel.events.event import Event
from doorstep.people.organizations import queries as organizations


def tell_seen_elsewhere(event: Event) -> None:
    """Tell both sides of a referral that still waits for the patient that another unit has begun to see that patient.

    Whether it is the same matter they judge themselves: the referral is ended by its own act, or goes on.
    """
    if event.resident_id is None or event.organization_id is None:
        return
    family = family_doctor_of(resident_id=event.resident_id)
    for one in queries.waiting_for(resident_id=event.resident_id):
        sides = dict.fromkeys((one.source_id, one.target_id))
        if event.organization_id in (*sides, one.receiver_id, one.resident.organization_id, family):
            # Who sent or awaits the patient, and whoever cares for the patient at home, is nowhere else.
            continue
        unit = organizations.names(ids=[event.organization_id]).get(event.organization_id, "")
        for side in sides:
            if side is not None:
                tell(
                    kind="referral-seen-elsewhere",
                    organization_id=side,
                    about=event.resident_id,
                    link=one.subject,
                    params={"number": one.number, "unit": unit},
                )
