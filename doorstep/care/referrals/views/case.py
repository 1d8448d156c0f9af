"""Questions on a case."""

from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from doorstep.care.referrals import actions, down_queries, queries
from doorstep.care.referrals.dialog_forms import AnswerForm, QuestionForm
from doorstep.care.referrals.forms import add_refusal
from doorstep.care.referrals.permissions import Permission
from doorstep.care.referrals.presenters import questions
from doorstep.care.referrals.views.frame import actor_of
from doorstep.kernel.access.refusals import Refused
from doorstep.kernel.web.pages import page_or_part, redirect
from doorstep.kernel.workflow.once import once


@require_http_methods(["GET", "POST"])
@once
def ask(request: HttpRequest, key: UUID) -> HttpResponse:
    """Ask the other side of a case."""
    actor = actor_of(request)
    actor.check(Permission.CASE_ANSWER)
    referral = queries.get(key=key, actor=actor)
    form = QuestionForm(request.POST if request.method == "POST" else None)
    # Nobody writes a question that is refused afterwards.
    closed = "" if form.is_bound else questions.why_not(referral)
    if form.is_bound and form.is_valid():
        try:
            with transaction.atomic():
                actions.ask_question(
                    referral=referral, text=form.cleaned_data["text"], urgent=form.cleaned_data["urgent"], actor=actor
                )
        except Refused as refused:
            if not refused.fields:
                raise
            add_refusal(form, refused.fields, {})
        else:
            messages.success(request, _("问题已发出，对方答复后会通知您。"))
            return redirect(request, reverse("referrals:detail", args=[key]))
    context = {"referral": referral, "form": form, "question": None, "closed": closed}
    return page_or_part(request, "referrals/question.html", "content", context, status=422 if form.is_bound else 200)


@require_http_methods(["GET", "POST"])
@once
def question(request: HttpRequest, key: UUID) -> HttpResponse:
    """One question: answered by the side that was asked, taken back by the one that asked."""
    actor = actor_of(request)
    actor.check(Permission.CASE_ANSWER)
    found = down_queries.get_question(key=key)
    referral = queries.get(key=found.referral.key, actor=actor)
    form = AnswerForm(request.POST if request.method == "POST" else None)
    if request.POST.get("verb") == "retract":
        actions.retract_question(question=found, actor=actor)
        messages.success(request, _("提问已撤销。"))
        return redirect(request, reverse("referrals:detail", args=[referral.key]))
    if form.is_bound and form.is_valid():
        actions.answer_question(question=found, text=form.cleaned_data["answer"], actor=actor)
        messages.success(request, _("答复已发送。"))
        return redirect(request, reverse("referrals:detail", args=[referral.key]))
    context = {
        "referral": referral,
        "form": form,
        "question": found,
        "late": questions.came_late(found),
        "may_answer": found.state == "asked" and actor.reaches(found.answerer_id),
        "may_retract": found.state == "asked" and actor.reaches(found.asker_id),
    }
    return page_or_part(request, "referrals/question.html", "content", context, status=422 if form.is_bound else 200)
