"""One referral as its page shows it: steps, history, buttons with their dialogs; and the lines of lists."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _

from doorstep.care.referrals import debt_queries, expecting, queries, states, texts
from doorstep.care.referrals.actions.details import place_kept
from doorstep.care.referrals.arrival import usual_arrival
from doorstep.care.referrals.destination import bound_for
from doorstep.care.referrals.dialog_forms import FORMS, PLAIN, dialog_form
from doorstep.care.referrals.models import FollowUp, Referral
from doorstep.care.referrals.packet_queries import Item
from doorstep.care.referrals.permissions import Permission
from doorstep.care.referrals.presenters import choices, homeward, questions
from doorstep.care.referrals.presenters.buttons import Button, with_open
from doorstep.care.referrals.presenters.clocks import clocks_of
from doorstep.care.referrals.presenters.course import appointment_of, came_back, event_of, steps_of
from doorstep.care.referrals.presenters.words import benefit_rows, criteria_rows, english
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.web.addressing import url
from doorstep.kernel.workflow import queries as workflow
from doorstep.kernel.workflow.machine import Transition
from doorstep.people.residents.chart.details import opened
from doorstep.people.residents.models import Resident
from doorstep.people.residents.permissions import Permission as Residents

TONES = {
    "offered": "warn", "on_the_way": "info", "outside": "warn", "advised": "ok", "outside_closed": "ok", "elsewhere": "neutral",
    "submitted_green": "critical", "submitted": "warn", "returned": "warn", "not_arrived": "warn", "accepted": "info",
    "arrived": "info", "in_treatment": "info", "admitted": "info", "discharged": "warn", "handed_back": "warn",
    "expected_back": "info", "received_back": "info", "closed": "ok", "declined": "neutral", "withdrawn": "neutral", "died": "neutral",
    "planned": "neutral", "due": "warn", "missed": "critical", "done": "ok", "escalated": "warn", "cancelled": "neutral",
}  # fmt: skip
# Verbs whose button leads to a page of its own.
PAGES = {"admit": "referrals:admit", "discharge": "referrals:discharge", "submit": "referrals:edit"}
# How a signature that was drawn on the page begins; anything else is not shown.
_PNG = "data:image/png;base64,"
# Verbs that are seldom needed stand in a menu behind the others.
_RARE = frozenset({"record_death", "go_elsewhere", "undo_check_in", "withdraw"})
# Whoever asks where a patient is who did not come has the answers at hand.
_ASKED_FOR = frozenset({("not_arrived", "go_elsewhere"), ("not_arrived", "withdraw")})


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
    refused: str = ""
    questions: list[Any] = field(default_factory=list)
    may_ask: bool = False
    # Where this actor registers the death of a patient who died before the other side has anything to say of it.
    death: str = ""
    debt: Any = None
    may_collect: bool = False
    may_waive: bool = False
    sees_debts: bool = False
    proposal: Any = None
    again: bool = False
    may_open: bool = False
    frequencies: dict[str, str] = field(default_factory=lambda: texts.FREQUENCIES)
    signature: str = ""
    came_back: tuple[str, str] | None = None
    appointment: str = ""
    bound_for: str = ""
    pregnancy: str = ""
    goes_to: str = ""
    expected_home: tuple[str, str] | None = None


def label(thing: Referral | FollowUp) -> str:
    """The state in the reader's language."""
    state = thing.machine.state(thing.state)
    return state.en if english() else state.zh


def lines_of(referrals: Iterable[Referral], *, chosen: Any = None) -> list[Line]:
    """The lines of a list with their clocks."""
    rows = list(referrals)
    clocks = clocks_of(rows)
    return [_line(row, clocks.get(row.pk, (None, None)), chosen) for row in rows]


def _death_page(referral: Referral, actor: Actor, buttons: Iterable[Button]) -> str:
    """Where the sender registers a death while the referral is the other side's; "" where the case's own button does it."""
    if referral.state in states.ENDED or any(one.verb == "record_death" for one in buttons):
        return ""
    mine = actor.reaches(referral.source_id) and actor.may(Residents.DEATH_RECORD)
    return url("residents:death", referral.resident_key) if mine else ""


@dataclass(frozen=True, slots=True)
class Refusal:
    """An act that was refused: its dialog opens again with what was typed, or its sentence stands on top."""

    verb: str
    sentence: str
    data: Any = None
    fields: dict[str, object] = field(default_factory=dict)


def thing_of(referral: Referral, *, actor: Actor, line: Line | None = None, refusal: Refusal | None = None) -> Thing:
    """The right-hand side of a page of work; its clock is that of its line in the list."""
    steps = workflow.history(referral, actor=actor)
    plan = getattr(referral, "plan", None) if referral.discharged_at else None
    follow_ups = queries.follow_ups_of(referral=referral) if referral.received_back_at else []
    buttons = _buttons(referral, actor, refusal)
    return Thing(
        referral=referral,
        state=label(referral),
        tone=TONES.get(referral.state, "neutral"),
        gender=_(str(Resident.Gender(referral.patient_gender).label)),
        due_at=line.due_at if line else None,
        warn_at=line.warn_at if line else None,
        buttons=with_open(buttons, queries.still_open(follow_ups)),
        refused=refusal.sentence if refusal else "",
        steps=steps_of(referral),
        events=[event_of(referral, step) for step in reversed(steps)],
        plan=plan,
        follow_ups=follow_up_rows(follow_ups),
        sees_record=sees_record(referral, actor=actor),
        token=queries.qr_token(referral=referral) if referral.accepted_at else "",
        benefits=benefit_rows(referral.benefits),
        criteria=criteria_rows(referral.criteria),
        questions=questions.lines_of(referral),
        may_ask=questions.may_ask(referral, actor),
        death=_death_page(referral, actor, buttons),
        debt=debt_queries.debt_of(referral_id=referral.pk)
        if referral.discharged_at and actor.reaches(referral.target_id)
        else None,
        may_collect=actor.may(Permission.REFERRAL_TREAT),
        may_waive=actor.may(Permission.DEBT_WAIVE),
        sees_debts=actor.may(Permission.DEBT_VIEW),
        came_back=came_back(referral, steps),
        appointment=appointment_of(referral),
        bound_for=bound_for(referral),
        pregnancy=expecting.words_of(referral),
        goes_to=homeward.aim_text(referral.goes_to),
        expected_home=homeward.expected_text(referral),
        signature=referral.consent_signature if referral.consent_signature.startswith(_PNG) else "",
        may_open=not referral.whole_record
        and referral.state not in (*states.ENDED, "draft", "outside")
        and actor.may(Permission.REFERRAL_SUBMIT)
        and actor.reaches(referral.source_id),
        again=referral.state in states.MAY_BE_ASKED_AGAIN
        and actor.may(Permission.REFERRAL_SUBMIT)
        and actor.reaches(referral.source_id),
    )


def sees_record(referral: Referral, *, actor: Actor) -> bool:
    """Whether this referral lets the actor open the whole record now."""
    open_to = queries.reads_whole(referral, actor=actor)
    return bool(actor.record_reach) and referral.state not in states.ENDED and open_to


def packet_items(items: Iterable[Item]) -> list[dict[str, Any]]:
    """The entries that travel, each opened as in the record."""
    return [{"item": one, "opened": opened(one.entry, results=one.results, unit=one.unit)} for one in items]


def _line(row: Referral, clock: tuple[Any, Any], chosen: Any) -> Line:
    kind = _(str(Referral.Kind(row.kind).label))
    if row.green_center and row.kind == Referral.Kind.GREEN:
        # Of an emergency the centre says more than the impression, which may be an old problem of the list.
        kind = f"{kind} · {_(str(Referral.GreenCenter(row.green_center).label))}"
    place = f"{row.source.name} → {place_of(row)}"
    return Line(
        href=url("referrals:detail", row.key),
        title=f"{row.patient_name}　{label(row)}",
        detail=f"{kind} · {row.discharge_diagnosis or row.impression or '—'}",
        meta=place,
        tone={"critical": "critical", "warn": "warn"}.get(TONES.get(row.state, ""), "neutral"),
        due_at=clock[0],
        warn_at=clock[1],
        active=chosen is not None and row.pk == chosen.pk,
        state=row.state,
    )


def _buttons(referral: Referral, actor: Actor, refusal: Refusal | None) -> list[Button]:
    found = []
    for way in workflow.allowed(referral, actor=actor):
        if way.verb not in PAGES and way.verb not in FORMS and way.verb not in PLAIN:
            continue
        page = url(PAGES[way.verb], referral.key) if way.verb in PAGES else ""
        dialog = way.verb in FORMS and way.verb != "accept" and homeward.asks(referral, way.verb)
        mine = refusal if refusal and refusal.verb == way.verb else None
        found.append(
            Button(
                verb=way.verb,
                text=homeward.button_text(referral, way.verb) or _text(way),
                kind="first" if way.verb == _next_of(referral) else way.style,
                page=page,
                dialog=dialog,
                rare=way.verb in _RARE and (referral.state, way.verb) not in _ASKED_FOR,
                form=_dialog(referral, way.verb, mine) if dialog and (mine or way.verb not in _CHOICES) else None,
                open=mine is not None and dialog,
                slots=choices.slots_of(referral, actor=actor) if mine and way.verb in _WITH_SLOTS else (),
            )
        )
        if way.verb == "accept":
            found.append(_accept_place(referral, actor, refusal))
    if referral.state == "draft" and referral.direction == "down" and actor.may(Permission.REFERRAL_TREAT):
        page = url("referrals:discharge", referral.key)
        found = [
            Button("send_down", _("填写出院小结并下转"), "primary", page, False),
            *(one for one in found if one.verb != "submit"),
        ]
    order = {"first": -1, "primary": 0, "secondary": 1, "danger": 2}
    found.sort(key=lambda one: (one.rare, order.get(one.kind, 1)))
    # One primary button: the next act; what else could be next stands beside it.
    return [
        replace(one, kind="primary" if one.kind == "first" else "secondary")
        if one.kind == "first" or (number and one.kind == "primary")
        else one
        for number, one in enumerate(found)
    ]


def _next_of(referral: Referral) -> str:
    """The act that comes first, where the table's own order does not fit this patient; "" where it does.

    Whoever waits for a bed is offered one (the green channel is accepted first, the bed follows); a patient of a clinic is seen and goes home.
    """
    if referral.kind == Referral.Kind.GREEN:
        return ""
    if referral.state == "submitted":
        return "offer" if referral.bed_requested and referral.bed_key is None else ""
    clinic = not referral.bed_requested and referral.aim != Referral.Aim.BED
    return {"arrived": "treat", "in_treatment": "discharge"}.get(referral.state, "") if clinic else ""


def _accept_place(referral: Referral, actor: Actor, refusal: Refusal | None) -> Button:
    """Accepting with a place of the own clinics; the first act where a patient for a clinic comes without one."""
    mine = refusal if refusal and refusal.verb == "accept_place" else None
    clinic = referral.aim in (Referral.Aim.DEPARTMENT, Referral.Aim.EXPERT) and not referral.bed_requested
    first = clinic and referral.kind != Referral.Kind.GREEN and place_kept(referral) is None
    return Button(
        verb="accept_place",
        text=verb_label("accept_place"),
        kind="first" if first else "secondary",
        page="",
        dialog=True,
        form=_dialog(referral, "accept_place", mine) if mine else None,
        open=mine is not None,
        slots=choices.slots_of(referral, actor=actor) if mine else (),
    )


# Which choices a verb's dialog needs.
_CHOICES: dict[str, tuple[str, ...]] = {
    "redirect": ("department", "target"),
    "accept_place": (),
    "offer": ("bed",),
    "agree_day": (),
    "agree_day_there": (),
    "hand_back": ("receiver",),
    "receive_back": ("bed",),
    "arrive_back": ("bed",),
}


# An act of a dialog that goes the way of another verb.
_GOES = {"accept_place": "accept"}
_WITH_SLOTS = frozenset({"accept_place", "offer", "agree_day", "agree_day_there"})


def opens_dialog(referral: Referral, verb: str) -> bool:
    """Whether a verb asks something of this case; the others are carried out by their button alone."""
    return verb in FORMS and homeward.asks(referral, verb)


def dialog_of(referral: Referral, verb: str, *, actor: Actor) -> Button | None:
    """The dialog of one verb with everything that one may choose from; None when this actor may not go this way now."""
    goes = _GOES.get(verb, verb)
    way = next((one for one in workflow.allowed(referral, actor=actor) if one.verb == goes and verb in _CHOICES), None)
    if way is None:
        return None
    slots = choices.slots_of(referral, actor=actor) if verb in _WITH_SLOTS else ()
    text = verb_label(verb) if verb in _GOES else homeward.button_text(referral, verb) or _text(way)
    form = _dialog(referral, verb, None)
    return Button(verb=verb, text=text, kind=way.style, page="", dialog=True, form=form, slots=slots)


def _dialog(referral: Referral, verb: str, refusal: Refusal | None) -> forms.Form:
    now = timezone.now()
    expected = homeward.expected_of(referral, verb, now=now) or referral.expected_at or usual_arrival(referral, now=now)
    initial: dict[str, Any] = {"expected_at": timezone.localtime(expected)}
    if verb == "hand_back":
        initial |= homeward.initial_of(referral)
    sources: dict[str, Any] = {
        "department": choices.departments_of,
        "target": lambda one: [row for row in choices.targets_for(one) if row[0] != one.target_id],
        "bed": choices.beds_of,
        "receiver": lambda one: homeward.receivers(
            one, aim=str((refusal.data if refusal else initial).get("aim") or "")
        ),
    }
    rows = {name: sources[name](referral) for name in _CHOICES.get(verb, ())}
    initial |= homeward.first_bed(referral, verb, rows)
    made = dialog_form(verb, refusal.data if refusal else None, choices=rows, initial=initial)
    homeward.fit_dialog(made, referral, verb)
    if verb == "offer" and referral.bed_requested:
        # Who waits for a bed is not looked for a clinic's place first.
        made.order_fields(["bed", "expected_at", "text", "slot"])
    if refusal is not None:
        made.is_valid()
        for name, sentence in refusal.fields.items():
            if name not in made.errors:
                made.add_error(name if name in made.fields else None, str(sentence))
        if not made.errors:
            made.add_error(None, refusal.sentence)
    return made


def place_of(row: Referral) -> str:
    """Where the patient goes: the unit, the place outside the network, or home."""
    if row.direction == Referral.Direction.DOWN:
        return row.receiver.name if row.receiver else "—"
    return row.target.name if row.target else row.outside_name or "—"


def _text(way: Transition) -> str:
    if way.verb == "submit":
        return _("填写并提交")
    return way.en if english() else way.zh


def last_reason(referral: Referral, *, actor: Actor) -> str:
    """What the target asked for when it returned the referral."""
    steps = [one for one in workflow.history(referral, actor=actor) if one.verb == "return"]
    return steps[-1].reason if steps else ""


def gender_of(referral: Referral) -> str:
    """The patient's gender as people say it."""
    return _(str(Resident.Gender(referral.patient_gender).label))


def verb_label(verb: str) -> str:
    """What a verb is called."""
    if verb == "accept_place":
        return _("选号并受理")
    way = next(one for one in states.REFERRAL.transitions if one.verb == verb)
    return way.en if english() else way.zh


def follow_up_rows(rows: list[FollowUp]) -> list[dict[str, Any]]:
    """The lines of follow-ups; `open` ones are still to be done."""
    still = {row.pk for row in queries.still_open(rows)}
    return [
        {"row": row, "state": label(row), "tone": TONES.get(row.state, "neutral"), "open": row.pk in still}
        for row in rows
    ]
