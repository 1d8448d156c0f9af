"""Residents' own pages, phone first: find, book, change, cancel, wait for a place, number in the queue."""

from datetime import timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from doorstep.coordination.scheduling import (
    actions,
    booking_queries,
    own_queries,
    precedence,
    queries,
    rebooking_actions,
    standing,
    waiting_actions,
    waiting_queries,
)
from doorstep.coordination.scheduling.forms import WaitForm
from doorstep.coordination.scheduling.outcomes import AlreadyBooked
from doorstep.coordination.scheduling.views.asking import try_act
from doorstep.coordination.scheduling.waiting_actions import Want
from doorstep.kernel.access.actor import Actor, ActorKind
from doorstep.kernel.access.refusals import Conflict, NotFound, Refused
from doorstep.kernel.web.addressing import url_if_known
from doorstep.kernel.web.pages import page_or_part, redirect, render
from doorstep.kernel.workflow.once import once
from doorstep.people.residents import queries as residents

# The same choice of family member as on the residents' other pages.
_CHOSEN = "portal_resident"
DAYS = 28


@require_GET
def mine(request: HttpRequest) -> HttpResponse:
    """What is booked, offered and waited for; what a stopped clinic left to rebook."""
    actor, frame = _frame(request)
    person_id = frame["person"].pk
    coming = booking_queries.coming(resident_id=person_id)
    waits = booking_queries.waiting_of(resident_id=person_id)
    context = {
        **frame,
        "coming": [(one, own_queries.ahead(one, actor=actor)) for one in coming],
        "past": booking_queries.past(resident_id=person_id),
        "waits": [(one, waiting_queries.ahead_of(one, actor=actor)) for one in waits],
        "rebookings": booking_queries.open_rebookings(resident_ids=[person_id]),
        "missed": booking_queries.missed_count(resident_id=person_id),
        "limit": precedence.NO_SHOW_LIMIT,
        "now": timezone.now(),
        "today": timezone.localdate(),
        # The page renews itself while there is a number to be called, or an offer that ends.
        "changes_soon": any(timezone.localdate(one.slot.starts_at) == timezone.localdate() for one in coming)
        or any(one.state == "offered" for one in waits),
        "code_address": url_if_known("portal:code"),
    }
    return page_or_part(request, "scheduling/own/mine.html", "coming", context)


@require_GET
def find(request: HttpRequest) -> HttpResponse:
    """Departments with places to come, by hospital or by a word; those of a department by day."""
    _actor, frame = _frame(request)
    text = request.GET.get("q", "").strip()[:40]
    context = {**frame, "text": text, "most": own_queries.OFFERS_SHOWN}
    context["offers"] = own_queries.offers(person=frame["person"], text=text, days=DAYS)
    return render(request, "scheduling/own/find.html", context)


@require_GET
def times(request: HttpRequest, key: UUID) -> HttpResponse:
    """The times of a department that this person can have; `change` or `rebook` says which booking they replace."""
    actor, frame = _frame(request)
    department = own_queries.department(key=key)
    slots = own_queries.times(
        department=department, person=frame["person"], origin=frame["origin"], actor=actor, days=DAYS
    )
    context = {
        **frame,
        "department": department,
        "days": slots,
        "described": own_queries.described(slots),
        "releases": own_queries.releases(department=department),
        "change": request.GET.get("change", ""),
        "replaced": own_queries.to_change(key=request.GET.get("change", ""), person=frame["person"]),
        "rebook": request.GET.get("rebook", ""),
        "stopped": _stopped(request.GET.get("rebook", ""), frame["person"].pk),
        "span": DAYS,
    }
    return render(request, "scheduling/own/times.html", context)


@once
@require_http_methods(["GET", "POST"])
def book(request: HttpRequest, key: UUID) -> HttpResponse:
    """Confirm one time: the place is held and booked at once, or the next one is named."""
    actor, frame = _frame(request)
    slot = queries.slot_detail(slot_key=key, origin=frame["origin"], actor=actor)
    change, rebook = (request.POST or request.GET).get("change", ""), (request.POST or request.GET).get("rebook", "")
    error, following = "", None
    if request.method == "POST":
        try:
            # What is refused keeps no place: others may have it at once.
            with transaction.atomic():
                _take(key, change=change, rebook=rebook, frame=frame, actor=actor)
        except actions.NoPlaceLeft as refused:
            if isinstance(refused, AlreadyBooked) and not (change or rebook):
                # The back button or a second tab: what was wanted is there.
                messages.info(request, str(refused.message))
                return redirect(request, reverse("scheduling:mine"))
            error, following = str(refused.message), refused.next_slot
        except Refused as refused:
            if refused.status not in (409, 422):
                raise
            if not (change or rebook) and own_queries.is_expected(resident_id=frame["person"].pk, slot_key=key):
                # Pressed again while others can still book: what was wanted is there as well.
                messages.info(request, _("这个时间您已约上，不必重复预约。"))
                return redirect(request, reverse("scheduling:mine"))
            error = str(refused.message)
        else:
            messages.success(request, _("预约成功。"))
            return redirect(request, reverse("scheduling:mine"))
    replaced = urlencode({name: value for name, value in (("change", change), ("rebook", rebook)) if value})
    context = {
        **frame,
        "slot": slot,
        "described": own_queries.described([(timezone.localdate(slot.starts_at), [slot])]).get(slot.id, ""),
        "change": change,
        "rebook": rebook,
        "error": error,
        "following": following,
        "department_key": own_queries.department_key(department_id=slot.department_id) if error else None,
        "query": f"?{replaced}" if replaced else "",
    }
    return render(request, "scheduling/own/book.html", context, status=422 if error else 200)


@require_POST
@once
def cancel(request: HttpRequest, key: UUID) -> HttpResponse:
    """Give an own booking back."""
    actor = _frame(request)[0]
    try:
        with transaction.atomic():
            actions.cancel(booking_key=key, actor=actor, reason=_("居民本人取消"))
    except Refused as refused:
        if refused.status not in (409, 422):
            raise
        # From a page that was left open: the visit's time has come, or the booking is another by now, as the page then shows.
        messages.warning(request, str(refused.message))
    else:
        messages.success(request, _("已取消预约。"))
    return redirect(request, reverse("scheduling:mine"))


@once
@require_http_methods(["GET", "POST"])
def wait(request: HttpRequest, key: UUID) -> HttpResponse:
    """Join a department's waiting list."""
    actor, frame = _frame(request)
    department = own_queries.department(key=key)
    today = timezone.localdate()
    form = WaitForm(request.POST or None, initial={"first_day": today, "last_day": today + timedelta(days=14)})
    if request.method == "POST" and form.is_valid():
        want = Want(department_id=department.pk, origin=frame["origin"], **form.cleaned_data)
        if try_act(form, lambda: waiting_actions.join(resident_id=frame["person"].pk, want=want, actor=actor)):
            messages.success(request, _("已登记候补，有号时会按次序通知您确认。"))
            return redirect(request, reverse("scheduling:mine"))
    context = {**frame, "department": department, "form": form, "rule": precedence.rule_sentence()}
    return render(request, "scheduling/own/wait.html", context, status=422 if form.is_bound else 200)


@require_POST
@once
def answer(request: HttpRequest, key: UUID, verb: str) -> HttpResponse:
    """Take an offered place, pass it by, or leave the list."""
    actor = _frame(request)[0]
    if verb == "accept":
        try:
            with transaction.atomic():
                waiting_actions.accept(entry_key=key, actor=actor)
        except Conflict as refused:
            if refused.code != "hold-gone":
                raise
            # From a page that was left open: the time to answer is over.
            messages.warning(request, _("确认时间已过，号已让给下一位。"))
        else:
            messages.success(request, _("预约成功。"))
    elif verb == "pass":
        waiting_actions.pass_by(entry_key=key, actor=actor)
        messages.success(request, _("已让给下一位，您继续候补；这个半天的号不再通知您。"))
    elif verb == "leave":
        waiting_actions.leave(entry_key=key, actor=actor)
        messages.success(request, _("已退出候补。"))
    else:
        raise NotFound()
    return redirect(request, reverse("scheduling:mine"))


@require_POST
@once
def drop(request: HttpRequest, key: UUID) -> HttpResponse:
    """No new time is wanted after a stopped clinic."""
    actor = _frame(request)[0]
    rebooking_actions.drop(key=key, reason=_("居民本人不再改约"), actor=actor)
    messages.success(request, _("已记录，不再改约。"))
    return redirect(request, reverse("scheduling:mine"))


def _take(key: UUID, *, change: str, rebook: str, frame: dict[str, Any], actor: Actor) -> None:
    if rebook:
        rebooking_actions.rebook(key=rebook, slot_key=key, origin=frame["origin"], actor=actor)
        return
    if change:
        actions.move(booking_key=change, slot_key=key, origin=frame["origin"], actor=actor)
        return
    person = frame["person"]
    held = actions.hold(slot_key=key, origin=frame["origin"], actor=actor, resident_id=person.pk)
    made = actions.book(hold_key=held.key, resident_id=person.pk, actor=actor)
    rebooking_actions.settle(booking=made, actor=actor)


def _stopped(key: str, resident_id: int) -> Any:
    """What a stopped clinic called off and this page finds a new time for; None for nothing."""
    found = booking_queries.open_rebookings(resident_ids=[resident_id]) if key else []
    return next((task.booking for task in found if str(task.key) == key), None)


def _frame(request: HttpRequest) -> tuple[Actor, dict[str, Any]]:
    """The person whose pages these are, with the rule's decision; NotFound for anybody else."""
    actor: Actor = request.actor  # type: ignore[attr-defined]
    if actor.kind is not ActorKind.RESIDENT or not actor.resident_ids:
        raise NotFound()
    wanted = request.session.get(_CHOSEN)
    person = residents.get(resident_id=wanted if wanted in actor.resident_ids else actor.resident_ids[0])
    # Another tab has turned to another member of the family since this page was shown.
    if request.POST.get("whose", str(person.key)) != str(person.key):
        raise Conflict(_("您已切换到 %(name)s 的页面，没有办理。请核对就诊人后重新选择。") % {"name": person.name})
    decided = standing.standing_of(person, day=timezone.localdate(), referred=False)
    signed = precedence.SIGNED in decided.groups
    return actor, {
        "person": person,
        "origin": "contract" if signed else "open",
        "signed": signed,
        "family": residents.family_of(user_id=actor.user_id or 0) if len(actor.resident_ids) > 1 else [],
        "paused": booking_queries.paused_until(resident_id=person.pk),
        "standing": precedence.standing_sentence(decided),
    }
