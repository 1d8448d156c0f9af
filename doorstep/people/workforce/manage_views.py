"""Pages that manage people: hire, posts, title and licence, account."""

import base64
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from doorstep.kernel.access.actor import Actor
from doorstep.kernel.access.encryption import seal, unseal
from doorstep.kernel.access.refusals import NotFound, Refused
from doorstep.kernel.web.pages import redirect, render
from doorstep.kernel.web.refusing import show_refusal
from doorstep.kernel.workflow.once import once
from doorstep.people.organizations import queries as organizations
from doorstep.people.workforce import accounts, managing, queries
from doorstep.people.workforce.forms import EndForm, FactsForm, LockForm, PersonForm, PostForm
from doorstep.people.workforce.permissions import Permission
from doorstep.people.workforce.role_names import name_of

_ISSUED = "issued_password"
_POST_FIELDS = {"organization": "role", "department": "department"}


def _manager(request: HttpRequest) -> Actor:
    actor: Actor = request.actor  # type: ignore[attr-defined]
    actor.check(Permission.WORKFORCE_MANAGE)
    if actor.organization_id is None:
        raise NotFound()
    return actor


def _unit_id(request: HttpRequest, actor: Actor) -> int:
    """The unit of the address within reach, or the own one."""
    wanted = request.GET.get("unit", "")
    if not wanted:
        return actor.organization_id or 0
    try:
        unit = organizations.get_by_key(UUID(wanted))
    except ValueError as error:
        raise NotFound() from error
    if not actor.reaches(unit.pk):
        raise NotFound()
    return unit.pk


def _post_form(request: HttpRequest, unit_id: int, actor: Actor) -> PostForm:
    return PostForm(
        request.POST or None,
        roles=[(key, name_of(key)) for key in managing.givable(organization_id=unit_id, actor=actor)],
        departments=[(one.pk, one.name) for one in organizations.departments(organization_id=unit_id)],
    )


def _new_post(unit_id: int, facts: dict[str, Any]) -> managing.NewPost:
    return managing.NewPost(
        organization_id=unit_id,
        role=facts["role"],
        starts_on=facts["starts_on"],
        ends_on=facts["ends_on"],
        department_id=facts["department"],
    )


def _units(actor: Actor) -> list[tuple[str, str]]:
    reached = [unit for unit in organizations.tree(limit=2000) if actor.reaches(unit.pk)]
    return [(str(unit.key), unit.name) for unit in reached]


@require_http_methods(["GET", "POST"])
@once
def hire(request: HttpRequest) -> HttpResponse:
    """A new colleague: person, first post, account."""
    actor = _manager(request)
    unit_id = _unit_id(request, actor)
    person, post = PersonForm(request.POST or None), _post_form(request, unit_id, actor)
    facts = FactsForm(request.POST or None)
    # Every form is asked, so that the page shows all that is wrong at once.
    if request.method == "POST" and all([person.is_valid(), post.is_valid(), facts.is_valid()]):
        new = managing.NewPractitioner(
            **{**person.cleaned_data, "national_id": person.cleaned_data["national_id"].upper()},
            facts=managing.Facts(**facts.cleaned_data),
        )
        try:
            hired = managing.hire(new=new, post=_new_post(unit_id, post.cleaned_data), actor=actor)
        except Refused as refused:
            if refused.status not in (409, 422):
                raise
            _show(refused, person, post, facts)
        else:
            _keep_password(request, hired.practitioner.key, hired.password)
            messages.success(request, _("已登记人员和岗位。"))
            return redirect(request, reverse("workforce:person", args=[hired.practitioner.key]))
    wrong = bool(person.errors or post.errors or facts.errors)
    context = {
        "person": person,
        "post": post,
        "facts": facts,
        "unit": organizations.get(organization_id=unit_id),
        "units": _units(actor),
        "may_give": len(post.fields["role"].choices) > 1,  # type: ignore[attr-defined]
    }
    return render(request, "workforce/hire.html", context, 422 if wrong else 200)


@require_http_methods(["GET", "POST"])
@once
def give_post(request: HttpRequest, key: UUID) -> HttpResponse:
    """Another post for somebody who works within reach."""
    actor = _manager(request)
    person = _near(key, actor)
    unit_id = _unit_id(request, actor)
    form = _post_form(request, unit_id, actor)
    if request.method == "POST" and form.is_valid():
        try:
            managing.give_post(practitioner=person, post=_new_post(unit_id, form.cleaned_data), actor=actor)
        except Refused as refused:
            if refused.status not in (409, 422):
                raise
            _show(refused, form)
        else:
            messages.success(request, _("岗位已登记。"))
            return redirect(request, reverse("workforce:person", args=[key]))
    context = {
        "person": person,
        "form": form,
        "unit": organizations.get(organization_id=unit_id),
        "units": _units(actor),
        "may_give": len(form.fields["role"].choices) > 1,  # type: ignore[attr-defined]
    }
    return render(request, "workforce/post.html", context, 422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
@once
def end_post(request: HttpRequest, key: UUID) -> HttpResponse:
    """The last day of a post."""
    actor = _manager(request)
    post = queries.get_post(key=key)
    if not actor.reaches(post.organization_id):
        raise NotFound()
    form = EndForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            managing.end_post(post=post, actor=actor, **form.cleaned_data)
        except Refused as refused:
            if refused.status != 422:
                raise
            show_refusal(form, refused)
        else:
            messages.success(request, _("已登记离岗。"))
            return redirect(request, reverse("workforce:person", args=[post.practitioner.key]))
    context = {"post": post, "form": form, "role": name_of(post.role)}
    return render(request, "workforce/end.html", context, 422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
@once
def edit(request: HttpRequest, key: UUID) -> HttpResponse:
    """Title, specialty, licence and phone."""
    actor = _manager(request)
    person = _near(key, actor)
    names = ("title", "specialty", "licence_number", "licence_scope", "phone", "is_expert")
    form = FactsForm(request.POST or None, initial={name: getattr(person, name) for name in names})
    if request.method == "POST" and form.is_valid():
        try:
            managing.change(practitioner=person, facts=managing.Facts(**form.cleaned_data), actor=actor)
        except Refused as refused:
            if refused.status != 422:
                raise
            show_refusal(form, refused)
        else:
            messages.success(request, _("已保存。"))
            return redirect(request, reverse("workforce:person", args=[key]))
    return render(request, "workforce/edit.html", {"person": person, "form": form}, 422 if form.errors else 200)


@require_POST
@once
def account(request: HttpRequest, key: UUID) -> HttpResponse:
    """Lock or unlock an account, renew its password, take its second factor away."""
    actor = _manager(request)
    person = _near(key, actor)
    verb = request.POST.get("verb", "")
    if verb == "lock":
        form = LockForm(request.POST)
        accounts.lock(
            practitioner=person, reason=request.POST.get("reason", "") if form.is_valid() else "", actor=actor
        )
        messages.success(request, _("账号已锁定。"))
    elif verb == "unlock":
        accounts.unlock(practitioner=person, actor=actor)
        messages.success(request, _("账号已解锁。"))
    elif verb in ("password", "factors"):
        password = accounts.renew(practitioner=person, factors=verb == "factors", actor=actor)
        _keep_password(request, person.key, password)
    else:
        raise NotFound()
    return redirect(request, reverse("workforce:person", args=[key]))


def _near(key: UUID, actor: Actor) -> Any:
    person = queries.get_practitioner(key=key)
    if not any(actor.reaches(post.organization_id) for post in queries.posts_of(key=key)):
        raise NotFound()
    return person


def _show(refused: Refused, *forms: Any) -> None:
    """Each sentence at its field in whichever form has it; the rest on top of the first."""
    fields = {_POST_FIELDS.get(name, name): sentence for name, sentence in refused.fields.items()}
    for name, sentence in fields.items():
        owner = next((form for form in forms if name in form.fields), forms[0])
        owner.add_error(name if name in owner.fields else None, str(sentence))
    if not fields:
        forms[0].add_error(None, str(refused.message))


def _keep_password(request: HttpRequest, key: UUID, password: str) -> None:
    """Carry a password over the redirect, sealed, for one look at the person's page."""
    if password:
        request.session[_ISSUED] = {"person": str(key), "sealed": base64.b64encode(seal(password)).decode()}


def take_password(request: HttpRequest, key: UUID) -> str:
    """The password that was issued a moment ago for this person, once; "" when there is none."""
    issued = request.session.get(_ISSUED)
    if not issued or issued.get("person") != str(key):
        return ""
    del request.session[_ISSUED]
    return unseal(base64.b64decode(issued["sealed"]))
