"""Pages on which an engineer registers systems that call /fhir, gives them other keys, and ends their access."""

from django.contrib import messages as notes
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from doorstep.coordination.hospital_systems import clients, presenters
from doorstep.coordination.hospital_systems.forms import KeysForm, SystemForm
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.access.permissions import Permission
from doorstep.kernel.access.refusals import Refused
from doorstep.kernel.subscriptions import queries
from doorstep.kernel.web.pages import redirect, render
from doorstep.kernel.web.refusing import show_refusal
from doorstep.kernel.workflow.once import once
from doorstep.people.organizations import queries as organizations


@require_http_methods(["GET", "POST"])
@once
def new_system(request: HttpRequest) -> HttpResponse:
    """Register a system by its public keys."""
    actor = _engineer(request)
    units = list(organizations.names(ids=actor.reach).items())
    form = SystemForm(
        request.POST or None, request.FILES or None, units=units, initial={"organization": actor.organization_id}
    )
    if request.method == "POST" and form.is_valid():
        facts = form.cleaned_data
        try:
            made = clients.register_system(
                name=facts["name"], organization_id=facts["organization"], wanted=_wanted(form), actor=actor
            )
        except Refused as refused:
            show_refusal(form, refused)
        else:
            notes.success(request, _("已登记。请把下面的编号和令牌地址交给对方工程师。"))
            return redirect(request, reverse("exchange:system-keys", args=[made.name]))
    return render(request, "hospital_systems/new_system.html", {"form": form}, 422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
@once
def keys(request: HttpRequest, name: str) -> HttpResponse:
    """The keys and scopes of a system, and others in their place."""
    actor = _engineer(request)
    client, _rule = queries.get_system(name=name, actor=actor)
    initial = {"display": client.display, "scopes": client.scopes, "issuer": client.issuer, "jku": client.jku}
    form = KeysForm(request.POST or None, request.FILES or None, initial={**initial, "follows_jku": client.follows_jku})
    if request.method == "POST" and form.is_valid():
        try:
            void = clients.renew_system(
                client=client, wanted=_wanted(form), actor=actor, keep=form.cleaned_data["keep"]
            )
        except Refused as refused:
            if refused.status != 422:
                raise
            show_refusal(form, refused)
        else:
            notes.success(
                request,
                _("公钥与范围已更换，之前发出的令牌已作废。")
                if void
                else _("公钥与范围已更换，已发出的令牌继续有效。"),
            )
            return redirect(request, reverse("exchange:system-keys", args=[name]))
    context = {
        "client": client,
        "unit": organizations.names(ids=[client.organization_id]).get(client.organization_id, ""),
        "keys": presenters.keys_of(client.jwks),
        "token_address": request.build_absolute_uri(reverse("oauth:token")),
        "base": request.build_absolute_uri("/fhir"),
        "form": form,
        "of_connection": clients.is_of_connection(client),
    }
    return render(request, "hospital_systems/system_keys.html", context, 422 if form.errors else 200)


@require_POST
@once
def stop(request: HttpRequest, name: str) -> HttpResponse:
    """End a system's access."""
    actor = _engineer(request)
    client, _rule = queries.get_system(name=name, actor=actor)
    clients.stop_system(client=client, actor=actor)
    notes.success(request, _("“%(name)s”已停用，它的令牌马上失效。") % {"name": client.display})
    return redirect(request, reverse("exchange:systems"))


def _wanted(form: KeysForm) -> clients.Wanted:
    facts = form.cleaned_data
    return clients.Wanted(
        display=facts["display"],
        keys=facts["keys"],
        scopes=facts["scopes"],
        issuer=facts["issuer"],
        jku=facts["jku"],
        follows_jku=facts["follows_jku"],
    )


def _engineer(request: HttpRequest) -> Actor:
    actor: Actor = request.actor  # type: ignore[attr-defined]
    actor.check(Permission.CLIENT_MANAGE)
    return actor
