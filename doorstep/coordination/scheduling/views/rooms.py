"""Pages of rooms, machines and kinds of visit: entering them, and changing those of a schedule from a day on."""

from datetime import timedelta
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from doorstep.coordination.scheduling import (
    clinic_actions,
    clinic_queries,
    presenters,
    queries,
    relaying_actions,
    rooms_actions,
)
from doorstep.coordination.scheduling.forms import WEEKDAYS, FacilityForm, KindForm, RoomForm, VisitKindForm
from doorstep.coordination.scheduling.permissions import Permission
from doorstep.coordination.scheduling.views.asking import actor_with, try_act
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.web.pages import redirect, render
from doorstep.kernel.workflow.once import once


@once
@require_http_methods(["GET", "POST"])
def facilities(request: HttpRequest) -> HttpResponse:
    """Rooms, machines and kinds of visit of the unit."""
    actor = actor_with(request, Permission.SCHEDULE_MANAGE)
    unit = actor.organization_id or 0
    departments = clinic_queries.department_choices(organization_id=unit)
    act = request.POST.get("act", "")
    facility_form = FacilityForm(request.POST if act == "facility" else None, departments=departments)
    kind_form = VisitKindForm(request.POST if act == "kind" else None, departments=departments)
    bound: forms.Form | None = {"facility": facility_form, "kind": kind_form}.get(act)
    if bound is not None and bound.is_valid():
        facts = bound.cleaned_data

        def add() -> None:
            if act == "facility":
                clinic_actions.add_facility(
                    organization_id=unit,
                    department_id=facts["department"],
                    kind=facts["kind"],
                    name=facts["name"],
                    actor=actor,
                )
            else:
                clinic_actions.add_visit_kind(
                    organization_id=unit,
                    department_id=facts["department"],
                    name=facts["name"],
                    minutes=facts["minutes"],
                    before=facts["before"],
                    after=facts["after"],
                    actor=actor,
                )

        if try_act(bound, add):
            messages.success(request, _("已保存"))
            return redirect(request, reverse("scheduling:facilities"))
    context = {
        "facilities": clinic_queries.facilities(organization_id=unit),
        "kinds": clinic_queries.visit_kinds(organization_id=unit),
        "facility_form": facility_form,
        "kind_form": kind_form,
    }
    return render(request, "scheduling/facilities.html", context, status=422 if bound is not None else 200)


@once
@require_http_methods(["GET", "POST"])
def rooms(request: HttpRequest, key: UUID) -> HttpResponse:
    """Another room, machine or kind of visit of a schedule from a day on; whoever is booked keeps theirs."""
    actor = actor_with(request, Permission.SCHEDULE_MANAGE)
    found = queries.get_schedule(schedule_key=key, actor=actor)
    act, tomorrow = request.POST.get("act", ""), timezone.localdate() + timedelta(days=1)
    sessions = [one for one in queries.sessions_of(schedule_id=found.pk) if one.only_on is None]
    kinds = clinic_queries.visit_kinds(organization_id=found.organization_id, department_id=found.department_id)
    room_form = RoomForm(
        request.POST if act == "room" else None,
        facilities=[
            (one.pk, one.name)
            for one in clinic_queries.facilities(organization_id=found.organization_id)
            if one.department_id == found.department_id
        ],
        initial={"since": tomorrow, "facility": found.facility_id},
    )
    kind_form = KindForm(
        request.POST if act == "kind" else None,
        sessions=[(one.pk, _session_said(one)) for one in sessions],
        kinds=[
            (one.pk, _("%(name)s（%(minutes)s 分钟）") % {"name": one.name, "minutes": one.minutes}) for one in kinds
        ],
        initial={"since": tomorrow, "relay": True},
    )
    bound: forms.Form | None = {"room": room_form, "kind": kind_form}.get(act)
    planned: list[relaying_actions.KindChange] = []
    if act == "kind" and request.POST.get("try") and kind_form.is_valid():
        try_act(kind_form, lambda: planned.append(_previewed(found, kind_form, actor)))
    elif bound is not None and bound.is_valid() and try_act(bound, lambda: _change(request, found, bound, actor)):
        return redirect(request, reverse("scheduling:rooms", args=[key]))
    context = {
        "schedule": found,
        "terms": clinic_queries.room_terms(schedule_id=found.pk),
        "sessions": sessions,
        "weekdays": dict(WEEKDAYS),
        "today": timezone.localdate(),
        "room_form": room_form,
        "kind_form": kind_form,
        "planned": planned[0] if planned else None,
    }
    wrong = bound is not None and not planned
    return render(request, "scheduling/rooms.html", context, status=422 if wrong else 200)


def _previewed(found: presenters.ShownSchedule, form: forms.Form, actor: Actor) -> relaying_actions.KindChange:
    facts = form.cleaned_data
    return relaying_actions.preview_kind(
        schedule=found, kind_id=facts["kind"], since=facts["since"], session_id=facts["session"], actor=actor
    )


def _change(request: HttpRequest, found: presenters.ShownSchedule, form: forms.Form, actor: Actor) -> None:
    facts = form.cleaned_data
    if isinstance(form, RoomForm):
        moved = rooms_actions.change_room(
            schedule=found, facility_id=facts["facility"], since=facts["since"], actor=actor
        )
        messages.success(
            request,
            _("%(day)s 起改在新诊室或设备；已放而无人预约的 %(moved)s 个时段随之变更，已有预约的不变。")
            % {"day": facts["since"].isoformat(), "moved": moved},
        )
        return
    done = relaying_actions.change_kind(
        schedule=found,
        kind_id=facts["kind"],
        since=facts["since"],
        session_id=facts["session"],
        relay=facts["relay"],
        actor=actor,
    )
    said = {"day": facts["since"].isoformat(), "count": done.sessions}
    if not facts["relay"]:
        messages.success(request, _("%(day)s 起 %(count)s 个时段改用新的就诊类型；已放的号源和预约不变。") % said)
        return
    said |= {"gone": sum(one.gone for one in done.days), "made": sum(one.made for one in done.days)}
    messages.success(
        request,
        _("%(day)s 起 %(count)s 个时段改用新的就诊类型；无人预约的 %(gone)s 段已重排为 %(made)s 段，已有预约的不变。")
        % said,
    )


def _session_said(one: presenters.ShownSession) -> str:
    kind = f" · {one.kind.name}" if one.kind else ""
    since = f" · {one.since.isoformat()} {_('起')}" if one.since else ""
    return f"{dict(WEEKDAYS)[one.weekday]} {one.starts:%H:%M}–{one.ends:%H:%M}{kind}{since}"
