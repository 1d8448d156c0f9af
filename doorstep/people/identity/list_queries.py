"""Reads of uploaded lists: what a unit's people may see of them, which is nothing of a resident out of their sight."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from math import isfinite
from typing import TypeAlias
from uuid import UUID

from django.db.models import Q

from doorstep.kernel.access.actor import Actor
from doorstep.kernel.access.refusals import NotFound
from doorstep.kernel.audit import actions as audit
from doorstep.kernel.jobs import stalled
from doorstep.people.identity import listing
from doorstep.people.identity.matching import Facts
from doorstep.people.identity.models import ListedMatch, ListedPatient, PatientList
from doorstep.people.residents.permissions import Permission

SHOWN = 50
# Counting looks at every match by the rule of access; what is above is told as "500+".
COUNTED = 500
_LARGEST = 2**63
# A worker says every ten seconds that it lives.
SILENT_SECONDS = 30
ShownList: TypeAlias = PatientList
ShownMatch: TypeAlias = ListedMatch
# The tabs of a result and the states behind each.
TABS: dict[str, tuple[str, ...]] = {
    "review": ("open",),
    "later": ("later",),
    "linked": ("linked", "confirmed"),
    "refused": ("refused",),
}


@dataclass(frozen=True, slots=True)
class Listed:
    """A line of the list as it was read, beside the match that it may be."""

    match: ShownMatch
    row: int
    patient_number: str
    facts: Facts


def list_lists(*, actor: Actor, limit: int = 30) -> list[PatientList]:
    """The lists of the actor's units, newest first, without those that were deleted."""
    actor.check(Permission.RESIDENT_LINK)
    rows = PatientList.objects.filter(organization_id__in=actor.reach).exclude(stage=PatientList.Stage.DISCARDED)
    return list(rows.defer("content", "faults").select_related("organization").order_by("-uploaded_at", "-id")[:limit])


def get_list(*, key: UUID, actor: Actor) -> PatientList:
    """One list of the actor's units; raises NotFound."""
    actor.check(Permission.RESIDENT_LINK)
    found = PatientList.objects.select_related("organization").filter(key=key, organization_id__in=actor.reach).first()
    if found is None or found.stage == PatientList.Stage.DISCARDED:
        raise NotFound()
    return found


def is_interrupted(patients: PatientList) -> bool:
    """Whether a list that is said to be compared is worked by nobody now: its worker died, and it waits for its next turn."""
    return patients.stage == PatientList.Stage.RUNNING and not stalled.is_worked(
        task=listing.JOB, argument="list_id", value=str(patients.pk), silent_for=SILENT_SECONDS
    )


def sees_people(actor: Actor) -> bool:
    """Whether the actor sees residents at all: an engineer uploads a list and sees nobody's match."""
    return bool(actor.record_reach)


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a tab, the likeliest first; `after` is where the next one begins, "" on the last."""

    lines: list[Listed]
    after: str


def page_of(patients: PatientList, *, tab: str, actor: Actor, after: str = "") -> Page:
    """A page of the matches of a tab, behind the place of `after`; whoever sees them has looked at these residents, which is in the trail.

    What is decided leaves its tab: pages go on from a match, not from a number of matches, or some would be passed over.
    """
    if not sees_people(actor):
        return Page([], "")
    rows = ListedMatch.objects.filter(list=patients, state__in=TABS[tab])
    place = _place(after)
    if place is not None:
        weight, match_id = place
        rows = rows.filter(Q(weight__lt=weight) | Q(weight=weight, id__gt=match_id))
    found = list(rows.select_related("line", "resident__organization").order_by("-weight", "id")[: SHOWN + 1])
    found, more = found[:SHOWN], found[SHOWN:]
    _note_looks(patients, found, actor)
    return Page([_listed(one) for one in found], f"{found[-1].weight!r},{found[-1].pk}" if more else "")


def _place(after: str) -> tuple[float, int] | None:
    """The match behind which a page begins; an address that somebody has changed begins at the first."""
    weight, _comma, match_id = after.partition(",")
    try:
        place = float(weight), int(match_id)
    except ValueError:
        return None
    return place if isfinite(place[0]) and 0 < place[1] < _LARGEST else None


def _note_looks(patients: PatientList, found: list[ListedMatch], actor: Actor) -> None:
    for one in found:
        audit.record(
            action="list.compare",
            actor=actor,
            subject=f"resident/{one.resident.key}",
            resident_id=one.resident_id,
            details={"list": str(patients.key), "row": one.line.row},
        )


def counts_of(patients: PatientList, *, actor: Actor) -> dict[str, int]:
    """How many matches stand behind each tab, at most `COUNTED` and one."""
    if not sees_people(actor):
        return dict.fromkeys(TABS, 0)
    return {
        tab: len(ListedMatch.objects.filter(list=patients, state__in=states).values_list("id")[: COUNTED + 1])
        for tab, states in TABS.items()
    }


def results_of(patients: PatientList, *, actor: Actor) -> Iterator[tuple[int, str, str, float | None]]:
    """Every line with what became of it as far as the actor may see: row, hospital's number, state ("" for none), probability."""
    best: dict[int, tuple[str, float]] = {}
    if sees_people(actor):
        rows = ListedMatch.objects.filter(list=patients).exclude(state=ListedMatch.State.REFUSED)
        for line_id, state, probability in rows.order_by("weight").values_list("line_id", "state", "probability"):
            best[line_id] = (state, probability)
    audit.record(action="list.export", actor=actor, subject=f"list/{patients.key}")
    for line in ListedPatient.objects.filter(list=patients).order_by("row").iterator(chunk_size=2_000):
        state, share = best.get(line.pk, ("", None))
        yield line.row, json.loads(line.facts)["patient_number"], state, share


def _listed(match: ListedMatch) -> Listed:
    told = json.loads(match.line.facts)
    number = told.pop("patient_number")
    born = told.pop("birth_date")
    return Listed(match, match.line.row, number, Facts(**told, birth_date=date.fromisoformat(born) if born else None))
