"""A referral's place is a booking like any other: what is done to it where places are booked, the referral goes along with."""

from doorstep.care.referrals import actions, queries, states
from doorstep.coordination.scheduling import booking_queries
from doorstep.kernel.access.actor import Purpose, system_actor
from doorstep.kernel.events.event import Event


def follow_place(event: Event) -> None:
    """The booking of a referral was moved, given up, or found anew after a stopped clinic: the referral says where and when now.

    What a stopped clinic called off is left until its new time is found. What the referral itself gave back is past.
    """
    actor = system_actor(Purpose.HANDLER, consortium_id=event.consortium_id)
    ended = booking_queries.ended_by(subject=event.subject)
    if ended is None or not ended.reference.startswith("referral/"):
        return
    referral = queries.by_subject(subject=ended.reference)
    if referral is None or referral.booking is None or referral.state not in states.BEFORE_ARRIVAL:
        return
    # From the place that the referral names, however often it was moved on since.
    named = referral.booking
    now = booking_queries.instead_of(named)
    if now is not None and now.pk == named.pk:
        return
    if now is None and booking_queries.is_sought(ended):
        return
    there = now is not None and now.organization_id == referral.target_id
    actions.follow_place(referral=referral, booking=now if there else None, actor=actor)
