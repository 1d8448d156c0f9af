"""Resources that machines send: checked, tied to their resident, stored in one statement with history and audit."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from doorstep.kernel.access.actor import Actor
from doorstep.kernel.access.permissions import Permission
from doorstep.kernel.audit import actions as audit
from doorstep.kernel.database.calls import Call
from doorstep.kernel.fhir import exact, validation
from doorstep.kernel.fhir.outcome import FhirRefused
from doorstep.kernel.record import actions as record
from doorstep.kernel.record import conditions, doors, labels, references, stored
from doorstep.kernel.record.kinds import BY_ACTION, CLOSED, SHARED, is_restricted, occurred_at
from doorstep.kernel.record.patients import Patients
from doorstep.kernel.record.publishing import Published, Row
from doorstep.kernel.record.stored import Stored

ABSENT = "没有这个资源，或不在贵院可读范围 / no such resource, or not yours to read"


# If-Match: *
ANY_VERSION = -1


@dataclass(slots=True)
class Draft:
    """One resource on its way into the record; after `store` it says what became of it."""

    method: str  # POST, PUT, PATCH or DELETE
    type: str
    fhir_id: str = ""
    resource: dict[str, Any] | None = None
    # Where the resource stands in what was sent: refusals point below it.
    place: str = ""
    if_match: int | None = None
    # If-None-Match: *
    only_new: bool = False
    # The condition of an update found nothing: what stands under the id that was sent is something else.
    not_found: bool = False
    before: Stored | None = None
    version: int = 0
    # created, updated, unchanged or deleted
    outcome: str = ""
    updated_at: datetime | None = None
    resident_id: int | None = None

    @property
    def reference(self) -> str:
        """The relative address."""
        return f"{self.type}/{self.fhir_id}"


@transaction.atomic
def store(drafts: Sequence[Draft], *, actor: Actor, base: str = "") -> None:
    """Write all of the drafts or none; raises FhirRefused with the place of what is wrong.

    The drafts name different resources. Those that a workflow owns go through its actions, before the others.
    """
    actor.check(Permission.FHIR_WRITE)
    moment = timezone.now()
    recognise(drafts, actor)
    found = stored.lock((draft.type, draft.fhir_id) for draft in drafts if draft.fhir_id)
    for draft in drafts:
        draft.before = found.get((draft.type, draft.fhir_id))
        _check_version(draft)
    with doors.reached_at(base):
        plain = [draft for draft in drafts if not _through_door(draft, actor)]
    for draft in plain:
        check_right(draft, actor)
    patients = Patients()
    patients.meet(draft.resource for draft in plain if draft.resource is not None and draft.method != "DELETE")
    known = {(draft.type, draft.fhir_id) for draft in plain if draft.method != "DELETE"}
    rows: list[tuple[Draft, Row]] = []
    gathered: list[references.Found] = []
    for draft in plain:
        gathered += _concern(draft, patients, known)
    references.settle(gathered, base=base, known=known, find=conditions.finder(patients), patients=patients)
    for draft in plain:
        draft.updated_at = moment
        if is_unchanged(draft):
            draft.outcome, draft.version = "unchanged", draft.before.version if draft.before else 0
            draft.updated_at = draft.before.updated_at if draft.before else moment
        else:
            rows.append((draft, row_of(draft, actor, moment)))
    for draft, _ in rows:
        draft.outcome = "deleted" if draft.method == "DELETE" else ("created" if _is_new(draft) else "updated")
    written = record.write([row for _, row in rows], actor=actor, now=moment, beside=_audit(rows, actor))
    for (draft, _), version in zip(rows, written, strict=True):
        draft.version = version


def checked(resource: Any, *, type: str, place: str) -> dict[str, Any]:
    """A resource that R4 allows, of this type, with the labels of sensitive diagnoses; raises FhirRefused with every problem."""
    if not isinstance(resource, dict):
        raise FhirRefused(400, "structure", "请发送一个资源对象 / send one resource object", place)
    kind = resource.get("resourceType")
    if kind != type:
        raise FhirRefused(
            400,
            "invalid",
            f"resourceType 应为 {type}，收到 {kind} / resourceType must be {type}",
            f"{place}.resourceType",
        )
    if type in CLOSED:
        raise FhirRefused(405, "not-supported", f"不接收 {type}：{CLOSED[type]}", place, headers={"Allow": "GET, HEAD"})
    problems = validation.problems(resource, path=place)
    if problems:
        first, *others = problems
        raise FhirRefused(
            422,
            first.code,
            f"{first.path}: {first.sentence}",
            first.path,
            more=[(one.code, f"{one.path}: {one.sentence}", one.path) for one in others],
        )
    return labels.received(resource)


def prefix_of(actor: Actor) -> str:
    """How the ids begin that this client may choose: so no client meets, or learns of, the ids of another."""
    return f"{actor.client.replace('_', '-')}-" if actor.client else ""


def recognise(drafts: Sequence[Draft], actor: Actor) -> None:
    """Give new resources their ids; one that this hospital has sent before under its identifier keeps the old one."""
    fresh = [draft for draft in drafts if draft.method == "POST" and not draft.fhir_id and not is_of_workflow(draft)]
    names = {id(draft): identifiers(draft.resource or {}) for draft in fresh}
    wanted = sorted({(draft.type, one) for draft in fresh for one in names[id(draft)]})
    before = stored.sent_before(wanted, organization_id=actor.organization_id)
    taken: set[tuple[str, str]] = set()
    for draft in fresh:
        known = (before.get((draft.type, one)) for one in names[id(draft)])
        draft.fhir_id = next((key for key in known if key and (draft.type, key) not in taken), "") or str(uuid.uuid4())
        taken.add((draft.type, draft.fhir_id))


def identifiers(resource: dict[str, Any]) -> list[str]:
    """What a resource is called elsewhere: "system|value" of each of its identifiers."""
    found = resource.get("identifier", [])
    return [
        f"{one['system']}|{one['value']}"
        for one in (found if isinstance(found, list) else [found])
        if isinstance(one, dict) and one.get("system") and one.get("value")
    ]


def is_of_workflow(draft: Draft) -> bool:
    """Whether a new resource is a thing that a workflow makes."""
    door = doors.door_of(draft.type)
    return door is not None and draft.resource is not None and door.owns(draft.resource)


def _check_version(draft: Draft) -> None:
    if draft.only_new and draft.before is not None and not draft.before.deleted:
        raise FhirRefused(412, "conflict", f"{draft.reference} 已经存在 / is there already", draft.place)
    if draft.not_found and draft.before is not None and not draft.before.deleted:
        raise FhirRefused(
            409,
            "conflict",
            f"条件没有找到资源，而 {draft.reference} 已经存在 / the condition matches nothing, but {draft.reference} is there",
            draft.place,
        )
    if draft.if_match is None:
        return
    if draft.before is None or (draft.if_match == ANY_VERSION and draft.before.deleted):
        raise FhirRefused(412, "not-found", ABSENT, draft.place)
    if draft.if_match not in (ANY_VERSION, draft.before.version):
        raise FhirRefused(
            412,
            "conflict",
            f"资源已是第 {draft.before.version} 版，不是第 {draft.if_match} 版；请重新读取后再改"
            f" / the resource is at version {draft.before.version} by now: read it again",
            draft.place,
            headers={"ETag": draft.before.etag},
        )


def _through_door(draft: Draft, actor: Actor) -> bool:
    """Let the workflow do what the draft says, when it owns the thing."""
    door = doors.door_of(draft.type)
    before = draft.before
    ours = before is not None and not before.received
    if door is None or not (ours or (before is None and draft.resource is not None and door.owns(draft.resource))):
        return False
    if before is not None and before.deleted:
        return False
    try:
        if draft.method == "DELETE":
            door.withdraw(draft.fhir_id, actor=actor)
            draft.outcome = "updated"
        elif before is not None and draft.resource is not None:
            door.update(draft.fhir_id, draft.resource, actor=actor)
            draft.outcome = "updated"
        elif draft.method == "POST" and draft.resource is not None:
            draft.fhir_id = door.create(draft.resource, actor=actor)
            draft.outcome = "created"
        else:
            return False
    except FhirRefused as error:
        raise _placed(error, draft) from error
    now = stored.fetch(type=draft.type, fhir_id=draft.fhir_id)
    if now is not None:
        draft.version, draft.updated_at, draft.resident_id = now.version, now.updated_at, now.resident_id
    return True


def _placed(error: FhirRefused, draft: Draft) -> FhirRefused:
    """A door's refusal with its places below the draft's own: a door does not know which entry of a Bundle it reads."""

    def below(expression: str) -> str:
        head, dot, rest = expression.partition(".")
        return f"{draft.place}{dot}{rest}" if head == draft.type else expression

    more = [(code, sentence, below(place)) for code, sentence, place in error.more]
    place = below(error.expression or draft.type)
    return FhirRefused(
        error.status, error.code, error.sentence, place, more=more, headers=error.headers, count=error.count
    )


def check_right(draft: Draft, actor: Actor) -> None:
    """Raise FhirRefused when the actor may not write this resource under this id."""
    before = draft.before
    if draft.type in BY_ACTION and before is None and draft.method != "PUT":
        raise FhirRefused(404, "not-found", ABSENT, draft.place)
    if draft.type in BY_ACTION:
        raise FhirRefused(
            405,
            "not-supported",
            f"{draft.type} 的 id 由本平台给出，请用 POST 新建 / ids of a {draft.type} are given here: POST it",
            draft.place,
            headers={"Allow": "GET, HEAD, PUT, PATCH" if before is not None else "GET, HEAD"},
        )
    if actor.is_system:
        return
    if before is not None:
        if not before.received or before.organization_id != actor.organization_id:
            raise FhirRefused(
                403,
                "forbidden",
                f"{draft.reference} 由系统内的业务或其他机构写入，请用对应的业务操作修改"
                f" / {draft.reference} is written by a workflow or by another unit: use its actions",
                draft.place,
            )
        return
    if draft.method == "PUT" and not (prefix_of(actor) and draft.fhir_id.startswith(prefix_of(actor))):
        raise FhirRefused(
            404,
            "not-found",
            f"{ABSENT}。自定的 id 请以 {prefix_of(actor)} 开头 / ids of your own begin with {prefix_of(actor)}",
            draft.place,
        )
    if draft.method in ("PATCH", "DELETE"):
        raise FhirRefused(404, "not-found", ABSENT, draft.place)


def _concern(draft: Draft, patients: Patients, known: set[tuple[str, str]]) -> list[references.Found]:
    """Tie the draft to its resident; returns its references."""
    if draft.method == "DELETE" or draft.resource is None:
        draft.resident_id = draft.before.resident_id if draft.before else None
        return []
    tie(draft, patients, known)
    return list(references.references_of(draft.resource, draft.place))


def tie(draft: Draft, patients: Patients, known: set[tuple[str, str]]) -> None:
    """Tie a draft with content to its resident, who is then known; raises FhirRefused."""
    if draft.resource is None:
        return
    draft.resource["id"] = draft.fhir_id
    patient = patients.of(draft.resource, draft.place)
    draft.resident_id = patient.resident_id if patient else None
    if patient is not None:
        known.add(("Patient", patient.fhir_id))
    before = draft.before
    if before is not None and before.resident_id != draft.resident_id:
        # The history of a resource is one resident's: it does not move to another.
        raise FhirRefused(
            422,
            "business-rule",
            "资源不能改到另一位居民名下；请删除后重新发送 / a resource does not move to another resident",
            draft.place,
        )


def is_unchanged(draft: Draft) -> bool:
    """Whether the record holds this very content already."""
    before = draft.before
    if before is None or draft.resource is None:
        return before is not None and before.deleted and draft.method == "DELETE"
    return not before.deleted and exact.same(_without_version(before.content()), _without_version(draft.resource))


def _without_version(resource: dict[str, Any]) -> dict[str, Any]:
    meta = {name: value for name, value in resource.get("meta", {}).items() if name not in ("versionId", "lastUpdated")}
    return {**resource, "meta": meta}


def row_of(draft: Draft, actor: Actor, moment: datetime) -> Row:
    """What the record is given of a draft."""
    resource = draft.resource
    if draft.method == "DELETE" or resource is None:
        # What was deleted leaves its address and its history.
        content: dict[str, Any] = {"resourceType": draft.type, "id": draft.fhir_id}
        occurred = moment
    else:
        content = {**resource, "meta": _without_version(resource)["meta"]}
        occurred = occurred_at(content) or moment
    private = draft.resident_id is None and draft.type not in SHARED
    return Row(
        published=Published(
            content=content,
            organization_id=actor.organization_id,
            occurred_at=occurred,
            episode=draft.before.episode if draft.before else "",
            sensitive=private or is_restricted(content),
        ),
        resident_id=draft.resident_id,
        method=draft.method,
        received=True,
        deleted=draft.method == "DELETE",
    )


def _is_new(draft: Draft) -> bool:
    return draft.before is None or draft.before.deleted


def _audit(rows: list[tuple[Draft, Row]], actor: Actor) -> list[Call]:
    """The call that notes what was written; it goes with the one that writes."""
    verbs = {"created": "fhir.create", "updated": "fhir.update", "deleted": "fhir.delete"}
    acts = [(verbs[draft.outcome], draft.reference, draft.resident_id) for draft, _ in rows]
    return [audit.recording_all(acts, actor=actor)] if acts else []
