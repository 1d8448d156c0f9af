"""The work of a list's job: its lines against the whole index, automatic links kept, the likely ones left to a person."""

from collections.abc import Callable, Sequence

import structlog
from django.utils import timezone

from doorstep.kernel.access.actor import Actor, Purpose, system_actor
from doorstep.kernel.access.session import acting
from doorstep.kernel.audit import actions as audit
from doorstep.people.identity import pairs
from doorstep.people.identity.linkage_result import Linked
from doorstep.people.identity.listing import Line, facts_json, read_lines
from doorstep.people.identity.matching import Facts
from doorstep.people.identity.models import ListedMatch, ListedPatient, PatientList
from doorstep.people.identity.numbers import remember_patient_numbers

log = structlog.get_logger(__name__)
# The comparison of two lists: here, or in a process of its own.
Link = Callable[[Sequence[Facts], Sequence[Facts]], list[Linked]]
_BATCH = 2_000
TRIES = 3
# So many residents are kept for one line; what is less likely than the fifth helps nobody.
_KEPT = 5


def work(list_id: int, *, link: Link) -> int:
    """Link a list that was started; returns how many lines. A second run begins anew: the first one wrote all or nothing."""
    try:
        return _work(list_id, link)
    except Exception:
        with acting(system_actor(Purpose.IMPORT)):
            PatientList.objects.filter(pk=list_id).update(stage=PatientList.Stage.FAILED)
        log.exception("patient_list_failed", list=list_id)
        raise


def _work(list_id: int, link: Link) -> int:
    with acting(system_actor(Purpose.IMPORT)):
        patients = PatientList.objects.select_related("organization").get(pk=list_id)
        if patients.stage not in (PatientList.Stage.RUNNING, PatientList.Stage.FAILED):
            return 0
        if patients.tries >= TRIES:
            # Each time the worker died in the middle, without a word: the list says so, and another one gets its turn.
            PatientList.objects.filter(pk=list_id).update(stage=PatientList.Stage.FAILED)
            log.error("patient_list_given_up", list=list_id, tries=patients.tries)
            return 0
        PatientList.objects.filter(pk=list_id).update(step=1, stage=PatientList.Stage.RUNNING, tries=patients.tries + 1)
    with acting(system_actor(Purpose.IMPORT)):
        lines, _faults = read_lines(patients)
        ids, facts = pairs.everybody()
        PatientList.objects.filter(pk=list_id).update(step=2)
    found = link(facts, [line.facts for line in lines]) if facts and lines else []
    with acting(system_actor(Purpose.IMPORT)):
        PatientList.objects.filter(pk=list_id).update(step=3)
    with acting(system_actor(Purpose.IMPORT)) as actor:
        _write(patients, lines, found, ids, actor)
    return len(lines)


def _write(
    patients: PatientList,
    lines: Sequence[Line],
    found: Sequence[Linked],
    ids: Sequence[tuple[int, int]],
    actor: Actor,
) -> None:
    ListedPatient.objects.filter(list=patients).delete()
    unit = patients.organization_id
    rows = ListedPatient.objects.bulk_create(
        (ListedPatient(list=patients, organization_id=unit, row=one.row, facts=facts_json(one)) for one in lines),
        batch_size=_BATCH,
    )
    kept = _kept(found)
    ListedMatch.objects.bulk_create(
        (
            ListedMatch(
                list=patients,
                line=rows[one.right],
                organization_id=unit,
                resident_id=ids[one.left][0],
                weight=one.verdict.weight,
                probability=one.verdict.probability,
                levels=one.verdict.levels,
                state=ListedMatch.State.LINKED if one.automatic else ListedMatch.State.OPEN,
            )
            for one in kept
        ),
        batch_size=_BATCH,
    )
    links = [(ids[one.left][0], lines[one.right].patient_number) for one in kept if one.automatic]
    remember_patient_numbers(links=links, system=patients.organization.code, actor=actor)
    PatientList.objects.filter(pk=patients.pk).update(
        stage=PatientList.Stage.DONE, done_at=timezone.now(), content="", step=3
    )
    facts = {"rows": len(lines), "linked": len(links), "matches": len(kept), "by": patients.uploaded_by_id}
    audit.record(action="list.link", actor=actor, subject=f"list/{patients.key}", details=facts)


def _kept(found: Sequence[Linked]) -> list[Linked]:
    """The likeliest of each line, in the order of the linkage: of a line that links by itself only the one that it links to."""
    linked = {one.right: one for one in reversed(found) if one.automatic}
    count: dict[int, int] = {}
    kept = []
    for one in found:
        count[one.right] = count.get(one.right, 0) + 1
        if linked.get(one.right, one) is one and (one.right in linked or count[one.right] <= _KEPT):
            kept.append(one)
    return kept
