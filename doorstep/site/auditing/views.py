"""Pages of the auditor. The look itself is recorded before the trail is read under the purpose of sealing."""

from datetime import datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from doorstep.kernel.access import actions as access_actions
from doorstep.kernel.access import queries as access
from doorstep.kernel.access.actor import Actor, Purpose
from doorstep.kernel.access.permissions import Permission
from doorstep.kernel.access.refusals import Refused
from doorstep.kernel.access.session import for_purpose
from doorstep.kernel.audit import actions as audit_actions
from doorstep.kernel.audit import queries as audit
from doorstep.kernel.web.pages import redirect, render
from doorstep.kernel.web.refusing import show_refusal
from doorstep.kernel.workflow.once import once
from doorstep.people.organizations import queries as organizations
from doorstep.people.residents import queries as residents
from doorstep.people.workforce import queries as workforce
from doorstep.site.acts import REASONS, act_words, acts_called
from doorstep.site.auditing.forms import TrailForm, VerdictForm

_CHINA = ZoneInfo("Asia/Shanghai")


def _actor(request: HttpRequest, permission: Permission) -> Actor:
    actor: Actor = request.actor  # type: ignore[attr-defined]
    actor.check(permission)
    return actor


@require_GET
def trail(request: HttpRequest) -> HttpResponse:
    """The trail of the auditor's units, each entry with the state of its seal."""
    actor = _actor(request, Permission.AUDIT_VIEW)
    form = TrailForm(request.GET or None)
    found: list[Any] = []
    states: dict[int, str] = {}
    if form.is_valid():
        facts = form.cleaned_data
        audit_actions.record(
            action="audit.search",
            actor=actor,
            details={"text": facts["text"], "day": str(facts["day"] or ""), "by_resident": bool(facts["number"])},
        )
        start = datetime.combine(facts["day"], time.min, tzinfo=_CHINA) if facts["day"] else None
        with for_purpose(Purpose.SEALING, actor):
            resident = residents.find_by_number(facts["number"], actor) if facts["number"] else None
            if not facts["number"] or resident is not None:
                found = audit.search(
                    organization_ids=actor.reach,
                    resident_id=resident.pk if resident else None,
                    text=facts["text"],
                    acts=acts_called(facts["text"]),
                    start=start,
                    end=start + timedelta(days=1) if start else None,
                )
            states = audit.seal_states(found)
    rows = [
        (one, act_words(one.action), REASONS.get(one.basis, one.basis), states.get(one.pk, "waiting")) for one in found
    ]
    context = {"form": form, "entries": rows}
    return render(request, "auditing/trail.html", context, 422 if form.errors else 200)


@require_GET
def reviews(request: HttpRequest) -> HttpResponse:
    """Emergency looks that wait for a verdict, oldest first."""
    return _reviews(request, _actor(request, Permission.GLASS_REVIEW), None, VerdictForm())


@require_http_methods(["GET", "POST"])
@once
def review(request: HttpRequest, key: UUID) -> HttpResponse:
    """One emergency look: who, why, what was done with it, and the verdict."""
    actor = _actor(request, Permission.GLASS_REVIEW)
    form = VerdictForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            with for_purpose(Purpose.SEALING, actor):
                look = access.get_review(key=key, organization_ids=actor.reach)
                access_actions.judge_look(review=look, actor=actor, **form.cleaned_data)
        except Refused as refused:
            if refused.status != 422:
                raise
            show_refusal(form, refused)
        else:
            audit_actions.record(
                action="glass.judge",
                actor=actor,
                subject=f"review/{key}",
                resident_id=look.resident_id,
                details={"verdict": form.cleaned_data["verdict"]},
            )
            messages.success(request, _("复核结论已保存。"))
            return redirect(request, reverse("auditing:reviews"))
    return _reviews(request, actor, key, form)


def _reviews(request: HttpRequest, actor: Actor, key: UUID | None, form: VerdictForm) -> HttpResponse:
    with for_purpose(Purpose.SEALING, actor):
        pending = [one for one in access.pending_reviews() if actor.reaches(one.organization_id)]
        chosen = access.get_review(key=key, organization_ids=actor.reach) if key else None
        entries = (
            audit.search(
                organization_ids=actor.reach,
                resident_id=chosen.resident_id,
                start=chosen.opened_at - timedelta(hours=1),
                end=chosen.opened_at + timedelta(hours=25),
                limit=50,
            )
            if chosen
            else []
        )
    looks = [*pending, chosen] if chosen else pending
    context = {
        "pending": pending,
        "chosen": chosen,
        "form": form,
        "entries": [one for one in entries if chosen and one.user_id == chosen.user_id],
        "units": organizations.names(ids=[one.organization_id for one in looks]),
        "people": workforce.names_of_users(ids=[one.user_id for one in looks]),
    }
    return render(request, "auditing/reviews.html", context, 422 if form.errors else 200)
