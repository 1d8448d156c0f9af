"""The referral office's pages, and the acts that need no page of their own."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from doorstep.care.referrals import actions, presenters, queries
from doorstep.care.referrals.permissions import Permission
from doorstep.care.referrals.views.frame import actor_of, work
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.web.pages import redirect
from doorstep.kernel.workflow.once import once


@require_GET
def queue(request: HttpRequest) -> HttpResponse:
    """What waits for the office: green first, then by the time it has waited."""
    actor = actor_of(request)
    actor.check(Permission.REFERRAL_ACCEPT)
    return work(
        request, title=_("转诊中心"), rows=queries.list_incoming(actor=actor), address=reverse("referrals:office")
    )


@require_POST
@once
def check_in(request: HttpRequest) -> HttpResponse:
    """Check in whoever shows a QR code or an id card: 18 characters are a number, anything longer a code."""
    actor = actor_of(request)
    actor.check(Permission.REFERRAL_ACCEPT)
    text = request.POST.get("code", "").strip()
    if len(text) == 18:
        referral = actions.check_in_by_number(number=text, actor=actor)
    else:
        referral = actions.check_in_by_code(token=text, actor=actor)
    messages.success(request, _("%(name)s 已报到。") % {"name": referral.patient_name})
    return redirect(request, reverse("referrals:detail", args=[referral.key]))


@require_POST
@once
def act(request: HttpRequest, key: UUID, verb: str) -> HttpResponse:
    """Carry out one verb of the table with what its dialog asked for."""
    if verb not in _ACTS:
        raise Http404
    actor = actor_of(request)
    referral = queries.get(key=key, actor=actor)
    _ACTS[verb](referral, actor, request.POST)
    messages.success(request, _("已完成：%(verb)s") % {"verb": presenters.verb_label(verb)})
    return redirect(request, reverse("referrals:detail", args=[key]))


def _number(data: Any, name: str) -> int | None:
    value = data.get(name, "")
    return int(value) if value.isdigit() else None


def _accept(referral: Any, actor: Actor, data: Any) -> None:
    actions.accept(referral=referral, actor=actor, instructions=data.get("instructions", ""))


def _return(referral: Any, actor: Actor, data: Any) -> None:
    actions.return_for_information(referral=referral, reason=data.get("reason", ""), actor=actor)


def _decline(referral: Any, actor: Actor, data: Any) -> None:
    actions.decline(
        referral=referral,
        code=data.get("code", ""),
        reason=data.get("reason", ""),
        alternative=data.get("alternative", ""),
        actor=actor,
    )


def _redirect(referral: Any, actor: Actor, data: Any) -> None:
    actions.redirect(
        referral=referral,
        reason=data.get("reason", ""),
        actor=actor,
        department_id=_number(data, "department"),
        target_id=_number(data, "target"),
    )


def _withdraw(referral: Any, actor: Actor, data: Any) -> None:
    actions.withdraw(referral=referral, reason=data.get("reason", ""), actor=actor)


def _record_death(referral: Any, actor: Actor, data: Any) -> None:
    actions.record_death(referral=referral, reason=data.get("reason", ""), actor=actor)


def _check_in(referral: Any, actor: Actor, data: Any) -> None:
    actions.check_in(referral=referral, method="national-id", actor=actor)


def _treat(referral: Any, actor: Actor, data: Any) -> None:
    actions.treat(referral=referral, actor=actor)


def _hand_back(referral: Any, actor: Actor, data: Any) -> None:
    receiver = _number(data, "receiver") or presenters.receiver_for(referral)
    actions.hand_back(referral=referral, actor=actor, receiver_id=receiver or 0)


def _receive_back(referral: Any, actor: Actor, data: Any) -> None:
    actions.receive_back(referral=referral, actor=actor, unit_id=_number(data, "unit"))


def _decline_back(referral: Any, actor: Actor, data: Any) -> None:
    actions.decline_back(referral=referral, reason=data.get("reason", ""), actor=actor)


def _close(referral: Any, actor: Actor, data: Any) -> None:
    actions.close(referral=referral, actor=actor, outcome=data.get("outcome", ""))


_ACTS: dict[str, Callable[[Any, Actor, Any], None]] = {
    "accept": _accept,
    "return": _return,
    "decline": _decline,
    "redirect": _redirect,
    "withdraw": _withdraw,
    "record_death": _record_death,
    "check_in": _check_in,
    "treat": _treat,
    "hand_back": _hand_back,
    "receive_back": _receive_back,
    "decline_back": _decline_back,
    "close": _close,
}
