"""Pages of organisations: the tree, one unit, and the members of a consortium on any day."""

from datetime import date
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_GET

from doorstep.kernel.access.actor import Actor
from doorstep.kernel.web.pages import page_or_part, render
from doorstep.people.organizations import memberships, presenters, queries, staff
from doorstep.people.organizations.permissions import Permission


def _checked(request: HttpRequest) -> Actor:
    actor: Actor = request.actor  # type: ignore[attr-defined]
    actor.check(Permission.ORGANIZATION_VIEW)
    return actor


@require_GET
def tree(request: HttpRequest) -> HttpResponse:
    """The units as a tree; a text narrows it."""
    actor = _checked(request)
    text = request.GET.get("q", "").strip()
    may_found = actor.may(Permission.ORGANIZATION_MANAGE)
    context = {"text": text, "units": queries.tree(text=text), "chosen": False, "may_found": may_found}
    return page_or_part(request, "organizations/units.html", "found", context)


@require_GET
def detail(request: HttpRequest, key: UUID) -> HttpResponse:
    """One unit: departments, people, units below, memberships, and what became of it."""
    actor = _checked(request)
    unit = queries.get_by_key(key)
    reached = actor.reaches(unit.pk)
    manages = reached and actor.may(Permission.ORGANIZATION_MANAGE)
    own = unit.pk == actor.organization_id
    held = queries.memberships_of(organization_id=unit.pk)
    context = {
        "text": "",
        "chosen": True,
        "unit": unit,
        "units": queries.tree(),
        "departments": queries.departments(organization_id=unit.pk),
        "children": queries.children(organization_id=unit.pk),
        "memberships": held,
        "belongs": any(one.period.upper is None for one in held),
        "last_day": queries.last_day_of,
        "staff": staff.of(organization_id=unit.pk, actor=actor) if reached else [],
        "history": queries.history_of(organization_id=unit.pk),
        "title_of": presenters.title_of,
        "detail_of": presenters.detail_of,
        "reached": reached and actor.is_staff,
        "manages": manages,
        "joins": manages and (not own or memberships.may_lead(actor)),
        "own": own,
    }
    return render(request, "organizations/units.html", context)


@require_GET
def members(request: HttpRequest) -> HttpResponse:
    """Who belonged to which consortium on a given day."""
    _checked(request)
    try:
        day = date.fromisoformat(request.GET.get("day", ""))
    except ValueError:
        day = timezone.localdate()
    context = {"day": day, "members": queries.members_on(day=day), "last_day": queries.last_day_of}
    return render(request, "organizations/members.html", context)
