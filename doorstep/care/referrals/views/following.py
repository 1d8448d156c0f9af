"""The receiver's and the family doctor's pages: what comes back, follow-ups, the follow-up form."""

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from doorstep.care.referrals import actions, list_queries, queries, texts
from doorstep.care.referrals.down_aims import HOME
from doorstep.care.referrals.forms import FollowUpForm, RescheduleForm, add_refusal, add_rest
from doorstep.care.referrals.permissions import Permission
from doorstep.care.referrals.presenters import questions
from doorstep.care.referrals.presenters import thing as presenters
from doorstep.care.referrals.views.frame import actor_of, work
from doorstep.kernel.access.refusals import NotFound, Refused
from doorstep.kernel.web.pages import page_or_part, redirect, render
from doorstep.kernel.workflow.once import once


@require_GET
def returning(request: HttpRequest) -> HttpResponse:
    """What comes back to the actor's units."""
    actor = actor_of(request)
    actor.check(Permission.REFERRAL_RECEIVE_BACK)
    page = list_queries.list_returning(actor=actor, after=request.GET.get("after", ""))
    return work(request, title=_("下转承接"), page=page, address=reverse("referrals:returning"))


@require_POST
@once
def scan_back(request: HttpRequest) -> HttpResponse:
    """Open the case behind the code of a 回转单, where the next act is one click away; a sentence for every other text."""
    actor = actor_of(request)
    actor.check(Permission.REFERRAL_RECEIVE_BACK)
    text = request.POST.get("code", "").strip()
    try:
        found = queries.coming_home(token=text, actor=actor)
    except NotFound as refused:
        sentence = str(refused.message)
    else:
        if found is not None:
            return redirect(request, reverse("referrals:detail", args=[found.key]))
        sentence = _("二维码无法识别。请重新扫描回转单上的二维码，或在列表中按姓名查找。")
    page, address = list_queries.list_returning(actor=actor), reverse("referrals:returning")
    return work(
        request, title=_("下转承接"), page=page, address=address, refused_code=(text[:200], sentence), status=422
    )


@require_GET
def follow_ups(request: HttpRequest) -> HttpResponse:
    """The follow-ups of the actor's units by their day."""
    actor = actor_of(request)
    actor.check(Permission.FOLLOW_UP_DO)
    state = request.GET.get("state", "")
    rows, following = queries.list_follow_ups(actor=actor, state=state, after=request.GET.get("after", ""))
    context = {
        "rows": presenters.follow_up_rows(rows),
        "next": f"?{urlencode({'state': state, 'after': following})}" if following else "",
    }
    return render(request, "referrals/follow_ups.html", context)


@require_http_methods(["GET", "POST"])
@once
def follow_up(request: HttpRequest, key: UUID) -> HttpResponse:
    """The form of one follow-up beside the plan it follows."""
    actor = actor_of(request)
    actor.check(Permission.FOLLOW_UP_DO)
    row = queries.get_follow_up(key=key, actor=actor)
    # Who went home to stay there is visited.
    way = "visit" if row.referral.goes_to == HOME else "clinic"
    form = FollowUpForm(request.POST if request.method == "POST" else None, initial={"way": way})
    if form.is_bound and form.is_valid():
        try:
            done = actions.complete_follow_up(follow_up=row, findings=_findings(form.cleaned_data), actor=actor)
        except Refused as refused:
            if not refused.fields:
                raise
            add_refusal(form, refused.fields, {})
        else:
            messages.success(request, _("随访已记录。") if done.state == "done" else _("已记录病情变化，请发起转诊。"))
            return redirect(request, reverse("referrals:detail", args=[row.referral.key]))
    elif form.is_bound:
        add_rest(form, actions.finding_problems(_findings(form.cleaned_data)))
    context = {
        "row": row,
        "form": form,
        "later": RescheduleForm(initial={"due_on": row.due_on, "unit": row.unit_id}, units=_units(row, actor)),
        "may_ask": questions.may_ask(row.referral, actor),
        "plan": queries.plan_of(referral=row.referral),
        "frequencies": texts.FREQUENCIES,
        "gender": presenters.gender_of(row.referral),
        "state": presenters.label(row),
        "open": row.state in ("planned", "due", "missed"),
        "way": _(texts.WAYS.get(row.way, "")),
        "from_home": row.way in texts.FROM_HOME,
        "symptoms": "、".join(_(texts.FOLLOW_UP_SYMPTOMS.get(one, one)) for one in row.symptoms),
    }
    return page_or_part(request, "referrals/follow_up.html", "content", context, status=422 if form.is_bound else 200)


@require_POST
@once
def reschedule(request: HttpRequest, key: UUID) -> HttpResponse:
    """Put a follow-up on another day."""
    actor = actor_of(request)
    actor.check(Permission.FOLLOW_UP_DO)
    row = queries.get_follow_up(key=key, actor=actor)
    form = RescheduleForm(request.POST, units=_units(row, actor))
    if not form.is_valid():
        raise Refused(_("请选择日期并写明改期原因。"))
    data = form.cleaned_data
    moved = actions.reschedule_follow_up(
        follow_up=row, actor=actor, due_on=data["due_on"], reason=data["reason"], unit_id=data.get("unit")
    )
    messages.success(request, _("随访已改期。") if moved.unit_id == row.unit_id else _("随访已转交，对方会收到通知。"))
    return redirect(request, reverse("referrals:follow-ups"))


def _units(row: Any, actor: Any) -> list[tuple[int, str]]:
    """Who may do a follow-up, where there is a choice."""
    found = [(one.pk, one.name) for one in queries.may_follow(row, actor=actor)]
    return found if len(found) > 1 else []


def _findings(data: dict[str, Any]) -> actions.Findings:
    """What the form says, as far as it could be read."""
    given = {"way": "", "systolic": None, "diastolic": None, **data, "symptoms": tuple(data.get("symptoms", ()))}
    return actions.Findings(**given)
