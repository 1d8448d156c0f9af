"""Pages of the engineer: connections and their health, messages, codes."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django import forms
from django.contrib import messages as notes
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from doorstep.coordination.hospital_systems import contents, labels, lines, presenters
from doorstep.coordination.hospital_systems.forms import (
    AgainForm,
    CodeForm,
    ConnectionForm,
    FileForm,
    LineForm,
    SearchForm,
    SettingsForm,
)
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.access.permissions import Permission as Access
from doorstep.kernel.access.refusals import NotFound, Refused
from doorstep.kernel.audit import actions as audit
from doorstep.kernel.exchange import actions, queries, refused
from doorstep.kernel.exchange.permissions import Permission
from doorstep.kernel.exchange.queries import ShownConnection, ShownMessage, Sought
from doorstep.kernel.record import queries as records
from doorstep.kernel.subscriptions import queries as subscriptions
from doorstep.kernel.web.pages import page_or_part, redirect, render
from doorstep.kernel.web.refusing import show_refusal
from doorstep.kernel.workflow.once import once
from doorstep.people.organizations import queries as organizations
from doorstep.people.residents import queries as residents


@require_GET
def connections(request: HttpRequest) -> HttpResponse:
    """Every connection of the actor's units: alive, last message, backlog, errors."""
    actor = _actor(request)
    health = queries.health_of(queries.list_connections(actor=actor))
    sending = subscriptions.lines_of(client_ids=[one.connection.client_id for one in health], now=timezone.now())
    turned_away = refused.counts(connection_ids=[one.connection.pk for one in health])
    refusals = {
        one.connection.pk: sum(count for _reason, count in turned_away.get(one.connection.pk, ())) for one in health
    }
    registered = {(one.connection.application, one.connection.facility): one.connection for one in health}
    context = {
        "health": [(one, presenters.kinds_of(one.errors), sending.get(one.connection.client_id)) for one in health],
        "refusals": refusals,
        "units": organizations.names(ids=[one.connection.organization_id for one in health]),
        # Who calls as a registered sender, but from an address that is not its own, is no new one to register.
        "strangers": [
            (one, registered.get((one.application, one.facility)) or registered.get((one.application, "")))
            for one in queries.strangers()
        ],
        "unbound": presenters.unbound(health, queries.calls_from(presenters.without_address(health))),
        "totals": {
            "alive": sum(one.alive for one in health),
            "today": sum(one.today for one in health),
            "backlog": sum(one.backlog for one in health),
            "failed": sum(one.failed for one in health) + sum(line.dead for line in sending.values()),
            "refused": sum(refusals.values()),
        },
        "may_manage": actor.may(Permission.EXCHANGE_MANAGE),
    }
    return page_or_part(request, "hospital_systems/connections.html", "list", context)


@require_http_methods(["GET", "POST"])
@once
def new(request: HttpRequest) -> HttpResponse:
    """Register a sender."""
    actor = manager(request)
    known = {name: request.GET.get(name, "") for name in ("application", "facility", "addresses")}
    units = list(organizations.names(ids=actor.reach).items())
    # A sender that was turned away is registered with what it called itself: its system's name, its unit where MSH-4 is one's.
    unit = next((key for key, name in units if name == known["facility"]), actor.organization_id)
    initial = {**known, "name": known["application"][:80], "organization": unit}
    form = ConnectionForm(request.POST or None, units=units, initial=initial)
    if request.method == "POST" and form.is_valid():
        facts = form.cleaned_data
        made: list[ShownConnection] = []

        def connect() -> None:
            day = timezone.localdate()
            consortium_id = organizations.consortium_of(organization_id=facts["organization"], day=day)
            settings = _settings(form, application=facts["application"], facility=facts["facility"])
            made.append(
                actions.connect(
                    kind=facts["kind"],
                    organization_id=facts["organization"],
                    consortium_id=consortium_id,
                    settings=settings,
                    actor=actor,
                )
            )

        if _try(form, connect):
            notes.success(request, _("已登记，发送方现在可以发消息。"))
            return redirect(request, reverse("exchange:connection", args=[made[0].key]))
    return render(request, "hospital_systems/new.html", {"form": form}, 422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
@once
def connection(request: HttpRequest, key: UUID) -> HttpResponse:
    """One connection: health of both directions, errors by kind with their replay, settings."""
    actor = _actor(request)
    found = queries.get_connection(key=key, actor=actor)
    if request.method != "POST":
        return shown_connection(request, found)
    # One that was registered without an address is not held up in an hour of need; none that has one loses it by a slip.
    form = SettingsForm(request.POST, kind=found.kind if found.addresses else "")
    if form.is_valid() and _try(form, lambda: _change(found, form, actor)):
        notes.success(request, _("已保存"))
        return redirect(request, reverse("exchange:connection", args=[key]))
    return shown_connection(request, found, form=form)


def shown_connection(
    request: HttpRequest,
    found: ShownConnection,
    *,
    form: SettingsForm | None = None,
    line_form: LineForm | None = None,
    again_form: AgainForm | None = None,
    file_form: FileForm | None = None,
) -> HttpResponse:
    """The page of a connection, with the form that was refused, if any."""
    actor = _actor(request)
    health = queries.health_of([found])[0]
    line = subscriptions.lines_of(client_ids=[found.client_id], now=timezone.now()).get(found.client_id)
    context = {
        "connection": found,
        "health": health,
        "errors": presenters.kinds_of(health.errors),
        "refused": presenters.refused_kinds_of(refused.counts(connection_ids=[found.pk]).get(found.pk, [])),
        "line": line,
        "line_errors": presenters.sent_kinds_of(line.errors) if line else [],
        "line_kinds": [name for kind, name in labels.SENT if line and kind in lines.kinds_of(line.subscription)],
        "unit": organizations.names(ids=[found.organization_id]).get(found.organization_id, ""),
        "form": form or SettingsForm(initial=presenters.settings_of(found)),
        "line_form": line_form or LineForm(initial=presenters.line_settings_of(line, found, lines.kinds_of)),
        "again_form": again_form or AgainForm(initial=presenters.last_hour(timezone.now(), out=line is not None)),
        "file_form": file_form or FileForm(),
        "may_manage": actor.may(Permission.EXCHANGE_MANAGE),
    }
    invalid = any(one is not None and one.errors for one in (form, line_form, again_form, file_form))
    return render(request, "hospital_systems/connection.html", context, 422 if invalid else 200)


@require_POST
@once
def act(request: HttpRequest, key: UUID, verb: str) -> HttpResponse:
    """Pause a connection, let it go on, replay a kind of error, or take the sender only as it called so far."""
    actor = manager(request)
    found = queries.get_connection(key=key, actor=actor)
    if verb == "pause":
        actions.pause(connection=found, actor=actor)
        notes.success(request, _("已暂停处理；消息照常接收并保存。"))
    elif verb == "resume":
        actions.resume(connection=found, actor=actor)
        notes.success(request, _("已恢复处理。"))
    elif verb == "bind":
        address, certificate = request.POST.get("address", ""), request.POST.get("certificate", "")
        actions.bind(connection=found, address=address, certificate=certificate, actor=actor)
        notes.success(request, _("已限定来源，其他来源的消息从现在起不再接收。"))
    elif verb == "replay":
        count = actions.replay_all(connection=found, error_kind=request.POST.get("kind", ""), actor=actor)
        notes.success(request, _("已重放 %(count)s 条消息。") % {"count": count})
    else:
        raise NotFound()
    return redirect(request, reverse("exchange:connection", args=[key]))


@require_GET
def messages(request: HttpRequest) -> HttpResponse:
    """Messages by control id, whole patient number, type and state, newest first."""
    actor = _actor(request)
    form = SearchForm(request.GET or None)
    sought, chosen = Sought(), None
    if form.is_bound and form.is_valid():
        facts = form.cleaned_data
        chosen = queries.get_connection(key=facts["connection"], actor=actor) if facts["connection"] else None
        sought = Sought(
            connection_id=chosen.pk if chosen else None,
            control_id=facts["control_id"],
            patient="".join(facts["patient"].split()).upper(),
            type=facts["type"].upper(),
            state=facts["state"],
            error_kind=facts["error_kind"],
            before=facts["before"],
        )
        if sought.patient:
            audit.record(action="exchange.search-patient", actor=actor, details={"by": "number"})
    found = queries.find_messages(sought, actor=actor)
    rows, more = found[: queries.LISTED], found[queries.LISTED :]
    following = (
        {**{name: value for name, value in request.GET.items() if name != "before"}, "before": rows[-1].pk}
        if more
        else {}
    )
    # Whoever looks for a control id that was refused would else believe that it never came.
    also = refused.Sought(control_id=sought.control_id, connection_id=sought.connection_id)
    context = {
        "form": form,
        "connection": chosen,
        "refused": len(refused.find(also, actor=actor)) if sought.control_id else 0,
        "rows": [(one, presenters.error_of(one), presenters.TONES[one.state]) for one in rows],  # type: ignore[index]
        "next": f"{request.path}?{urlencode(following)}" if following else None,
    }
    return page_or_part(request, "hospital_systems/messages.html", "found", context, 422 if form.errors else 200)


@require_GET
def message(request: HttpRequest, key: UUID) -> HttpResponse:
    """One message: what became of it, its error with the cure, its segments with the person veiled."""
    actor = _actor(request)
    found = queries.get_message(key=key, actor=actor)
    clear = _may_read(found, actor)
    audit.record(
        action="exchange.view",
        actor=actor,
        subject=f"message/{found.key}",
        resident_id=found.resident_id,
        details={"clear": clear},
    )
    context = {
        "message": found,
        "tone": presenters.TONES[found.state],  # type: ignore[index]
        "error": presenters.error_of(found),
        "notes": presenters.notes_of(found),
        "segments": presenters.segments_of(found, clear=clear) or contents.contents_of(found, clear=clear),
        "title": contents.title_of(found),
        "source": contents.source_of(found),
        "is_file": contents.is_file(found),
        "clear": clear,
        "may_manage": actor.may(Permission.EXCHANGE_MANAGE),
    }
    return render(request, "hospital_systems/message.html", context)


@require_POST
@once
def replay(request: HttpRequest, key: UUID) -> HttpResponse:
    """Send one message through again."""
    actor = manager(request)
    found = queries.get_message(key=key, actor=actor)
    actions.replay(message=found, actor=actor)
    notes.success(request, _("已重放，稍后刷新查看结果。"))
    return redirect(request, reverse("exchange:message", args=[key]))


@require_GET
def codes(request: HttpRequest, key: UUID) -> HttpResponse:
    """The codes of a sender: those that nobody has decided first."""
    return _codes(request, key, None, CodeForm())


@require_POST
@once
def decide(request: HttpRequest, key: UUID, code: UUID) -> HttpResponse:
    """Say what a code means."""
    actor = manager(request)
    form = CodeForm(request.POST)
    if form.is_valid():
        facts = form.cleaned_data

        def act() -> None:
            _check_decided(queries.get_mapping(key=code, actor=actor).table, facts["target_code"])
            actions.decide_code(
                key=code,
                system=facts["target_system"],
                code=facts["target_code"],
                display=facts["target_display"],
                actor=actor,
            )

        if _try(form, act):
            notes.success(request, _("对照已保存，之后的消息按此解释。"))
            return redirect(request, reverse("exchange:codes", args=[key]) + "?open=1")
    return _codes(request, key, code, form)


def _check_decided(table: str, code: str) -> None:
    """Raise Refused for a code that such a table cannot mean."""
    if code and table in labels.DECIDED and code not in dict(labels.DECIDED[table][1]):
        raise Refused(_("有内容需要更正，没有保存。"), fields={"target_code": _("请从列表中选择含义。")})


def _codes(request: HttpRequest, key: UUID, chosen: UUID | None, form: CodeForm) -> HttpResponse:
    actor = _actor(request)
    found = queries.get_connection(key=key, actor=actor)
    open_only = request.GET.get("open", "") == "1"
    rows = queries.list_mappings(connection=found, open_only=open_only, text=request.GET.get("q", "").strip())
    context = {
        "connection": found,
        "rows": [(one, labels.TABLES.get(one.table, one.table)) for one in rows],
        "systems": dict(labels.TARGETS),
        "decided": labels.DECIDED,
        "usual": labels.USUAL,
        "open_only": open_only,
        "text": request.GET.get("q", ""),
        "chosen": chosen,
        "form": form,
        "may_manage": actor.may(Permission.EXCHANGE_MANAGE),
    }
    return render(request, "hospital_systems/codes.html", context, 422 if form.errors else 200)


def _change(found: ShownConnection, form: SettingsForm, actor: Actor) -> None:
    actions.change(connection=found, settings=_settings(form), actor=actor)


def _settings(form: SettingsForm, **more: Any) -> actions.Settings:
    facts = form.cleaned_data
    return actions.Settings(
        name=facts["name"],
        encoding=facts["encoding"],
        addresses=form.lines("addresses"),
        certificates=form.lines("certificates"),
        accepts_training=facts["accepts_training"],
        **more,
    )


def _may_read(found: ShownMessage, actor: Actor) -> bool:
    """Whether the actor may read what the message says of its resident; the look is noted with its ground."""
    if found.resident_id is None or not actor.may(Access.RECORD_VIEW) or not actor.record_reach:
        return False
    try:
        residents.get(resident_id=found.resident_id)
    except NotFound:
        return False
    records.note_look(
        resident_id=found.resident_id, actor=actor, subject=f"message/{found.key}", action="exchange.read"
    )
    return True


def _try(form: forms.Form, run: Callable[[], None]) -> bool:
    """Run an act; a refusal becomes the form's own errors."""
    try:
        run()
    except Refused as refused:
        if refused.status not in (409, 422):
            raise
        show_refusal(form, refused)
        return False
    return True


def _actor(request: HttpRequest) -> Actor:
    actor: Actor = request.actor  # type: ignore[attr-defined]
    actor.check(Permission.EXCHANGE_VIEW)
    return actor


def manager(request: HttpRequest) -> Actor:
    """The actor of a request, who may manage connections."""
    actor = _actor(request)
    actor.check(Permission.EXCHANGE_MANAGE)
    return actor
