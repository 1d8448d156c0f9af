"""What patients who were treated before paying still owe: the board of a hospital's debts, its file, and the acts on one of them."""

from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from doorstep.care.referrals import actions, debt_queries
from doorstep.care.referrals.permissions import Permission
from doorstep.care.referrals.presenters import debts as presenters
from doorstep.care.referrals.views.frame import actor_of
from doorstep.kernel.access.refusals import Refused
from doorstep.kernel.audit import actions as audit
from doorstep.kernel.web import workbooks
from doorstep.kernel.web.pages import redirect, render
from doorstep.kernel.workflow.once import once

# More than the column holds.
_MOST_YUAN = 100_000_000
_LONGEST = 40


@require_GET
def board(request: HttpRequest) -> HttpResponse:
    """The debts owed to the actor's units: open, overdue, paid in part, settled; the longest due first."""
    actor = actor_of(request)
    actor.check(Permission.DEBT_VIEW)
    which, text = _asked(request)
    audit.record(action="debt.list", actor=actor, subject=f"debts/{which}")
    rows, last = debt_queries.page_of_debts(actor=actor, which=which, text=text, after=request.GET.get("after", ""))
    figures = debt_queries.figures_of_debts(actor=actor, text=text)
    context: dict[str, Any] = {
        "which": which,
        "text": text,
        "tabs": presenters.tabs_of(figures, which=which, text=text),
        "figures": figures,
        "lines": presenters.lines_of(rows),
        "here": _address(which, text, request.GET.get("after", "")),
        "next": _address(which, text, last) if last else "",
        "paged": bool(request.GET.get("after")),
        "file": f"{reverse('referrals:debts-file')}?{urlencode({'which': which, 'q': text})}",
        "may_collect": actor.may(Permission.REFERRAL_TREAT),
        "may_waive": actor.may(Permission.DEBT_WAIVE),
    }
    return render(request, "referrals/debts.html", context)


@require_GET
def export(request: HttpRequest) -> HttpResponse:
    """The same debts as an Excel file."""
    actor = actor_of(request)
    actor.check(Permission.DEBT_VIEW)
    which, text = _asked(request)
    rows, _last = debt_queries.page_of_debts(actor=actor, which=which, text=text, limit=debt_queries.EXPORTED)
    people = [one.resident_id for one in rows]
    audit.record_list(action="debt.export", actor=actor, subject=f"debts/{which}", resident_ids=people)
    return workbooks.answer(presenters.workbook(rows), "debts.xlsx")


@require_GET
def debt(request: HttpRequest, key: UUID) -> HttpResponse:
    """What is owed: leads to the case that it belongs to."""
    actor = actor_of(request)
    actor.check(Permission.DEBT_VIEW)
    return redirect(request, reverse("referrals:detail", args=[debt_queries.get_debt(key=key).referral.key]))


@require_POST
@once
def settle(request: HttpRequest, key: UUID, verb: str) -> HttpResponse:
    """Note that a debt was paid, in part or whole, or waived, or that the patient was reminded; a refusal is said on the page it came from."""
    actor = actor_of(request)
    actor.check(Permission.DEBT_WAIVE if verb == "waive" else Permission.REFERRAL_TREAT)
    found = debt_queries.get_debt(key=key)
    try:
        with transaction.atomic():
            actions.settle_debt(
                debt=found, verb=verb, reason=request.POST.get("reason", ""), actor=actor, amount=_amount(request)
            )
    except Refused as refused:
        if refused.status not in (409, 422):
            raise
        messages.error(request, "；".join(str(one) for one in refused.fields.values()) or str(refused.message))
    else:
        messages.success(request, _("已提醒患者。") if verb == "remind" else _("欠款状态已更新。"))
    if request.POST.get("back") == "debts":
        which, text = _asked(request)
        return redirect(request, _address(which, text, request.GET.get("after", "")))
    return redirect(request, reverse("referrals:detail", args=[found.referral.key]))


def _asked(request: HttpRequest) -> tuple[str, str]:
    """Which debts, and of whom."""
    which = request.GET.get("which", "")
    return which if which in presenters.NAMES else debt_queries.OPEN, request.GET.get("q", "").strip()[:_LONGEST]


def _address(which: str, text: str, after: str) -> str:
    asked = {"which": which, "q": text, "after": after}
    return f"{reverse('referrals:debts')}?{urlencode({name: value for name, value in asked.items() if value})}"


def _amount(request: HttpRequest) -> Decimal | None:
    try:
        found = Decimal(request.POST.get("amount", "").strip())
    except InvalidOperation:
        return None
    return found if found.is_finite() and abs(found) < _MOST_YUAN else None
