"""Pages that manage organisations: a unit, its departments, its membership, a consortium."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from doorstep.kernel.access.actor import Actor
from doorstep.kernel.access.refusals import NotFound, Refused
from doorstep.kernel.web.pages import redirect, render
from doorstep.kernel.web.refusing import show_refusal
from doorstep.kernel.workflow.once import once
from doorstep.people.organizations import actions, memberships, queries
from doorstep.people.organizations.forms import CloseForm, ConsortiumForm, DepartmentForm, JoinForm, LeaveForm, UnitForm
from doorstep.people.organizations.permissions import Permission

_FACTS = tuple(actions.UnitFacts.__dataclass_fields__)


def _manager(request: HttpRequest) -> Actor:
    actor: Actor = request.actor  # type: ignore[attr-defined]
    actor.check(Permission.ORGANIZATION_MANAGE)
    return actor


def _unit(key: UUID, actor: Actor) -> Any:
    unit = queries.get_by_key(key)
    if not actor.reaches(unit.pk):
        raise NotFound()
    return unit


def _done(form: forms.Form, act: Callable[[], object]) -> bool:
    """Whether a valid form's act went through; a refusal stands in the form."""
    try:
        act()
    except Refused as refused:
        if refused.status not in (409, 422):
            raise
        show_refusal(form, refused)
        return False
    return True


def _parents(actor: Actor) -> list[tuple[int, str]]:
    units = queries.within(ids=actor.reach)
    top = min((len(unit.path) for unit in units), default=1)
    return [(unit.pk, "　" * (len(unit.path) - top) + unit.name) for unit in units]


def _facts(form: UnitForm) -> actions.UnitFacts:
    return actions.UnitFacts(**{name: form.cleaned_data[name] for name in _FACTS})


@require_http_methods(["GET", "POST"])
@once
def new(request: HttpRequest) -> HttpResponse:
    """A new unit below one within reach."""
    actor = _manager(request)
    wanted = request.GET.get("parent", "")
    try:
        above = _unit(UUID(wanted), actor).pk if wanted else actor.organization_id
    except ValueError as error:
        raise NotFound() from error
    form = UnitForm(request.POST or None, parents=_parents(actor), initial={"parent": above})
    if request.method == "POST" and form.is_valid():
        made: list[Any] = []
        facts, parent_id = _facts(form), form.cleaned_data["parent"]
        if _done(form, lambda: made.append(actions.found(facts=facts, parent_id=parent_id, actor=actor))):
            messages.success(request, _("单位已登记。"))
            return redirect(request, reverse("organizations:detail", args=[made[0].key]))
    context = {"form": form, "unit": None}
    return render(request, "organizations/edit.html", context, 422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
@once
def edit(request: HttpRequest, key: UUID) -> HttpResponse:
    """The facts of a unit and its place in the tree."""
    actor = _manager(request)
    unit = _unit(key, actor)
    own = unit.pk == actor.organization_id
    # The own unit's parent is shown and cannot be chosen: it may lie out of reach.
    parents = [(unit.parent_id, unit.parent.name)] if own and unit.parent else [] if own else _parents(actor)
    initial = {name: getattr(unit, name) for name in _FACTS} | {"parent": unit.parent_id}
    form = UnitForm(request.POST or None, parents=parents, initial=initial)
    if request.method == "POST" and form.is_valid():
        facts, parent_id, reason = _facts(form), form.cleaned_data["parent"], form.cleaned_data["reason"]
        if _done(form, lambda: actions.change(unit=unit, facts=facts, parent_id=parent_id, reason=reason, actor=actor)):
            messages.success(request, _("已保存，变更记录在单位页。"))
            return redirect(request, reverse("organizations:detail", args=[key]))
    context = {"form": form, "unit": queries.get_by_key(key)}
    return render(request, "organizations/edit.html", context, 422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
@once
def close(request: HttpRequest, key: UUID) -> HttpResponse:
    """The day on which a unit closes."""
    actor = _manager(request)
    unit = _unit(key, actor)
    form = CloseForm(request.POST or None)
    if (
        request.method == "POST"
        and form.is_valid()
        and _done(form, lambda: actions.close(unit=unit, actor=actor, **form.cleaned_data))
    ):
        messages.success(request, _("已登记停办。"))
        return redirect(request, reverse("organizations:detail", args=[key]))
    words = {
        "title": _("登记停办"),
        "note": _("停办后不能再登记岗位和下属单位；历史和档案保留。"),
        "submit": _("登记停办"),
        "danger": True,
    }
    return _page(request, unit, form, words)


@require_http_methods(["GET", "POST"])
@once
def join(request: HttpRequest, key: UUID) -> HttpResponse:
    """Membership in a consortium from a day on."""
    actor = _manager(request)
    unit = _unit(key, actor)
    choices = [(one.pk, one.name) for one in memberships.choices(actor=actor)]
    form = JoinForm(request.POST or None, consortia=choices, may_lead=memberships.may_lead(actor))
    if request.method == "POST" and form.is_valid():
        facts = form.cleaned_data
        if _done(
            form,
            lambda: memberships.begin(
                unit=unit,
                consortium_id=facts["consortium"],
                part=facts["part"],
                starts_on=facts["starts_on"],
                actor=actor,
            ),
        ):
            messages.success(request, _("已登记加入。"))
            return redirect(request, reverse("organizations:detail", args=[key]))
    return _page(request, unit, form, {"title": _("加入医共体"), "note": "", "submit": _("登记加入"), "danger": False})


@require_http_methods(["GET", "POST"])
@once
def leave(request: HttpRequest, key: UUID, membership_id: int) -> HttpResponse:
    """The last day of a membership."""
    actor = _manager(request)
    unit = _unit(key, actor)
    membership = queries.get_membership(membership_id=membership_id, key=key)
    form = LeaveForm(request.POST or None)
    if (
        request.method == "POST"
        and form.is_valid()
        and _done(form, lambda: memberships.end(membership=membership, actor=actor, **form.cleaned_data))
    ):
        messages.success(request, _("已登记退出，历史保留。"))
        return redirect(request, reverse("organizations:detail", args=[key]))
    words = {"title": _("退出医共体"), "note": membership.consortium.name, "submit": _("登记退出"), "danger": True}
    return _page(request, unit, form, words)


@require_http_methods(["GET", "POST"])
@once
def department(request: HttpRequest, key: UUID) -> HttpResponse:
    """A new department of a unit."""
    actor = _manager(request)
    unit = _unit(key, actor)
    form = DepartmentForm(request.POST or None)
    if (
        request.method == "POST"
        and form.is_valid()
        and _done(form, lambda: actions.add_department(unit=unit, actor=actor, **form.cleaned_data))
    ):
        messages.success(request, _("科室已登记。"))
        return redirect(request, reverse("organizations:detail", args=[key]))
    return _page(request, unit, form, {"title": _("增加科室"), "note": "", "submit": _("登记"), "danger": False})


@require_POST
@once
def close_department(request: HttpRequest, key: UUID, department_key: UUID) -> HttpResponse:
    """Close a department from today on."""
    actor = _manager(request)
    _unit(key, actor)
    found = queries.get_department(key=key, department=department_key)
    actions.close_department(department=found, reason="", actor=actor)
    messages.success(request, _("科室已撤销，岗位和排班的历史保留。"))
    return redirect(request, reverse("organizations:detail", args=[key]))


@require_http_methods(["GET", "POST"])
@once
def consortium(request: HttpRequest) -> HttpResponse:
    """A new consortium; its lead and members join on their own pages."""
    actor = _manager(request)
    form = ConsortiumForm(request.POST or None)
    if (
        request.method == "POST"
        and form.is_valid()
        and _done(form, lambda: memberships.found_consortium(actor=actor, **form.cleaned_data))
    ):
        messages.success(request, _("医共体已建立，请到各单位页登记加入。"))
        return redirect(request, reverse("organizations:tree"))
    words = {
        "title": _("新建医共体"),
        "note": _("建立后，在牵头医院和成员单位的页面分别登记加入。"),
        "submit": _("建立"),
        "danger": False,
    }
    return _page(request, None, form, words)


def _page(request: HttpRequest, unit: Any, form: forms.Form, words: dict[str, Any]) -> HttpResponse:
    context = {"unit": unit, "form": form, **words}
    return render(request, "organizations/act.html", context, 422 if form.errors else 200)
