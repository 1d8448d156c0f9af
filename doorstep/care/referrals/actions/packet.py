"""What the receiving side may read: the whole record, or the packet that the sender chose and what every doctor must know."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from doorstep.care.referrals import down_aims
from doorstep.care.referrals.actions.details import REFERRAL, RETURN, sights_end_by
from doorstep.care.referrals.models import Referral
from doorstep.care.referrals.packet_queries import ALWAYS, results_of
from doorstep.care.referrals.permissions import Permission
from doorstep.care.referrals.states import AT_RECEIVER, ENDED
from doorstep.kernel.access import actions as access
from doorstep.kernel.access.actor import Actor, Purpose
from doorstep.kernel.access.models import CareRelationship
from doorstep.kernel.access.refusals import Conflict, NotFound
from doorstep.kernel.access.session import for_purpose
from doorstep.kernel.audit import actions as audit
from doorstep.kernel.database.calls import Call, run
from doorstep.kernel.record import actions as record
from doorstep.kernel.record import queries as records
from doorstep.kernel.record.publishing import Published

_READ = 200


def is_whole(referral: Referral) -> bool:
    """Whether the whole record opens: in an emergency always, else as the sender chose."""
    return referral.whole_record or referral.kind != Referral.Kind.ORDINARY or referral.critical


def open_sight(
    referral: Referral,
    *,
    organization_id: int,
    episode: str,
    actor: Actor,
    reason: CareRelationship.Reason = REFERRAL,
    **more: Any,
) -> None:
    """Open a unit's relationship for this referral, as wide as the sender chose."""
    facts = _sight(referral, organization_id=organization_id, episode=episode, reason=reason)
    access.open_relationship(**facts, actor=actor, **more)


def open_home_sight(referral: Referral, *, organization_id: int, aim: str, actor: Actor) -> None:
    """Open the sight of the unit that takes the patient back: as wide as the referral, of a care home the packet alone.

    A care home nurses; what it needs of the record travels: plan and summary, allergies, problems and medicines, as they are now. What
    is not said aloud stays behind, whoever may read it here: the summary says what a nurse must know.
    """
    episode = referral.shown_under
    if aim != down_aims.CARE_HOME:
        open_sight(referral, organization_id=organization_id, reason=RETURN, episode=episode, actor=actor)
        return
    facts = _sight(referral, organization_id=organization_id, episode=episode, reason=RETURN)
    access.open_relationship(**{**facts, "scope": CareRelationship.Scope.EPISODE}, actor=actor)
    records.note_look(resident_id=referral.resident_id, actor=actor, subject=referral.subject, action="record.view")
    packed = _packed(referral, _content(referral, unsaid=False), episode=episode)
    record.publish(packed, resident_id=referral.resident_id, actor=actor)


def opening_sight(
    referral: Referral,
    *,
    organization_id: int,
    episode: str,
    actor: Actor,
    reason: CareRelationship.Reason = REFERRAL,
) -> Call:
    """The call of `open_sight`, for an act that sends it with its traces."""
    return access.opening(
        **_sight(referral, organization_id=organization_id, episode=episode, reason=reason), actor=actor
    )


def ending_sight(referral: Referral) -> Call:
    """The call that ends what the target sees now."""
    return access.closing(resident_id=referral.resident_id, reason=REFERRAL, episode=referral.sight)


def _sight(
    referral: Referral, *, organization_id: int, episode: str, reason: CareRelationship.Reason
) -> dict[str, Any]:
    whole = referral.whole_record
    return {
        "resident_id": referral.resident_id,
        "organization_id": organization_id,
        "reason": reason,
        "scope": CareRelationship.Scope.FULL if whole else CareRelationship.Scope.EPISODE,
        "episode": episode,
        "basis": referral.number,
    }


def pass_sight_on(referral: Referral, *, organization_id: int, actor: Actor) -> None:
    """Open the sight of the unit to which a referral goes on; the patient's consent covers it, and it is no wider than before."""
    episode = f"{referral.subject}.{referral.redirects + 1}"
    if referral.whole_record:
        open_sight(referral, organization_id=organization_id, episode=episode, actor=actor)
        return
    content = records.read(type="Bundle", fhir_id=str(referral.key))
    # A narrow relationship passes nothing on by itself: the house does, what the sender sent and no more.
    with for_purpose(Purpose.HANDLER, actor):
        open_sight(referral, organization_id=organization_id, episode=episode, actor=actor)
        if content is not None:
            packed = _packed(referral, content, episode=episode)
            record.publish(packed, resident_id=referral.resident_id, actor=actor)


@contextmanager
def handing_over(referral: Referral, *, actor: Actor) -> Iterator[None]:
    """Around the act that gives a narrow referral to another unit: what it writes is the next unit's to read, no longer the writer's.

    A refusal inside ends the savepoint of the act, and with it the house's own eyes.
    """
    if referral.whole_record:
        yield
        return
    with for_purpose(Purpose.HANDLER, actor):
        yield


def packet_of(referral: Referral, *, actor: Actor) -> Published:
    """What travels with a narrow referral: copies as they are now, under the referral's own episode. The caller records the look."""
    return _packed(referral, _content(referral), episode=referral.sight)


def _content(referral: Referral, *, unsaid: bool = True) -> dict[str, Any]:
    """The entries as far as the actor reads them now; those that are not said aloud only with `unsaid`."""
    wanted = {str(line["reference"]) for line in referral.packet}
    chosen = records.chosen(resident_id=referral.resident_id, references=sorted(wanted), types=ALWAYS, limit=_READ)
    chosen += results_of(chosen, resident_id=referral.resident_id)
    chosen = [one for one in chosen if unsaid or not one.sensitive]
    return {
        "resourceType": "Bundle",
        "id": str(referral.key),
        "type": "collection",
        "timestamp": timezone.now().isoformat(timespec="seconds"),
        "entry": [{"fullUrl": f"urn:uuid:{one.fhir_id}", "resource": one.content} for one in chosen],
    }


@transaction.atomic
def open_record(*, referral: Referral, actor: Actor) -> Referral:
    """The sender opens the whole record to the receiving side after all; raises Conflict when it is open or the referral has ended."""
    actor.check(Permission.REFERRAL_SUBMIT)
    if not actor.reaches(referral.source_id):
        raise NotFound()
    if referral.whole_record or referral.state in (*ENDED, "draft", "outside") or referral.target_id is None:
        raise Conflict(_("转诊已结束，或对方已可查阅完整档案。"))
    run(sights_end_by(referral, timezone.now()))
    Referral.objects.filter(pk=referral.pk).update(whole_record=True)
    referral.whole_record = True
    open_sight(referral, organization_id=referral.target_id, episode=referral.sight, actor=actor)
    if referral.state in AT_RECEIVER and referral.receiver_id is not None:
        open_home_sight(referral, organization_id=referral.receiver_id, aim=referral.goes_to, actor=actor)
    audit.record(
        action="referral.open-record",
        actor=actor,
        subject=referral.subject,
        resident_id=referral.resident_id,
        details={},
    )
    return referral


def _packed(referral: Referral, content: Mapping[str, Any], *, episode: str) -> Published:
    return Published(
        content=dict(content),
        organization_id=referral.source_id,
        occurred_at=referral.submitted_at or timezone.now(),
        episode=episode,
        category="referral",
    )
