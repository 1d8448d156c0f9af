"""What must hold of a referral whatever was done with it: history, owner, sights, places and beds."""

from django.utils import timezone

from doorstep.care.referrals import states
from doorstep.care.referrals.fhir import TASK_STATUS
from doorstep.care.referrals.models import Referral
from doorstep.coordination.beds.models import Bed
from doorstep.kernel.access.models import CareRelationship
from doorstep.kernel.record.models import Resource
from doorstep.kernel.workflow.models import Step
from doorstep.kernel.worklist.models import Task


class Found:
    """What the house holds of these referrals, read once."""

    def __init__(self, rows: list[Referral]) -> None:
        """Read it as the system."""
        numbers = [one.pk for one in rows]
        self.steps = list(Step.objects.filter(machine="referral", item_id__in=numbers).order_by("id"))
        self.tasks = list(
            Task.objects.filter(kind__startswith="referral.", item_id__in=numbers, closed_at__isnull=True)
        )
        self.sights = list(CareRelationship.objects.filter(closes_at__isnull=True, episode__startswith="referral/"))
        self.shown = dict(
            Resource.objects.filter(type="Task", fhir_id__in=[str(one.key) for one in rows]).values_list(
                "fhir_id", "content"
            )
        )
        # One whose keeping has run out is freed by the clock within seconds.
        self.beds = {bed.held_for for bed in Bed.objects.filter(state="held", held_until__gt=timezone.now())}


def _told(one: Referral, found: Found) -> str:
    """The story so far, for whoever reads a failure."""
    return " > ".join(f"{step.actor_name} {step.verb}" for step in found.steps if step.item_id == one.pk)


def has_one_story(one: Referral, found: Found) -> None:
    """Its steps are one chain from nothing to where it stands, and machines read the same."""
    steps = [step for step in found.steps if step.item_id == one.pk]
    assert [step.from_state for step in steps] == ["", *(step.to_state for step in steps[:-1])]
    assert (steps[-1].to_state, steps[-1].at) == (one.state, one.state_since)
    assert found.shown[str(one.key)]["status"] == TASK_STATUS[one.state]


def lies_with_one_owner(one: Referral, found: Found) -> None:
    """One task for the side that has it while it is open, none afterwards."""
    state = one.machine.state(one.state)
    wanted = [] if state.final else [(f"referral.{one.state}", one.sides()[state.owner or ""])]
    assert [(task.kind, task.organization_id) for task in found.tasks if task.item_id == one.pk] == wanted


def is_seen_by_whom_it_concerns(one: Referral, found: Found) -> None:
    """One sight for the target, one for the receiver who is asked, as wide as the sender chose; none without an end afterwards."""
    live = [sight for sight in found.sights if sight.episode.startswith(one.subject)]
    at_target = one.submitted_at is not None and one.state not in (*states.ENDED, "draft", "outside")
    wanted = [(one.target_id, "referral")] if at_target else []
    if one.state in states.AT_RECEIVER:
        wanted.append((one.receiver_id, "return"))
    assert sorted((sight.organization_id, sight.reason) for sight in live) == sorted(wanted), one.state
    assert {sight.scope for sight in live} <= {"full" if one.whole_record else "episode"}


def holds_what_it_needs(one: Referral, found: Found) -> None:
    """A bed, a booked or a held place only where one is still needed, and at the right unit."""
    if one.subject in found.beds:
        assert one.state in (
            "offered",
            "accepted",
            "on_the_way",
            "not_arrived",
            "arrived",
            "in_treatment",
            "expected_back",
        ), _told(one, found)
    if one.booking is not None and one.booking.state == "booked":
        assert one.state not in (*states.ENDED, "draft"), _told(one, found)
        assert one.booking.organization_id == one.target_id, _told(one, found)
    if one.state in (*states.ENDED, "submitted", "submitted_green"):
        assert one.hold_key is None
