"""What is written down about a resident outside a machine of states is told and audited in one breath."""

from collections.abc import Mapping

from doorstep.kernel.access.actor import Actor
from doorstep.kernel.audit import actions as audit
from doorstep.kernel.events import actions as events
from doorstep.kernel.events.event import Event


def tell(
    event: type[Event],
    *,
    subject: str,
    subject_id: int,
    resident_id: int,
    actor: Actor,
    facts: Mapping[str, str],
    area: str = "resident",
) -> None:
    """Publish an event of a thing ("insurance/<key>") with its facts, and audit it as "<area>.<event>", in the running transaction."""
    details = dict(facts)
    events.publish(
        event(
            subject=subject,
            subject_id=subject_id,
            resident_id=resident_id,
            organization_id=actor.organization_id,
            consortium_id=actor.consortium_id,
            user_id=actor.user_id,
            details=details,
        )
    )
    audit.record(
        action=f"{area}.{event.__name__}", actor=actor, subject=subject, resident_id=resident_id, details=details
    )
