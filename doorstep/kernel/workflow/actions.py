"""`begin` and `apply`: the only code that writes a state. One transaction, one act, its row and four traces in one statement."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from doorstep.kernel.access.actor import SYSTEM_NAME, Actor, ActorKind
from doorstep.kernel.access.refusals import Conflict, NotFound, NotPermitted, Refused
from doorstep.kernel.audit import actions as audit
from doorstep.kernel.database import rows
from doorstep.kernel.database.calls import Call, as_json, run
from doorstep.kernel.events import actions as events
from doorstep.kernel.record import actions as record
from doorstep.kernel.record.publishing import Published
from doorstep.kernel.workflow.machine import State, Transition
from doorstep.kernel.workflow.models import Step, WorkItem
from doorstep.kernel.workflow.publication import resources_of
from doorstep.kernel.worklist import actions as worklist

Item = TypeVar("Item", bound=WorkItem)


class TransitionRefused(Conflict):
    """The thing is no longer in a state from which this verb leads."""

    code = "transition-refused"


def begin(
    item: Item,
    verb: str,
    *,
    actor: Actor,
    details: Mapping[str, Any] | None = None,
    due_at: datetime | None = None,
) -> Item:
    """Insert a new thing by one of its machine's first verbs and leave the four traces; `due_at` as in `apply`."""
    way, now = _first(item, verb, actor=actor)
    with in_transaction():
        rows.insert(item)
        _leave(_traces(item, way, source="", actor=actor, reason="", details=details, now=now, due_at=due_at))
    return item


def beginning(item: Item, verb: str, *, actor: Actor, details: Mapping[str, Any]) -> tuple[Any, ...]:
    """What `begin` would leave of a thing, as the arguments of `workflow_begin`: for a function of the database that inserts the
    thing itself, and knows its number and its resident only then. The thing shows one resource and waits in nobody's list.
    """
    way, now = _first(item, verb, actor=actor)
    shown, step, event, entry = _traces(item, way, source="", actor=actor, reason="", details=details, now=now).calls
    return (*step.arguments, *event.arguments, *entry.arguments, *shown.arguments)


def _first(item: WorkItem, verb: str, *, actor: Actor) -> tuple[Transition, datetime]:
    """The way by which a thing begins, its state set; raises when this actor may not."""
    way = item.machine.transition(verb, "")
    if way is None:
        raise LookupError(f"{item.machine.name} does not begin with {verb}")
    _check_actor(item, way, actor)
    now = timezone.now()
    item.state, item.state_since, item.created_at = way.target, now, now
    if item.consortium_id is None:
        item.consortium_id = actor.consortium_id
    return way, now


def apply(
    item: Item,
    verb: str,
    *,
    actor: Actor,
    values: Mapping[str, Any] | None = None,
    reason: str = "",
    details: Mapping[str, Any] | None = None,
    due_at: datetime | None = None,
    also: Sequence[Published] = (),
    along: Sequence[Call] = (),
) -> Item:
    """Move a thing along its table: row lock, one UPDATE, history, resource, event, audit, old task closed, new one opened.

    `values` are columns written with the state in the same UPDATE, because constraints look at both at once. `due_at`
    sets the new task's clock instead of the table's. `also` are resources that this act shows besides the thing's own, `along`
    calls that go to the database with its traces. Raises TransitionRefused when another was first, NotPermitted or NotFound when
    this actor may not.
    """
    with in_transaction():
        locked = lock(item)
        way = _way(locked, verb)
        if way is None:
            raise TransitionRefused(_moved_on(locked, verb))
        _check_actor(locked, way, actor)
        if way.reason and not reason.strip():
            raise Refused(_("请填写原因。"), fields={"reason": _("此操作需要写明原因，对方会看到。")})
        now, source = timezone.now(), locked.state
        # Used up: whoever applies once more looks again at what stands in the table.
        locked.locked_in = None
        changes = {**dict(values or {}), "state": way.target, "state_since": now}
        update = rows.updating(locked, changes) if locked.shown_by_itself else None
        if update is None:
            rows.update(locked, changes)
        for name, value in changes.items():
            setattr(locked, name, value)
            setattr(item, name, value)
        traces = _traces(
            locked, way, source=source, actor=actor, reason=reason, details=details, now=now, due_at=due_at, also=also
        )
        _leave(traces, along=along, update=update)
    return locked


def take(model: type[Item], *, key: UUID) -> Item:
    """The thing of this key, locked for an act of this transaction; raises NotFound when the actor may not see it.

    Whoever will act needs no second look before `apply`. The act's own entry in the trail says who had it before them.
    """
    locked = rows.locked(model, key, along=model.read_along, by="key")
    if locked is None:
        raise NotFound()
    locked.locked_in = connection.atomic_blocks[-1]
    return locked


def lock(item: Item) -> Item:
    """The thing as it is now, its row locked until the transaction ends; raises NotFound when the actor may not see it.

    What was locked in a block that is still open is given back as it is, so an action may lock, look, and then apply.
    """
    if item.locked_in is not None and any(block is item.locked_in for block in connection.atomic_blocks):
        return item
    locked = rows.locked(type(item), item.pk, along=item.read_along)
    if locked is None:
        raise NotFound()
    locked.locked_in = connection.atomic_blocks[-1]
    return locked


def check_way(item: WorkItem, verb: str, *, actor: Actor) -> None:
    """Lock a thing and make sure that this actor may go this way with it now; for acts that do something else before `apply`.

    Raises what `apply` would raise.
    """
    locked = lock(item)
    way = _way(locked, verb)
    if way is None:
        raise TransitionRefused(_moved_on(locked, verb))
    _check_actor(locked, way, actor)


def check_unmoved(item: WorkItem, *, actor: Actor) -> None:
    """Lock a thing and make sure that it stands as the caller read it; for acts that look at more than the state.

    Raises TransitionRefused, which says who was first, when it has moved since.
    """
    locked = lock(item)
    if (locked.state, locked.state_since) != (item.state, item.state_since):
        raise TransitionRefused(_moved_on(locked, ""))


def check_seen(item: WorkItem, *, seen: str) -> None:
    """Make sure that a locked thing stands as the page showed it on which somebody pressed a button; `seen` is what that page kept.

    Raises TransitionRefused, which says who was first; machines and older pages keep nothing ("").
    """
    if seen and seen != item.seen:
        raise TransitionRefused(_moved_on(item, ""))


def told_who_was_first(item: WorkItem) -> str:
    """The sentence that names who acted last on a thing and where it stands now."""
    return _moved_on(item, "")


def may(item: WorkItem, way: Transition, actor: Actor) -> bool:
    """Whether this actor may go this way: permission of the role and the right side."""
    try:
        _check_actor(item, way, actor)
    except Refused:
        return False
    return True


def in_transaction() -> AbstractContextManager[object]:
    """The running transaction, or one of its own. No savepoint: whatever is refused is refused before the first write."""
    return nullcontext() if connection.in_atomic_block else transaction.atomic()


def _way(item: WorkItem, verb: str) -> Transition | None:
    return item.machine.transition(verb, item.state, item.variant())


def _check_actor(item: WorkItem, way: Transition, actor: Actor) -> None:
    if actor.is_system:
        return
    if way.side == "system":
        raise NotPermitted(permission=way.permission)
    if way.side == "resident":
        if actor.kind is not ActorKind.RESIDENT or getattr(item, "resident_id", None) not in actor.resident_ids:
            raise NotFound()
        return
    if way.permission:
        actor.check(way.permission)
    if not actor.reaches(item.sides().get(way.side)):
        raise NotPermitted(permission=way.permission)


def _moved_on(item: WorkItem, verb: str) -> str:
    state = item.machine.state(item.state)
    english = (get_language() or "").startswith("en")
    label = state.en if english else state.zh
    last = Step.objects.filter(machine=item.machine.name, item_id=item.pk).order_by("-at", "-id").first()
    name = _("系统") if last and last.actor_name == SYSTEM_NAME else last.actor_name if last else ""
    who = f"{last.organization_name} {name}".strip() if last else ""
    if last and who:
        way = item.machine.transition(last.verb, last.from_state)
        act = last.verb if way is None else way.en if english else way.zh
        return _("%(who)s 已先行处理（%(act)s），现在的状态是“%(state)s”，本次操作没有执行。") % {
            "who": who,
            "act": act,
            "state": label,
        }
    return _("现在的状态是“%(state)s”，不能执行这项操作。") % {"state": label}


@dataclass(frozen=True, slots=True)
class _Traces:
    """The calls that leave the traces of an act; the first writes the resources where there are any."""

    shown: bool
    calls: list[Call]


def _traces(
    item: WorkItem,
    way: Transition,
    *,
    source: str,
    actor: Actor,
    reason: str,
    details: Mapping[str, Any] | None,
    now: datetime,
    due_at: datetime | None = None,
    also: Sequence[Published] = (),
) -> _Traces:
    resident_id = getattr(item, "resident_id", None)
    facts = {"verb": way.verb, "from": source, "to": way.target, **dict(details or {})}
    if reason:
        facts["reason"] = reason
    event = way.emits(
        subject=item.subject,
        subject_id=item.pk,
        resident_id=resident_id,
        organization_id=item.sides().get(way.side) or actor.organization_id,
        consortium_id=item.consortium_id,
        user_id=actor.user_id,
        at=now,
        details=facts,
    )
    shown = record.publishing([*resources_of(item), *also], resident_id=resident_id, actor=actor)
    calls = [
        *shown,
        _step(item, way, source=source, actor=actor, reason=reason, now=now),
        events.publishing(event),
        audit.recording(
            action=f"{item.machine.name}.{way.verb}",
            actor=actor,
            subject=item.subject,
            resident_id=resident_id,
            details=facts,
        ),
        *_tasks(item, way, item.machine.state(way.target), source=source, actor=actor, now=now, due_at=due_at),
    ]
    return _Traces(bool(shown), calls)


def _leave(traces: _Traces, *, along: Sequence[Call] = (), update: tuple[str, list[Any]] | None = None) -> None:
    answers = run([*traces.calls, *along], with_update=update)
    if traces.shown:
        record.written(answers[0])


def _step(item: WorkItem, way: Transition, *, source: str, actor: Actor, reason: str, now: datetime) -> Call:
    step = {
        "machine": item.machine.name,
        "item_id": item.pk,
        "item_key": item.key,
        "resident_id": getattr(item, "resident_id", None),
        "verb": way.verb,
        "from_state": source,
        "to_state": way.target,
        "at": now,
        "user_id": actor.user_id,
        "actor_name": actor.display_name[:80],
        "organization_id": actor.organization_id,
        "organization_name": actor.organization_name[:120],
        "reason": reason[:400],
        "parties": item.parties(),
    }
    return Call("workflow_note", (as_json(step),))


def _tasks(
    item: WorkItem, way: Transition, state: State, *, source: str, actor: Actor, now: datetime, due_at: datetime | None
) -> list[Call]:
    machine = item.machine.name
    calls = (
        [worklist.closing(machine=machine, item_id=item.pk, outcome=way.verb, actor=actor, now=now)] if source else []
    )
    organization_id = item.sides().get(state.owner) if state.owner is not None else None
    if organization_id is None:
        return calls
    task = worklist.NewTask(
        kind=f"{machine}.{state.code}",
        item_id=item.pk,
        item_key=item.key,
        episode=item.episode,
        organization_id=organization_id,
        consortium_id=item.consortium_id,
        resident_id=getattr(item, "resident_id", None),
        permission=state.permission,
        urgency=item.urgency(),
        assignee_id=item.doer(),
        clock=state.clock,
        due_at=due_at,
    )
    return [*calls, worklist.opening(task, now=now)]
