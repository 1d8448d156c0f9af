"""The kiosk in the hall: identify, check in for today, book, change and cancel, get a ticket; the person is forgotten after 60 s."""

from collections.abc import Callable
from functools import wraps
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from doorstep.coordination.scheduling import (
    actions,
    booking_queries,
    calling_actions,
    kiosk_queries,
    own_queries,
    queries,
    queue_actions,
    rules,
    ticket_paper,
    ticketing,
    waiting_actions,
    waiting_queries,
)
from doorstep.coordination.scheduling.forms import IdentifyForm
from doorstep.coordination.scheduling.permissions import Permission
from doorstep.coordination.scheduling.standing import origin_of
from doorstep.coordination.scheduling.views import visitors
from doorstep.coordination.scheduling.views.asking import actor_with
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.access.refusals import NotFound, Refused
from doorstep.kernel.access.session import on_behalf
from doorstep.kernel.web.formats import masked_name
from doorstep.kernel.web.pages import redirect, render
from doorstep.kernel.workflow.once import once
from doorstep.people.residents import actions as resident_actions
from doorstep.people.residents import queries as residents
from doorstep.people.residents import terminals
from doorstep.people.residents.permissions import Permission as Residents

_SLOT = "kiosk"
SECONDS = 60
DAYS = 28
_IMPLIED = {Residents.RESIDENT_FIND, Permission.SLOT_VIEW}

Page = Callable[..., HttpResponse]


def _identified(view: Page) -> Page:
    """Let a page be seen only while somebody stands there; otherwise the machine shows its first page."""

    @wraps(view)
    def wrapped(request: HttpRequest, **keywords: Any) -> HttpResponse:
        machine = actor_with(request, Permission.KIOSK_SERVE)
        held = visitors.remembered(request, _SLOT, seconds=SECONDS)
        if held is None:
            return redirect(request, reverse("scheduling:kiosk"))
        return view(request, machine, visitors.person_of(machine, int(str(held["resident"]))), **keywords)

    return wrapped


@require_http_methods(["GET", "POST"])
def start(request: HttpRequest) -> HttpResponse:
    """The first page: whoever was there is forgotten; the next one identifies by card, number or the phone's code."""
    machine = actor_with(request, Permission.KIOSK_SERVE)
    visitors.forget(request, _SLOT)
    form = IdentifyForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        facts = form.cleaned_data
        able = machine.with_permissions({*machine.permissions, *_IMPLIED})
        answer = resident_actions.prove_presence(actor=able, **facts)
        if answer.presence_id is not None:
            proof = residents.get_presence(presence_id=answer.presence_id, actor=machine)
            visitors.remember(request, _SLOT, proof.resident_id, seconds=SECONDS)
            return redirect(request, reverse("scheduling:kiosk-mine"))
        form.add_error(None, _said(answer, by_code=bool(facts["code"])))
    context = {
        "form": form,
        "house": machine.organization_name,
        "seconds": 0,
        "forgets": SECONDS,
        "shown_name": "",
        "closed": not form.is_bound and terminals.is_closed(),
    }
    return render(request, "scheduling/kiosk/start.html", context, status=422 if form.is_bound else 200)


def _said(answer: resident_actions.PresenceAnswer, *, by_code: bool) -> str:
    """What somebody reads who was not let in, and what to do."""
    if answer.closed:
        return _("本机输错次数过多，暂停使用。请换一台自助机，或到服务台办理。")
    if answer.waits:
        return _("输错次数较多，请 30 秒后再试，或到服务台办理。")
    if answer.number_closed_here or answer.number_closed:
        return _closed_way(here=answer.number_closed_here, by_code=by_code)
    return _("信息不相符，请核对后重试，或到服务台办理。")


def _closed_way(*, here: bool, by_code: bool) -> str:
    """What is closed after slips that may have been a stranger's, and which ways are open all the same."""
    if by_code:
        if here:
            return _(
                "这个号码的到场码在本机输错次数过多。请改填姓名和登记手机后四位，换一台自助机，或带身份证到服务台办理。"
            )
        return _(
            "这个号码的到场码在自助机上输错次数过多，1 小时后可再试。请改填姓名和登记手机后四位，或带身份证到服务台办理。"
        )
    if here:
        return _("这个号码在本机输错次数过多。请改用手机到场码，换一台自助机，或带身份证到服务台办理。")
    return _("这个号码在自助机上输错次数过多，1 小时后可再试。请改用手机到场码，或带身份证到服务台办理。")


@require_GET
@_identified
def mine(request: HttpRequest, machine: Actor, person: Actor) -> HttpResponse:
    """What this person has here today, and what can be done; nothing else of the person is shown."""
    with on_behalf(person, machine):
        coming = kiosk_queries.coming_here(person=person, organization_id=machine.organization_id)
        waits = booking_queries.waiting_of(resident_id=person.resident_ids[0])
        paused = booking_queries.paused_until(resident_id=person.resident_ids[0])
        stopped = booking_queries.open_rebookings(resident_ids=person.resident_ids)
    context = {"coming": [(one, _is_today(one)) for one in coming], "now": timezone.now(), "paused": paused}
    context["stopped"] = [one for one in stopped if one.organization_id == machine.organization_id]
    context["waits"] = [one for one in waits if one.organization_id == machine.organization_id]
    return _page(request, "mine", machine, person, context)


@require_GET
@_identified
def stay(request: HttpRequest, machine: Actor, person: Actor) -> HttpResponse:
    """A sign of life of whoever touches a page or says to need longer: the time begins anew."""
    return HttpResponse(status=204)


@require_POST
@once
@_identified
def check_in(request: HttpRequest, machine: Actor, person: Actor, key: UUID) -> HttpResponse:
    """Check in for an appointment of today in this house, and give its number in the queue."""
    booking = _own_today(key, machine, person)
    if booking.state in ("booked", "left"):
        able = machine.with_permissions({*machine.permissions, *_IMPLIED})
        actions.arrive(booking_key=key, actor=able)
    return redirect(request, reverse("scheduling:kiosk-ticket", args=[key]))


@require_GET
@_identified
def ticket(request: HttpRequest, machine: Actor, person: Actor, key: UUID) -> HttpResponse:
    """The number in the queue, in large type, with its slip of paper."""
    booking = _own_today(key, machine, person)
    given = ticketing.give_ticket(booking) if booking.state == "arrived" else None
    if given is None:
        raise NotFound()
    context = {
        "booking": booking,
        "ticket": given,
        "ahead": own_queries.ahead(booking, actor=machine),
        "behind": rules.PASSED_BEHIND,
    }
    return _page(request, "ticket", machine, person, context)


@require_POST
@once
@_identified
def line_up(request: HttpRequest, machine: Actor, person: Actor, key: UUID) -> HttpResponse:
    """Whoever was passed over lines up again behind the next three."""
    booking = _own_today(key, machine, person)
    if hasattr(booking, "ticket") and booking.ticket.state == "passed":
        queue_actions.line_up(ticket_key=booking.ticket.key, actor=machine)
    return redirect(request, reverse("scheduling:kiosk-ticket", args=[key]))


@require_GET
@_identified
def ticket_file(request: HttpRequest, machine: Actor, person: Actor, key: UUID) -> HttpResponse:
    """The slip as PDF for a printer of 80 mm."""
    booking = _own_today(key, machine, person)
    if booking.state != "arrived":
        raise NotFound()
    given = ticketing.give_ticket(booking)
    content = ticket_paper.ticket_pdf(booking, given, ahead=own_queries.ahead(booking, actor=machine) or 0)
    return HttpResponse(content, content_type="application/pdf")


@require_GET
@_identified
def find(request: HttpRequest, machine: Actor, person: Actor) -> HttpResponse:
    """The departments of this house with places to come, all or those that a word or first letters find."""
    text = request.GET.get("q", "").strip()[:40]
    with on_behalf(person, machine):
        resident = residents.get(resident_id=person.resident_ids[0])
        offers = kiosk_queries.offers_here(
            person=resident, text=text, organization_id=machine.organization_id, days=DAYS
        )
    return _page(request, "find", machine, person, {"offers": offers, "text": text})


@require_GET
@_identified
def times(request: HttpRequest, machine: Actor, person: Actor, key: UUID) -> HttpResponse:
    """The times of a department that this person can have; `change` names the booking here that they replace."""
    department = own_queries.department(key=key)
    replaced = _replaced(request.GET.get("change", ""), machine, person)
    with on_behalf(person, machine):
        resident, origin = origin_of(person)
        days = own_queries.times(department=department, person=resident, origin=origin, actor=person, days=DAYS)
    described = own_queries.described(days)
    context = {"department": department, "days": days, "described": described, "span": DAYS, "replaced": replaced}
    return _page(request, "times", machine, person, context)


@once
@require_http_methods(["GET", "POST"])
@_identified
def book(request: HttpRequest, machine: Actor, person: Actor, key: UUID) -> HttpResponse:
    """Confirm one time; the place is taken and booked in one act, or the next free time is named. A changed booking is moved, both or neither."""
    error, following, made = "", None, None
    replaced = _replaced((request.POST or request.GET).get("change", ""), machine, person)
    with on_behalf(person, machine):
        _resident, origin = origin_of(person)
        slot = queries.slot_detail(slot_key=key, origin=origin, actor=person)
    if request.method == "POST":
        try:
            with on_behalf(person, machine):
                made = calling_actions.book(
                    slot_key=key,
                    origin=origin,
                    change=str(replaced.key) if replaced else "",
                    channel="kiosk",
                    person=person,
                )
        except actions.NoPlaceLeft as refused:
            error, following = str(refused.message), refused.next_slot
        except Refused as refused:
            if refused.status not in (409, 422):
                raise
            error = str(refused.message)
    if made is not None:
        calling_actions.tell_booked(made, actor=machine)
        return redirect(request, reverse("scheduling:kiosk-done", args=[made.key]))
    described = own_queries.described([(timezone.localdate(slot.starts_at), [slot])]).get(slot.id, "")
    context = {"slot": slot, "error": error, "following": following, "replaced": replaced, "described": described}
    return _page(request, "book", machine, person, context, status=422 if error else 200)


@require_GET
@_identified
def done(request: HttpRequest, machine: Actor, person: Actor, key: UUID) -> HttpResponse:
    """What was booked, to be remembered or photographed."""
    with on_behalf(person, machine):
        booking = queries.get_booking(booking_key=key, actor=person)
    return _page(request, "done", machine, person, {"booking": booking, "is_today": _is_today(booking)})


@once
@require_http_methods(["GET", "POST"])
@_identified
def cancel(request: HttpRequest, machine: Actor, person: Actor, key: UUID) -> HttpResponse:
    """Ask once more, then give a booking of this house back; the place goes to whoever waits for it."""
    booking = _own_here(key, machine, person)
    error = ""
    if request.method == "POST":
        try:
            with on_behalf(person, machine):
                gone = actions.cancel(booking_key=key, actor=person, reason=_("居民在自助机取消"))
        except Refused as refused:
            if refused.status not in (409, 422):
                raise
            error = str(refused.message)
        else:
            calling_actions.tell_cancelled(gone, actor=machine)
            return redirect(request, reverse("scheduling:kiosk-mine") + "?said=cancelled")
    elif booking.state != "booked":
        error = _("该预约已变动，不能取消，请到服务台办理。")
    context = {"booking": booking, "error": error}
    return _page(request, "cancel", machine, person, context, status=422 if request.method == "POST" else 200)


@require_POST
@once
@_identified
def wait(request: HttpRequest, machine: Actor, person: Actor, key: UUID) -> HttpResponse:
    """Join a department's waiting list for the days that were looked at, in one touch."""
    department = own_queries.department(key=key)
    try:
        with on_behalf(person, machine):
            want = waiting_actions.want_for_days(
                department_id=department.pk, origin=origin_of(person)[1], days=DAYS, channel="kiosk"
            )
            waiting_actions.join(resident_id=person.resident_ids[0], want=want, actor=person)
    except Refused as refused:
        if refused.status not in (409, 422):
            raise
        return _page(request, "refused", machine, person, {"error": str(refused.message)}, status=422)
    return redirect(request, reverse("scheduling:kiosk-mine") + "?said=waiting")


_ANSWERS: dict[str, tuple[Callable[..., Any], str]] = {
    "accept": (waiting_actions.accept, "taken"),
    "pass": (waiting_actions.pass_by, "passed"),
    "leave": (waiting_actions.leave, "left"),
}


@require_POST
@once
@_identified
def answer(request: HttpRequest, machine: Actor, person: Actor, key: UUID, verb: str) -> HttpResponse:
    """Take an offered place of this house, pass it by, or leave the list."""
    if verb not in _ANSWERS:
        raise NotFound()
    act, said = _ANSWERS[verb]
    with on_behalf(person, machine):
        entry = waiting_queries.get_entry(key=key, actor=person)
    if entry.organization_id != machine.organization_id:
        raise NotFound()
    try:
        with on_behalf(person, machine):
            act(entry_key=key, actor=person)
    except Refused as refused:
        if refused.status not in (409, 422):
            raise
        return _page(request, "refused", machine, person, {"error": str(refused.message)}, status=422)
    return redirect(request, f"{reverse('scheduling:kiosk-mine')}?said={said}")


def _own_here(key: UUID | str, machine: Actor, person: Actor) -> Any:
    with on_behalf(person, machine):
        booking = queries.get_booking(booking_key=key, actor=person)
    if booking.organization_id != machine.organization_id:
        raise NotFound()
    return booking


def _own_today(key: UUID, machine: Actor, person: Actor) -> Any:
    booking = _own_here(key, machine, person)
    if not _is_today(booking):
        raise NotFound()
    return booking


def _replaced(key: str, machine: Actor, person: Actor) -> Any:
    """The person's booking of this house that is to be moved; None where nothing is."""
    return _own_here(key, machine, person) if key else None


def _is_today(booking: Any) -> bool:
    return actions.check_in_is(booking) == "open"


def _page(
    request: HttpRequest, name: str, machine: Actor, person: Actor, context: dict[str, Any], *, status: int = 200
) -> HttpResponse:
    with on_behalf(person, machine):
        shown = masked_name(booking_queries.name_of(resident_id=person.resident_ids[0]))
    whole = {"house": machine.organization_name, "shown_name": shown, "seconds": SECONDS, **context}
    return render(request, f"scheduling/kiosk/{name}.html", whole, status=status)
