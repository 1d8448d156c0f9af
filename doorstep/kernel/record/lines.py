"""Many resources of which each stands for itself: what is wrong with one is said of it, and the others are stored.

Reading a line asks no database, so that the next lines are read while the last ones are written.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from django.db import DataError, IntegrityError, OperationalError, ProgrammingError, transaction
from django.utils import timezone

from doorstep.kernel.access.actor import Actor
from doorstep.kernel.access.refusals import Refused
from doorstep.kernel.access.session import bind
from doorstep.kernel.audit import actions as audit
from doorstep.kernel.fhir import exact
from doorstep.kernel.fhir.door import refused_by
from doorstep.kernel.fhir.negotiation import LARGEST_BODY
from doorstep.kernel.fhir.outcome import FhirRefused
from doorstep.kernel.record import actions as record
from doorstep.kernel.record import adding, conditions, doors, references, stored, writing
from doorstep.kernel.record.patients import Patients
from doorstep.kernel.record.publishing import Row
from doorstep.kernel.record.references import Found
from doorstep.kernel.record.search_facts import Facts, facts_of
from doorstep.kernel.record.writing import Draft

Refusals = (FhirRefused, Refused, DataError, IntegrityError, OperationalError, ProgrammingError)


@dataclass(slots=True)
class Line:
    """One line: what it holds, and after `store_each` what became of it: its draft's outcome, or why it was refused."""

    number: int
    text: bytes
    draft: Draft | None = None
    facts: Facts = field(default_factory=Facts)
    found: list[Found] = field(default_factory=list)
    # What the references said as they came, and what they name here.
    said: list[str] = field(default_factory=list)
    wanted: dict[tuple[str, str], str] = field(default_factory=dict)
    fault: FhirRefused | None = None
    # Whether it could be written once what it names is there.
    waits: bool = False

    @property
    def names(self) -> set[tuple[str, str]]:
        """By what it is the same thing as another line: its address, or without one its identifiers."""
        draft = self.draft
        if draft is None:
            return set()
        if draft.fhir_id:
            return {(draft.type, draft.fhir_id)}
        return {(draft.type, one) for one in writing.identifiers(draft.resource or {})}


def read(number: int, text: bytes, *, type: str = "") -> Line:
    """Read and validate a line, which holds a resource of this type; a line with an id is a PUT, one without a POST."""
    line = Line(number, text)
    try:
        if len(text) > LARGEST_BODY:
            raise FhirRefused(413, "too-long", "一行超过 20 MB / a line of more than 20 MB")
        resource = exact.loads(text)
        kind = resource.get("resourceType") if isinstance(resource, dict) else None
        wanted = type or (kind if isinstance(kind, str) else "Resource")
        checked = writing.checked(resource, type=wanted, place=wanted)
        method, fhir_id = ("PUT", checked["id"]) if "id" in checked else ("POST", "")
        line.draft = Draft(method, wanted, fhir_id=fhir_id, resource=checked, place=wanted)
        line.facts = facts_of(checked)
        line.found = list(references.references_of(checked, wanted))
        line.said = [node["reference"] for node, _ in line.found]
    except FhirRefused as error:
        line.fault = error
    return line


def store_each(lines: Sequence[Line], *, subject: str, actor: Actor, base: str = "") -> Counter[str]:
    """Write what can be written of these lines, in the running transaction; returns how many by their outcome.

    `subject` is the act that the audit trail names. A line that names the same thing as one before is written after it.
    """
    for together in _rounds(lines):
        _store(together, actor=actor, base=base)
    written = [line.draft for line in lines if line.draft is not None and line.fault is None]
    details: defaultdict[int | None, Counter[str]] = defaultdict(Counter)
    for draft in written:
        if draft.outcome != "unchanged":
            details[draft.resident_id][draft.type] += 1
    audit.record_by_resident(action="fhir.import", subject=subject, details=details, actor=actor)
    return Counter(draft.outcome for draft in written)


def _rounds(lines: Iterable[Line]) -> Iterator[list[Line]]:
    waiting = [line for line in lines if line.fault is None]
    while waiting:
        taken: set[tuple[str, str]] = set()
        now: list[Line] = []
        later: list[Line] = []
        for line in waiting:
            names = line.names
            (later if names & taken else now).append(line)
            taken |= names
        yield now
        waiting = later


def _store(lines: list[Line], *, actor: Actor, base: str) -> None:
    """Write lines together; where the database refuses them, by halves, so that one of them does not hold up the others."""
    live = [line for line in lines if line.fault is None or line.waits]
    if not live:
        return
    for line in live:
        line.fault, line.waits = None, False
    try:
        with transaction.atomic():
            _write(live, actor, base)
    except Refusals as error:
        # An action may have bound the system for a moment when it was refused.
        bind(actor)
        if len(live) == 1:
            _refuse(live[0], error)
            return
        middle = len(live) // 2
        _store(live[:middle], actor=actor, base=base)
        _store(live[middle:], actor=actor, base=base)


def _refuse(line: Line, error: Exception) -> None:
    line.fault = refused_by(error)
    if line.fault.count is not None:
        line.fault.count()


def _write(lines: list[Line], actor: Actor, base: str) -> None:
    drafts = [line.draft for line in lines if line.draft is not None]
    writing.recognise(drafts, actor)
    before = stored.lock((draft.type, draft.fhir_id) for draft in drafts if draft.fhir_id)
    plain: list[Line] = []
    for line, draft in zip(lines, drafts, strict=True):
        draft.before = before.get((draft.type, draft.fhir_id))
        if _is_of_workflow(draft):
            _act(line, draft, actor, base)
        else:
            plain.append(line)
    patients = Patients()
    patients.meet(draft.resource for draft in drafts if draft.resource is not None)
    answers: dict[str, str] = {}
    find = conditions.finder(patients)
    for line in plain:
        try:
            _tie(line, patients, actor)
            line.wanted = references.literal(line.found, base=base, find=find, answers=answers)
        except FhirRefused as error:
            line.fault = error
            # A resident whom an earlier line of the file would register may come to be there.
            line.waits = error.code == "not-found" and error.status == 422
    _put_down(_complete(plain, patients), actor)


def _is_of_workflow(draft: Draft) -> bool:
    door, before = doors.door_of(draft.type), draft.before
    if door is None or draft.resource is None:
        return False
    return door.owns(draft.resource) if before is None else not before.received and not before.deleted


def _act(line: Line, draft: Draft, actor: Actor, base: str) -> None:
    """What a workflow owns goes through its action, each with a savepoint of its own."""
    try:
        with transaction.atomic():
            writing.store([draft], actor=actor, base=base)
    except Refusals as error:
        bind(actor)
        _refuse(line, error)


def _tie(line: Line, patients: Patients, actor: Actor) -> None:
    draft = line.draft
    if draft is None or draft.resource is None:
        return
    writing.check_right(draft, actor)
    known: set[tuple[str, str]] = set()
    writing.tie(draft, patients, known)
    if any(f"{kind}/{key}" not in line.said for kind, key in known):
        # Named by a number: the reference has come to be there only now.
        line.found = list(references.references_of(draft.resource, draft.place))


def _complete(lines: list[Line], patients: Patients) -> list[Line]:
    """The lines without a fault whose references are all there, or are lines of their own number."""
    good = [line for line in lines if line.fault is None]
    own = {(line.draft.type, line.draft.fhir_id) for line in good if line.draft is not None}
    missing = references.absent({key for line in good for key in line.wanted} - own, patients=patients)
    # What was not written this time may still stand from before.
    gone = own - {(line.draft.type, line.draft.fhir_id) for line in good if line.draft and _stands(line.draft)}
    while True:
        bad = [line for line in good if not missing.isdisjoint(line.wanted)]
        if not bad:
            return good
        for line in bad:
            line.fault, line.waits = references.refusal(line.wanted, missing), True
        good = [line for line in good if line.fault is None]
        missing |= gone - {(line.draft.type, line.draft.fhir_id) for line in good if line.draft is not None}


def _stands(draft: Draft) -> bool:
    return draft.before is not None and not draft.before.deleted


def _put_down(lines: list[Line], actor: Actor) -> None:
    """Write the lines: what is new in one call of arrays, what changes in one call of rows."""
    moment = timezone.now()
    fresh: list[tuple[Row, Facts]] = []
    changed: list[Row] = []
    for line in lines:
        draft = line.draft
        if draft is None:
            continue
        draft.updated_at = moment
        if writing.is_unchanged(draft):
            draft.outcome = "unchanged"
            continue
        draft.outcome = "updated" if _stands(draft) else "created"
        row = writing.row_of(draft, actor, moment)
        if draft.before is None:
            fresh.append((row, _facts(line, draft)))
        else:
            changed.append(row)
    adding.add(fresh, actor=actor, now=moment)
    record.write(changed, actor=actor, now=moment)


def _facts(line: Line, draft: Draft) -> Facts:
    """The facts as they were read, or anew when a reference has changed since."""
    if [node["reference"] for node, _ in line.found] == line.said or draft.resource is None:
        return line.facts
    return facts_of(draft.resource)
