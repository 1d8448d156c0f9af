"""The referral office's pages, and the acts that need no page of their own."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django import forms
from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from doorstep.care.referrals import actions, list_queries, queries
from doorstep.care.referrals.dialog_forms import FORMS, PLAIN
from doorstep.care.referrals.down_aims import CLINIC
from doorstep.care.referrals.permissions import Permission
from doorstep.care.referrals.presenters import choices, lists
from doorstep.care.referrals.presenters import coming as coming_presenters
from doorstep.care.referrals.presenters import thing as presenters
from doorstep.care.referrals.views.frame import actor_of, work
from doorstep.coordination.beds.permissions import Permission as Beds
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.access.refusals import Refused
from doorstep.kernel.audit import actions as audit
from doorstep.kernel.web.navigation import belong_to
from doorstep.kernel.web.pages import redirect, render, render_part
from doorstep.kernel.workflow import actions as workflow
from doorstep.kernel.workflow.once import once


@require_GET
def queue(request: HttpRequest) -> HttpResponse:
    """What waits for the office: green first, then by the time it has waited."""
    actor = actor_of(request)
    actor.check(Permission.REFERRAL_ACCEPT)
    page = list_queries.list_incoming(actor=actor, after=request.GET.get("after", ""))
    on_the_way = list_queries.count_on_the_way(actor=actor)
    return work(request, title=_("转诊受理"), page=page, address=reverse("referrals:office"), on_the_way=on_the_way)


@require_GET
def coming(request: HttpRequest) -> HttpResponse:
    """Who is on the way to the actor's units, the soonest first: who, why, when, how, and what is known before."""
    actor = actor_of(request)
    actor.check(Permission.ARRIVAL_VIEW)
    audit.record(action="referral.coming", actor=actor, subject="coming")
    belong_to(request, reverse("referrals:office"))
    after = request.GET.get("after", "")
    page = list_queries.list_coming(actor=actor, after=after)
    # How many there are is counted only where one page does not hold them.
    whole = not after and not page.next
    count = str(len(page.rows)) if whole else list_queries.count_on_the_way(actor=actor)
    context = {
        "lines": coming_presenters.lines_of(page.rows),
        "count": count,
        "next": f"?{urlencode({'after': page.next})}" if page.next else "",
        "paged": bool(after),
        # The duty doctor makes ready; who comes is registered at the desk.
        "may_check_in": actor.may(Permission.REFERRAL_ACCEPT),
        "sees_beds": actor.may(Beds.BED_VIEW),
    }
    return render(request, "referrals/coming.html", context)


@require_POST
@once
def check_in(request: HttpRequest) -> HttpResponse:
    """Check in whoever shows a QR code or an id card: 18 characters are a number, anything longer a code."""
    actor = actor_of(request)
    actor.check(Permission.REFERRAL_ACCEPT)
    text = request.POST.get("code", "").strip()
    try:
        with transaction.atomic():
            if (back := queries.coming_home(token=text, actor=actor)) is not None:
                return redirect(request, reverse("referrals:detail", args=[back.key]))
            if len(text) == 18:
                referral = actions.check_in_by_number(number=text, actor=actor)
            else:
                referral = actions.check_in_by_code(token=text, actor=actor)
    except Refused as refused:
        if refused.status not in (404, 409, 422):
            raise
        page, address = list_queries.list_incoming(actor=actor), reverse("referrals:office")
        cure = str(refused.fields.get("code", ""))
        code = (text[:200], " ".join(filter(None, (str(refused.message), cure))))
        return work(request, title=_("转诊受理"), page=page, address=address, refused_code=code, status=422)
    messages.success(request, _("%(name)s 已报到。") % {"name": referral.patient_name})
    return redirect(request, reverse("referrals:detail", args=[referral.key]))


@require_GET
def dialog(request: HttpRequest, key: UUID, verb: str) -> HttpResponse:
    """The dialog of a verb that lets choose a bed, a department or a unit: fetched when it is opened; a sentence when it is too late."""
    actor = actor_of(request)
    actor.check(Permission.REFERRAL_VIEW)
    referral = queries.get(key=key, actor=actor)
    button = presenters.dialog_of(referral, verb, actor=actor)
    late = "" if button else workflow.told_who_was_first(referral)
    return render_part(request, "referrals/_dialog.html", "dialog", {"button": button, "one": referral, "late": late})


@require_POST
@once
def act(request: HttpRequest, key: UUID, verb: str) -> HttpResponse:
    """Carry out one verb of the table with what its dialog asked for, on the case as its page showed it (`seen`).

    A refusal comes back on the page of the referral: in its dialog (422), or, when somebody else was first, on top (409).
    """
    if verb not in _ACTS:
        raise Http404
    actor = actor_of(request)
    referral = queries.get_for_act(key=key, actor=actor)
    try:
        with transaction.atomic():
            workflow.check_seen(referral, seen=request.POST.get("seen", ""))
            _ACTS[verb](referral, actor, _data(referral, verb, request.POST))
    except Refused as refused:
        if refused.status not in (409, 422):
            raise
        return _refused(request, key, verb, refused)
    if request.POST.get("back") == "coming":
        messages.success(request, _("%(name)s 已报到。") % {"name": referral.patient_name})
        return redirect(request, reverse("referrals:coming"))
    messages.success(request, _("已完成：%(verb)s") % {"verb": presenters.verb_label(verb)})
    return redirect(request, reverse("referrals:detail", args=[key]))


def _refused(request: HttpRequest, key: UUID, verb: str, refused: Refused) -> HttpResponse:
    actor = actor_of(request)
    actor.check(Permission.REFERRAL_VIEW)
    found = queries.get(key=key, actor=actor)
    place = lists.list_of(found, actor=actor)
    shown = presenters.Refusal(verb=verb, sentence=str(refused.message), data=request.POST, fields=dict(refused.fields))
    page = place.read(actor=actor)
    return work(
        request,
        title=place.title,
        page=page,
        address=place.address,
        chosen=found,
        refusal=shown,
        status=refused.status,
    )


def _data(referral: Any, verb: str, posted: Any) -> dict[str, Any]:
    """What the dialog says, shaped; raises Refused with the fields that are wrong. Choices are checked by the acts themselves."""
    if verb in PLAIN or not presenters.opens_dialog(referral, verb):
        return {name: posted.get(name, "") for name in ("unit",)}
    form = FORMS[verb](posted)
    loose = {"department", "target", "receiver", "bed"}
    for name in loose & form.fields.keys():
        form.fields[name] = forms.CharField(required=False)
    if not form.is_valid():
        fields = {name: " ".join(str(one) for one in found) for name, found in form.errors.items()}
        raise Refused(_("有 %(count)s 处需要更正，内容尚未保存。") % {"count": len(fields)}, fields=fields)
    return form.cleaned_data


def _number(data: Any, name: str) -> int | None:
    value = str(data.get(name) or "")
    return int(value) if value.isdecimal() else None


def _accept(referral: Any, actor: Actor, data: Any) -> None:
    actions.accept(referral=referral, actor=actor, instructions=data["instructions"])


def _accept_place(referral: Any, actor: Actor, data: Any) -> None:
    actions.accept_with_place(referral=referral, slot_key=data["slot"], actor=actor, instructions=data["instructions"])


def _return(referral: Any, actor: Actor, data: Any) -> None:
    actions.return_for_information(referral=referral, code=data["code"], reason=data["reason"], actor=actor)


def _decline(referral: Any, actor: Actor, data: Any) -> None:
    actions.decline(
        referral=referral, code=data["code"], reason=data["reason"], alternative=data["alternative"], actor=actor
    )


def _redirect(referral: Any, actor: Actor, data: Any) -> None:
    actions.redirect(
        referral=referral,
        reason=data["reason"],
        actor=actor,
        department_id=_number(data, "department"),
        target_id=_number(data, "target"),
    )


def _offer(referral: Any, actor: Actor, data: Any) -> None:
    actions.offer_place(
        referral=referral,
        text=data["text"],
        bed_key=data["bed"] or None,
        slot_key=data["slot"] or None,
        expected_at=data["expected_at"],
        actor=actor,
    )


def _hand_back(referral: Any, actor: Actor, data: Any) -> None:
    receiver = _number(data, "receiver") or choices.receiver_for(referral)
    actions.hand_back(referral=referral, actor=actor, receiver_id=receiver or 0, aim=data["aim"] or CLINIC)


def _receive_back(referral: Any, actor: Actor, data: Any) -> None:
    actions.receive_back(
        referral=referral,
        actor=actor,
        unit_id=_number(data, "unit"),
        expected_at=data.get("expected_at"),
        bed_key=data.get("bed") or None,
    )


def _arrive_back(referral: Any, actor: Actor, data: Any) -> None:
    actions.arrive_back(referral=referral, actor=actor, unit_id=_number(data, "unit"), bed_key=data.get("bed") or None)


def _decline_back(referral: Any, actor: Actor, data: Any) -> None:
    actions.decline_back(referral=referral, code=data["code"], reason=data["reason"], actor=actor)


def _elsewhere(referral: Any, actor: Actor, data: Any) -> None:
    actions.go_elsewhere(referral=referral, place=data["place"], reason=data["reason"], actor=actor)


def _refuse_offer(referral: Any, actor: Actor, data: Any) -> None:
    actions.refuse_offer(referral=referral, code=data["code"], reason=data["reason"], actor=actor)


def _agree_day(referral: Any, actor: Actor, data: Any) -> None:
    actions.agree_day(
        referral=referral,
        actor=actor,
        reason=data["reason"],
        expected_at=data["expected_at"],
        slot_key=data["slot"] or None,
    )


_ACTS: dict[str, Callable[[Any, Actor, Any], object]] = {
    "accept": _accept,
    "accept_place": _accept_place,
    "return": _return,
    "decline": _decline,
    "redirect": _redirect,
    "offer": _offer,
    "confirm": lambda one, actor, _data: actions.confirm(referral=one, actor=actor),
    "confirm_there": lambda one, actor, _data: actions.confirm(referral=one, actor=actor),
    "refuse_offer": _refuse_offer,
    "refuse_there": _refuse_offer,
    "advise": lambda one, actor, data: actions.advise(referral=one, advice=data["advice"], actor=actor),
    "depart": lambda one, actor, data: actions.depart(referral=one, actor=actor, **data),
    "withdraw": lambda one, actor, data: actions.withdraw(referral=one, reason=data["reason"], actor=actor),
    "record_death": lambda one, actor, data: actions.record_death(referral=one, actor=actor, **data),
    "go_elsewhere": _elsewhere,
    "report_outside": lambda one, actor, data: actions.report_outside(referral=one, result=data["result"], actor=actor),
    "check_in": lambda one, actor, _data: actions.check_in(referral=one, method="national-id", actor=actor),
    "undo_check_in": lambda one, actor, data: actions.undo_check_in(referral=one, reason=data["reason"], actor=actor),
    "agree_day": _agree_day,
    "agree_day_there": _agree_day,
    "treat": lambda one, actor, _data: actions.treat(referral=one, actor=actor),
    "hand_back": _hand_back,
    "receive_back": _receive_back,
    "arrive_back": _arrive_back,
    "postpone_back": lambda one, actor, data: actions.postpone_back(referral=one, actor=actor, **data),
    "decline_back": _decline_back,
    "close": lambda one, actor, data: actions.close(referral=one, actor=actor, outcome=data["outcome"]),
}
