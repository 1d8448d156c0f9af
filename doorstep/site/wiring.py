"""What the site plugs together at start: a line per app."""

from django.utils import timezone

from doorstep.kernel.events.subscriptions import subscribe
from doorstep.kernel.workflow import publication
from doorstep.kernel.worklist import duty
from doorstep.people.organizations import queries as organizations
from doorstep.site.publication import MAPPINGS
from doorstep.site.subscriptions import SUBSCRIPTIONS


def wire() -> None:
    """Install every table of the site."""
    subscribe(SUBSCRIPTIONS)
    publication.install(MAPPINGS)
    duty.install(line_of_duty)


def line_of_duty(step: str, organization_id: int) -> int | None:
    """Who is next when a clock has run out: "parent" is the unit above, "lead" the consortium's lead hospital."""
    if step == "parent":
        return organizations.parent_of(organization_id=organization_id)
    if step == "lead":
        return organizations.lead_of(organization_id=organization_id, day=timezone.localdate())
    raise LookupError(f"unknown step of escalation: {step}")
