"""What a person says of the matches of a list: the same person, somebody else, later, or a link taken back."""

import json

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from doorstep.kernel.access.actor import Actor, Purpose
from doorstep.kernel.access.refusals import Conflict, NotFound, Refused
from doorstep.kernel.access.session import for_purpose
from doorstep.kernel.audit import actions as audit
from doorstep.people.identity.models import ListedMatch, PatientList
from doorstep.people.identity.numbers import forget_patient_number, remember_patient_numbers
from doorstep.people.residents.permissions import Permission

S = ListedMatch.State
# Verb to the states that it leads from, and where it leads.
VERBS: dict[str, tuple[tuple[S, ...], S]] = {
    "confirm": ((S.OPEN, S.LATER, S.REFUSED), S.CONFIRMED),
    "refuse": ((S.OPEN, S.LATER), S.REFUSED),
    "later": ((S.OPEN,), S.LATER),
    "take-back": ((S.LINKED, S.CONFIRMED), S.OPEN),
}


@transaction.atomic
def decide(*, patients: PatientList, match_id: int, verb: str, actor: Actor) -> ListedMatch:
    """Carry out one of `VERBS` on a match whose resident the actor sees; the look and the decision are in the trail.

    Raises NotFound for one out of sight, Conflict when somebody else decided, Refused when the line is taken.
    """
    actor.check(Permission.RESIDENT_LINK)
    way = VERBS.get(verb)
    found = (
        ListedMatch.objects.select_for_update(of=("self",))
        .select_related("line", "list__organization")
        .filter(pk=match_id, list=patients)
        .first()
    )
    if found is None or way is None:
        raise NotFound()
    if found.state not in way[0]:
        raise Conflict(_("这一行已由其他人核对，请刷新。"))
    found.state = way[1]
    found.decided_at, found.decided_by_id, found.decided_by_name = (
        timezone.now(),
        actor.user_id,
        actor.display_name[:80],
    )
    try:
        with transaction.atomic():
            found.save(update_fields=["state", "decided_at", "decided_by_id", "decided_by_name"])
    except IntegrityError as error:
        # By another line of the review, or by somebody out of sight: both sound alike.
        raise Refused(_("这一行暂时不能确认：请居民本人到场核验后接诊，或先撤回这一行的另一个结果。")) from error
    _keep_number(found, verb, actor)
    audit.record(
        action=f"list.{verb}",
        actor=actor,
        subject=f"list/{patients.key}",
        resident_id=found.resident_id,
        details={"row": found.line.row},
    )
    return found


def _keep_number(match: ListedMatch, verb: str, actor: Actor) -> None:
    number, system = json.loads(match.line.facts)["patient_number"], match.list.organization.code
    with for_purpose(Purpose.IMPORT, actor):
        if verb == "confirm":
            remember_patient_numbers(links=[(match.resident_id, number)], system=system, actor=actor)
        elif verb == "take-back":
            forget_patient_number(resident_id=match.resident_id, number=number, system=system)
