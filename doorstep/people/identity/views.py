"""Pages of the records office: two records side by side, merges, parting."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from doorstep.kernel.access.actor import Actor
from doorstep.kernel.access.refusals import Refused
from doorstep.kernel.web.pages import page_or_part, redirect, render
from doorstep.kernel.web.refusing import show_refusal
from doorstep.kernel.workflow.once import once
from doorstep.people.identity import actions, differences, obstacles, pairs, presenters, proposing, queries, searching
from doorstep.people.identity.forms import MergeForm, UndoForm
from doorstep.people.residents import finding
from doorstep.people.residents import queries as residents
from doorstep.people.residents.permissions import Permission


def actor_of(request: HttpRequest) -> Actor:
    """Who acts in this request, with the right to merge."""
    actor: Actor = request.actor  # type: ignore[attr-defined]
    actor.check(Permission.RESIDENT_MERGE)
    return actor


@require_GET
def office(request: HttpRequest) -> HttpResponse:
    """The desk of the records office: what was merged lately."""
    actor = actor_of(request)
    return render(
        request,
        "identity/office.html",
        {"merges": queries.recent_merges(actor=actor), "proposals": proposing.waiting_proposals()},
    )


@require_GET
def review(request: HttpRequest) -> HttpResponse:
    """Likely pairs of the index, the likeliest first."""
    actor = actor_of(request)
    waiting = pairs.open_pairs(actor=actor, limit=pairs.SHOWN + 1)
    shown = [(one, presenters.reasons_of(one)) for one in waiting[: pairs.SHOWN]]
    return render(request, "identity/review.html", {"pairs": shown, "more": len(waiting) > pairs.SHOWN})


@require_POST
@once
def search(request: HttpRequest) -> HttpResponse:
    """Have the whole index searched now instead of at night."""
    searching.call(actor=actor_of(request))
    messages.success(request, _("已开始查重，稍后刷新本页查看结果。"))
    return redirect(request, reverse("identity:review"))


@require_POST
@once
def reject(request: HttpRequest, key: UUID) -> HttpResponse:
    """Two records are two people."""
    pairs.reject(key=key, actor=actor_of(request))
    messages.success(request, _("已记为不是同一人，以后不再提示。"))
    return redirect(request, reverse("identity:review"))


@require_http_methods(["GET", "POST"])
@once
def compare(request: HttpRequest, key: UUID) -> HttpResponse:
    """One record and another (`with`) side by side, and their merge; without another, the search for it."""
    actor = actor_of(request)
    standing = residents.get_by_key(key, actor)
    other = _uuid(request.GET.get("with", ""))
    if other is None or other == standing.key:
        return _pick(request, key, actor)
    pair = queries.compare(standing=standing, former_key=other, actor=actor)
    waiting = proposing.proposal_between(pair.standing, pair.former)
    if waiting is not None:
        return redirect(request, reverse("identity:proposal", args=[waiting.key]))
    lines = presenters.lines_of(pair)
    against = differences.differences(pair.standing, pair.former)
    form = MergeForm(
        request.POST or None,
        differing={line.code: line.proposed for line in lines if line.proposed},
        strong=[one for one in against if one.strong],
    )
    two = differences.takes_two(pair.standing, pair.former)
    if request.method == "POST" and form.is_valid():
        try:
            return _merge_or_propose(request, pair, form, two=two)
        except Refused as refused:
            show_refusal(form, refused)
    context = {
        "pair": pair,
        "lines": lines,
        "form": form,
        "against": against,
        "takes_two": two,
        "ticks": [form[differences.field_of(one.code)] for one in form.strong],
        "obstacles": obstacles.in_the_way(standing=pair.standing, former=pair.former, actor=actor),
        "standing_rows": presenters.counted(pair.standing_counts),
        "former_rows": presenters.counted(pair.former_counts),
        "waiting": pairs.waiting_between(one=pair.standing, other=pair.former),
    }
    return render(request, "identity/compare.html", context, 422 if form.errors else 200)


def _merge_or_propose(request: HttpRequest, pair: queries.Pair, form: MergeForm, *, two: bool) -> HttpResponse:
    act = proposing.propose if two else actions.merge
    made = act(
        standing=pair.standing,
        former=pair.former,
        choices=form.choices(),
        reason=form.cleaned_data["reason"],
        confirmed=form.confirmed(),
        actor=actor_of(request),
    )
    if two:
        messages.success(request, _("已提请复核，由另一位档案管理员同意后合并。"))
        return redirect(request, reverse("identity:proposal", args=[made.key]))
    messages.success(request, _("已合并。发现有误可随时撤销。"))
    return redirect(request, reverse("identity:merge", args=[made.key]))


def _pick(request: HttpRequest, key: UUID, actor: Actor) -> HttpResponse:
    resident = residents.get_by_key(key, actor)
    text = (request.POST.get("q") or request.GET.get("q", "")).strip()
    found = [one for one in finding.search_panel(text, actor) if one.key != resident.key]
    context = {"resident": resident, "banner": residents.banner(resident), "text": text, "found": found}
    return page_or_part(request, "identity/pick.html", "found", context)


@require_GET
def merge_detail(request: HttpRequest, key: UUID) -> HttpResponse:
    """One merge: what was kept, what moved, what came since."""
    actor = actor_of(request)
    merge = queries.get_merge(key=key)
    moved, since = queries.rows_of(merge, actor=actor)
    context = {
        "merge": merge,
        "two": [presenters.told_apart(one) for one in (merge.standing, merge.former)],
        "kept": presenters.kept_of(merge.choices),
        "confirmed": presenters.kept_of(merge.confirmed),
        "moved": presenters.counted(moved),
        "since": presenters.counted(since),
        "form": UndoForm(),
    }
    return render(request, "identity/merge.html", context)


@require_POST
@once
def undo(request: HttpRequest, key: UUID) -> HttpResponse:
    """Part two merged records."""
    actor = actor_of(request)
    merge = queries.get_merge(key=key)
    form = UndoForm(request.POST)
    if form.is_valid():
        actions.unmerge(merge=merge, reason=form.cleaned_data["reason"], actor=actor)
        messages.success(request, _("已撤销合并，两份档案各自恢复。"))
    else:
        messages.error(request, _("没有撤销：请写明撤销依据。"))
    return redirect(request, reverse("identity:merge", args=[merge.key]))


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
