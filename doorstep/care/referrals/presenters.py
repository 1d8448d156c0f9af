"""What the pages of referrals show: lines of a list, steps, history, buttons, criteria."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from doorstep.care.referrals import benefits, queries, rules, states
from doorstep.care.referrals.actions.treating import default_receiver
from doorstep.care.referrals.models import FollowUp, Referral
from doorstep.care.referrals.permissions import Permission
from doorstep.care.referrals.record_facts import known_of
from doorstep.coordination.scheduling import queries as scheduling
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.workflow import queries as workflow
from doorstep.kernel.workflow.machine import Transition
from doorstep.kernel.worklist import queries as worklist
from doorstep.people.organizations import queries as organizations
from doorstep.people.residents.models import Resident

TONES = {
    "submitted_green": "critical", "submitted": "warn", "returned": "warn", "not_arrived": "warn", "accepted": "info",
    "arrived": "info", "in_treatment": "info", "admitted": "info", "discharged": "warn", "handed_back": "warn",
    "received_back": "info", "closed": "ok", "declined": "neutral", "withdrawn": "neutral", "died": "neutral",
    "planned": "neutral", "due": "warn", "missed": "critical", "done": "ok", "escalated": "warn", "cancelled": "neutral",
}  # fmt: skip
_ROAD = (
    ("submitted", ("submitted", "submitted_green", "returned", "declined", "withdrawn"), "submitted_at"),
    ("accepted", ("accepted", "not_arrived"), "accepted_at"),
    ("arrived", ("arrived",), "arrived_at"),
    ("in_treatment", ("in_treatment", "admitted"), "treated_at"),
    ("discharged", ("discharged",), "discharged_at"),
    ("handed_back", ("handed_back",), "handed_back_at"),
    ("received_back", ("received_back",), "received_back_at"),
    ("closed", ("closed",), "closed_at"),
)
# Verbs whose button leads to a page of its own.
PAGES = {"admit": "referrals:admit", "discharge": "referrals:discharge", "submit": "referrals:edit"}
# Verbs with a dialog that asks for more than a confirmation.
DIALOGS = frozenset(
    {"return", "decline", "redirect", "withdraw", "record_death", "hand_back", "decline_back", "close", "accept"}
)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a list."""

    href: str
    title: str
    detail: str
    meta: str
    tone: str
    due_at: datetime | None
    warn_at: datetime | None
    active: bool
    state: str


@dataclass(frozen=True, slots=True)
class Button:
    """One act that this person may do now."""

    verb: str
    text: str
    kind: str
    page: str
    dialog: bool


@dataclass(frozen=True, slots=True)
class Thing:
    """Everything that the right-hand side shows of one referral."""

    referral: Referral
    state: str
    tone: str
    gender: str
    due_at: datetime | None
    warn_at: datetime | None
    buttons: list[Button]
    steps: list[dict[str, Any]]
    events: list[dict[str, Any]]
    plan: Any
    follow_ups: list[dict[str, Any]]
    sees_record: bool
    token: str
    benefits: list[dict[str, Any]] = field(default_factory=list)
    criteria: list[dict[str, Any]] = field(default_factory=list)


def label(thing: Referral | FollowUp) -> str:
    """The state in the reader's language."""
    state = thing.machine.state(thing.state)
    return state.en if _english() else state.zh


def lines_of(referrals: Iterable[Referral], *, chosen: Any = None) -> list[Line]:
    """The lines of a list with their clocks: one query for all tasks."""
    rows = list(referrals)
    tasks = worklist.tasks_of_items(machine="referral", item_ids=[row.pk for row in rows])
    return [_line(row, tasks.get(row.pk), chosen) for row in rows]


def thing_of(referral: Referral, *, actor: Actor) -> Thing:
    """The right-hand side of a page of work."""
    task = worklist.task_of(machine="referral", item_id=referral.pk)
    steps = workflow.history(referral, actor=actor)
    plan = queries.plan_of(referral=referral) if referral.discharged_at else None
    follow_ups = queries.follow_ups_of(referral=referral) if referral.received_back_at else []
    return Thing(
        referral=referral,
        state=label(referral),
        tone=TONES.get(referral.state, "neutral"),
        gender=str(Resident.Gender(referral.patient_gender).label),
        due_at=task.due_at if task else None,
        warn_at=task.warn_at if task else None,
        buttons=_buttons(referral, actor),
        steps=_steps(referral),
        events=[_event(referral, step) for step in reversed(steps)],
        plan=plan,
        follow_ups=[{"row": one, "state": label(one), "tone": TONES.get(one.state, "neutral")} for one in follow_ups],
        sees_record=bool(actor.record_reach) and referral.state not in ("declined", "withdrawn"),
        token=queries.qr_token(referral=referral) if referral.accepted_at else "",
        benefits=referral.benefits,
        criteria=referral.criteria,
    )


def home_list(actor: Actor, *, mine: bool = False) -> tuple[str, list[Referral], str]:
    """The list that belongs to a role: its title, its referrals and its address."""
    if actor.may(Permission.REFERRAL_ACCEPT):
        return _("转诊中心"), queries.list_incoming(actor=actor), reverse("referrals:office")
    if actor.may(Permission.REFERRAL_TREAT):
        return _("收治转诊患者"), queries.list_treating(actor=actor, mine=mine), reverse("referrals:treating")
    if actor.may(Permission.REFERRAL_RECEIVE_BACK):
        found = queries.list_returning(actor=actor)
        seen = {one.pk for one in found}
        found += [one for one in queries.list_sent(actor=actor) if one.pk not in seen]
        return _("下转承接与上转"), found, reverse("referrals:list")
    return _("我的转诊"), queries.list_sent(actor=actor), reverse("referrals:list")


def criteria_now(judgements: list[rules.Judgement]) -> list[dict[str, Any]]:
    """The criteria as the template draws them."""
    return rules.as_rows(judgements)


def _english() -> bool:
    return (get_language() or "").startswith("en")


def _line(row: Referral, task: Any, chosen: Any) -> Line:
    kind = str(Referral.Kind(row.kind).label)
    place = f"{row.source.name} → {row.target.name if row.target else '—'}"
    return Line(
        href=reverse("referrals:detail", args=[row.key]),
        title=f"{row.patient_name}　{label(row)}",
        detail=f"{kind} · {row.discharge_diagnosis or row.impression or '—'}",
        meta=place,
        tone={"critical": "critical", "warn": "warn"}.get(TONES.get(row.state, ""), "neutral"),
        due_at=task.due_at if task else None,
        warn_at=task.warn_at if task else None,
        active=chosen is not None and row.pk == chosen.pk,
        state=row.state,
    )


def _buttons(referral: Referral, actor: Actor) -> list[Button]:
    found = []
    for way in workflow.allowed(referral, actor=actor):
        if way.verb == "submit_green":
            continue
        page = reverse(PAGES[way.verb], args=[referral.key]) if way.verb in PAGES else ""
        found.append(
            Button(
                verb=way.verb,
                text=_text(way),
                kind=way.style,
                page=page,
                dialog=way.verb in DIALOGS and way.verb != "accept",
            )
        )
    order = {"primary": 0, "secondary": 1, "danger": 2}
    return sorted(found, key=lambda one: order.get(one.kind, 1))


def _text(way: Transition) -> str:
    if way.verb == "submit":
        return _("填写并提交")
    return way.en if _english() else way.zh


def _steps(referral: Referral) -> list[dict[str, Any]]:
    machine, english = referral.machine, _english()
    now = next((i for i, (_c, members, _f) in enumerate(_ROAD) if referral.state in members), -1)
    stopped = referral.state in ("declined", "withdrawn", "died")
    found = []
    for index, (code, _members, column) in enumerate(_ROAD):
        moment = getattr(referral, column)
        shown = referral.state if index == now else code
        state = machine.state(shown)
        if index == now:
            how = "stopped" if stopped else "done" if referral.state == "closed" else "now"
        else:
            how = "done" if moment and index < now else "next"
        found.append({"label": state.en if english else state.zh, "state": how, "at": moment})
    return found


def _event(referral: Referral, step: Any) -> dict[str, Any]:
    way = referral.machine.transition(step.verb, step.from_state)
    text = step.verb if way is None else way.en if _english() else way.zh
    tone = "ok" if step.to_state == "closed" else "warn" if step.reason else "info"
    return {
        "at": step.at or timezone.now(),
        "title": text,
        "who": f"{step.organization_name} {step.actor_name}".strip() or _("系统"),
        "detail": step.reason,
        "tone": tone,
    }


def choices_for(referral: Referral, *, actor: Actor) -> dict[str, Any]:
    """What the dialogs of this state let choose from; nothing is asked of the database when no dialog needs it."""
    found: dict[str, Any] = {"reasons": list(Referral.DeclineReason.choices)}
    side = actor.reaches(referral.target_id)
    if side and referral.state in ("submitted", "submitted_green"):
        departments = organizations.departments(organization_id=referral.target_id or 0)
        found["departments"] = [(one.id, one.name) for one in departments]
        found["targets"] = [one for one in targets_for(referral) if one[0] != referral.target_id]
    if side and referral.state == "discharged":
        found["receivers"] = receivers_for(referral)
    return found


def targets_for(referral: Referral) -> list[tuple[int, str]]:
    """The hospitals one may refer to, the resident's own first."""
    signed = benefits.signed_targets(resident_id=referral.resident_id, day=timezone.localdate())
    found = [(one.id, one.name) for one in organizations.search(text="", kinds=["hospital"], limit=60)]
    if referral.target is not None and referral.target_id not in {one[0] for one in found}:
        found.append((referral.target.id, referral.target.name))
    ranked = sorted(found, key=lambda one: (signed.index(one[0]) if one[0] in signed else len(signed), one[1]))
    return [(key, name + (_("（签约医院）") if key in signed else "")) for key, name in ranked]


def receivers_for(referral: Referral) -> list[tuple[int, str]]:
    """The centres that may take over, the one nearest to home first."""
    first = receiver_for(referral)
    kinds = ["township-center", "community-center"]
    found = [(one.id, one.name) for one in organizations.search(text="", kinds=kinds, limit=100)]
    return sorted(found, key=lambda one: (one[0] != first, one[1]))


def receiver_for(referral: Referral) -> int | None:
    """The unit to which the patient goes home."""
    return default_receiver(referral)


def reviewers_for(referral: Referral) -> list[tuple[int, str]]:
    """Who may review the referral."""
    units = [one for one in (referral.source_id, referral.source.parent_id) if one is not None]
    found = queries.reviewers(organization_ids=units, day=timezone.localdate())
    if referral.reviewer is not None and referral.reviewer_id not in {one[0] for one in found}:
        found.insert(0, (referral.reviewer.id, referral.reviewer.name))
    return found


def question_of(referral: Referral) -> benefits.Question:
    """The question of benefits as the form stands now."""
    return benefits.Question(
        resident_id=referral.resident_id,
        target_id=referral.target_id,
        kind=referral.kind,
        critical=referral.critical,
        day=timezone.localdate(),
    )


def slots_for(referral: Referral, *, actor: Actor) -> list[Any]:
    """Free places of the target for referrals, earliest first."""
    if referral.target_id is None:
        return []
    return scheduling.free_slots(organization_ids=[referral.target_id], origin="referral", limit=12, actor=actor)


def last_reason(referral: Referral, *, actor: Actor) -> str:
    """What the target asked for when it returned the referral."""
    steps = [one for one in workflow.history(referral, actor=actor) if one.verb == "return"]
    return steps[-1].reason if steps else ""


def gender_of(referral: Referral) -> str:
    """The patient's gender as people say it."""
    return str(Resident.Gender(referral.patient_gender).label)


def verb_label(verb: str) -> str:
    """What a verb is called."""
    way = next(one for one in states.REFERRAL.transitions if one.verb == verb)
    return way.en if _english() else way.zh


def follow_up_rows(rows: list[FollowUp]) -> list[dict[str, Any]]:
    """The lines of the list of follow-ups."""
    return [{"row": row, "state": label(row), "tone": TONES.get(row.state, "neutral")} for row in rows]


def down_criteria(referral: Referral, form: Any, rows: list[dict[str, str]], *, actor: Actor) -> list[dict[str, Any]]:
    """The criteria of going home on what the form and the record say."""
    known = known_of(resident_id=referral.resident_id, origin_reference="", actor=actor)
    facts = rules.DownFacts(
        diagnosis=str(form["diagnosis"].value() or ""),
        medicine_lines=len(rows),
        follow_ups=len(form["follow_up_days"].value() or []),
        systolic=known.systolic,
        diastolic=known.diastolic,
    )
    return rules.as_rows(rules.judge(rules.DOWN_CRITERIA, facts))
