"""Pages of the workforce: who works here, a person's posts, the own post and deputy."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from doorstep.kernel.access.actor import Actor
from doorstep.kernel.access.refusals import NotFound, NotPermitted, Refused
from doorstep.kernel.web.pages import redirect, render
from doorstep.kernel.web.refusing import show_refusal
from doorstep.kernel.workflow.once import once
from doorstep.kernel.worklist import queries as worklist
from doorstep.kernel.worklist.permissions import Permission as Worklist
from doorstep.people.organizations import queries as organizations
from doorstep.people.workforce import accounts, actions, managing, queries
from doorstep.people.workforce.forms import LeaveForm
from doorstep.people.workforce.manage_views import take_password
from doorstep.people.workforce.permissions import Permission
from doorstep.people.workforce.role_names import name_of


def _staff(request: HttpRequest) -> Actor:
    actor: Actor = request.actor  # type: ignore[attr-defined]
    if not actor.is_staff or actor.organization_id is None:
        raise NotPermitted(permission=Permission.WORKFORCE_VIEW)
    return actor


@require_GET
def staff(request: HttpRequest) -> HttpResponse:
    """The people of the own unit; another unit within reach with the permission to view it."""
    actor = _staff(request)
    wanted = request.GET.get("unit", "")
    if wanted:
        try:
            unit = organizations.get_by_key(UUID(wanted))
        except ValueError as error:
            raise NotFound() from error
    else:
        unit = organizations.get(organization_id=actor.organization_id or 0)
    if unit.pk != actor.organization_id:
        actor.check(Permission.WORKFORCE_VIEW)
        if not actor.reaches(unit.pk):
            raise NotFound()
    posts = queries.staff_of(organization_id=unit.pk, day=timezone.localdate())
    may_hire = actor.may(Permission.WORKFORCE_MANAGE) and actor.reaches(unit.pk)
    context = {"unit": unit, "posts": posts, "role_label": name_of, "may_hire": may_hire}
    return render(request, "workforce/staff.html", context)


@require_GET
def person(request: HttpRequest, key: UUID) -> HttpResponse:
    """The posts of a person who works, or worked, within reach."""
    actor = _staff(request)
    posts = queries.posts_of(key=key)
    near = [post for post in posts if actor.reaches(post.organization_id)]
    if not near:
        raise NotFound()
    practitioner = posts[0].practitioner
    manages = actor.may(Permission.WORKFORCE_MANAGE)
    whole = manages and accounts.manages(practitioner, actor)
    context = {
        "person": practitioner,
        "posts": posts,
        "role_label": name_of,
        "last_day": queries.last_day_of,
        "ends": {post.pk for post in near if manages and managing.may_end(post, actor)},
        "may_add": manages and practitioner.user_id != actor.user_id,
        "manages": whole,
        "account": queries.account_of(practitioner) if whole else None,
        "password": take_password(request, key) if whole else "",
    }
    response = render(request, "workforce/person.html", context)
    response.headers["Cache-Control"] = "no-store"
    return response


@require_POST
def switch(request: HttpRequest) -> HttpResponse:
    """Act in another of one's own posts."""
    chosen = request.POST.get("post", "")
    if not chosen.isascii() or not chosen.isdecimal():
        raise NotFound()
    actions.switch_post(post_id=int(chosen), actor=_staff(request))
    return redirect(request, "/")


@require_http_methods(["GET", "POST"])
@once
def leave(request: HttpRequest) -> HttpResponse:
    """Name the colleague who gets the own tasks during leave."""
    actor = _staff(request)
    actor.check(Worklist.TASK_DELEGATE)
    known = queries.possible_deputies(actor=actor, day=timezone.localdate())
    form = LeaveForm(request.POST or None)
    # Nobody is chosen beforehand: the first of a list would get somebody else's tasks.
    form.fields["to_user_id"].choices = [("", "—"), *known]  # type: ignore[attr-defined]
    if request.method == "POST" and form.is_valid():
        try:
            actions.name_deputy(actor=actor, **form.cleaned_data)
        except Refused as refused:
            show_refusal(form, refused)
        else:
            messages.success(request, _("已登记。代理期间指派给您的任务会同时出现在代理人的工作台。"))
            return redirect(request, request.path)
    leaves = worklist.delegations_of(user_id=actor.user_id or 0)
    names = queries.names_of_users(ids={one.to_user_id for one in leaves})
    held = [(one, names.get(one.to_user_id, "")) for one in leaves]
    context = {"form": form, "held": held, "colleagues": known, "today": timezone.localdate()}
    return render(request, "workforce/leave.html", context, 422 if form.errors else 200)


@require_POST
@once
def end_leave(request: HttpRequest, key: UUID) -> HttpResponse:
    """Take the deputy back before the last day."""
    actions.end_leave(key=key, actor=_staff(request))
    messages.success(request, _("代理已结束，指派给您的任务不再出现在代理人的工作台。"))
    return redirect(request, reverse("workforce:leave"))
