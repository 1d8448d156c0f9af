"""The telephone desk: find and verify the caller, then book, change and cancel from one page, with the sentences to read out."""

import uuid
from collections.abc import Sequence
from datetime import date
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from doorstep.coordination.scheduling import (
    actions,
    booking_queries,
    calling,
    calling_actions,
    kiosk_queries,
    own_queries,
    queries,
    rebooking_actions,
    waiting_actions,
)
from doorstep.coordination.scheduling.forms import IdentifyForm
from doorstep.coordination.scheduling.permissions import Permission
from doorstep.coordination.scheduling.queries import SlotChoice
from doorstep.coordination.scheduling.standing import origin_of
from doorstep.coordination.scheduling.views import visitors
from doorstep.coordination.scheduling.views.asking import actor_with
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.access.refusals import Conflict, NotFound, Refused
from doorstep.kernel.access.session import on_behalf
from doorstep.kernel.web.formats import day_spoken
from doorstep.kernel.web.pages import redirect, render
from doorstep.kernel.workflow.once import once
from doorstep.people.residents import actions as resident_actions
from doorstep.people.residents import queries as residents
from doorstep.people.residents.rules import ADULT_AT, age_on

_SLOT = "caller"
DAYS = 28


@require_http_methods(["GET", "POST"])
def desk(request: HttpRequest) -> HttpResponse:
    """Without a caller the questions; with one who was found the call back; with one who is known everything on one page."""
    operator = actor_with(request, Permission.PHONE_DESK)
    held = visitors.remembered(request, _SLOT, seconds=60 * calling.MINUTES)
    if request.method == "POST" or held is None:
        return _identify(request, operator)
    person = visitors.person_of(operator, int(str(held["resident"])))
    with on_behalf(person, operator):
        resident, origin = origin_of(person)
        child = age_on(resident.birth_date, timezone.localdate()) < ADULT_AT
        context: dict[str, Any] = {
            "person": resident,
            "known": held["known"] == "yes",
            "callback": calling.calling_back(guardian=child),
            "child": child,
            "today": timezone.localdate(),
            "call": held.get("call", ""),
        }
        if context["known"]:
            context |= _known(request, operator, person, resident, origin)
    return render(request, "scheduling/phone.html", context)


@require_POST
@once
def verify(request: HttpRequest) -> HttpResponse:
    """The registered telephone was called and the person answered, or the person stands at the counter with the card."""
    operator = actor_with(request, Permission.PHONE_DESK)
    person = _caller(request, operator, known=False)
    here = request.POST.get("way") == "counter"
    calling_actions.note_known(resident_id=person.resident_ids[0], here=here, actor=operator)
    call = str((request.session.get(_SLOT) or {}).get("call", ""))
    visitors.remember(request, _SLOT, person.resident_ids[0], seconds=60 * calling.MINUTES, known="yes", call=call)
    return redirect(request, reverse("scheduling:phone"))


@require_POST
def end(request: HttpRequest) -> HttpResponse:
    """The call is over: the page forgets the caller."""
    actor_with(request, Permission.PHONE_DESK)
    visitors.forget(request, _SLOT)
    return redirect(request, reverse("scheduling:phone"))


@require_POST
@once
def book(request: HttpRequest, key: UUID) -> HttpResponse:
    """Book a time in one act, or move a booking (`change`) to it; the notice goes out with it."""
    operator = actor_with(request, Permission.PHONE_DESK)
    person = _caller(request, operator)
    changed = request.POST.get("change", "")
    try:
        with on_behalf(person, operator):
            made = calling_actions.book(
                slot_key=key, origin=origin_of(person)[1], change=changed, channel="phone", person=person
            )
    except Refused as refused:
        if refused.status not in (409, 422):
            raise
        messages.error(request, str(refused.message))
        return redirect(request, _back(request))
    calling_actions.tell_booked(made, actor=operator)
    return redirect(request, f"{reverse('scheduling:phone')}?said={made.key}")


@require_POST
@once
def cancel(request: HttpRequest, key: UUID) -> HttpResponse:
    """Give a booking of the caller back."""
    operator = actor_with(request, Permission.PHONE_DESK)
    person = _caller(request, operator)
    with on_behalf(person, operator):
        gone = actions.cancel(booking_key=key, actor=person, reason=_("居民来电取消"))
    calling_actions.tell_cancelled(gone, actor=operator)
    return redirect(request, f"{reverse('scheduling:phone')}?said=cancelled")


@require_POST
@once
def wait(request: HttpRequest, key: UUID) -> HttpResponse:
    """Put the caller on a department's waiting list for the days that were looked at."""
    operator = actor_with(request, Permission.PHONE_DESK)
    person = _caller(request, operator)
    department = own_queries.department(key=key)
    try:
        with on_behalf(person, operator):
            want = waiting_actions.want_for_days(
                department_id=department.pk, origin=origin_of(person)[1], days=DAYS, channel="phone"
            )
            waiting_actions.join(resident_id=person.resident_ids[0], want=want, actor=person)
    except Refused as refused:
        if refused.status not in (409, 422):
            raise
        messages.error(request, str(refused.message))
    else:
        messages.success(request, _("已登记候补，有号时会按次序通知您确认。"))
    return redirect(request, reverse("scheduling:phone"))


@require_POST
@once
def answer(request: HttpRequest, key: UUID, verb: str) -> HttpResponse:
    """Take, pass by or leave for the caller what the waiting list has."""
    operator = actor_with(request, Permission.PHONE_DESK)
    person = _caller(request, operator)
    said = {
        "accept": _("预约成功。"),
        "pass": _("已让给下一位，继续候补；这个半天的号不再通知居民。"),
        "leave": _("已退出候补。"),
    }
    if verb not in said:
        raise NotFound()
    with on_behalf(person, operator):
        if verb == "accept":
            made = waiting_actions.accept(entry_key=key, actor=person)
        elif verb == "pass":
            waiting_actions.pass_by(entry_key=key, actor=person)
        else:
            waiting_actions.leave(entry_key=key, actor=person)
    messages.success(request, said[verb])
    if verb == "accept":
        calling_actions.tell_booked(made, actor=operator)
        return redirect(request, f"{reverse('scheduling:phone')}?said={made.key}")
    return redirect(request, reverse("scheduling:phone"))


@require_POST
@once
def drop(request: HttpRequest, key: UUID) -> HttpResponse:
    """The caller wants no new time after a stopped clinic."""
    operator = actor_with(request, Permission.PHONE_DESK)
    person = _caller(request, operator)
    with on_behalf(person, operator):
        rebooking_actions.drop(key=key, reason=_("居民来电不再改约"), actor=person)
    messages.success(request, _("已记录，不再改约。"))
    return redirect(request, reverse("scheduling:phone"))


def _identify(request: HttpRequest, operator: Actor) -> HttpResponse:
    form = IdentifyForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        answer = resident_actions.prove_presence(actor=operator, **form.cleaned_data)
        if answer.presence_id is not None:
            proof = residents.get_presence(presence_id=answer.presence_id, actor=operator)
            known = "yes" if calling.known_at_once(proof.second_fact) else "no"
            visitors.remember(request, _SLOT, proof.resident_id, seconds=60 * calling.MINUTES, known=known)
            return redirect(request, reverse("scheduling:phone"))
        form.add_error(
            None,
            _("核对失败次数过多，请 15 分钟后再试，或请居民到服务台办理。")
            if answer.closed
            else _("所报信息与登记不符，请再核对一遍；不要告诉对方哪一项不对。"),
        )
    context = {"form": form, "greeting": calling.greeting(operator.organization_name), "person": None}
    return render(request, "scheduling/phone.html", context, status=422 if form.is_bound else 200)


def _known(request: HttpRequest, operator: Actor, person: Actor, resident: Any, origin: str) -> dict[str, Any]:
    """What the page shows of a known caller: what is booked, what can be had, what to say."""
    chosen, change, said = (request.GET.get(name, "") for name in ("department", "change", "said"))
    department = own_queries.department(key=chosen) if chosen else None
    days = (
        own_queries.times(department=department, person=resident, origin=origin, actor=person, days=DAYS)
        if department
        else []
    )
    tabs, slots = _of_day(days, asked=request.GET.get("day", ""), department=chosen, change=change)
    script = calling.cancelled() if said == "cancelled" else ""
    if said and not script:
        made = queries.get_booking(booking_key=said, actor=person)
        schedule, at = made.slot.schedule, timezone.localtime(made.slot.starts_at)
        script = calling.booked(made.organization.name, schedule.department.name, schedule.who, at)
    elif slots and not script:
        script = calling.offering(slots[0].who, timezone.localtime(slots[0].starts_at))
    text = request.GET.get("q", "").strip()[:40]
    return {
        "coming": kiosk_queries.coming_here(person=person),
        "waits": booking_queries.waiting_of(resident_id=resident.pk),
        "tasks": booking_queries.open_rebookings(resident_ids=[resident.pk]),
        "offers": own_queries.offers(person=resident, text=text, days=DAYS, organization_id=operator.organization_id),
        "department": department,
        "slots": slots,
        "days": tabs,
        "change": change,
        "text": text,
        "script": script,
        "span": DAYS,
    }


def _of_day(
    days: Sequence[tuple[date, Sequence[SlotChoice]]], *, asked: str, department: str, change: str
) -> tuple[list[dict[str, object]], Sequence[SlotChoice]]:
    """A tab for each day with free times, and the times of the day that was asked for, else of the first."""
    shown = next((day for day, _found in days if day.isoformat() == asked), days[0][0] if days else None)
    tabs: list[dict[str, object]] = []
    for day, found in days:
        query = {"department": department, "day": day.isoformat()} | ({"change": change} if change else {})
        href = f"{reverse('scheduling:phone')}?{urlencode(query)}"
        tabs.append({"label": day_spoken(day), "href": href, "active": day == shown, "count": len(found)})
    return tabs, next((found for day, found in days if day == shown), [])


def _caller(request: HttpRequest, operator: Actor, *, known: bool = True) -> Actor:
    held = visitors.remembered(request, _SLOT, seconds=60 * calling.MINUTES)
    if held is None or (known and held["known"] != "yes"):
        raise NotFound()
    # A page of the caller before, in another tab or behind the back button, acts for nobody: not on the one who is spoken with now.
    if request.POST.get("call", held.get("call")) != held.get("call"):
        raise Conflict(_("这是上一位来电人的页面，没有办理。请关闭它，在当前来电人的页面上办理。"))
    return visitors.person_of(operator, int(str(held["resident"])))


def _back(request: HttpRequest) -> str:
    chosen = request.POST.get("department", "")
    try:
        return f"{reverse('scheduling:phone')}?department={uuid.UUID(chosen)}"
    except ValueError:
        return reverse("scheduling:phone")
