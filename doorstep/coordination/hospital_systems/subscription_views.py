"""Pages of subscriptions: each with its state and backlog, dead letters, and what a system may call."""

from uuid import UUID

from django.contrib import messages as notes
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from doorstep.coordination.hospital_systems import subscription_presenters as presenters
from doorstep.coordination.hospital_systems.forms import DropForm, RulesForm
from doorstep.kernel.access import actions as access
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.access.permissions import Permission
from doorstep.kernel.access.refusals import Refused
from doorstep.kernel.subscriptions import actions, queries
from doorstep.kernel.web.pages import page_or_part, redirect, render
from doorstep.kernel.web.refusing import show_refusal
from doorstep.kernel.workflow.once import once
from doorstep.people.organizations import queries as organizations


@require_GET
def subscriptions(request: HttpRequest) -> HttpResponse:
    """Every subscription of the engineer's units: state, last delivery, backlog, dead letters."""
    actor = _engineer(request)
    found = queries.list_subscriptions(actor=actor)
    context = {
        "rows": [(one, presenters.tone_of(one.subscription), presenters.subject_of(one.subscription)) for one in found],
        "totals": {
            "active": sum(one.subscription.state == "active" for one in found),
            "error": sum(one.subscription.state == "error" for one in found),
            "waiting": sum(one.waiting for one in found),
            "dead": sum(one.dead for one in found),
        },
    }
    return page_or_part(request, "hospital_systems/subscriptions.html", "list", context)


@require_GET
def subscription(request: HttpRequest, key: UUID) -> HttpResponse:
    """One subscription: why it stopped, its dead letters, what it was told of late."""
    return _shown(request, key, DropForm(), None)


@require_POST
@once
def resume(request: HttpRequest, key: UUID) -> HttpResponse:
    """Let a subscription in error go on."""
    actor = _engineer(request)
    found = queries.get_subscription(key=key, actor=actor)
    actions.resume(subscription=found.subscription, actor=actor)
    notes.success(request, _("已恢复，积压的通知按顺序发送。"))
    return redirect(request, reverse("exchange:subscription", args=[key]))


@require_POST
@once
def send_again(request: HttpRequest, key: UUID) -> HttpResponse:
    """Try a dead letter again."""
    actor = _engineer(request)
    found = queries.get_notification(key=key, actor=actor)
    actions.send_again(notification=found, actor=actor)
    notes.success(request, _("已重新发送，稍后刷新查看结果。"))
    return redirect(request, reverse("exchange:subscription", args=[found.subscription.key]))


@require_POST
@once
def drop(request: HttpRequest, key: UUID) -> HttpResponse:
    """Give a dead letter up for a reason."""
    actor = _engineer(request)
    found = queries.get_notification(key=key, actor=actor)
    form = DropForm(request.POST)
    if form.is_valid():
        try:
            actions.drop(notification=found, reason=form.cleaned_data["reason"], actor=actor)
        except Refused as refused:
            if refused.status != 422:
                raise
            show_refusal(form, refused)
        else:
            notes.success(request, _("已放弃这条通知，接收方仍可按编号补取。"))
            return redirect(request, reverse("exchange:subscription", args=[found.subscription.key]))
    return _shown(request, found.subscription.key, form, key)


@require_GET
def systems(request: HttpRequest) -> HttpResponse:
    """The systems that use the FHIR interface, with what each may do besides."""
    actor = _engineer(request)
    found = queries.list_systems(actor=actor)
    context = {
        "rows": found,
        "units": organizations.names(ids=[client.organization_id for client, _rule in found]),
    }
    return render(request, "hospital_systems/systems.html", context)


@require_http_methods(["GET", "POST"])
@once
def system(request: HttpRequest, name: str) -> HttpResponse:
    """What a system may do: register residents, and which hosts it may be notified at."""
    actor = _engineer(request)
    client, rule = queries.get_system(name=name, actor=actor)
    form = RulesForm(request.POST or None, initial=presenters.rules_of(client.registers, rule))
    if request.method == "POST" and form.is_valid():
        try:
            facts = form.cleaned_data
            rules = actions.Rules(
                hosts=form.lines(),
                attempts=facts["attempts"],
                first_wait=facts["first_wait"],
                longest_wait=facts["longest_wait"],
                timeout=facts["timeout"],
            )
            actions.set_rules(client=client, rules=rules, actor=actor)
            access.let_register(client=client, registers=facts["registers"], actor=actor)
        except Refused as refused:
            if refused.status != 422:
                raise
            show_refusal(form, refused)
        else:
            notes.success(request, _("已保存"))
            return redirect(request, reverse("exchange:systems"))
    unit = organizations.names(ids=[client.organization_id]).get(client.organization_id, "")
    context = {"client": client, "unit": unit, "form": form}
    return render(request, "hospital_systems/system.html", context, 422 if form.errors else 200)


def _shown(request: HttpRequest, key: UUID, form: DropForm, dropping: UUID | None) -> HttpResponse:
    actor = _engineer(request)
    found = queries.get_subscription(key=key, actor=actor)
    dead, recent = queries.recent_of(subscription=found.subscription)
    context = {
        "one": found,
        "tone": presenters.tone_of(found.subscription),
        "subject": presenters.subject_of(found.subscription),
        "criteria": presenters.criteria_of(found.subscription),
        "dead": dead,
        "recent": [(notice, presenters.TONES_OF_NOTICES[notice.state]) for notice in recent],
        "form": form,
        "dropping": dropping,
    }
    return render(request, "hospital_systems/subscription.html", context, 422 if form.errors else 200)


def _engineer(request: HttpRequest) -> Actor:
    actor: Actor = request.actor  # type: ignore[attr-defined]
    actor.check(Permission.CLIENT_MANAGE)
    return actor
