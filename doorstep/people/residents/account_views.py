"""The page of which accounts open a resident's record: an own one, those who act for the person, and their end."""

from uuid import UUID

from django.contrib import messages
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from doorstep.kernel.access.refusals import Refused
from doorstep.kernel.record import queries as record
from doorstep.kernel.web.pages import redirect, render
from doorstep.kernel.web.refusing import show_refusal
from doorstep.kernel.workflow.once import once
from doorstep.people.residents import account_links, queries
from doorstep.people.residents.forms import AccountLinkForm, OpenAccountForm
from doorstep.people.residents.links import OWN
from doorstep.people.residents.models import Resident, ResidentAccount
from doorstep.people.residents.permissions import Permission
from doorstep.people.residents.rules import ADULT_AT, RELATIONS, age_on
from doorstep.people.residents.views import actor_of


@require_GET
def accounts(request: HttpRequest, key: UUID) -> HttpResponse:
    """Which accounts open this record, and which did."""
    return _page(request, key)


@require_POST
@once
def open_account(request: HttpRequest, key: UUID) -> HttpResponse:
    """Open an own account; its temporary password is on the answer and nowhere else."""
    actor = actor_of(request)
    actor.check(Permission.RESIDENT_REGISTER)
    resident = queries.get_by_key(key, actor)
    form = OpenAccountForm(request.POST, auto_id="own_%s")
    if not form.is_valid():
        return _page(request, key, opening=form, status=422)
    try:
        password = account_links.open_account(resident=resident, username=form.cleaned_data["username"], actor=actor)
    except Refused as refused:
        _show(form, refused)
        return _page(request, key, opening=form, status=422)
    response = _page(request, key, issued=(form.cleaned_data["username"], password))
    response.headers["Cache-Control"] = "no-store"
    return response


@require_POST
@once
def link(request: HttpRequest, key: UUID) -> HttpResponse:
    """Let somebody's account act for this resident."""
    actor = actor_of(request)
    actor.check(Permission.RESIDENT_REGISTER)
    resident = queries.get_by_key(key, actor)
    form = AccountLinkForm(request.POST, auto_id="link_%s", adult=_adult(resident))
    if not form.is_valid():
        return _page(request, key, linking=form, status=422)
    try:
        account_links.link(resident=resident, actor=actor, **form.cleaned_data)
    except Refused as refused:
        _show(form, refused)
        return _page(request, key, linking=form, status=422)
    messages.success(request, _("已登记，代办人下次打开页面即可切换到这位居民。"))
    return redirect(request, reverse("residents:accounts", args=[resident.key]))


@require_POST
@once
def end(request: HttpRequest, key: UUID, link_id: int) -> HttpResponse:
    """End a link, with a reason."""
    actor = actor_of(request)
    actor.check(Permission.RESIDENT_REGISTER)
    resident = queries.get_by_key(key, actor)
    account_links.end(link_id=link_id, resident=resident, reason=request.POST.get("reason", ""), actor=actor)
    messages.success(request, _("已结束，该账号和它授权的应用马上不能再查看这份档案。"))
    return redirect(request, reverse("residents:accounts", args=[resident.key]))


def _adult(resident: Resident) -> bool:
    return age_on(resident.birth_date, timezone.localdate()) >= ADULT_AT


def _ground(link: ResidentAccount) -> str:
    """What lets an account open the record, as people read it."""
    if link.relation == OWN:
        return ""
    if link.paper:
        return _("监护：%(paper)s") % {"paper": link.paper}
    # Its birthday is counted where the links are read.
    child = link.since < link.grown_up  # type: ignore[attr-defined]
    return _("未成年人监护") if child else _("本人到场同意")


def _show(form: Form, refused: Refused) -> None:
    if refused.status not in (409, 422):
        raise refused
    show_refusal(form, refused)


def _page(
    request: HttpRequest,
    key: UUID,
    *,
    opening: Form | None = None,
    linking: Form | None = None,
    issued: tuple[str, str] | None = None,
    status: int = 200,
) -> HttpResponse:
    actor = actor_of(request)
    actor.check(Permission.RESIDENT_REGISTER)
    resident = queries.get_by_key(key, actor)
    queries.check_whole_record(resident_id=resident.pk, permission=Permission.RESIDENT_REGISTER, actor=actor)
    if request.method == "GET":
        record.note_look(
            resident_id=resident.pk, actor=actor, subject=f"resident/{resident.key}", action="resident.accounts"
        )
    links = account_links.of_resident(resident, actor)
    context = {
        "resident": resident,
        "banner": queries.banner(resident),
        "standing": [one for one in links if account_links.stands(one)],
        "former": [one for one in links if not account_links.stands(one)],
        "adult": _adult(resident),
        "relation_of": lambda one: _(RELATIONS.get(one.relation, "")) if one.relation in RELATIONS else _("本人"),
        "opening": opening or OpenAccountForm(auto_id="own_%s"),
        "linking": linking or AccountLinkForm(auto_id="link_%s", adult=_adult(resident)),
        "ground_of": _ground,
        "issued": issued,
    }
    return render(request, "residents/accounts.html", context, status)
