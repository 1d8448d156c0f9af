"""A family doctor or a desk books for somebody: a department with places, a time, booked in one act."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from doorstep.coordination.scheduling import (
    actions,
    booking_queries,
    calling_actions,
    own_queries,
    precedence,
    queries,
    rules,
    standing,
)
from doorstep.coordination.scheduling.permissions import Permission
from doorstep.coordination.scheduling.rules import Quota
from doorstep.coordination.scheduling.views.asking import actor_with
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.access.permissions import Permission as Access
from doorstep.kernel.access.refusals import Refused
from doorstep.kernel.web.pages import redirect, render
from doorstep.kernel.workflow.once import once
from doorstep.people.residents import queries as residents

DAYS = 28


@once
@require_http_methods(["GET", "POST"])
def book_for(request: HttpRequest, key: UUID) -> HttpResponse:
    """The departments with places, or the times of one; a time is booked for the resident, or the next free one is named."""
    actor = actor_with(request, Permission.SLOT_BOOK)
    person = residents.get_by_key(key, actor)
    decided = standing.standing_of(person, day=timezone.localdate(), referred=False)
    chosen, text = request.GET.get("department", ""), request.GET.get("q", "").strip()[:40]
    department = own_queries.department(key=chosen) if chosen else None
    house = department.organization_id if department else None
    origin = _origin(house, signed=precedence.SIGNED in decided.groups, actor=actor)
    error, following = "", None
    if request.method == "POST":
        try:
            made = calling_actions.book_for(
                slot_key=queries.as_key(request.POST.get("slot", "")),
                origin=origin,
                resident_id=person.pk,
                request_key=queries.as_key(request.POST.get("idempotency_key", "")),
                actor=actor,
            )
        except actions.NoPlaceLeft as refused:
            error, following = str(refused.message), refused.next_slot
        except Refused as refused:
            if refused.status not in (409, 422):
                raise
            error = str(refused.message)
        else:
            messages.success(request, _("预约成功，已通知居民。"))
            return redirect(request, reverse("scheduling:booking", args=[made.key]))
    context = _choice(person, department, decided, origin=origin, text=text, actor=actor)
    context |= {"error": error, "following": following, "reads": actor.may(Access.RECORD_VIEW)}
    return render(request, "scheduling/book_for.html", context, status=422 if error else 200)


def _choice(
    person: Any, department: Any, decided: precedence.Standing, *, origin: str, text: str, actor: Actor
) -> dict[str, Any]:
    """What the page offers: departments at first, the times of the one that was chosen."""
    days = (
        own_queries.times(department=department, person=person, origin=origin, actor=actor, days=DAYS)
        if department
        else []
    )
    return {
        "person": person,
        "department": department,
        "days": days,
        "described": own_queries.described(days),
        "offers": []
        if department
        else own_queries.offers(person=person, text=text, days=DAYS, quotas=_quotas(decided.groups)),
        "most": own_queries.OFFERS_SHOWN,
        "origin": origin,
        "share": rules.quota_name(origin),
        "text": text,
        "span": DAYS,
        "standing": precedence.standing_sentence(decided),
        "paused": booking_queries.paused_until(resident_id=person.pk),
        "first": timezone.localdate().isoformat(),
    }


def _origin(house: int | None, *, signed: bool, actor: Actor) -> str:
    """Out of which share: the house's own for its own desk, that of contracts for who is signed, else the community's."""
    if house is not None and house == actor.organization_id:
        return Quota.OWN.value
    return Quota.CONTRACT.value if signed else Quota.COMMUNITY.value


def _quotas(groups: tuple[str, ...]) -> tuple[str, ...]:
    return rules.quotas_for(Quota.CONTRACT if precedence.SIGNED in groups else Quota.COMMUNITY)
