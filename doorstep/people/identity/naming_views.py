"""Pages for people without a name or number, and for their later naming."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from doorstep.kernel.access.actor import Actor
from doorstep.kernel.access.refusals import Refused
from doorstep.kernel.web.pages import redirect, render
from doorstep.kernel.web.refusing import show_refusal
from doorstep.kernel.workflow.once import once
from doorstep.people.identity import naming, presenters, queries
from doorstep.people.identity.forms import IdentifyForm, UnknownForm
from doorstep.people.residents import queries as residents
from doorstep.people.residents.documents import NATIONAL_ID
from doorstep.people.residents.permissions import Permission
from doorstep.people.residents.views import page_of


def _registering(request: HttpRequest) -> Actor:
    actor: Actor = request.actor  # type: ignore[attr-defined]
    actor.check(Permission.RESIDENT_REGISTER)
    return actor


@require_http_methods(["GET", "POST"])
@once
def unknown(request: HttpRequest) -> HttpResponse:
    """Register an emergency patient whom nobody can name."""
    actor = _registering(request)
    form = UnknownForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            made = naming.register_unknown(actor=actor, **form.cleaned_data)
        except Refused as refused:
            show_refusal(form, refused)
        else:
            messages.success(request, _("已按无名患者建档。身份确认后请在档案页点“确认身份”。"))
            return redirect(request, page_of(made.key, actor))
    return render(request, "identity/unknown.html", {"form": form}, 422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
@once
def identify(request: HttpRequest, key: UUID) -> HttpResponse:
    """Give a resident the right name and number."""
    actor = _registering(request)
    resident = residents.get_by_key(key, actor)
    known = not resident.unidentified
    initial = {
        "name": resident.name if known else "",
        "birth_date": resident.birth_date if known else None,
        "gender": resident.gender,
        "document": resident.document_kind or NATIONAL_ID,
        "country": resident.document_country,
        "number": resident.national_id or resident.document_number,
    }
    # Another number in place of one takes the records officer (naming.identify).
    keeps_number = bool(initial["number"]) and not actor.may(Permission.RESIDENT_MERGE)
    form = IdentifyForm(request.POST or None, initial=initial, keeps_number=keeps_number)
    if request.method == "POST" and form.is_valid():
        facts = dict(form.cleaned_data)
        reason = facts.pop("reason")
        try:
            changed = naming.identify(resident=resident, identity=naming.Identity(**facts), reason=reason, actor=actor)
        except Refused as refused:
            show_refusal(form, refused)
        else:
            if changed is not None:
                messages.success(request, _("身份已确认，已保存。"))
                return redirect(request, page_of(changed.key, actor))
            form.add_error(None, _("这个号码可能已有档案，没有保存。请核验本人到场，再请档案管理员核对合并两份档案。"))
    context = {
        "form": form,
        "resident": resident,
        "numbered": bool(initial["number"]) and not keeps_number,
        "back": page_of(resident.key, actor),
        "banner": residents.banner(resident),
        "changes": [(one, presenters.differences_of(one)) for one in queries.changes_of(resident_id=resident.pk)],
    }
    return render(request, "identity/identify.html", context, 422 if form.errors else 200)
